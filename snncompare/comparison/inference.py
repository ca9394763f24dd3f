"""Intervals, tests and verdicts, as two tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.ceiling import Ceiling
from snncompare.comparison.measures import Measure
from snncompare.comparison.permutation import holm, observed_similarity
from snncompare.comparison.resampling.spread import Spread

__all__ = ["LEVEL", "Estimates", "difference_table", "model_table", "verdict"]

Array = NDArray[np.float64]

LEVEL = 0.05

LARGEST = 1 - 1e-9
"""Largest similarity on Fisher's z scale, where 1 is infinite."""


@dataclass(frozen=True, eq=False)
class Estimates:
    r"""Similarities with t intervals, and the differences of every pair of models.

    .. math:: S \pm t_{0.975, \nu} \, \hat\sigma, \qquad p = 2 P(T_\nu > |S_a - S_b| / \hat\sigma_{ab})

    with :math:`\hat\sigma` from the resamples and :math:`\nu` their degrees of freedom, as in rsatoolbox (Schuett et
    al. 2023); of several network instances as `snncompare.comparison.resampling.seeds.with_seeds` derives. The
    similarity is the mean over sessions, subjects and network instances. Intervals of similarities are cut at -1 and 1.

    Over few animals (or sessions) with the stimuli held, intervals are taken on Fisher's z scale,
    :math:`\tanh(\operatorname{artanh} S \pm t_{0.975, \nu} \, \hat\sigma / (1 - S^2))`.

    Chosen by measured coverage of nominal 95 % intervals over conditions (200 to 400 simulated experiments each,
    similarity 0 to 0.8; 8, 12, 20 and 40 conditions): t 94 to 100 %, percentile 94 to 100 %, basic 83 to 97 %. The
    excess is at few conditions, where bootstrap samples spread more than new experiments do: 0.20 against 0.11 at 8
    conditions. The test of two equally good models rejects 0 to 3.5 % at the nominal 5 %, the one from the proportion
    of resamples 0 to 5 %. A smaller version of this simulation is tests/comparison/test_inference_is_honest.py.
    """

    aligned: Aligned
    similarity: Array
    p: Array
    spread: Spread | None
    range: tuple[float, float] = (-1.0, 1.0)

    @classmethod
    def of(cls, aligned: Aligned, measure: Measure, p: Array, spread: Spread | None) -> "Estimates":
        """Return the estimates of all models at all metrics; p as the relabelling test gives it."""
        bounds = (-1.0, 1.0) if measure.of_equals == 1 else (-np.inf, measure.of_equals)
        return cls(aligned, observed_similarity(aligned, measure), p, spread, bounds)

    @property
    def intervals(self) -> tuple[Array, Array]:
        """Both ends of each interval, (n_metrics, n_models) each; nan without resamples."""
        if self.spread is None:
            return np.full(self.similarity.shape, np.nan), np.full(self.similarity.shape, np.nan)
        half = _quantile(self.spread.degrees_of_freedom) * np.sqrt(np.maximum(self.spread.variance, 0))
        if self.spread.bounded and self.range == (-1.0, 1.0):
            inside = np.clip(self.similarity, -LARGEST, LARGEST)
            centre, half = np.arctanh(inside), half / (1 - inside**2)
            return np.tanh(centre - half), np.tanh(centre + half)
        return np.clip(self.similarity - half, *self.range), np.clip(self.similarity + half, *self.range)


def model_table(estimates: Estimates, ceiling: Ceiling | None) -> pd.DataFrame:
    """Return one row per (metric, time scale) and model."""
    shape = estimates.similarity.shape
    corrected = holm(estimates.p)
    every_low, every_high = estimates.intervals
    rows = []
    for k, m in np.ndindex(*shape):
        metric, value = estimates.aligned.metrics[k], float(estimates.similarity[k, m])
        low, high = every_low[k, m], every_high[k, m]
        bounds = (np.nan, np.nan) if ceiling is None else (ceiling.low[k], ceiling.high[k])
        rows.append(
            {
                "model": estimates.aligned.names[m],
                "metric": metric.label,
                "time_scale": metric.time_scale,
                "similarity": value,
                "ci_low": low,
                "ci_high": high,
                "p": estimates.p[k, m],
                "p_corrected": corrected[k, m],
                "ceiling_low": bounds[0],
                "ceiling_high": bounds[1],
                "verdict": verdict(float(low), float(high), float(corrected[k, m]), bounds[0]),
            }
        )
    return pd.DataFrame(rows)


def difference_table(estimates: Estimates) -> pd.DataFrame:
    """Return one row per (metric, time scale) and pair of models; no intervals and tests without resamples."""
    first, second = np.triu_indices(len(estimates.aligned.names), 1)
    difference = estimates.similarity[:, first] - estimates.similarity[:, second]
    width = p = np.full(difference.shape, np.nan)
    if estimates.spread is not None:
        deviation = np.sqrt(np.maximum(estimates.spread.difference_variance, np.finfo(float).eps))
        degrees = estimates.spread.difference_degrees_of_freedom
        width = _quantile(degrees) * deviation
        p = 2 * stats.t.sf(np.abs(difference) / deviation, degrees)
    n_metrics, n_pairs = difference.shape
    names = np.array(estimates.aligned.names, dtype=object)
    return pd.DataFrame(
        {
            "metric": np.repeat([metric.label for metric in estimates.aligned.metrics], n_pairs),
            "time_scale": np.repeat([metric.time_scale for metric in estimates.aligned.metrics], n_pairs),
            "model_a": np.tile(names[first], n_metrics),
            "model_b": np.tile(names[second], n_metrics),
            "difference": difference.ravel(),
            "ci_low": np.ravel(difference - width),
            "ci_high": np.ravel(difference + width),
            "p": np.ravel(p),
            "p_corrected": holm(p).ravel(),
        }
    )


def verdict(ci_low: float, ci_high: float, p_corrected: float, ceiling_low: float) -> str:
    """Return the verdict on one model at one time scale in plain words.

    ``"no match"``: not above chance (corrected p above 0.05). Above chance, by the interval of the similarity:
    ``"match"`` if it reaches the lower noise ceiling, i.e. the model cannot be told from another recording of the same
    kind, and holds nothing below half of that ceiling; ``"partial"`` if it stays below the ceiling; ``"related"`` if it
    is too wide to say either, or where there is no interval, no ceiling, or a ceiling of 0.

    The condition on half of the ceiling keeps a wide interval, which reaches any ceiling, from becoming a match.
    """
    if not p_corrected <= LEVEL:
        return "no match"
    if not ceiling_low > 0 or np.isnan(ci_low):
        return "related"
    if ci_high < ceiling_low:
        return "partial"
    return "match" if ci_low >= ceiling_low / 2 else "related"


def _quantile(degrees_of_freedom: float | Array) -> Array:
    return np.asarray(stats.t.ppf(1 - LEVEL / 2, degrees_of_freedom))
