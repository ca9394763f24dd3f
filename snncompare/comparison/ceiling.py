"""How similar to the data even a perfect model could be: the noise ceiling, by what is compared with what.

==================  ==========================================================================================
across animals      Would another animal be as similar? Holds the differences between animals and all noise.
across sessions     Would another session of this animal be as similar? Holds drift between sessions and all noise.
split trials        Would another recording of the same units be as similar? Holds the noise between trials.
split units         Would another sample of units be as similar? Holds which units were recorded and the noise that
                    units do not share; what they share in a trial counts as signal.
==================  ==========================================================================================
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned, MetricKey
from snncompare.comparison.measures import Measure
from snncompare.comparison.resampling.replicated import replicate_vectors
from snncompare.comparison.wording import listed

if TYPE_CHECKING:
    from snncompare.representation.repeats.replicates import Replicates
    from snncompare.representation.unit_halves import UnitHalves

__all__ = ["Ceiling", "across_sessions", "across_subjects", "between_units", "noise_ceilings", "within_animal"]

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
    question : str
        Which question it answers.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    meaning: str
    remarks: tuple[str, ...] = ()
    absent: str = "the two halves of the trials do not agree"
    question: str = ""

    @classmethod
    def from_lists(
        cls,
        low: list[float],
        high: list[float],
        meaning: str,
        remarks: list[str],
        absent: str = absent,
        question: str = question,
    ) -> "Ceiling":
        """Return a ceiling from what its JSON holds."""
        return cls(tuple(low), tuple(high), meaning, tuple(remarks), absent, question)


def noise_ceilings(
    aligned: Aligned, measure: Measure, replicates: "Replicates | None", unit_halves: "UnitHalves | None" = None
) -> tuple[Ceiling, ...]:
    """Return all ceilings that the data allow, the one of the widest question first.

    A measure of which equal RDMs do not have the value 1 has none; one to which the Spearman-Brown formula does not
    apply has none from split halves.
    """
    found: list[Ceiling] = []
    if measure.of_equals != 1:
        return ()
    if len(aligned.subjects) > 1:
        found.append(across_subjects(aligned, measure))
    elif aligned.recordings.several:
        found.append(across_sessions(aligned, measure))
    if not measure.correlation_like:
        return tuple(found)
    if replicates is not None and replicates.half_a is not None and replicates.half_b is not None:
        found.append(within_animal(aligned, measure, replicates))
    if unit_halves is not None:
        found.append(between_units(aligned, measure, unit_halves))
    return tuple(found)


def across_subjects(aligned: Aligned, measure: Measure) -> Ceiling:
    """Return the noise ceiling over subjects; rsatoolbox's ``boot_noise_ceiling``, for every measure with a pool.

    Lower: each subject (every session of it) against the average of the others. Upper: each against the average of all,
    itself included. Nili et al. (2014), PLoS Computational Biology 10:e1003553.
    """
    averaged = ("The noise ceiling of tau-a rests on averaged ranks and is approximate.",)
    low, high = _left_out(aligned, measure)
    return Ceiling(
        low,
        high,
        f"lower: one animal against the average of the {len(aligned.subjects) - 1} other(s); upper: against the "
        "average of all",
        averaged if measure.method == "tau-a" else (),
        "the animals do not agree with each other",
        "would another animal be as similar?",
    )


def across_sessions(aligned: Aligned, measure: Measure) -> Ceiling:
    """Return the noise ceiling over the sessions of one animal: `across_subjects`, sessions in their place."""
    low, high = _left_out(aligned.by_session(), measure)
    return Ceiling(
        low,
        high,
        f"lower: one session against the average of the {aligned.recordings.n_members - 1} other(s) of this animal; "
        "upper: against the average of all",
        ("The noise ceiling of tau-a rests on averaged ranks and is approximate.",) * (measure.method == "tau-a"),
        "the sessions do not agree with each other",
        "would another session of this animal be as similar?",
    )


def _left_out(aligned: Aligned, measure: Measure) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return both bounds by leaving one subject out at a time."""
    recordings = aligned.recordings
    bounds = [_bounds(vectors, recordings.owner, measure) for vectors in recordings.vectors]
    low, high = (tuple(float(bound[k]) for bound in bounds) for k in (0, 1))
    return low, high


def _bounds(vectors: Array, owner: NDArray[np.intp], measure: Measure) -> tuple[float, float]:
    """Return how similar the RDMs of each owner are to the pool of the others, and to that of all."""
    if (np.ptp(vectors, axis=1) == 0).any():  # a constant RDM agrees with none and cannot be pooled
        return 0.0, 0.0
    every, subjects = measure.pooled(vectors)[None], np.unique(owner)
    low = [measure.between(vectors[owner == s], measure.pooled(vectors[owner != s])[None]).mean() for s in subjects]
    high = [measure.between(vectors[owner == s], every).mean() for s in subjects]
    return float(np.mean(low)), float(np.mean(high))


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
    low, high, unreliable = _spearman_brown(first, second, aligned, measure)
    remark = (
        f"The recording does not repeat itself for {listed(unreliable)}: RDMs of two halves of the trials are "
        "unrelated, so no model can be judged against a ceiling there."
    )
    return Ceiling(
        low,
        high,
        "lower: another, equally noisy recording of this animal; upper: a model that is the noise-free truth",
        (remark,) if unreliable else (),
        question="would another recording of the same units be as similar?",
    )


def between_units(aligned: Aligned, measure: Measure, unit_halves: "UnitHalves") -> Ceiling:
    r"""Return the noise ceiling of one animal from RDMs of two halves of its units.

    As `within_animal`, with units in the place of trials: the Spearman-Brown formula extrapolates from half of the
    units to all that were recorded. Lower: as many other units of the same population, in the same trials. Upper: a
    model that is the whole population, of which the units are a random sample. Noise that units share in a trial is
    signal here, so `within_animal` may be lower.

    The formula takes all units to weigh about the same. Measured against other units and the population (16 Poisson
    units, 10 conditions, 40 populations): too high by 0.01 to 0.05 where rates of a unit vary 1.4-fold (standard
    deviation over conditions), and by 0.07 (Spearman) to 0.11 (Pearson) where they vary 2-fold, as a few units then
    carry most of the sum; see also tests/comparison/test_unit_ceilings_bound_the_population.py.

    Raises
    ------
    InputError
        If the halves belong to other metrics or conditions.
    """
    first = replicate_vectors(unit_halves, "half_a", aligned)
    second = replicate_vectors(unit_halves, "half_b", aligned)
    assert first is not None
    assert second is not None
    low, high, unreliable = _spearman_brown(first, second, aligned, measure)
    remark = (
        f"The units do not agree for {listed(unreliable)}: RDMs of two halves of the units are unrelated, so no model "
        "can be judged against a ceiling there."
    )
    return Ceiling(
        low,
        high,
        f"lower: {unit_halves.n_units} other units of the same population in the same trials; upper: a model that is "
        "the whole population",
        (remark,) if unreliable else (),
        "the two halves of the units do not agree",
        "would another sample of units be as similar?",
    )


def _spearman_brown(
    first: Array, second: Array, aligned: Aligned, measure: Measure
) -> tuple[tuple[float, ...], tuple[float, ...], list[MetricKey]]:
    """Return both bounds, and the metrics where the halves are unrelated."""
    half = [
        np.mean([measure.between(a[None], b[None])[0, 0] for a, b in zip(one, two, strict=True)])
        for one, two in zip(first, second, strict=True)
    ]
    reliability = np.maximum(measure.as_correlation(np.array(half)), 0.0)
    full = np.minimum(2 * reliability / (1 + reliability), 1.0)
    low, high = measure.from_correlation(full), measure.from_correlation(np.sqrt(full))
    unreliable = [metric for metric, bound in zip(aligned.metrics, low, strict=True) if bound <= 0]
    return tuple(map(float, low)), tuple(map(float, high)), unreliable
