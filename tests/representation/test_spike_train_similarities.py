"""Schreiber's and Hunter and Milton's measures, and the van Rossum metric on a grid."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.representation.compiled.grid import van_rossum_squared_on_grid
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics import HunterMilton, Schreiber, VanRossum

TIME = st.one_of(st.integers(0, 40).map(lambda k: k / 20), st.floats(0, 2))
TRAIN = st.lists(TIME, max_size=8).map(sorted)
TRIALS = st.lists(st.lists(TRAIN, min_size=2, max_size=2), min_size=2, max_size=5)
STEP = st.sampled_from([0.02, 0.03, 0.1])


def packed(trains):
    flat = [train for trial in trains for train in trial]
    offsets = np.concatenate([[0], np.cumsum([len(train) for train in flat])]).astype(np.int64)
    return Trains(np.array([t for train in flat for t in train], dtype=float), offsets, len(trains[0]), 0.0, 2.0)


def matrix(metric, trains, rows=None, columns=None):
    every = range(trains.n_trials)
    return type(metric).between_trials([metric], trains, rows or every, columns or every)[0]


def plain_schreiber(a, b, sigma):
    if not a or not b:
        return float(len(a) != len(b))
    k = lambda x, y: math.fsum(math.exp(-((t - s) ** 2) / (4 * sigma**2)) for t in x for s in y)  # noqa: E731
    return 1 - k(a, b) / math.sqrt(k(a, a) * k(b, b))


def plain_hunter_milton(a, b, tau):
    if not a or not b:
        return float(len(a) != len(b))
    close = lambda x, y: np.mean([max(math.exp(-abs(t - s) / tau) for s in y) for t in x])  # noqa: E731
    return 1 - 0.5 * (close(a, b) + close(b, a))


@pytest.mark.parametrize(("kind", "plain"), [(Schreiber, plain_schreiber), (HunterMilton, plain_hunter_milton)])
@settings(max_examples=50)
@given(trials=TRIALS, scale=st.sampled_from([0.003, 0.1, 5.0]))
def test_similarities_are_their_definitions_averaged_over_units_or_pooled(kind, plain, trials, scale):
    trains = packed(trials)
    line, pooled = matrix(kind(f"{scale} s"), trains), matrix(kind(f"{scale} s", pooled=True), trains)
    assert (line == line.T).all()
    assert (np.diagonal(line) == 0).all()
    assert (line >= 0).all()
    assert (line <= 1).all()
    for i, a in enumerate(trials):
        for j, b in enumerate(trials):
            mean = np.mean([plain(x, y, scale) for x, y in zip(a, b, strict=True)])
            assert line[i, j] == pytest.approx(mean, abs=1e-13)
            assert pooled[i, j] == pytest.approx(
                plain(sorted([*a[0], *a[1]]), sorted([*b[0], *b[1]]), scale), abs=1e-13
            )


@pytest.mark.parametrize("kind", [Schreiber, HunterMilton])
@given(train=st.lists(TRAIN, min_size=2, max_size=2))
def test_identical_trials_are_exactly_zero_apart(kind, train):
    assert (matrix(kind("20 ms"), packed([train, train])) == 0).all()


@given(TRAIN, TRAIN, st.sampled_from([0.004, 0.1, 2.0]))
def test_similarities_equal_spikedist(a, b, scale):
    spikedist = pytest.importorskip("spikedist")
    pair = packed([[a], [b]])
    theirs = 1 - spikedist.schreiber(a, b, sigma=scale)
    assert matrix(Schreiber(f"{scale} s"), pair)[0, 1] == pytest.approx(theirs, abs=1e-9)
    theirs = 1 - spikedist.hunter_milton(a, b, tau=scale)
    assert matrix(HunterMilton(f"{scale} s"), pair)[0, 1] == pytest.approx(theirs, abs=1e-9)


@given(st.lists(TRAIN.filter(bool), min_size=3, max_size=3))
def test_the_root_of_twice_schreiber_obeys_the_triangle_inequality(trains):
    d = np.sqrt(2 * matrix(Schreiber("0.1 s"), packed([[train] for train in trains])))
    assert d[0, 2] <= d[0, 1] + d[1, 2] + 1e-7  # the root of the rounding of 1 - cosine


def test_similarities_do_not_see_doubled_spikes_but_their_time_scale_matters():
    a, b = [0.3, 1.2], [0.35, 1.5]
    for kind in (Schreiber, HunterMilton):
        doubled = packed([[a], [sorted(2 * a)], [b]])
        d = matrix(kind("0.1 s"), doubled)
        assert d[0, 1] == pytest.approx(0, abs=1e-15)
        assert d[0, 2] > 0.1
        assert len({matrix(m, doubled)[0, 2] for m in kind.sweep(["1 ms", "50 ms", "2 s"])}) == 3
        assert matrix(kind("1e-9 s"), doubled)[0, 2] == 1
        assert matrix(kind("1e9 s"), doubled)[0, 2] == pytest.approx(0, abs=1e-9)


@settings(max_examples=60)
@given(TRIALS, st.sampled_from([0.1, 0.7]), STEP)
def test_the_grid_is_too_small_by_at_most_the_stated_error(trials, tau, step):
    trains = packed(trials)
    every = range(trains.n_trials)
    exact = matrix(VanRossum(f"{tau} s"), trains) ** 2
    on_grid = van_rossum_squared_on_grid(trains, tau, step, every, every)
    n_cells = math.ceil(2.0 / step)
    cells = np.array(
        [[np.bincount(np.minimum((np.array(t) / step).astype(int), n_cells - 1), minlength=n_cells) for t in trial] for trial in trials]
    ).reshape(len(trials), -1)  # fmt: skip
    bound = math.tanh(step / (2 * tau)) * ((cells[:, None] + cells[None, :]) ** 2).sum(axis=2)
    rounding = 1e-5 * (1 + np.sqrt(exact))  # of whole numbers 2**k as large: k is at least 18 here
    assert (exact - on_grid >= -rounding).all()
    assert (exact - on_grid <= bound + rounding).all()
    assert (np.diagonal(on_grid) == 0).all()
    assert (on_grid == on_grid.T).all()


def test_spikes_of_different_cells_and_on_the_grid_are_exact_and_others_are_not():
    apart = packed([[[0.013, 0.51]], [[0.277, 1.94]]])
    on_grid, exact = (matrix(VanRossum("0.1 s", grid=grid), apart)[0, 1] for grid in ("20 ms", None))
    own = sum(
        2 * math.sinh(x / 0.1) * math.sinh((0.02 - x) / 0.1) / math.sinh(0.2) for x in (0.013, 0.01, 0.017, 0.0)
    )  # what each spike lacks with itself, at its place in its cell
    assert exact**2 - on_grid**2 == pytest.approx(own, rel=1e-4)
    nodes = packed([[[0.02, 0.5]], [[0.28, 1.94]]])
    on_grid, exact = (matrix(VanRossum("0.1 s", grid=grid), nodes)[0, 1] for grid in ("20 ms", None))
    assert on_grid == pytest.approx(exact, rel=1e-6)


def test_a_finer_grid_is_closer_and_it_takes_mixing():
    rng = np.random.default_rng(0)
    trains = packed([[np.sort(rng.uniform(0, 2, 30)).tolist() for _ in range(3)] for _ in range(6)])
    for mixing in (0.0, 0.5, 1.0):
        exact = matrix(VanRossum("0.1 s", mixing), trains)
        errors = [
            np.abs(matrix(VanRossum("0.1 s", mixing, grid=step), trains) - exact).max()
            for step in ("50 ms", "10 ms", "1 ms", "0.1 ms")
        ]
        assert (np.diff(errors) < 0).all()
        assert errors[-1] < 1e-3 * exact.max()


@pytest.mark.parametrize("grid", [None, "20 ms"])
def test_van_rossum_depends_neither_on_the_block_nor_on_the_number_of_threads(monkeypatch, grid):
    rng = np.random.default_rng(3)
    spikes = np.round(rng.uniform(0, 2, (30, 2, 15)) / 0.01) * 0.01
    trials = np.sort(spikes, axis=2).tolist()
    trials[4], trials[20] = trials[3], [[], []]
    trains = packed(trials)
    for metric in VanRossum.sweep(["20 ms", "3 s"], mixing=0.5, grid=grid):
        whole = matrix(metric, trains)
        assert whole[3, 4] == 0
        for rows, columns in ((range(4), range(4, 30)), (range(2, 9), range(9, 12)), (range(11, 30), range(11, 30))):
            part = matrix(metric, trains, rows, columns)
            assert (part == whole[rows.start : rows.stop, columns.start : columns.stop]).all()
        monkeypatch.setattr("snncompare.representation.compiled.threads.config.NUMBA_NUM_THREADS", 3)
        assert (matrix(metric, trains) == whole).all()
        monkeypatch.undo()


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: VanRossum("1 ms", grid="2 ms"), "at most tau"),
        (lambda: VanRossum("1 ms", grid=0.5), "has no unit"),
        (lambda: VanRossum("1 ms", grid="0 ms"), "above zero"),
        (lambda: Schreiber("0 ms"), "above zero"),
        (lambda: Schreiber("1 ms", pooled=1), "True or False"),
        (lambda: HunterMilton(3), "has no unit"),
        (lambda: HunterMilton("1 ms", pooled=None), "True or False"),
    ],
    ids=["coarse", "bare", "no step", "no sigma", "schreiber pooled", "bare tau", "pooled"],
)
def test_meaningless_similarities_and_grids_are_refused(make, says):
    with pytest.raises(InputError, match=says):
        make()


def test_they_print_as_the_line_that_makes_them():
    for metric in (
        Schreiber("5 ms", pooled=True),
        HunterMilton("5 ms"),
        VanRossum("5 ms", grid="0.5 ms"),
        VanRossum("5 ms", mixing=0.5, grid="0.5 ms"),
    ):
        assert eval(repr(metric)) == metric
    assert VanRossum("5 ms", grid="0.5 ms").label == "van Rossum, grid 0.5 ms"
