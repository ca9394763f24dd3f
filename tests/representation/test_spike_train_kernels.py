"""Kernels of spike trains and their Gram matrices."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.representation.blocks.execution import Execution
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.distances import distances
from snncompare.representation.gram import gram
from snncompare.representation.kernels import BinnedCount, Count, Exponential, Gaussian, Laplacian
from snncompare.representation.metrics import BinnedCount as BinnedCountMetric
from snncompare.representation.metrics import SpikeCount, VanRossum, VictorPurpura

TIME = st.one_of(st.integers(0, 40).map(lambda k: k / 20), st.floats(0, 2))
TRAIN = st.lists(TIME, max_size=8).map(sorted)
TRIALS = st.lists(st.lists(TRAIN, min_size=2, max_size=2), min_size=2, max_size=6)
KERNELS = {
    "Laplacian": Laplacian("50 ms"),
    "Laplacian, slow": Laplacian("100 s"),
    "Laplacian, mixed": Laplacian("0.2 s", mixing=0.3),
    "Gaussian": Gaussian("30 ms"),
    "Gaussian, summed": Gaussian("0.5 s", mixing=1),
    "count": Count(),
    "binned": BinnedCount("0.5 s"),
    "exponential": Exponential(VanRossum("50 ms"), scale=2),
}


def packed(trains):
    flat = [train for trial in trains for train in trial]
    offsets = np.concatenate([[0], np.cumsum([len(train) for train in flat])]).astype(np.int64)
    return Trains(np.array([t for train in flat for t in train], dtype=float), offsets, len(trains[0]), 0.0, 2.0)


def block(kernel, trains, rows=None, columns=None):
    every = range(trains.n_trials)
    return type(kernel).gram_block([kernel], trains, rows or every, columns or every)[0]


def plain(kernel_function, a, b, mixing=0.0):
    """Add the kernel over all pairs of spikes of the same unit, and ``mixing`` times those of others."""
    return math.fsum(
        kernel_function(t - s) * (1.0 if u == v else mixing)
        for u, x in enumerate(a)
        for v, y in enumerate(b)
        for t in x
        for s in y
    )


@given(TRIALS)
def test_filtered_kernels_are_double_sums_over_spikes(trials):
    trains = packed(trials)
    for kernel, function in (
        (Laplacian("0.2 s"), lambda x: math.exp(-abs(x) / 0.2)),
        (Laplacian("0.2 s", mixing=0.4), lambda x: math.exp(-abs(x) / 0.2)),
        (Gaussian("0.2 s"), lambda x: math.exp(-(x**2) / (4 * 0.2**2))),
        (Gaussian("0.2 s", mixing=1), lambda x: math.exp(-(x**2) / (4 * 0.2**2))),
    ):
        expected = [[plain(function, a, b, kernel.mixing) for b in trials] for a in trials]
        np.testing.assert_allclose(block(kernel, trains), expected, rtol=1e-13, atol=1e-24, err_msg=repr(kernel))


@pytest.mark.parametrize("name", KERNELS)
@settings(max_examples=40)
@given(trials=TRIALS)
def test_gram_matrices_are_symmetric_and_positive_semidefinite(name, trials):
    k = block(KERNELS[name], packed(trials))
    assert (k == k.T).all()
    assert np.linalg.eigvalsh(k).min() >= -1e-12 * max(1.0, k.max())  # rounding of the largest eigenvalue


def test_an_exponential_of_victor_purpura_would_not_be_positive_semidefinite():
    """Negative control, and the reason of the refusal."""
    with pytest.raises(InputError, match=r"Euclidean.*Aronov & Victor 2004"):
        Exponential(VictorPurpura("10 Hz"), scale=1)
    trains = packed([[[]], [[0.5]], [[0.9]], [[0.5, 0.9]], [[0.7]], [[0.6, 0.8]], [[0.5, 0.7, 0.9]]])
    every = range(7)
    d = VictorPurpura.between_trials([VictorPurpura("10 Hz")], trains, every, every)[0]
    lowest = [np.linalg.eigvalsh(np.exp(-0.5 * (d / scale) ** 2)).min() for scale in (1, 2, 5, 10)]
    assert min(lowest) < -1e-6


@given(TRIALS, st.sampled_from([0.0, 0.4, 1.0]))
def test_kernels_give_the_squared_distance_of_their_metric(trials, mixing):
    trains = packed(trials)
    every = range(trains.n_trials)
    for kernel, metric in (
        (Laplacian("0.1 s", mixing), VanRossum("0.1 s", mixing)),
        (Count(), SpikeCount()),
        (BinnedCount("0.5 s"), BinnedCountMetric("0.5 s")),
    ):
        k = block(kernel, trains)
        norm = np.diagonal(k)
        squared = type(metric).between_trials([metric], trains, every, every)[0] ** 2
        np.testing.assert_allclose(norm[:, None] + norm[None, :] - 2 * k, squared, atol=1e-11)


def test_the_laplacian_keeps_its_digits_at_times_far_larger_than_tau():
    """One second before 1e5 s a float has 1e-11 s; the differences of the times are exact, so is the kernel."""
    a, b = (1e5 + 2.0**-10 * np.array(k) for k in ([0, 3, 20], [1, 3, 35]))
    trains = packed([[a.tolist()], [b.tolist()]])
    expected = math.fsum(math.exp(-abs(t - s) / 0.003) for t in a for s in b)
    assert block(Laplacian("3 ms"), trains)[0, 1] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("scale", ["1e-300 s", "1e-9 s"])
def test_vanishing_time_constants_count_coincidences_and_endless_ones_count_pairs(scale):
    trials = [[[0.1, 0.5, 0.5]], [[0.5, 0.7]], [[]]]
    trains = packed(trials)
    assert block(Laplacian(scale), trains).tolist() == [[5, 2, 0], [2, 2, 0], [0, 0, 0]]
    assert block(Gaussian("1e-9 s"), trains).tolist() == [[5, 2, 0], [2, 2, 0], [0, 0, 0]]
    for kernel in (Laplacian("1e12 s"), Gaussian("1e12 s")):
        np.testing.assert_allclose(block(kernel, trains), block(Count(), trains), rtol=1e-11)


@pytest.mark.parametrize("name", KERNELS)
def test_values_depend_neither_on_the_block_nor_on_the_number_of_threads(monkeypatch, name):
    rng = np.random.default_rng(0)
    grid = np.round(rng.uniform(0, 2, 40 * 2 * 12) / 0.01) * 0.01  # coincident spikes, within and between trials
    trials = np.sort(grid.reshape(40, 2, 12), axis=2).tolist()
    trials[7] = [[], [0.0, 1.999]]
    trains = packed(trials)
    whole = block(KERNELS[name], trains)
    for rows, columns in ((range(3), range(3, 40)), (range(5, 16), range(16, 23)), (range(7, 31), range(7, 31))):
        part = block(KERNELS[name], trains, rows, columns)
        assert (part == whole[rows.start : rows.stop, columns.start : columns.stop]).all()
    monkeypatch.setattr("snncompare.representation.compiled.threads.config.NUMBA_NUM_THREADS", 3)
    assert (block(KERNELS[name], trains) == whole).all()


def test_a_gram_matrix_is_labelled_by_trial(noisy_recording):
    k = gram(noisy_recording, [*Laplacian.sweep(["10 ms", "0.1 s"]), Count(), Exponential(SpikeCount(), scale=3)])
    assert k.dims == ("kernel", "trial", "trial_")
    assert k["time_scale"].to_numpy()[:2].tolist() == [0.01, 0.1]
    assert k["label"].to_numpy().tolist()[2:] == ["count", "exponential of spike count, scale 3"]
    assert k["additive"].to_numpy().tolist() == [True, True, True, False]
    assert (k["trial"].to_numpy() == noisy_recording.trials.index).all()
    one = gram(noisy_recording, Laplacian("0.1 s"))
    assert one.dims == ("trial", "trial_")
    assert (one.to_numpy() == k[1].to_numpy()).all()
    squared = distances(noisy_recording, VanRossum("0.1 s")).to_numpy() ** 2
    norm = np.diagonal(one)
    np.testing.assert_allclose(norm[:, None] + norm[None, :] - 2 * one.to_numpy(), squared, atol=1e-11)


def test_a_gram_matrix_does_not_depend_on_its_execution(noisy_recording):
    kernels = [Laplacian("10 ms"), Gaussian("10 ms"), Exponential(VanRossum("10 ms"), scale=2)]
    blockwise = gram(noisy_recording, kernels, execution=Execution(block=7))
    assert (blockwise == gram(noisy_recording, kernels)).all()


@pytest.mark.parametrize(
    ("given_", "says"),
    [
        ([], "no kernel"),
        (VanRossum("10 ms"), "Laplacian"),
        ("Laplacian", "expected a kernel"),
        ([Count(), Count()], "given twice"),
    ],
    ids=["none", "metric", "text", "twice"],
)
def test_what_is_no_kernel_is_refused(noisy_recording, given_, says):
    with pytest.raises(InputError, match=says):
        gram(noisy_recording, given_)


MEANINGLESS = {
    "a bare number": (lambda: Laplacian(10), "has no unit"),
    "no width": (lambda: Gaussian("0 ms"), "above zero"),
    "mixing": (lambda: Gaussian("1 ms", mixing=2), "from 0"),
    "mixing of the Laplacian": (lambda: Laplacian("1 ms", mixing=-0.1), "from 0"),
    "no bins": (lambda: BinnedCount(None), "needs a width"),
    "bins of no time": (lambda: BinnedCount("0 s"), "above zero"),
    "a kernel as metric": (lambda: Exponential(Count(), scale=1), "must be a metric"),
    "no scale": (lambda: Exponential(SpikeCount(), scale=0), "above zero"),
    "scale nan": (lambda: Exponential(SpikeCount(), scale=math.nan), "above zero"),
    "scale true": (lambda: Exponential(SpikeCount(), scale=True), "above zero"),
}


@pytest.mark.parametrize("case", MEANINGLESS)
def test_a_kernel_that_means_nothing_is_refused(case):
    make, says = MEANINGLESS[case]
    with pytest.raises(InputError, match=says):
        make()


def test_a_kernel_prints_as_the_line_that_makes_it_and_every_parameter_matters():
    for kernel in KERNELS.values():
        assert eval(repr(kernel)) == kernel
    trains = packed([[[0.1, 0.5], [0.2]], [[0.12, 0.9], [0.6]]])
    several = [*KERNELS.values(), Gaussian("30 ms", mixing=0.5), Exponential(VanRossum("50 ms"), scale=3)]
    assert len({block(kernel, trains)[0, 1] for kernel in several}) == len(several)
