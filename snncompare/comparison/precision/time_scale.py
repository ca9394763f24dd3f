"""Is a model related to the data at any time scale? One test over all of them, by the largest statistic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned, align
from snncompare.comparison.checks import similarity_measure
from snncompare.comparison.inference import LEVEL
from snncompare.comparison.measures import Measure, Spearman
from snncompare.comparison.permutation import ROUNDING, Relabellings, observed_similarity, relabellings
from snncompare.comparison.wording import metric_words, p_words
from snncompare.errors import InputError, unknown
from snncompare.recording.arguments import whole_number

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["TimeScaleTest", "largest_statistic_p", "time_scale_test"]

Array = NDArray[np.float64]

FEWEST_RELABELLINGS = 99


@dataclass(frozen=True, eq=False)
class TimeScaleTest:
    """Similarities at every (metric, time scale), tested together against no relation.

    Attributes
    ----------
    table : pandas.DataFrame
        ``model, metric, time_scale`` (seconds), ``similarity``, ``p`` (one-sided, of this row alone), ``p_model``
        (corrected for the time scales of this model), ``p_max`` (corrected for all rows: all models and time scales).
    measure : Measure
    n : int
        Number of relabellings.
    exact : bool
        Whether these are all there are.
    seed : int
    """

    table: pd.DataFrame
    measure: Measure
    n: int
    exact: bool
    seed: int

    def best(self, model: str) -> "pd.Series[Any]":
        """Return the row of a model with the smallest ``p_model``; of several, that of the largest similarity.

        Raises
        ------
        InputError
            If there is no such model.
        """
        rows = self.table[self.table["model"] == model]
        if rows.empty:
            raise InputError(unknown("model", model, self.table["model"].unique()))
        return rows.sort_values(["p_model", "similarity"], ascending=[True, False]).iloc[0]

    def summary(self) -> str:
        """Return one sentence per model."""
        over = "all" if self.exact else "random"
        found = []
        for model in self.table["model"].unique():
            row = self.best(model)
            where = f"{metric_words(row['metric'], row['time_scale'])} ({self.measure.label} {row['similarity']:.2f}"
            verdict = "is related to the data" if row["p_model"] <= LEVEL else "is not above chance at any time scale"
            found.append(
                f"'{model}' {verdict}: best at {where}, {p_words(row['p_model'])} over its time scales, "
                f"{p_words(row['p_max'])} over all models and time scales; {self.n} {over} relabellings)."
            )
        return "\n".join(found)


def time_scale_test(
    data: "RDMs",
    models: Mapping[str, "RDMs"],
    by: Measure = Spearman(),  # noqa: B008  a frozen value
    seed: int = 0,
    *,
    n: int = 9999,
) -> TimeScaleTest:
    r"""Return the test of all models at all time scales against no relation, controlled for their number.

    With :math:`S_{j\pi}` the similarity in row j (a model at a time scale) after the relabelling :math:`\pi` of the
    conditions, :math:`m_j` and :math:`s_j` its mean and standard deviation over relabellings, and
    :math:`Z_{j\pi} = (S_{j\pi} - m_j) / s_j`,

    .. math:: p^{max}_j = \frac{\#\{\pi : \max_{j'} Z_{j'\pi} \ge Z_j\}}{\#\pi},

    the original order among the relabellings. Neighbouring time scales give similar RDMs; a relabelling keeps that, so
    the correction is as small as their dependence allows, unlike Holm's. The chance of any false alarm among models
    that have nothing to do with the data is at most the level, whatever other models have (single-step maximum test
    under the complete null of the rows it is taken over). Westfall and Young (1993), Resampling-Based Multiple
    Testing; Nichols and Holmes (2002), Human Brain Mapping 15:1. Rate of false alarms: analyses/calibration.

    Parameters
    ----------
    data, models, by
        As for `snncompare.comparison.compare.compare`.
    seed : int
        Of the relabellings; of 7 conditions and fewer all are used.
    n : int
        Number of random relabellings, at least 99.

    Raises
    ------
    InputError
        If data and models do not fit together, or a number cannot be used.
    """
    measure = similarity_measure(by)
    whole_number("seed", seed, 0)
    whole_number("n", n, FEWEST_RELABELLINGS)
    aligned = align(data, models)
    orders = relabellings(len(aligned.conditions), seed, n)
    return TimeScaleTest(_table(aligned, measure, orders), measure, len(orders.orders), orders.exact, int(seed))


def largest_statistic_p(statistics: Array, families: NDArray[np.intp]) -> Array:
    """Return p values corrected within families of rows by the largest standardised statistic.

    Parameters
    ----------
    statistics : array (n_rows, n_relabellings)
        The first column belongs to the original order.
    families : integer array (n_rows,)

    Returns
    -------
    array (n_rows,)
    """
    centred = statistics - statistics.mean(axis=1, keepdims=True)
    spread = statistics.std(axis=1, keepdims=True)
    standard = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > ROUNDING)
    p = np.empty(len(statistics))
    for family in np.unique(families):
        rows = families == family
        largest = np.sort(standard[rows].max(axis=0))
        first = np.searchsorted(largest, standard[rows, 0] - ROUNDING, side="left")
        p[rows] = (largest.size - first) / largest.size
    return p


def _table(aligned: Aligned, measure: Measure, orders: Relabellings) -> pd.DataFrame:
    observed = observed_similarity(aligned, measure)
    relabelled = np.concatenate(list(orders.similarities(aligned, measure)), axis=2).reshape(observed.size, -1)
    # All orders hold the original one, wherever it stands; random ones do not.
    own = observed.reshape(-1, 1)
    every = relabelled if orders.exact else np.hstack([own, relabelled])
    if orders.exact:
        original = int(np.flatnonzero((orders.orders == np.arange(orders.orders.shape[1])).all(axis=1))[0])
        every = np.roll(every, -original, axis=1)
    rows = np.arange(len(every))
    model = rows % len(aligned.names)
    return pd.DataFrame(
        {
            "model": [aligned.names[m] for m in model],
            "metric": [metric.label for metric in aligned.metrics for _ in aligned.names],
            "time_scale": [metric.time_scale for metric in aligned.metrics for _ in aligned.names],
            "similarity": observed.ravel(),
            "p": largest_statistic_p(every, rows),
            "p_model": largest_statistic_p(every, model),
            "p_max": largest_statistic_p(every, np.zeros_like(rows)),
        }
    )
