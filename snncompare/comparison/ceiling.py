"""How similar to the data even a perfect model could be: the noise ceiling."""

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.measures import Measure
from snncompare.comparison.replicated import replicate_vectors
from snncompare.comparison.wording import listed

if TYPE_CHECKING:
    from snncompare.representation.replicates import Replicates

__all__ = ["Ceiling", "across_subjects", "noise_ceiling", "within_animal"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ceiling:
    """The band of similarities that a model as good as the data allow would reach.

    Attributes
    ----------
    low, high : tuple of float
        One per (metric, time scale) of the data. A ceiling of 0 says that the data do not repeat themselves.
    meaning : str
        What the two bounds are, in words.
    remarks : tuple of str
        What is wrong with it, in words.
    absent : str
        What a lower bound that is not above 0 says about the data, in words.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    meaning: str
    remarks: tuple[str, ...] = ()
    absent: str = "the two halves of the trials do not agree"

    @classmethod
    def from_lists(
        cls, low: list[float], high: list[float], meaning: str, remarks: list[str], absent: str = absent
    ) -> "Ceiling":
        """Return a ceiling from what its JSON holds."""
        return cls(tuple(low), tuple(high), meaning, tuple(remarks), absent)


def noise_ceiling(aligned: Aligned, measure: Measure, replicates: "Replicates | None") -> Ceiling | None:
    """Return the ceiling across subjects, else within the one subject, else None."""
    if len(aligned.subjects) > 1:
        return across_subjects(aligned, measure)
    if replicates is None or replicates.half_a is None or replicates.half_b is None:
        return None
    return within_animal(aligned, measure, replicates)


def across_subjects(aligned: Aligned, measure: Measure) -> Ceiling:
    """Return rsatoolbox's noise ceiling over subjects.

    Lower: each subject against the average of the others. Upper: each subject against the average of all, itself
    included. Nili et al. (2014), PLoS Computational Biology 10:e1003553.
    """
    from rsatoolbox.inference import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs

    with warnings.catch_warnings():  # for tau-a rsatoolbox warns that it averages ranks; the remark below says so
        warnings.filterwarnings("ignore", message="Noise ceiling for tau based on averaged ranks!")
        bounds = [boot_noise_ceiling(RDMs(vectors), method=measure.method) for vectors in aligned.data]
    low, high = (tuple(float(bound[k]) for bound in bounds) for k in (0, 1))
    averaged = ("The noise ceiling of tau-a rests on averaged ranks and is approximate.",)
    return Ceiling(
        low,
        high,
        f"lower: one animal against the average of the {len(aligned.subjects) - 1} other(s); upper: against the "
        "average of all",
        averaged if measure.method == "tau-a" else (),
        "the animals do not agree with each other",
    )


def within_animal(aligned: Aligned, measure: Measure, replicates: "Replicates") -> Ceiling:
    r"""Return the noise ceiling of one animal from RDMs of two halves of its trials.

    With r the similarity of the two halves (mean over splits), the Spearman-Brown formula gives the reliability of the
    RDM from all trials and its square root the correlation with the noise-free RDM:

    .. math:: r_{full} = \frac{2 r}{1 + r}, \qquad [r_{full}, \sqrt{r_{full}}]

    Lower: another, equally noisy measurement of the same animal. Upper: a model that is the noise-free truth. Where
    r is not positive both are 0. Spearman (1910) and Brown (1910), British Journal of Psychology 3:271 and 3:296.
    The formula takes the noise of an RDM entry to average out over trials. Against independent recordings and the
    noise-free RDM in simulations (5 to 20 conditions, 5 to 20 trials, Spearman, Pearson and tau-a, both estimators of
    RDMs) both bounds were right to 0.04 on average and up to 0.07 too low; a smaller version is
    tests/comparison/test_ceilings_bound_the_truth.py.

    Raises
    ------
    InputError
        If the replicates belong to other metrics or conditions.
    """
    first = replicate_vectors(replicates, "half_a", aligned)
    second = replicate_vectors(replicates, "half_b", aligned)
    assert first is not None
    assert second is not None
    half = [
        np.mean([measure.between(a[None], b[None])[0, 0] for a, b in zip(one, two, strict=True)])
        for one, two in zip(first, second, strict=True)
    ]
    reliability = np.maximum(measure.as_correlation(np.array(half)), 0.0)
    full = np.minimum(2 * reliability / (1 + reliability), 1.0)
    low, high = measure.from_correlation(full), measure.from_correlation(np.sqrt(full))
    unreliable = [metric for metric, bound in zip(aligned.metrics, low, strict=True) if bound <= 0]
    remark = (
        f"The recording does not repeat itself for {listed(unreliable)}: RDMs of two halves of the trials are "
        "unrelated, so no model can be judged against a ceiling there."
    )
    return Ceiling(
        tuple(map(float, low)),
        tuple(map(float, high)),
        "lower: another, equally noisy recording of this animal; upper: a model that is the noise-free truth",
        (remark,) if unreliable else (),
    )
