"""Inner products of trials in each of the codes that labels may live in: counts, latencies, trains, synchrony."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.compiled.cross_intensity import laplacian_norms, laplacian_products
from snncompare.representation.compiled.trains import Trains, first_spikes, pool_units
from snncompare.representation.decoding.folds import Folds
from snncompare.representation.decoding.given_counts import Strata, strata_of

__all__ = ["CODES", "TIMING", "Code", "codes_of"]

Array = NDArray[np.float64]

CODES = {
    "counts": "number of spikes of every unit",
    "latencies": "first spike of every unit, the end of the window if it is silent",
    "latencies given counts": "first spike of every unit, minus its mean over training trials of like count",
    "trains": "train of every unit after exponential filtering (van Rossum)",
    "trains given counts": "the same divided by the count, minus its mean over training trials of like count",
    "synchrony": "share of the pairs of spikes of different units that coincide",
}
"""What each code takes from a trial."""
TIMING = ("latencies given counts", "trains given counts")
"""Codes to which counts contribute nothing."""


@dataclass(frozen=True, eq=False)
class Code:
    """Inner products of the trials in one code.

    Parameters
    ----------
    name : str
        One of `CODES`.
    time_scale : float
        Seconds, or NaN.
    gram : array (n_trials, n_trials) or (n_folds, n_trials, n_trials)
        The latter where they depend on which trials train.
    """

    name: str
    time_scale: float
    gram: Array


def codes_of(trains: Trains, time_scales: Array, folds: Folds) -> Iterator[Code]:
    r"""Yield the inner products of trials in every code of `CODES`.

    What is *given counts* is centred unit by unit on training trials in which the unit fired equally often (where it
    has more than ten different counts: within ten classes of like count). Silent trains are at 0, the mean. Neurons
    whose spike times depend on the stimulus through their count alone then have the same mean for every label, which
    leaves nothing for a linear readout.

    Synchrony is one number per trial: with the pairs :math:`i, j` of spikes of different units,
    :math:`\sum_{i,j} e^{-|t_i - t_j| / \tau} / n_{pairs}`. Units that follow one stimulus coincide too.

    Parameters
    ----------
    trains : Trains
    time_scales : array (n_time_scales,)
        :math:`\tau`, seconds.
    folds : Folds
    """
    counts = np.diff(trains.offsets).reshape(trains.n_trials, trains.n_units).astype(np.float64)
    strata = [strata_of(of_unit, folds) for of_unit in counts.T]
    latency = first_spikes(trains) - trains.start
    yield Code("counts", np.nan, _products(counts))
    yield Code("latencies", np.nan, _products(np.where(np.isinf(latency), trains.stop - trains.start, latency)))
    fired = np.where(np.isinf(latency), 0.0, latency)
    residual = np.stack([of_unit.residual(x) for of_unit, x in zip(strata, fired.T, strict=True)], axis=-1)
    yield Code("latencies given counts", np.nan, residual @ residual.transpose(0, 2, 1))
    whole, given = _of_trains(trains, time_scales, counts, strata)
    for k, scale in enumerate(time_scales):
        yield Code("trains", float(scale), whole[k])
        yield Code("trains given counts", float(scale), given[k])
    if trains.n_units > 1:
        for k, index in enumerate(_synchrony(trains, time_scales, whole, counts)):
            yield Code("synchrony", float(time_scales[k]), _products(index[:, None]))


def _products(features: Array) -> Array:
    away = features - features.mean(axis=0)
    products: Array = away @ away.T
    return products


def _of_trains(trains: Trains, taus: Array, counts: Array, strata: list[Strata]) -> tuple[Array, Array]:
    """Return the Laplacian kernel of the trains (n_taus, n_trials, n_trials), and given counts (n_taus, n_folds, ...).

    The first is ``gram(recording, Laplacian.sweep(taus))``.
    """
    n, everybody = trains.n_trials, range(trains.n_trials)
    whole, shares = np.zeros((2, taus.size, n, n))
    given = np.zeros((taus.size, len(strata[0].means), n, n))
    begin, end = trains.offsets[:-1].reshape(counts.shape), trains.offsets[1:].reshape(counts.shape)
    for u, of_unit in enumerate(counts.T):
        if not of_unit.any():
            continue
        pieces = [trains.times[a:b] for a, b in zip(begin[:, u], end[:, u], strict=True)]
        offsets = np.concatenate([[0], np.cumsum(of_unit)]).astype(np.int64)
        alone = Trains(np.concatenate(pieces), offsets, 1, trains.start, trains.stop)
        scale = 1 / np.maximum(of_unit, 1)
        for k, product in enumerate(laplacian_products(alone, taus, everybody, everybody)):
            whole[k] += product
            product *= scale[:, None] * scale  # noqa: PLW2901 (in place: as large as the square of the trials)
            shares[k] += product
            given[k] += strata[u].correction(product)
    return whole, given + shares[:, None]


def _synchrony(trains: Trains, taus: Array, whole: Array, counts: Array) -> Array:
    """Return the index of synchrony (n_taus, n_trials); a trial without a pair has that of a random other one."""
    pooled = laplacian_norms(pool_units(trains), taus, range(trains.n_trials))
    own = np.diagonal(whole, axis1=1, axis2=2)
    pairs = counts.sum(axis=1) ** 2 - (counts**2).sum(axis=1)
    if not (pairs > 0).any():
        return np.zeros(own.shape)
    index = (pooled - own) / np.maximum(pairs, 1)
    other = np.random.default_rng(0).choice(np.flatnonzero(pairs > 0), pairs.size)
    return np.where(pairs > 0, index, index[:, other])
