"""The compiled distances over many trials at once: lanes, tiles, blocks and threads change no digit."""

import itertools
import math

import numpy as np
import pytest

from snncompare.representation.compiled import van_rossum
from snncompare.representation.compiled.cross_intensity import laplacian_norms, laplacian_products
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.compiled.victor_purpura import victor_purpura

COSTS = np.array([0.0, 1.0, 30.0, 1e5])
TAUS = np.array([1e-3, 0.05, 2.0])


def many_trials(n_trials, n_units, seed=0):
    """Trials of very different counts, some trains empty, spikes on a grid of 5 ms so that many coincide."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(10 * rng.exponential(1, n_trials).repeat(n_units))
    flat = [np.sort(rng.integers(0, 200, n) * 0.005) for n in counts]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return Trains(np.concatenate(flat), offsets, n_units, 0.0, 1.0)


def plain_victor_purpura(a, b, cost):
    table = np.add.outer(np.arange(len(a) + 1.0), np.arange(len(b) + 1.0))
    for i, t in enumerate(a, 1):
        for j, s in enumerate(b, 1):
            shift = table[i - 1, j - 1] + cost * abs(t - s)
            table[i, j] = min(table[i - 1, j] + 1, table[i, j - 1] + 1, shift)
    return table[-1, -1]


def plain_van_rossum_squared(a, b, tau):
    spikes, sign = np.concatenate([a, b]), np.repeat([1.0, -1.0], [len(a), len(b)])
    return math.fsum((np.outer(sign, sign) * np.exp(-np.abs(spikes[:, None] - spikes) / tau)).ravel())


def of(trains, trial):
    edges = trains.offsets[trial * trains.n_units : (trial + 1) * trains.n_units + 1]
    return [trains.times[begin:end] for begin, end in itertools.pairwise(edges)]


@pytest.mark.parametrize("n_trials", [1, 2, 16, 17, 50])
def test_every_pair_of_many_trials_has_the_plain_distance(n_trials):
    trains = many_trials(n_trials, 2)
    every = range(n_trials)
    edits, squared = (
        victor_purpura(trains, COSTS, every, every),
        van_rossum.van_rossum_squared(trains, TAUS, every, every),
    )
    rng = np.random.default_rng(1)
    for i, j in rng.integers(0, n_trials, (20, 2)):
        units = list(zip(of(trains, i), of(trains, j), strict=True))
        plain = [sum(plain_victor_purpura(a, b, cost) for a, b in units) for cost in COSTS]
        np.testing.assert_allclose(edits[:, i, j], plain, atol=1e-11)  # a sum of up to 100 roundings of 100
        plain = [sum(plain_van_rossum_squared(a, b, tau) for a, b in units) for tau in TAUS]
        np.testing.assert_allclose(squared[:, i, j], plain, rtol=1e-11, atol=1e-10)  # the plain sum cancels


@pytest.mark.parametrize(
    "compute",
    [
        lambda *given: victor_purpura(given[0], COSTS, *given[1:]),
        lambda *given: van_rossum.van_rossum_squared(given[0], TAUS, *given[1:]),
        lambda *given: laplacian_products(given[0], TAUS, *given[1:]),
    ],
    ids=["victor purpura", "van rossum", "laplacian"],
)
def test_no_digit_depends_on_the_block_the_threads_or_the_other_trials(monkeypatch, compute):
    trains = many_trials(70, 3, seed=2)
    whole = compute(trains, range(70), range(70))
    assert (whole == whole.transpose(0, 2, 1)).all()
    for rows, columns in ((range(1), range(1, 70)), (range(10, 45), range(45, 50)), (range(20, 61), range(20, 61))):
        part = compute(trains, rows, columns)
        assert (part == whole[:, rows.start : rows.stop, columns.start : columns.stop]).all()
    alone = Trains(
        np.concatenate([*of(trains, 3), *of(trains, 64)]),
        np.concatenate([[0], np.cumsum([t.size for t in (*of(trains, 3), *of(trains, 64))])]).astype(np.int64),
        3,
        0.0,
        1.0,
    )
    assert (compute(alone, range(2), range(2))[:, 0, 1] == whole[:, 3, 64]).all()
    monkeypatch.setattr("snncompare.representation.compiled.threads.config.NUMBA_NUM_THREADS", 3)
    assert (compute(trains, range(70), range(70)) == whole).all()


def test_the_expanded_and_the_integrated_distance_agree(monkeypatch):
    """Where the distance is a thousandth of the norms, the expansion still has 12 digits; the rest is integrated."""
    trains = many_trials(40, 1, seed=3)
    every = range(40)
    mixed = van_rossum.van_rossum_squared(trains, TAUS, every, every)
    monkeypatch.setattr(van_rossum, "NEAR", 2.0)
    integrated = van_rossum.van_rossum_squared(trains, TAUS, every, every)
    np.testing.assert_allclose(mixed, integrated, rtol=1e-12)
    monkeypatch.setattr(van_rossum, "NEAR", 0.0)
    expanded = van_rossum.van_rossum_squared(trains, TAUS, every, every)
    norms = laplacian_norms(trains, TAUS, every)
    np.testing.assert_array_less(
        np.abs(expanded - integrated), 1e-14 * (norms[:, :, None] + norms[:, None, :]) + 1e-300
    )


def test_without_the_integral_nearly_identical_trains_lose_their_digits(monkeypatch):
    """Negative control: the branch is needed."""
    a = np.linspace(0.05, 0.9, 50)
    trains = Trains(np.concatenate([a, a + 2.0**-40]), np.array([0, 50, 100]), 1, 0.0, 1.0)
    exact = van_rossum.van_rossum_squared(trains, np.array([0.05]), range(2), range(2))[0, 0, 1]
    monkeypatch.setattr(van_rossum, "NEAR", 0.0)
    expanded = van_rossum.van_rossum_squared(trains, np.array([0.05]), range(2), range(2))[0, 0, 1]
    assert exact > 0
    assert abs(expanded - exact) > 1e-6 * exact


def test_both_equal_spikedist_on_several_units():
    spikedist = pytest.importorskip("spikedist")
    trains = many_trials(6, 3, seed=4)
    every = range(6)
    edits = victor_purpura(trains, COSTS[1:], every, every)
    squared = van_rossum.van_rossum_squared(trains, TAUS, every, every)
    for i in range(6):
        for j in range(6):
            units = list(zip(of(trains, i), of(trains, j), strict=True))
            for k, cost in enumerate(COSTS[1:]):
                theirs = sum(spikedist.victor_purpura(a.tolist(), b.tolist(), cost=cost) for a, b in units)
                assert edits[k, i, j] == pytest.approx(theirs, abs=1e-9)
            first, second = ({str(u): train.tolist() for u, train in enumerate(of(trains, k))} for k in (i, j))
            for k, tau in enumerate(TAUS):
                theirs = spikedist.van_rossum_multiunit(first, second, tau=tau, c=0.0)
                # its norm is the paper's, and it squares first: a distance below 1e-7 is lost in rounding
                assert math.sqrt(squared[k, i, j] / 2) == pytest.approx(theirs, abs=3e-7 if theirs < 1e-3 else 1e-9)
