"""Pairs of neurons drawn from the wiring of a description, never more than there are synapses."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.network.wiring import (
    AllToAll,
    AllToOthers,
    Convolution,
    DistanceDependent,
    ExplicitList,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotalNumber,
    OneToOne,
    Wiring,
)

__all__ = ["MAX_SYNAPSES", "Ends", "draw_pairs", "expected_synapses"]

MAX_SYNAPSES = 100_000_000
"""Synapses that a network may have: 2.4 GB of indices and weights."""
_MAX_DISTANCES = 10_000_000_000
_BLOCK = 2_000_000
"""Numbers that are held at a time where more are needed than there are synapses."""

Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Ends:
    """Sizes of the two populations of a projection, and whether they are one and the same."""

    n_source: int
    n_target: int
    within: bool

    def pairs(self, *, autapses: bool) -> int:
        """Return the number of pairs of neurons, those of a neuron with itself left out where they do not count."""
        return self.n_source * self._options(autapses=autapses)

    def pair(self, number: NDArray[np.int64], *, autapses: bool) -> Pairs:
        """Return source and target of pairs numbered by source, then target."""
        source, target = np.divmod(number, self._options(autapses=autapses))
        if self.within and not autapses:
            target += target >= source
        return source, target

    def _options(self, *, autapses: bool) -> int:
        return self.n_target - (self.within and not autapses)


def expected_synapses(wiring: Wiring, ends: Ends) -> int:
    """Return how many synapses there will be, at most five standard deviations above the mean where that is random."""
    match wiring:
        case AllToAll(autapses=autapses):
            return ends.pairs(autapses=autapses)
        case OneToOne():
            return ends.n_source
        case AllToOthers():
            return ends.n_source * (ends.n_source - 1)
        case FixedProbability(p=p, autapses=autapses):
            mean = p * ends.pairs(autapses=autapses)
        case FixedInDegree(n=n):
            return n * ends.n_target
        case FixedOutDegree(n=n):
            return n * ends.n_source
        case FixedTotalNumber(n=n):
            return n
        case DistanceDependent():
            mean = ends.n_source * ends.n_target * _largest_density(wiring)
        case ExplicitList(pairs=pairs):
            return len(pairs)
        case Convolution():
            return ends.n_target * wiring.fan_in
    return math.ceil(mean + 5 * math.sqrt(mean))


def draw_pairs(wiring: Wiring, ends: Ends, rng: np.random.Generator) -> tuple[Pairs, NDArray[np.int64] | None]:
    """Return the synapses of a projection.

    Parameters
    ----------
    wiring : Wiring
    ends : Ends
    rng : numpy.random.Generator

    Returns
    -------
    pairs : tuple of two int64 arrays (n_synapses,)
        Source and target of each synapse, sorted by source, then target.
    shared : int64 array (n_synapses,) or None
        For a convolution the entry of the kernel, counted in the order (output channel, input channel, row, column).
    """
    match wiring:
        case AllToAll(autapses=autapses):
            return ends.pair(np.arange(ends.pairs(autapses=autapses)), autapses=autapses), None
        case OneToOne():
            return (np.arange(ends.n_source), np.arange(ends.n_source)), None
        case AllToOthers():
            source, target = np.divmod(np.arange(ends.n_source * (ends.n_source - 1)), ends.n_source - 1)
            return (source, target + (target >= source)), None
        case FixedProbability(p=p, autapses=autapses):
            return ends.pair(_bernoulli(p, ends.pairs(autapses=autapses), rng), autapses=autapses), None
        case FixedInDegree() | FixedOutDegree():
            return _fixed_degree(wiring, ends, rng), None
        case FixedTotalNumber(n=n, autapses=autapses):
            total = ends.pairs(autapses=autapses)
            numbers = np.sort(rng.integers(total, size=n)) if wiring.multapses else _distinct(1, n, total, rng)[0]
            return ends.pair(numbers, autapses=autapses), None
        case DistanceDependent():
            return _distance_dependent(wiring, ends, rng), None
        case ExplicitList(pairs=pairs):
            listed = np.array(sorted(pairs), dtype=np.int64)
            return (listed[:, 0], listed[:, 1]), None
        case Convolution():
            return _convolution(wiring, ends)


def _bernoulli(p: float, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return which of n things happen, each with probability p: the gaps between them are geometric."""
    parts, last = [], -1
    while last < n:
        left = (n - last) * p
        gaps = rng.geometric(p, size=min(int(left + 3 * math.sqrt(left)) + 10, _BLOCK))
        found = last + np.cumsum(np.minimum(gaps, n + 1))
        parts.append(found[found < n])
        last = int(found[-1])
    return np.concatenate(parts)


def _fixed_degree(wiring: FixedInDegree | FixedOutDegree, ends: Ends, rng: np.random.Generator) -> Pairs:
    inwards = isinstance(wiring, FixedInDegree)
    n_each, n_options = (ends.n_target, ends.n_source) if inwards else (ends.n_source, ends.n_target)
    without_itself = ends.within and not wiring.autapses
    n_options -= without_itself
    if wiring.multapses:
        drawn = rng.integers(n_options, size=(n_each, wiring.n))
    else:
        drawn = _distinct(n_each, wiring.n, n_options, rng)
    each = np.arange(n_each)[:, None]
    if without_itself:
        drawn += drawn >= each
    numbers = drawn * ends.n_target + each if inwards else each * ends.n_target + drawn
    return ends.pair(np.sort(numbers, axis=None), autapses=True)


def _distinct(rows: int, n: int, options: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return for each row n different numbers below `options`, sorted, every subset equally likely; (rows, n).

    What repeats within a row is drawn again. The rule does not tell one number from another, so every subset of size n
    is as likely as any other. Of more than half of all numbers those left out are drawn.
    """
    if 2 * n > options:
        return _complement(_distinct(rows, options - n, options, rng), n, options)
    drawn = np.sort(rng.integers(options, size=(rows, n)), axis=1)
    left = np.arange(rows)
    while left.size:
        part = drawn[left]
        repeats = np.zeros(part.shape, dtype=bool)
        repeats[:, 1:] = part[:, 1:] == part[:, :-1]
        part[repeats] = rng.integers(options, size=int(repeats.sum()))
        again = repeats.any(axis=1)
        left = left[again]
        drawn[left] = np.sort(part[again], axis=1)
    return drawn


def _complement(without: NDArray[np.int64], n: int, options: int) -> NDArray[np.int64]:
    chosen = np.empty((without.shape[0], n), dtype=np.int64)
    for rows in _blocks(without.shape[0], options):
        inside = np.ones((rows.stop - rows.start, options), dtype=bool)
        np.put_along_axis(inside, without[rows], values=False, axis=1)
        chosen[rows] = np.nonzero(inside)[1].reshape(-1, n)
    return chosen


def _blocks(rows: int, width: int) -> Iterator[slice]:
    """Yield slices of rows of which each holds few numbers at a width."""
    step = max(1, _BLOCK // width)
    return (slice(first, min(first + step, rows)) for first in range(0, rows, step))


def _largest_density(wiring: DistanceDependent) -> float:
    """Return an upper bound of the mean connection probability: that of a neuron in the middle of an endless layout."""
    plane = wiring.layout in {"sheet", "torus"}
    match wiring.profile, plane:
        case "gaussian", False:
            area = math.sqrt(2 * math.pi) * wiring.width
        case "exponential", False:
            area = 2 * wiring.width
        case _:
            area = 2 * math.pi * wiring.width**2
    return wiring.p_max * min(1.0, area)


def _positions(n: int, layout: str) -> list[NDArray[np.float64]]:
    """Return the coordinates of n neurons along the axes of a layout with side 1."""
    if layout in {"line", "ring"}:
        return [(np.arange(n) + 0.5) / n]
    columns = math.isqrt(n - 1) + 1
    rows = -(-n // columns)
    row, column = np.divmod(np.arange(n), columns)
    return [(row + 0.5) / rows, (column + 0.5) / columns]


def _distance_dependent(wiring: DistanceDependent, ends: Ends, rng: np.random.Generator) -> Pairs:
    if ends.n_source * ends.n_target > _MAX_DISTANCES:
        raise InputError(
            f"too many distances between {ends.n_source:,} and {ends.n_target:,} neurons to go through; use smaller "
            "populations or FixedProbability."
        )
    wraps = wiring.layout in {"ring", "torus"}
    from_axes, to_axes = (_positions(n, wiring.layout) for n in (ends.n_source, ends.n_target))
    sources, targets = [], []
    for rows in _blocks(ends.n_source, ends.n_target):
        squared = np.zeros((rows.stop - rows.start, ends.n_target))
        for here, there in zip(from_axes, to_axes, strict=True):
            apart = np.abs(here[rows, None] - there)
            squared += (np.minimum(apart, 1 - apart) if wraps else apart) ** 2
        gaussian = wiring.profile == "gaussian"
        fall = squared / (2 * wiring.width**2) if gaussian else np.sqrt(squared) / wiring.width
        source, target = np.nonzero(rng.random(squared.shape) < wiring.p_max * np.exp(-fall))
        source += rows.start
        keep = source != target if ends.within and not wiring.autapses else slice(None)
        sources.append(source[keep])
        targets.append(target[keep])
    return np.concatenate(sources), np.concatenate(targets)


def _convolution(wiring: Convolution, ends: Ends) -> tuple[Pairs, NDArray[np.int64]]:
    """Return the synapses of a convolution, numbered like digits: channel, then one place for each axis."""
    entry = np.arange(wiring.channels_out * wiring.channels_in)
    target, source = np.divmod(entry, wiring.channels_in)
    for n, k, m in zip(wiring.input_shape, wiring.kernel, wiring.output_shape, strict=True):
        place, tap = (grid.ravel() for grid in np.indices((m, k)))
        seen = place * wiring.stride + tap - wiring.padding
        inside = (seen >= 0) & (seen < n)
        source = (source[:, None] * n + seen[inside]).ravel()
        target = (target[:, None] * m + place[inside]).ravel()
        entry = (entry[:, None] * k + tap[inside]).ravel()
    order = np.argsort(source * ends.n_target + target)
    return (source[order], target[order]), entry[order]
