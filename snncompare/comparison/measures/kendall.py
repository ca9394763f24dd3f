"""Kendall's rank correlations: concordant minus discordant pairs of entries."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.measures.measure import Measure
from snncompare.comparison.scores import weighted_ranks

__all__ = ["KendallTauA", "KendallTauB"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]


class _Kendall(Measure):
    def as_correlation(self, similarity: Array) -> Array:
        r"""Return :math:`\sin(\pi \tau / 2)`."""
        return np.sin(np.pi * similarity / 2)

    def from_correlation(self, correlation: Array) -> Array:
        r"""Return :math:`2 \arcsin(r) / \pi`."""
        return np.arcsin(correlation) * 2 / np.pi

    def pooled(self, x: Array) -> Array:
        """Return the mean ranks; the RDM with the largest mean tau is not known in closed form."""
        return np.mean([weighted_ranks(row, np.ones((1, len(row))))[0] for row in x], axis=0)


@final
@dataclass(frozen=True)
class KendallTauA(_Kendall):
    r"""Kendall's rank correlation tau-a: concordant minus discordant pairs of entries over all pairs of entries.

    In the Spearman-Brown formula it stands for the correlation :math:`r = \sin(\pi \tau / 2)` (Greiner's relation;
    Kendall, Rank Correlation Methods).
    """

    label: ClassVar[str] = "Kendall correlation (tau-a)"
    method: ClassVar[str] = "tau-a"

    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        """Return tau-a for every row of weights, array (n_resamples, n_x, n_y)."""
        from snncompare.comparison.concordance import net_concordance

        n = weights.sum(axis=1)
        result = [[net_concordance(a, b, weights) for b in y] for a in x]
        return np.moveaxis(np.array(result), 2, 0) / (n * (n - 1) / 2)[:, None, None]

    def relabelled(self, x: Array, y: Array, pairs: Integers) -> Array:
        """Return tau-a for every relabelling, averaged over the rows of x, array (n_relabellings, n_y)."""
        from snncompare.comparison.concordance import relabelled_concordance

        n = x.shape[1]
        net = [np.mean([relabelled_concordance(a, b, pairs) for a in x], axis=0) for b in y]
        return np.stack(net, axis=1) / (n * (n - 1) / 2)


@final
@dataclass(frozen=True)
class KendallTauB(_Kendall):
    r"""Kendall's rank correlation tau-b, corrected for ties in either RDM.

    .. math:: \tau_b = \frac{C - D}{\sqrt{(n_0 - n_x)(n_0 - n_y)}}

    with :math:`C` concordant and :math:`D` discordant pairs of entries, :math:`n_0` all pairs of entries,
    :math:`n_x, n_y` those tied in either RDM. It favours models that predict ties; for such models use `KendallTauA`.
    0 where one RDM is constant. Kendall (1945), Biometrika 33:239.
    """

    label: ClassVar[str] = "Kendall correlation (tau-b)"
    method: ClassVar[str] = "tau-b"

    def resampled(self, x: Array, y: Array, weights: Array) -> Array:
        """Return tau-b for every row of weights, array (n_resamples, n_x, n_y)."""
        from snncompare.comparison.concordance import net_concordance

        net = np.moveaxis(np.array([[net_concordance(a, b, weights) for b in y] for a in x]), 2, 0)
        return net * _inverse_untied(x, weights)[:, :, None] * _inverse_untied(y, weights)[:, None, :]

    def relabelled(self, x: Array, y: Array, pairs: Integers) -> Array:
        """Return tau-b for every relabelling, averaged over the rows of x, array (n_relabellings, n_y)."""
        from snncompare.comparison.concordance import relabelled_concordance

        once = np.ones((1, x.shape[1]))
        factors = _inverse_untied(x, once)[0]
        net = [
            np.mean([f * relabelled_concordance(a, b, pairs) for f, a in zip(factors, x, strict=True)], axis=0)
            for b in y
        ]
        return np.stack(net, axis=1) * _inverse_untied(y, once)[0]


def _inverse_untied(x: Array, weights: Array) -> Array:
    """Return one over the root of the number of untied pairs of entries, array (n_resamples, n_x); 0 for none."""
    from snncompare.comparison.concordance import untied_pairs

    untied = np.stack([untied_pairs(row, weights) for row in x], axis=1)
    return np.where(untied > 0, 1 / np.sqrt(np.where(untied > 0, untied, 1.0)), 0.0)
