"""RDMs of split halves of the units: what a ceiling of another sample of units is made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import a_recording, whole_number
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions, Label
from snncompare.representation.distances import several_metrics
from snncompare.representation.estimators import Estimator, checked_estimator, default_estimator
from snncompare.representation.metrics import Metric
from snncompare.representation.rdm import rdm

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["UnitHalves", "unit_halves"]

Array = NDArray[np.float64]

SUM_TOLERANCE = 1e-9
"""Relative to the largest dissimilarity: what adding up the units in another order may change."""


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitHalves:
    """RDMs of two disjoint halves of the units, drawn anew for each split.

    Attributes
    ----------
    conditions : tuple of labels
        In the order of the RDM they belong to.
    n_units : int
        Of both halves together.
    metric, time_scale : tuples (n_metrics,)
        Labels and time scales (seconds) of the metrics, the first axis of the arrays.
    half_a, half_b : arrays (n_metrics, n_splits, n_pairs)
        Of an odd number of units, the odd one goes to either half by chance.
    estimator : Estimator
    seed : int
    """

    conditions: tuple[Label, ...]
    n_units: int
    metric: tuple[str, ...]
    time_scale: tuple[float, ...]
    half_a: Array
    half_b: Array
    estimator: Estimator
    seed: int

    def __post_init__(self) -> None:
        for values in (self.half_a, self.half_b):
            values.setflags(write=False)


def unit_halves(
    recording: Recording,
    metric: Metric | Sequence[Metric],
    by: str,
    estimator: Estimator | None = None,
    *,
    n_splits: int = 100,
    seed: int = 0,
) -> UnitHalves:
    """Return RDMs of split halves of the units of a recording.

    Where the RDMs of single units add up to that of the population (`BetweenMinusWithin`, and every estimator for a
    metric that is not Euclidean), each is computed once and the halves are sums; else every half is computed itself.
    All metrics share the same splits. A silent unit adds nothing to its half.

    Parameters
    ----------
    recording : Recording
        With at least 4 units.
    metric : Metric or sequence of Metric
        Additive over units: the distance of a population (squared, if Euclidean) is the sum over its units. Of other
        metrics a half is not a smaller sample of the same thing, and the Spearman-Brown formula does not hold.
    by : str
        Column of the trials table that names the condition.
    estimator : Estimator, optional
        As in `rdm`; the one of the RDM that the halves belong to.
    n_splits : int
        At least 1.
    seed : int

    Raises
    ------
    InputError
        If a metric is not additive, there are fewer than 4 units, a number cannot be used, or as in `rdm`.
    """
    metrics = several_metrics(metric)
    a_recording(recording)
    joint = next((value for value in metrics if not value.additive), None)
    if joint is not None:
        raise InputError(
            f"unit halves need a metric that is a sum over units; {joint!r} is not. Use one value per unit (for "
            "example VanRossum with mixing=0, or pooled=False), or split trials instead."
        )
    if recording.n_units < 4:
        raise InputError(f"the recording has {recording.n_units} units; unit halves need at least 4.")
    whole_number("n_splits", n_splits, 1)
    whole_number("seed", seed, 0)
    chosen = checked_estimator(estimator) or default_estimator(Conditions.of(recording, by))
    whole = rdm(recording, metrics, by, chosen)
    first = _first_halves(recording.n_units, n_splits, np.random.default_rng(seed))
    half_a, half_b = _halves(recording, metrics, by, chosen, whole.get_vectors(), first)
    return UnitHalves(
        conditions=tuple(_plain(label) for label in whole.pattern_descriptors["condition"]),
        n_units=recording.n_units,
        metric=tuple(whole.rdm_descriptors["metric"]),
        time_scale=tuple(float(scale) for scale in whole.rdm_descriptors["time_scale"]),
        half_a=half_a,
        half_b=half_b,
        estimator=chosen,
        seed=seed,
    )


def _halves(
    recording: Recording, metrics: list[Metric], by: str, estimator: Estimator, whole: Array, first: NDArray[np.bool_]
) -> tuple[Array, Array]:
    def of(units: NDArray[np.bool_]) -> Array:
        found: RDMs = rdm(recording.select(units=units), metrics, by, estimator)
        return np.asarray(found.get_vectors(), dtype=np.float64)

    each = np.stack([of(np.arange(recording.n_units) == unit) for unit in range(recording.n_units)], axis=1)
    if np.allclose(each.sum(axis=1), whole, rtol=0, atol=SUM_TOLERANCE * np.abs(whole).max()):
        one, two = (np.einsum("su,kup->ksp", half.astype(float), each) for half in (first, ~first))
        return one, two
    one, two = (np.stack([of(half) for half in halves], axis=1) for halves in (first, ~first))
    return one, two


def _first_halves(n_units: int, n_splits: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw which units form the first half in each split, (n_splits, n_units)."""
    rank = rng.permuted(np.tile(np.arange(n_units), (n_splits, 1)), axis=1)
    size = n_units // 2 + rng.integers(0, n_units % 2 + 1, size=(n_splits, 1))
    return rank < size


def _plain(label: object) -> Label:
    return label.item() if isinstance(label, np.generic) else label  # type: ignore[return-value]
