"""A trial as a Brian2 spike generator emits the same spikes, in the steps of the raster."""

import numpy as np
import pandas as pd
import pytest

from snncompare import datasets
from snncompare.errors import InputError
from snncompare.recording.recording import Recording

brian2 = pytest.importorskip("brian2")

from snncompare.backends.brian2.spike_generator import spike_generator  # noqa: E402

DT = 0.1e-3


@pytest.fixture(autouse=True)
def numpy_target():
    before = brian2.prefs.codegen.target
    brian2.prefs.codegen.target = "numpy"
    yield
    brian2.prefs.codegen.target = before


def emitted(group, duration):
    monitor = brian2.SpikeMonitor(group)
    brian2.Network(group, monitor).run(duration * brian2.second)
    return np.round(np.asarray(monitor.t / brian2.second) / DT).astype(int), np.asarray(monitor.i)


def test_a_trial_of_an_encoded_dataset_is_emitted_spike_by_spike():
    data = datasets.load("song_envelopes", n_classes=2, n_per_class=2, duration="100 ms", encoder={"size": 6})
    group = spike_generator(data, 3, "0.1 ms")
    assert group.N == 6
    step, unit = emitted(group, 0.1)
    raster = data.raster([3], "0.1 ms")[0]
    assert raster.sum() > 20
    assert sorted(zip(step, unit, strict=True)) == [tuple(at) for at in np.argwhere(raster)]
    other = data.raster([2], "0.1 ms")[0]
    assert sorted(zip(step, unit, strict=True)) != [tuple(at) for at in np.argwhere(other)]


def recording(times, start=0.0):
    return Recording.from_arrays(
        times=np.array(times),
        unit=["a"] * len(times),
        trial=[0] * len(times),
        units=pd.DataFrame(index=["a", "b"]),
        trials=pd.DataFrame({"start": [start], "stop": [start + 0.1]}),
    )


def test_a_trial_of_a_recording_begins_at_its_start():
    step, unit = emitted(spike_generator(recording([-0.02, 0.0], start=-0.05), 0, "0.1 ms"), 0.1)
    assert step.tolist() == [300, 500]
    assert unit.tolist() == [0, 0]


def test_two_spikes_in_one_step_are_refused_and_fit_into_smaller_steps():
    crowded = recording([0.01, 0.0105])
    with pytest.raises(InputError, match=r"share a step of 0\.001 s .* unit 'a' in step 10"):
        spike_generator(crowded, 0, "1 ms")
    assert emitted(spike_generator(crowded, 0, "0.1 ms"), 0.1)[0].tolist() == [100, 105]


@pytest.mark.parametrize(("trial", "dt"), [(1, "1 ms"), (-1, "1 ms"), (0, "0 ms"), (0, "1 mV")])
def test_trials_and_steps_that_do_not_exist_are_refused(trial, dt):
    with pytest.raises(InputError):
        spike_generator(recording([0.01]), trial, dt)
