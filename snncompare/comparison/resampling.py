"""What is drawn anew to learn how far a similarity would vary: conditions, subjects, both, trials, or nothing.

The similarities of the resampled RDMs equal those of rsatoolbox's ``eval_bootstrap_pattern``, ``eval_dual_bootstrap``
and ``eval_bootstrap_rdm`` on the same draws, which tests/comparison/test_resampling_equals_rsatoolbox.py shows, and the
variances are rsatoolbox's own. They are computed here because all models and time scales can then share one seeded
draw, no global generator is touched, and it is quicker: measured per time scale with 40 conditions, 6 models, 1000
resamples and Spearman on two cores, 0.1 to 0.2 s instead of 24 s for five animals (rsatoolbox also computes the noise
ceiling of every resample there) and 0.07 s instead of 1.9 s for one.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.draws import over_both, over_conditions, over_subjects
from snncompare.comparison.measures import Measure
from snncompare.comparison.replicated import replicate_vectors

if TYPE_CHECKING:
    from snncompare.representation.replicates import Replicates

__all__ = [
    "FEWEST_CONDITIONS",
    "Conditions",
    "ConditionsAndSubjects",
    "Resampling",
    "Spread",
    "Subjects",
    "Trials",
    "choose_resampling",
]

Array = NDArray[np.float64]

FEWEST_CONDITIONS = 8


@dataclass(frozen=True, eq=False)
class Spread:
    """How far similarities vary over resamples.

    Attributes
    ----------
    samples : array (n_metrics, n_models, n_resamples)
    variance : array (n_metrics, n_models)
        Of each similarity.
    difference_variance : array (n_metrics, n_models * (n_models - 1) / 2)
        Of the difference of each pair of models (0, 1), (0, 2), ..., (1, 2), ...
    degrees_of_freedom : float
        Of the t distribution that the intervals use.
    """

    samples: Array
    variance: Array
    difference_variance: Array
    degrees_of_freedom: float


class Resampling(ABC):
    """What is drawn anew; ``words`` says what the intervals therefore generalise over."""

    words: ClassVar[str]

    @abstractmethod
    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return how far the similarities vary."""


@dataclass(frozen=True)
class Conditions(Resampling):
    """Bootstrap over conditions, for one subject; rsatoolbox's ``eval_bootstrap_pattern``."""

    n_resamples: int
    seed: int
    words: ClassVar[str] = "other stimuli of the same kind, shown to the same animal"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over bootstrap samples of the conditions; n_conditions - 1 degrees of freedom."""
        n = len(aligned.conditions)
        drawn = np.random.default_rng(self.seed).integers(0, n, (self.n_resamples, n))
        samples = over_conditions(aligned, measure, drawn)[:, 0]
        return _bootstrap_spread([samples], n_pattern=n, degrees_of_freedom=n - 1)


@dataclass(frozen=True)
class ConditionsAndSubjects(Resampling):
    """Bootstrap over conditions and subjects; rsatoolbox's ``eval_dual_bootstrap``.

    Schuett, Kipnis, Diedrichsen and Kriegeskorte (2023), eLife 12:e82566, two-factor bootstrap. Measured coverage of
    nominal 95 % intervals: 96 to 100 % (12 to 30 conditions, 3 to 10 subjects, 250 simulated experiments each); two
    equally good models are told apart in 0 to 1 %.
    """

    n_resamples: int
    seed: int
    words: ClassVar[str] = "other stimuli of the same kind and other animals"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over both; degrees of freedom: the smaller number minus 1."""
        n, n_subjects = len(aligned.conditions), len(aligned.subjects)
        generator = np.random.default_rng(self.seed)
        subjects = generator.integers(0, n_subjects, (self.n_resamples, n_subjects))
        drawn = generator.integers(0, n, (self.n_resamples, n))
        samples = over_both(aligned, measure, drawn, subjects)
        least = min(n, n_subjects) - 1
        return _bootstrap_spread(list(samples), n_rdm=n_subjects, n_pattern=n, degrees_of_freedom=least)


@dataclass(frozen=True)
class Subjects(Resampling):
    """Bootstrap over subjects, for few conditions; rsatoolbox's ``eval_bootstrap_rdm``.

    Measured coverage of nominal 95 % intervals: 91 to 96 % (5 conditions, 6 subjects, 250 simulated experiments).
    """

    n_resamples: int
    seed: int
    words: ClassVar[str] = "other animals, shown the same stimuli"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over bootstrap samples of the subjects; n_subjects - 1 degrees of freedom."""
        n = len(aligned.subjects)
        drawn = np.random.default_rng(self.seed).integers(0, n, (self.n_resamples, n))
        return _bootstrap_spread([over_subjects(aligned, measure, drawn)], n_rdm=n, degrees_of_freedom=n - 1)


@dataclass(frozen=True, eq=False)
class Trials(Resampling):
    r"""Bootstrap over trials, for one subject and few conditions.

    An RDM of resampled trials is noisier than the RDM of the trials, hence less similar to any model. The variance is
    therefore taken about the similarity S of the data, not about the mean of the resamples, which would be too small:

    .. math:: \hat\sigma^2 = \frac{n}{n - 1} \, \frac{1}{B} \sum_b (S_b - S)^2

    with n the fewest trials of a condition and n - 1 degrees of freedom. Measured coverage of nominal 95 % intervals:
    94 to 100 % (5 and 6 conditions, 4 to 20 trials, Spearman; 85 to 98 % for the variance about the mean with a normal
    quantile). A smaller version of this simulation is tests/comparison/test_trial_intervals_cover.py.
    """

    replicates: "Replicates"
    words: ClassVar[str] = "other trials of the same stimuli in the same animal"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over the RDMs of resampled trials that the replicates hold."""
        vectors = replicate_vectors(self.replicates, "bootstrap", aligned)
        assert vectors is not None
        n = int(np.min(self.replicates.n_trials))
        samples, covariances = [], []
        for resampled, data, models in zip(vectors, aligned.data, aligned.models, strict=True):
            each = measure.between(resampled, models).T
            deviation = each - measure.between(data, models).T
            samples.append(each)
            covariances.append(deviation @ deviation.T / deviation.shape[1] * n / (n - 1))
        return _spread(np.stack(samples), covariances, degrees_of_freedom=n - 1)


def choose_resampling(
    aligned: Aligned, replicates: "Replicates | None", n_resamples: int, seed: int
) -> Resampling | None:
    """Return the widest generalisation that the data allow; None where nothing can be drawn anew.

    With at least 8 conditions, conditions are drawn (and subjects, where there are several). With fewer, bootstrap
    samples hold so few different conditions that their RDMs spread far more than those of new experiments: then
    subjects are drawn, else trials, else nothing.
    """
    several = len(aligned.subjects) > 1
    if len(aligned.conditions) >= FEWEST_CONDITIONS:
        return ConditionsAndSubjects(n_resamples, seed) if several else Conditions(n_resamples, seed)
    if several:
        return Subjects(n_resamples, seed)
    return None if replicates is None or replicates.bootstrap is None else Trials(replicates)


def _bootstrap_spread(samples: list[Array], *, degrees_of_freedom: float, **sizes: int) -> Spread:
    """Return the spread from one bootstrap, or from three: over both factors, subjects, conditions."""
    usable = np.isfinite(samples[0][0, 0])
    covariances = []
    for metric in zip(*samples, strict=True):
        each = np.stack([np.atleast_2d(np.cov(bootstrap[:, usable])) for bootstrap in metric])
        covariances.append(each if len(samples) > 1 else each[0])
    return _spread(samples[0][..., usable], covariances, degrees_of_freedom=degrees_of_freedom, **sizes)


def _spread(samples: Array, covariances: list[Array], *, degrees_of_freedom: float, **sizes: int) -> Spread:
    """Return the spread with rsatoolbox's corrections for the given numbers of subjects and conditions."""
    from rsatoolbox.util.inference_util import extract_variances

    found = [extract_variances(covariance, nc_included=False, **sizes) for covariance in covariances]
    variance, difference, _ = zip(*found, strict=True)
    return Spread(samples, np.array(variance), np.array(difference), float(degrees_of_freedom))
