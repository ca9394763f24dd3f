"""Similarity against the number of units: how much of a mismatch is too few electrodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snncompare.comparison.alignment import align
from snncompare.comparison.measures import Measure, Spearman, check_measure
from snncompare.errors import InputError
from snncompare.recording.arguments import a_recording
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import several_metrics
from snncompare.representation.estimators import Estimator, checked_estimator, default_estimator
from snncompare.representation.metrics import Metric
from snncompare.representation.pooled_conditions import condition_dissimilarities
from snncompare.representation.rdm import rdm

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["UnitCurve", "unit_curve"]


@dataclass(frozen=True, eq=False)
class UnitCurve:
    """Similarity of models with random parts of a population.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per model, metric, time scale and ``n_units``: ``similarity``, the mean over draws of units; ``low`` and
        ``high``, the interval that holds the middle ``1 - level`` of the draws; ``n_draws`` (1 for all units).
    level : float
    seed : int
    provenance : dict
    """

    table: pd.DataFrame
    level: float
    seed: int
    provenance: dict[str, Any] = field(default_factory=dict)


def unit_curve(
    recording: Recording,
    models: "Mapping[str, RDMs]",
    metric: Metric | Sequence[Metric],
    by: str,
    n_units: Sequence[int],
    *,
    n_draws: int = 100,
    estimator: Estimator | None = None,
    measure: Measure = Spearman(),  # noqa: B008  a frozen value
    level: float = 0.05,
    seed: int = 0,
) -> UnitCurve:
    """Return the similarity of models with the RDMs of some units of a recording, against how many.

    Units are drawn without replacement, so draws of almost all units share most of them: their interval tells how much
    the choice of electrodes mattered, not what another population would give. Similarity rises with the number of
    units for every model that has to do with the code (Chun et al. 2025, arXiv:2502.15104, for other measures);
    compare models, and model with recording, at equal numbers.

    Parameters
    ----------
    recording : Recording
        Of the animal, or of a network that is seen through fewer and fewer electrodes.
    models : mapping of name to rsatoolbox.rdm.RDMs
        As in `snncompare.comparison.compare.compare`.
    metric : Metric or sequence of Metric
    by : str
        Column of the trials table that names the condition.
    n_units : sequence of int
        For example ``[1, 2, 5, 10, 20]``; each at most the number of units.
    n_draws : int
    estimator, measure
        As in `snncompare.comparison.precision.timing.timing_contribution`.
    level : float
    seed : int

    Raises
    ------
    InputError
        If recording and models do not fit together, or an argument cannot be used.
    """
    check_measure(measure)
    sizes = _sizes(n_units, a_recording(recording).n_units)
    _check_numbers(n_draws, level, seed)
    metrics = several_metrics(metric)
    chosen = checked_estimator(estimator) or default_estimator(Conditions.of(recording, by))
    aligned = align(rdm(recording, metrics, by, chosen), models)
    rng = np.random.default_rng(int(seed))
    rows = []
    for size in sizes:
        draws = 1 if size == recording.n_units else n_draws
        found = np.empty((draws, len(metrics), len(aligned.names)))
        for draw in found:
            keep = np.isin(np.arange(recording.n_units), rng.choice(recording.n_units, size, replace=False))
            vectors = condition_dissimilarities(recording.select(units=keep), metrics, by, chosen)
            for k, (vector, against) in enumerate(zip(vectors, aligned.models, strict=True)):
                draw[k] = measure.between(vector[None], against)[0]
        low, high = np.quantile(found, [level / 2, 1 - level / 2], axis=0)
        for m, name in enumerate(aligned.names):
            for k, key in enumerate(aligned.metrics):
                mean = found[:, k, m].mean()
                rows.append((name, key.label, key.time_scale, size, mean, low[k, m], high[k, m], draws))
    columns = ["model", "metric", "time_scale", "n_units", "similarity", "low", "high", "n_draws"]
    table = pd.DataFrame(rows, columns=columns).sort_values(
        "model", kind="stable", key=lambda names: names.map({name: k for k, name in enumerate(aligned.names)})
    )
    return UnitCurve(table.reset_index(drop=True), float(level), int(seed), _provenance(metrics, chosen, measure, seed))


def _sizes(n_units: Sequence[int], most: int) -> list[int]:
    given = list(n_units) if hasattr(n_units, "__iter__") else []
    for size in given:
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or not 1 <= size <= most:
            raise InputError(f"n_units must be whole numbers from 1 to the {most} units there are, got {size!r}.")
    if not given or len(set(given)) < len(given):
        raise InputError(f"n_units must be a list of different numbers such as [1, 5, {most}], got {n_units!r}.")
    return sorted(int(size) for size in given)


def _check_numbers(n_draws: object, level: object, seed: object) -> None:
    for name, value, least in (("n_draws", n_draws, 2), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(f"{name} must be a whole number of at least {least}, got {value!r}.")
    if isinstance(level, bool) or not isinstance(level, int | float) or not 0 < level < 1:
        raise InputError(f"level must lie between 0 and 1, got {level!r}.")


def _provenance(metrics: Sequence[Metric], estimator: Estimator, measure: Measure, seed: int) -> dict[str, Any]:
    from snncompare.provenance import collect

    return collect(
        seed=int(seed),
        metrics=[repr(metric) for metric in metrics],
        estimator=repr(estimator),
        measure=type(measure).__name__,
    )
