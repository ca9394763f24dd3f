"""What is drawn anew to learn how far a similarity would vary: conditions, subjects, both, trials, or nothing.

The similarities of the resampled RDMs equal those of rsatoolbox's ``eval_bootstrap_pattern``, ``eval_dual_bootstrap``
and ``eval_bootstrap_rdm`` on the same draws, which tests/comparison/test_resampling_equals_rsatoolbox.py shows, and the
variances are rsatoolbox's own. They are computed here because all models and time scales can then share one seeded
draw, no global generator is touched, and it is quicker: measured per time scale with 40 conditions, 6 models, 1000
resamples and Spearman on two cores, 0.1 to 0.2 s instead of 24 s for five animals (rsatoolbox also computes the noise
ceiling of every resample there) and 0.07 s instead of 1.9 s for one.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.measures import Measure
from snncompare.comparison.resampling.draws import over_both, over_conditions, over_subjects, similarities
from snncompare.comparison.resampling.replicated import replicate_vectors
from snncompare.comparison.resampling.seeds import spread_with_seeds, with_seeds
from snncompare.comparison.resampling.spread import Spread, corrected_spread

if TYPE_CHECKING:
    from snncompare.representation.repeats.replicates import Replicates

__all__ = [
    "FEWEST_CONDITIONS",
    "Conditions",
    "ConditionsAndSessions",
    "ConditionsAndSubjects",
    "Resampling",
    "Seeds",
    "Sessions",
    "Subjects",
    "Trials",
    "choose_resampling",
    "resampled_words",
]

Array = NDArray[np.float64]

FEWEST_CONDITIONS = 8


class Resampling(ABC):
    """What is drawn anew; ``words`` says what the intervals therefore generalise over.

    Network instances (seeds) are added by every one where a model has several:
    `snncompare.comparison.resampling.seeds.with_seeds`.
    """

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
        each = over_conditions(aligned, measure, drawn)
        return spread_with_seeds(
            [each[:, 0]], aligned, measure, seed=self.seed, degrees_of_freedom=n - 1, resampled=each, n_pattern=n
        )


@dataclass(frozen=True)
class ConditionsAndSubjects(Resampling):
    """Bootstrap over conditions and subjects; rsatoolbox's ``eval_dual_bootstrap``.

    Schuett, Kipnis, Diedrichsen and Kriegeskorte (2023), eLife 12:e82566, two-factor bootstrap. Measured coverage of
    nominal 95 % intervals: 96 to 100 % (12 to 30 conditions, 3 to 10 subjects, 250 simulated experiments each); two
    equally good models are told apart in 0 to 1 %.

    Sessions are drawn with their animal and never by themselves: the variance between the means of animals holds that
    between sessions already, whatever the number of sessions of each (the primary units of a nested design; Davison and
    Hinkley, Bootstrap Methods and their Application, 1997, section 3.8).
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
        each = over_conditions(aligned, measure, drawn)
        samples = list(over_both(aligned, measure, each, subjects))
        return spread_with_seeds(
            samples,
            aligned,
            measure,
            seed=self.seed,
            degrees_of_freedom=min(n, n_subjects) - 1,
            resampled=each,
            n_rdm=n_subjects,
            n_pattern=n,
        )


@dataclass(frozen=True)
class Subjects(Resampling):
    """Bootstrap over subjects, for few conditions; rsatoolbox's ``eval_bootstrap_rdm``.

    Measured coverage of nominal 95 % intervals: 91 to 95 % (4, 6 subjects; 6 conditions; 500 simulated experiments), as
    with the stimuli held the similarities of few animals are far from normal. Intervals are taken on Fisher's z scale
    (`snncompare.comparison.inference.Estimates`), which keeps them within bounds and holds a true model 1 % more often
    than the plain ones; see analyses/calibration.
    """

    n_resamples: int
    seed: int
    words: ClassVar[str] = "other animals, shown the same stimuli"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over bootstrap samples of the subjects; n_subjects - 1 degrees of freedom."""
        n = len(aligned.subjects)
        drawn = np.random.default_rng(self.seed).integers(0, n, (self.n_resamples, n))
        samples = over_subjects(aligned, measure, drawn)
        each = similarities(aligned, measure)[..., None]  # the conditions are held: one "resample", the data themselves
        found = spread_with_seeds(
            [samples], aligned, measure, seed=self.seed, degrees_of_freedom=n - 1, resampled=each, n_rdm=n
        )
        return replace(found, bounded=True)


@dataclass(frozen=True)
class ConditionsAndSessions(Resampling):
    """Bootstrap over conditions and the sessions of one animal: `ConditionsAndSubjects`, sessions in their place."""

    n_resamples: int
    seed: int
    words: ClassVar[str] = "other stimuli of the same kind and other sessions of the same animal"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over both; degrees of freedom: the smaller number minus 1."""
        return ConditionsAndSubjects(self.n_resamples, self.seed).spread(aligned.by_session(), measure)


@dataclass(frozen=True)
class Sessions(Resampling):
    """Bootstrap over the sessions of one animal, for few conditions: `Subjects`, sessions in their place."""

    n_resamples: int
    seed: int
    words: ClassVar[str] = "other sessions of the same animal, with the same stimuli"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over bootstrap samples of the sessions; n_sessions - 1 degrees of freedom."""
        return Subjects(self.n_resamples, self.seed).spread(aligned.by_session(), measure)


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
        for resampled, data, models in zip(vectors, aligned.data, aligned.instances.vectors, strict=True):
            each = measure.between(resampled, models).T
            deviation = aligned.instances.averaged(each - measure.between(data, models).T, axis=0)
            samples.append(each)
            covariances.append(deviation @ deviation.T / deviation.shape[1] * n / (n - 1))
        by_instance = np.stack(samples)
        base = corrected_spread(aligned.instances.averaged(by_instance, axis=1), covariances, degrees_of_freedom=n - 1)
        return with_seeds(base, by_instance, aligned, measure, seed=self.replicates.seed)


@dataclass(frozen=True)
class Seeds(Resampling):
    """Only the network instances are drawn anew: one animal, few conditions, no repeated trials."""

    n_resamples: int
    seed: int
    words: ClassVar[str] = "nothing in the data"

    def spread(self, aligned: Aligned, measure: Measure) -> Spread:
        """Return the spread over instances; nan for a model, and for a pair of models, without several."""
        each = similarities(aligned, measure)[:, 0]
        samples = np.repeat(each[..., None], self.n_resamples, axis=-1)
        n_metrics, n_models = len(aligned.metrics), len(aligned.names)
        first, second = np.triu_indices(n_models, 1)
        nothing = Spread(samples, np.zeros((n_metrics, n_models)), np.zeros((n_metrics, first.size)), 1.0, 1.0)
        found = with_seeds(nothing, samples, aligned, measure, seed=self.seed)
        alone = aligned.instances.number == 1
        variance, difference = found.variance.copy(), found.difference_variance.copy()
        variance[:, alone] = np.nan
        difference[:, alone[first] & alone[second]] = np.nan
        return replace(found, variance=variance, difference_variance=difference)


def choose_resampling(
    aligned: Aligned, replicates: "Replicates | None", n_resamples: int, seed: int, *, conditions: bool = True
) -> Resampling | None:
    """Return the widest generalisation that the data allow; None where nothing can be drawn anew.

    With at least 8 conditions, conditions are drawn (and subjects, where there are several, or else sessions). With
    fewer, bootstrap samples hold so few different conditions that their RDMs spread far more than those of new
    experiments: then subjects are drawn, else sessions, else trials, else network instances, else nothing.

    Parameters
    ----------
    conditions : bool
        Whether the measure allows conditions to be drawn, i.e. to occur more than once.
    """
    several = len(aligned.subjects) > 1
    sessions = aligned.recordings.several
    if conditions and len(aligned.conditions) >= FEWEST_CONDITIONS:
        if several:
            return ConditionsAndSubjects(n_resamples, seed)
        return (ConditionsAndSessions if sessions else Conditions)(n_resamples, seed)
    if several:
        return Subjects(n_resamples, seed)
    if sessions:
        return Sessions(n_resamples, seed)
    if replicates is not None and replicates.bootstrap is not None:
        return Trials(replicates)
    return Seeds(n_resamples, seed) if aligned.instances.several else None


def resampled_words(resampling: Resampling | None, aligned: Aligned) -> str:
    """Return what the intervals generalise over, in words."""
    words = "nothing" if resampling is None else resampling.words
    if not aligned.instances.several:
        return words
    if isinstance(resampling, Seeds):
        return "other seeds of the networks, with the same data"
    return f"{words}; and other seeds of the networks"
