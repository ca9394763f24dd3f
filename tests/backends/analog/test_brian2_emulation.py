"""What Brian2 asks an emulated run, and when: noise, events, limits, offsets, each where the contract puts it."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from snncompare.backends.analog.chip import deploy, deploy_many
from snncompare.backends.analog.frozen.equality import same_realised
from snncompare.backends.analog.frozen.maps import ParameterMap
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.brian2.emulated import on_device
from snncompare.backends.emulation import EmulatedRun
from snncompare.backends.realisation import realise
from snncompare.backends.registry import backend_named
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.testing.networks import driven_neuron, pulse_input, relay

DT = 5e-4


@dataclass
class HandMade:
    """One device without mismatch, whose runs do what a test says."""

    network: Network
    run: type[EmulatedRun] = EmulatedRun
    n_devices: int = 1
    parameter_maps: dict = field(default_factory=dict)
    weight_maps: dict = field(default_factory=dict)

    def begin(self, *, n_trials, **_):
        return self.run(self, n_trials)


def _doing(*transmits, **methods):
    """Return an emulated run with these methods."""
    return type("Doing", (EmulatedRun,), {"transmits": frozenset(transmits), **methods})


def _run(emulation, inputs, *, duration="50 ms", record=None, **options):
    network = emulation.network
    program = backend_named("brian2").compile(
        network, dt=DT, dtype="float64", realisation=realise(network, 0), emulation=emulation, **options
    )
    return program.run(inputs, duration=duration, record=record)


def _steps(recording):
    return np.rint(recording.times / DT).astype(int).tolist()


LATE = _doing("source", events=lambda self, population, step, fired: [(3, fired)] if fired.any() else [])
LOST = _doing("source", events=lambda self, population, step, fired: [])


@pytest.mark.parametrize(
    ("run", "fired"), [(EmulatedRun, [21]), (LATE, [24]), (LOST, [])], ids=["ideal", "late", "lost"]
)
def test_synapses_see_the_spikes_that_set_out(run, fired):
    inputs = {"source": pulse_input(0.01)}
    assert _steps(_run(HandMade(relay(), run), inputs)) == fired
    assert _steps(_run(HandMade(relay(delay="1 ms"), run), inputs)) == [step + 2 for step in fired]


def test_monitors_and_the_own_reset_see_the_true_spikes():
    own_lost = _doing("cell", events=lambda self, population, step, fired: [])
    bare, lost = (_run(HandMade(driven_neuron(), run), {}, duration="200 ms") for run in (EmulatedRun, own_lost))
    assert len(_steps(bare)) >= 5
    assert _steps(lost) == _steps(bare)


def test_noise_reaches_traces_and_thresholds_but_no_refractory_neuron():
    def noise(self, population, first_step, n_steps):
        steps = np.arange(first_step, first_step + n_steps)[:, None, None]
        return {"v": np.where(steps % 10 == 5, 12e-3, 0.0)}

    push = _doing(noise=noise)
    seen = _run(HandMade(driven_neuron(drive="0 mV", refractory="5.5 ms"), push), {}, record=["cell", "cell.v"])
    v = seen.traces["cell.v"].to_numpy()[0, 0]
    # Refractory for 11 steps from step 5 on: the push of step 15 meets a refractory neuron, that of step 25 does not.
    assert _steps(seen) == [5, 25, 45, 65, 85]
    assert v[5] == 12e-3
    assert v[[6, 15]].tolist() == [0, 0]
    free = driven_neuron(drive="0 mV", refractory="5.5 ms")
    cell = free.populations["cell"].neuron
    always = cell.model_copy(update={"equations": cell.equations.replace(" (unless refractory)", "")})
    free = free.model_copy(update={"populations": {"cell": Population(size=1, neuron=always)}})
    assert _run(HandMade(free, push), {}, record=["cell.v"]).traces["cell.v"].to_numpy()[0, 0, 15] == 12e-3


def test_limits_follow_the_synapses_and_offsets_come_before_the_run():
    low, high, raised = np.array([-1.0]), np.array([9.9e-3]), np.array([[25e-3]])
    limits = _doing(limits=lambda self, name: {"v": (low, high)} if name == "target" else {})
    offsets = _doing(offsets=lambda self, name: {"v_threshold": raised} if name == "target" else {})
    network, inputs = relay(), {"source": pulse_input(0.01)}
    target = network.populations["target"].model_copy(update={"individual": ("v_threshold",)})
    opened = network.model_copy(update={"populations": {**network.populations, "target": target}})
    seen = _run(HandMade(opened, limits), inputs, record=["target", "target.v"])
    assert _steps(seen) == []
    assert 9e-3 < seen.traces["target.v"].to_numpy().max() < 9.9e-3  # a step of decay later
    assert _steps(_run(HandMade(opened), inputs)) == [21]
    assert _steps(_run(HandMade(opened, offsets), inputs)) == []


def test_a_program_runs_again_as_before():
    raised = _doing(offsets=lambda self, name: {"v_threshold": np.array([[1e-3]])})
    cell = driven_neuron().populations["cell"].model_copy(update={"individual": ("v_threshold",)})
    network = Network(name="cell", populations={"cell": cell})
    emulation = HandMade(network, raised)
    program = backend_named("brian2").compile(
        network, dt=DT, dtype="float64", realisation=realise(network, 0), emulation=emulation
    )
    first, second = (program.run({}, duration="100 ms") for _ in range(2))
    assert first.equals(second)
    assert _steps(first) != _steps(_run(HandMade(network), {}, duration="100 ms"))


def test_compiled_targets_consult_the_run_or_refuse_in_words():
    inputs = {"source": pulse_input(0.01)}
    with pytest.raises(UnsupportedError, match=r"'cpp_standalone' emulates no chip.*target='numpy'"):
        _run(HandMade(relay(), LATE), inputs, target="cpp_standalone")
    with pytest.raises(InputError, match="one device at a time, got 2"):
        _run(HandMade(relay(), LATE, n_devices=2), inputs)
    with pytest.raises(InputError, match="not the network that the chip carries"):
        backend_named("brian2").compile(
            driven_neuron(),
            dt=DT,
            dtype="float64",
            realisation=realise(driven_neuron(), 0),
            emulation=HandMade(relay()),
        )
    program = backend_named("brian2").compile(
        relay(), dt=DT, dtype="float64", realisation=realise(relay(), 0), emulation=HandMade(relay())
    )
    with pytest.raises(UnsupportedError, match="runs whole trials only"):
        program.simulation()


def test_parameters_with_one_value_for_all_neurons_have_no_mismatch():
    maps = {"cell": {"tau": ParameterMap(np.ones(1), np.zeros(1))}}
    with pytest.raises(InputError, match="'tau' of 'cell' has one value for all neurons"):
        _run(HandMade(driven_neuron(), parameter_maps=maps), {})


def test_states_that_begin_at_a_parameter_begin_at_what_the_device_has():
    model = NeuronModel(
        equations="dv/dt = (v_leak - v)/tau : volt",
        parameters={"tau": "20 ms", "v_leak": "5 mV"},
        initial={"v": "v_leak"},
    )
    cell = Population(size=1, neuron=model, individual=("v_leak",))
    network = Network(name="rest", populations={"cell": cell})
    device = HandMade(network, parameter_maps={"cell": {"v_leak": ParameterMap(np.ones(1), np.full(1, 2e-3))}})
    seen = _run(device, {}, record=["cell.v"])
    assert seen.traces["cell.v"].to_numpy() == pytest.approx(7e-3, rel=1e-12)  # nothing moves but by rounding
    given = on_device(realise(network, 0, {"cell": {"v": np.array([1e-3])}}), device)
    assert given.values["cell"]["v"].tolist() == [1e-3]
    assert given.values["cell"]["v_leak"].tolist() == [7e-3]


def test_one_device_of_several_is_the_chip_that_was_deployed():
    profile = ChipProfile.load("plain").changed(
        **{"membrane_time_constant.cv": 0.2, "threshold.sd_fraction": 0.1, "weights.cv": 0.3, "weights.bits": 4}
    )
    chip = deploy(relay(), profile, device_seed=3)
    for seed in (3, 4):
        fleet = deploy_many(relay(), profile, device_seeds=[seed])  # arrays with a device axis of length 1
        assert same_realised(on_device(fleet.opened(), fleet), chip.realisation()) == (seed == 3)
