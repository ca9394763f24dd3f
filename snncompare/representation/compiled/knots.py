"""Spike trains completed at the edges of their window, so that every moment has an inter-spike interval around it."""

from typing import NamedTuple

import numpy as np
from numba import njit, void
from numba.types import Tuple, float64, int64
from numpy.typing import NDArray

from snncompare.representation.compiled.pairs import FLOATS, INTEGERS
from snncompare.representation.compiled.trains import Trains

__all__ = ["Knots", "knots_of", "root_mean_square_interval"]


class Knots(NamedTuple):
    """The spikes of each train and what stands for the spikes beyond the edges of its window.

    Attributes
    ----------
    times : array (n_knots,)
        Strictly increasing in each train; the first is not after the start of the window, the last not before its end.
    sources : array (n_knots,)
        The spike whose distance to the other train counts at each knot: the spike itself, and beyond an edge the spike
        next to that edge.
    offsets : array (n_trains + 1,)
        Knots of train k are ``offsets[k]:offsets[k + 1]``.
    """

    times: NDArray[np.float64]
    sources: NDArray[np.float64]
    offsets: NDArray[np.int64]


def knots_of(trains: Trains) -> Knots:
    r"""Complete trains of distinct spike times at the edges of the window :math:`[T_0, T_1]`.

    The interval before the first of several spikes is :math:`\max(t_1 - T_0, t_2 - t_1)`, that after the last likewise:
    the edge cuts an interval short, which was at least as long as the next. A single spike has the intervals up to the
    edges. A spike on an edge needs nothing beyond it; an empty train has one interval, between spikes on both edges.

    Parameters
    ----------
    trains : Trains
        Each train with distinct times inside the window, see `distinct_times`.

    References
    ----------
    Satuvuori et al. 2017, J. Neurosci. Methods 287:25, section 2 (edge effects).
    """
    room = trains.times.size + 2 * (trains.offsets.size - 1)
    times, sources = np.empty(room), np.empty(room)
    offsets = np.empty(trains.offsets.size, dtype=np.int64)
    _complete(trains.times, trains.offsets, trains.start, trains.stop, times, sources, offsets)
    return Knots(times[: offsets[-1]], sources[: offsets[-1]], offsets)


def root_mean_square_interval(trains: Trains) -> float:
    r"""Return the threshold of the adaptive measures, :math:`\sqrt{\langle \nu^2 \rangle}` over all intervals, seconds.

    All intervals of all trains enter, completed at the edges as in `knots_of`. As in PySpike, each train has a first
    and a last interval even where a spike lies on the edge: one spike on an edge adds an interval of length zero, two
    spikes on both edges count theirs twice.

    References
    ----------
    Satuvuori et al. 2017, J. Neurosci. Methods 287:25, section 2.4.
    """
    total, count = _squares(trains.times, trains.offsets, trains.start, trains.stop)
    return float(np.sqrt(total / count))


@njit(void(FLOATS, INTEGERS, float64, float64, float64[::1], float64[::1], int64[::1]), cache=True, nogil=True)
def _complete(times, offsets, start, stop, knots, sources, where):  # type: ignore[no-untyped-def]
    """Fill ``knots``, ``sources`` and ``where`` (their offsets)."""
    k = 0
    for train in range(offsets.size - 1):
        where[train] = k
        spikes = times[offsets[train] : offsets[train + 1]]
        n = spikes.size
        if n == 0 or spikes[0] > start:
            knots[k] = min(start, 2.0 * spikes[0] - spikes[1]) if n > 1 else start
            sources[k] = spikes[0] if n > 0 else start
            k += 1
        for t in spikes:
            knots[k] = sources[k] = t
            k += 1
        if n == 0 or (spikes[n - 1] < stop):
            knots[k] = max(stop, 2.0 * spikes[n - 1] - spikes[n - 2]) if n > 1 else stop
            sources[k] = stop if n == 0 or (n == 1 and spikes[0] == start) else spikes[n - 1]
            k += 1
    where[offsets.size - 1] = k


@njit(Tuple((float64, int64))(FLOATS, INTEGERS, float64, float64), cache=True, nogil=True)
def _squares(times, offsets, start, stop):  # type: ignore[no-untyped-def]
    """Return the sum of the squared intervals of all trains, and how many intervals there are."""
    total, count = 0.0, 0
    for train in range(offsets.size - 1):
        spikes = times[offsets[train] : offsets[train + 1]]
        n = spikes.size
        if n == 0:
            total += (stop - start) ** 2
            count += 1
            continue
        first, last = spikes[0] - start, stop - spikes[n - 1]
        if n > 1:
            first = max(first, spikes[1] - spikes[0])
            last = max(last, spikes[n - 1] - spikes[n - 2])
        total += first**2 + last**2
        count += 2
        for i in range(1 if spikes[0] == start else 0, n - 2 if spikes[n - 1] == stop else n - 1):
            total += (spikes[i + 1] - spikes[i]) ** 2
            count += 1
    return total, count
