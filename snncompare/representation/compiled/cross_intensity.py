r"""Inner products of exponentially filtered spike trains, between all pairs of trials at once.

The kernel of two trains is the double sum over their spikes

.. math:: K_{ij} = \sum_{s \in i} \sum_{r \in j} e^{-|t_s - t_r| / \tau}

that is, :math:`2 / \tau` times the inner product of the filtered trains: the Laplacian cross-intensity kernel of Paiva,
Park & Principe 2009, Neural Comput. 21:424.
"""

import math

import numpy as np
from numba import njit, void
from numba.types import UniTuple, float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS
from snncompare.representation.compiled.threads import in_threads, n_threads
from snncompare.representation.compiled.trains import Trains

__all__ = ["laplacian_norms", "laplacian_products"]

SHORTEST = 1e-100
"""Seconds: no two spike times in seconds differ by less and are not equal, so that smaller constants change nothing."""
FARTHEST = 400.0
"""Halvings between the anchor of the weights and a spike before the anchor moves: far from overflow."""
COARSE = 2.0**60
"""Halvings from time 0 where a spike time and the next larger number are too far apart to see each other."""
SMALLEST = 2.0**-200
"""Sums below are zero: trains so far apart do not see each other, and denormal numbers would round as they please."""
LARGEST_TILE = 256
CACHED = 2**16
SPLIT = 2.0**27 + 1.0
LOG2E = 1.4426950408889634
LOG2E_REST = 2.0355273740931033e-17
LOG2 = 0.6931471805599453


def laplacian_products(trains: Trains, taus: NDArray[np.float64], rows: range, columns: range) -> NDArray[np.float64]:
    r"""Return the kernel between trials, added over units.

    One sweep per unit over the spikes of all trials in the order of time. With :math:`f_j(t)` the filtered train
    :math:`j`, a spike of trial :math:`i` adds :math:`f_j(t)` to :math:`C_{ij}` for all :math:`j` at once, and
    :math:`K_{ij} = C_{ij} + C_{ji}`. The states are kept as :math:`F_j = f_j(t) \, 2^{x(t) - a}`,
    :math:`x = t / (\tau \ln 2)`, so that they need no decay between spikes; the anchor :math:`a` is an integer, so that
    moving it rounds nothing. Therefore a value depends on the two trials alone, to the last digit: not on the block,
    the other trials or the number of threads. All terms are positive: the relative error is at most
    :math:`3 (n_i + n_j + 8) \, 2^{-53}` for :math:`n_i + n_j` spikes.

    Parameters
    ----------
    trains : Trains
    taus : array (n_taus,)
        Time constants in seconds, above zero.
    rows, columns : range
        Trials: either the same range, or ranges that share none, the columns after the rows.

    Returns
    -------
    array (n_taus, n_rows, n_columns)
    """
    events = _Events(trains, rows, columns)
    result = np.zeros((taus.size, len(rows), len(columns)))
    for k, tau in enumerate(taus):
        products = result[k]
        weights = events.weights(tau)
        if rows == columns:
            _causal(events, weights, rows, columns, products)
            np.add(products, products.T.copy(), out=products)
            np.fill_diagonal(products, laplacian_norms(trains, np.array([tau]), rows)[0])
        else:
            backward = np.zeros((len(columns), len(rows)))
            _causal(events, weights, rows, columns, products)
            _causal(events, weights, columns, rows, backward)
            np.add(products, backward.T, out=products)
        products[products < SMALLEST] = 0.0
    return result


def laplacian_norms(trains: Trains, taus: NDArray[np.float64], rows: range) -> NDArray[np.float64]:
    """Return ``K_ii`` of the trials, ``(n_taus, n_rows)``."""
    result = np.empty((taus.size, len(rows)))
    for tau, norms in zip(taus, result, strict=True):
        _norms(trains.times, trains.offsets, trains.n_units, rows.start, 1.0 / max(float(tau), SHORTEST), norms)
    return result


class _Events:
    """The spikes of a block's trials, by unit, then time, then trial."""

    def __init__(self, trains: Trains, rows: range, columns: range) -> None:
        counts = np.diff(trains.offsets)
        trials = np.unique(np.concatenate([rows, columns])).astype(np.int64)
        trains_of = trials[None, :] * trains.n_units + np.arange(trains.n_units)[:, None]
        starts, lengths = trains.offsets[trains_of], counts[trains_of]
        self.edges = np.concatenate([[0], np.cumsum(lengths.sum(axis=1))])
        self.times = np.empty(self.edges[-1])
        self.trial = np.empty(self.edges[-1], dtype=np.int64)
        _gather(trains.times, starts, lengths, trials, self.times, self.trial)
        for u in range(trains.n_units):
            part = slice(self.edges[u], self.edges[u + 1])
            order = np.argsort(self.times[part])
            if (np.diff(self.times[part][order]) == 0.0).any():  # slower, but spikes at one time stay in order of trial
                order = np.argsort(self.times[part], kind="stable")
            self.times[part], self.trial[part] = self.times[part][order], self.trial[part][order]

    def weights(self, tau: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return ``mantissa`` and ``exponent`` of ``exp(t / tau)`` for every spike."""
        mantissa, exponent = np.empty(self.times.size), np.empty(self.times.size)
        _powers(self.times, 1.0 / max(float(tau), SHORTEST), mantissa, exponent)
        return mantissa, exponent


def _causal(
    events: _Events,
    weights: tuple[NDArray[np.float64], NDArray[np.float64]],
    receivers: range,
    sources: range,
    out: NDArray[np.float64],
) -> None:
    """Add to ``out[i, j]`` the filtered trains of the sources at the spikes of the receivers."""
    tile = min(LARGEST_TILE, max(32, CACHED // max(1, len(receivers))), max(1, -(-len(sources) // n_threads())))
    starts = range(sources.start, sources.stop, tile)

    def work(start: int) -> None:
        stop = min(start + tile, sources.stop)
        part = out[:, start - sources.start : stop - sources.start]
        added = np.zeros((len(receivers), stop - start))
        _sweep(events.edges, events.trial, *weights, receivers.start, start, added)
        part[:] = added

    in_threads(work, starts)


@njit(void(FLOATS, int64[:, ::1], int64[:, ::1], int64[::1], float64[::1], int64[::1]), cache=True, nogil=True)
def _gather(times, starts, lengths, trials, out, trial):  # type: ignore[no-untyped-def]
    """Copy the spikes of the trials, sorted by unit and then trial."""
    n = 0
    for u in range(starts.shape[0]):
        for k in range(starts.shape[1]):
            for s in range(lengths[u, k]):
                out[n] = times[starts[u, k] + s]
                trial[n] = trials[k]
                n += 1


@njit(UniTuple(float64, 2)(float64, float64), cache=True, nogil=True)
def _product(a, b):  # type: ignore[no-untyped-def]
    """Return ``a * b`` and its rounding error (Veltkamp's splitting, Dekker's product)."""
    product = a * b
    split_a, split_b = a * SPLIT, b * SPLIT
    high_a, high_b = split_a - (split_a - a), split_b - (split_b - b)
    low_a, low_b = a - high_a, b - high_b
    return product, ((high_a * high_b - product) + high_a * low_b + low_a * high_b) + low_a * low_b


@njit(void(float64[::1], float64, float64[::1], float64[::1]), cache=True, nogil=True)
def _powers(times, rate, mantissa, exponent):  # type: ignore[no-untyped-def]
    """Write ``exp(t * rate) = mantissa * 2**exponent``, accurate to rounding however large ``t * rate`` is.

    The fraction of ``x = t * rate / log(2)`` would lose the digits that its whole part takes; the products are
    therefore kept with their rounding errors.
    """
    base, rest = _product(rate, LOG2E)
    rest += rate * LOG2E_REST
    for k in range(times.size):
        x, error = _product(times[k], base)
        whole = np.floor(x)
        exponent[k] = whole
        missing = error + times[k] * rest if abs(x) < COARSE else 0.0
        mantissa[k] = math.exp(((x - whole) + missing) * LOG2)


@njit(void(int64[::1], int64[::1], float64[::1], float64[::1], int64, int64, float64[:, ::1]), cache=True, nogil=True)
def _sweep(edges, trial, mantissa, exponent, receiver, source, out):  # type: ignore[no-untyped-def]
    """Add to ``out[i, j]`` the filtered train ``source + j`` at the spikes of trial ``receiver + i``."""
    n_receivers, n_sources = out.shape
    state = np.zeros(n_sources)
    for u in range(edges.size - 1):
        state[:] = 0.0
        anchor = -np.inf
        for k in range(edges[u], edges[u + 1]):
            ahead = exponent[k] - anchor
            if ahead > FARTHEST:
                state *= math.ldexp(1.0, -int(min(ahead, 2000.0)))
                anchor, ahead = exponent[k], 0.0
            weight = math.ldexp(mantissa[k], int(ahead))
            i, j = trial[k] - receiver, trial[k] - source
            if 0 <= i < n_receivers:
                inverse = 1.0 / weight
                row = out[i]
                for c in range(n_sources):
                    row[c] += inverse * state[c]
            if 0 <= j < n_sources:
                state[j] += weight


@njit(void(FLOATS, INTEGERS, int64, int64, float64, float64[::1]), cache=True, nogil=True)
def _norms(times, offsets, n_units, start, rate, out):  # type: ignore[no-untyped-def]
    """Write the kernel of each trial with itself: each spike, and twice what it finds of the spikes before it."""
    for i in range(out.size):
        total = 0.0
        for k in range((start + i) * n_units, (start + i + 1) * n_units):
            level = 0.0
            for s in range(offsets[k], offsets[k + 1]):
                if s > offsets[k]:
                    level = (level + 1.0) * math.exp((times[s - 1] - times[s]) * rate)
                total += 1.0 + 2.0 * level
        out[i] = total
