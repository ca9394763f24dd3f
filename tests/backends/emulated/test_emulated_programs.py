"""A program of the torch backend on chips: trials are copies, the device changing slowest."""

import numpy as np
import pandas as pd
import pytest

from snncompare.backends.emulation import EmulatedRun, copies_of
from snncompare.backends.torch.backend import TorchBackend
from snncompare.errors import InputError, UnsupportedError
from snncompare.recording.recording import Recording

DT = 1e-3


class Emulation:
    """Chips, and runs on them in which nothing is random; keeps how runs began."""

    def __init__(self, chips):
        self.n_devices, self.network = chips.n_devices, chips.network
        self.parameter_maps, self.weight_maps, self.begun = chips.parameter_maps, chips.weight_maps, []

    def begin(self, *, n_trials, dt, seed, first_trial=0):
        self.begun.append((n_trials, dt, seed, first_trial))
        return EmulatedRun(self, n_trials)


@pytest.fixture
def spikes():
    trial, step, unit = np.nonzero(np.random.default_rng(0).random((2, 40, 9)) < 0.1)
    trials = pd.DataFrame({"start": 0.0, "stop": 0.04, "class": ["a", "b"]}, index=["one", "two"])
    units = pd.DataFrame(index=[f"u{k}" for k in range(9)])
    recording = Recording.from_arrays(
        times=step * DT, trial=trials.index[trial], unit=units.index[unit], units=units, trials=trials
    )
    return {"inputs": recording}


def test_recordings_of_several_devices_are_those_of_each(rig, spikes):
    network = rig.network()
    chips, asked = rig.chips(network, 3), rig.asked(network)
    arguments = {"dt": DT, "dtype": "float64", "realisation": asked}

    def run(device=None):
        emulation = Emulation(chips if device is None else chips.select(device))
        program = TorchBackend().compile(network, emulation=emulation, **arguments)
        recording = program.run(spikes, duration="40 ms", seed=7, record=["hidden", "readout.v"])
        assert emulation.begun == [(2, DT, 7, 0)]
        return recording

    together = run()
    assert list(together.trials.index) == [f"{trial}@{k}" for k in range(3) for trial in ("one", "two")]
    assert list(together.trials["device"]) == [0, 0, 1, 1, 2, 2]
    assert list(together.trials["source_trial"]) == ["one", "two"] * 3
    assert list(together.trials["class"]) == ["a", "b"] * 3
    alone = [run(device) for device in range(3)]
    for device, one in enumerate(alone):
        assert list(one.trials.index) == ["one", "two"]
        own = slice(2 * device, 2 * device + 2)
        assert np.array_equal(together.traces["readout.v"].values[own], one.traces["readout.v"].values)
        for trial in ("one", "two"):
            for unit in one.units.index[:9]:
                assert np.array_equal(together.train(f"{trial}@{device}", unit), one.train(trial, unit))
    assert not np.array_equal(alone[0].traces["readout.v"].values, alone[1].traces["readout.v"].values)
    ideal = TorchBackend().compile(network, **arguments).run(spikes, duration="40 ms", record=["readout.v"])
    assert "device" not in ideal.trials
    assert not np.array_equal(ideal.traces["readout.v"].values, alone[0].traces["readout.v"].values)


def test_what_chips_cannot_do_is_refused_in_words(rig):
    network = rig.network()
    arguments = {"dt": DT, "dtype": "float64", "realisation": rig.asked(network)}
    program = TorchBackend().compile(network, emulation=Emulation(rig.chips(network, 1)), **arguments)
    with pytest.raises(UnsupportedError, match="whole trials only"):
        program.simulation()
    with pytest.raises(InputError, match=r"option of the backend 'torch' 'chips'.*emulation"):
        TorchBackend().compile(network, chips=1, **arguments)


def test_names_that_trials_have_already_are_kept_under_another():
    trials = pd.DataFrame({"source_trial": ["x", "y"], "stop": 1.0}, index=["x#0", "y#0"])
    copies = copies_of(trials, 2)
    assert list(copies.index) == ["x#0@0", "y#0@0", "x#0@1", "y#0@1"]
    assert list(copies["source_trial"]) == ["x#0", "y#0"] * 2
    assert list(copies["input_source_trial"]) == ["x", "y"] * 2
    assert list(copies_of(trials, 1).index) == ["x#0", "y#0"]
    assert list(copies_of(None, 2).index) == ["0@0", "0@1"]


def test_the_seed_of_a_run_is_a_whole_number_of_any_type(rig, spikes):
    network = rig.network()
    emulation = Emulation(rig.chips(network, 1))
    program = TorchBackend().compile(
        network, emulation=emulation, dt=DT, dtype="float64", realisation=rig.asked(network)
    )
    for seed in (5, np.int64(5), np.uint8(5)):
        program.run(spikes, duration="40 ms", seed=seed)
    assert emulation.begun == [(2, DT, 5, 0)] * 3
    assert {type(begun[2]) for begun in emulation.begun} == {int}
    for wrong in (1.5, "5", True, -1, 2**63, None):
        with pytest.raises(InputError, match=r"whole number from 0 to 2\*\*63 - 1, got"):
            program.run(spikes, duration="40 ms", seed=wrong)
    assert len(emulation.begun) == 3
