"""Rasters hold each spike in the step in which Brian2 would emit it."""

import numpy as np
import pandas as pd
import pytest

from snncompare.datasets.spike_dataset import SpikeDataset
from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.recording.time_steps import brian2_step

DT = 0.5e-3


def dataset(rows, *, start=0.0, stop=0.05, trials=3, units=2):
    times, trial, unit = zip(*rows, strict=True) if rows else ((), (), ())
    spikes = Recording.from_arrays(
        times=np.array(times, dtype=float),
        unit=list(unit),
        trial=list(trial),
        units=pd.DataFrame(index=range(units)),
        trials=pd.DataFrame({"start": start, "stop": stop, "class": "a"}, index=range(trials)),
    )
    return SpikeDataset(spikes=spikes, label="class", name="test")


def random_rows(seed, *, n=300, trials=7, units=5):
    """One spike at most per step: times on a shuffled grid with jitter inside the step."""
    rng = np.random.default_rng(seed)
    cells = rng.choice(trials * units * 100, size=n, replace=False)
    trial, unit, step = np.unravel_index(cells, (trials, units, 100))
    return list(zip((step + rng.uniform(0, 0.99, n)) * DT, trial, unit, strict=True))


def by_hand(data, indices):
    raster = np.zeros((len(indices), 100, data.spikes.n_units), dtype=bool)
    for row, i in enumerate(indices):
        for j in range(data.spikes.n_units):
            for t in data.spikes.train(i, j):
                raster[row, int((t - data.spikes.trials["start"].iloc[i] + 1e-3 * DT) / DT), j] = True
    return raster


@pytest.mark.parametrize("indices", [[0, 1, 2, 3, 4, 5, 6], [5, 2], [3, 3, 0], []])
def test_the_raster_is_the_one_filled_spike_by_spike(indices):
    data = dataset(random_rows(0), trials=7, units=5)
    raster = data.raster(indices, "0.5 ms")
    assert raster.dtype == np.bool_
    assert np.array_equal(raster, by_hand(data, indices))


def test_windows_that_do_not_start_at_zero_are_binned_from_their_start():
    data = dataset([(-0.02, 0, 0), (0.0101, 0, 1)], start=-0.02, stop=0.03)
    assert [tuple(map(int, at)) for at in np.argwhere(data.raster([0], "0.5 ms"))] == [(0, 0, 0), (0, 60, 1)]


def test_times_on_the_grid_fall_into_their_own_step():
    for dt in (1e-4, 5e-4, 1e-3):
        k = np.arange(20_000)
        assert np.array_equal(brian2_step(k * dt, dt), k)


def test_without_the_thousandth_of_a_step_the_grid_would_be_missed():
    """Negative control: plain flooring puts some times one step early."""
    k = np.arange(20_000)
    assert not np.array_equal(np.floor(k * 1e-4 / 1e-4).astype(int), k)


def test_brian2_emits_the_spikes_in_the_same_steps():
    brian2 = pytest.importorskip("brian2")
    brian2.prefs.codegen.target = "numpy"
    rng = np.random.default_rng(1)
    times = np.unique(np.concatenate([rng.permutation(100)[:30] * DT, (rng.permutation(100)[:30] + 0.9995) * DT]))
    step = brian2_step(times, DT)
    times = times[np.concatenate([[True], np.diff(step) > 0])]
    source = brian2.SpikeGeneratorGroup(1, np.zeros(times.size, int), times * brian2.second, dt=DT * brian2.second)
    monitor = brian2.SpikeMonitor(source)
    brian2.Network(source, monitor).run(0.06 * brian2.second)
    emitted = np.round(np.asarray(monitor.t / brian2.second) / DT).astype(int)
    assert np.array_equal(emitted, brian2_step(times, DT))


def test_a_spike_that_belongs_to_the_step_after_the_end_is_absent():
    assert not dataset([(0.05, 0, 0), (0.05 - 1e-4 * DT, 1, 0)]).raster([0, 1], "0.5 ms").any()


def test_two_spikes_of_a_unit_in_one_step_are_refused_and_named():
    data = dataset([(0.0101, 1, 0), (0.0103, 1, 0), (0.0102, 1, 1)])
    with pytest.raises(
        InputError, match=r"1 spikes share a step of 0\.0005 s .* trial 1, unit 0, step 20; take a smaller"
    ):
        data.raster([0, 1], "0.5 ms")
    assert data.raster([0, 1], "0.1 ms").sum() == 3


@pytest.mark.parametrize(
    ("indices", "dt", "says"),
    [
        ([3], "0.5 ms", "from 0 to 2"),
        ([-1], "0.5 ms", "from 0 to 2"),
        ([0.0], "0.5 ms", "whole numbers"),
        ([0], "0.3 ms", "dt that divides"),
        ([0], "0 ms", "positive"),
    ],
)
def test_positions_and_steps_that_do_not_exist_are_refused(indices, dt, says):
    with pytest.raises(InputError, match=says):
        dataset([]).raster(indices, dt)


def test_windows_of_different_length_are_refused():
    with pytest.raises(InputError, match=r"from 0\.05 to 0\.06 s"):
        dataset([], stop=[0.05, 0.06, 0.05]).raster([0], "0.5 ms")
