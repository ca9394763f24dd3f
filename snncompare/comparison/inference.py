"""Intervals, tests and verdicts, as two tables."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from snncompare.comparison.alignment import Aligned
from snncompare.comparison.ceiling import Ceiling
from snncompare.comparison.measures import Measure
from snncompare.comparison.permutation import holm
from snncompare.comparison.resampling import Spread

__all__ = ["LEVEL", "Estimates", "difference_table", "model_table", "verdict"]

Array = NDArray[np.float64]

LEVEL = 0.05


@dataclass(frozen=True, eq=False)
class Estimates:
    r"""Similarities with t intervals, and the differences of every pair of models.

    .. math:: S \pm t_{0.975, \nu} \, \hat\sigma, \qquad p = 2 P(T_\nu > |S_a - S_b| / \hat\sigma_{ab})

    with :math:`\hat\sigma` from the resamples and :math:`\nu` their degrees of freedom, as in rsatoolbox (Schuett et
    al. 2023). The similarity is the mean over subjects. Intervals of similarities are cut at -1 and 1.

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

    @classmethod
    def of(cls, aligned: Aligned, measure: Measure, p: Array, spread: Spread | None) -> "Estimates":
        """Return the estimates of all models at all metrics; p as the relabelling test gives it."""
        pairs = zip(aligned.data, aligned.models, strict=True)
        return cls(aligned, np.stack([measure.between(x, y).mean(axis=0) for x, y in pairs]), p, spread)

    @property
    def half_width(self) -> Array:
        """Half the length of each interval, (n_metrics, n_models); nan without resamples."""
        if self.spread is None:
            return np.full(self.similarity.shape, np.nan)
        return _quantile(self.spread) * np.sqrt(np.maximum(self.spread.variance, 0))


def model_table(estimates: Estimates, ceiling: Ceiling | None) -> pd.DataFrame:
    """Return one row per (metric, time scale) and model."""
    shape = estimates.similarity.shape
    corrected = holm(estimates.p)
    width = estimates.half_width
    rows = []
    for k, m in np.ndindex(*shape):
        metric, value = estimates.aligned.metrics[k], float(estimates.similarity[k, m])
        low, high = np.clip([value - width[k, m], value + width[k, m]], -1, 1)
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
        width = _quantile(estimates.spread) * deviation
        p = 2 * stats.t.sf(np.abs(difference) / deviation, estimates.spread.degrees_of_freedom)
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


def _quantile(spread: Spread) -> float:
    return float(stats.t.ppf(1 - LEVEL / 2, spread.degrees_of_freedom))
