"""A simulation in pieces is the run in one piece, on both backends; what is set changes what follows."""

from typing import Any

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.program import Program
from snncompare.backends.registry import compile as compiled
from snncompare.backends.simulation import Simulation
from snncompare.errors import FileError, InputError, UnsupportedError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.testing.models import conformance_input, conformance_network

BACKENDS = ("brian2", "torch")
MODELS = (
    ("AdEx", "STDP"),
    ("two-compartment", "depressing"),
    ("white noise", "exponential"),
    ("PV interneuron", "NMDA"),
)
"""Plasticity, short-term plasticity, noise, and clock-driven synapses; all behind a delay of three steps."""

PIECES = (50.0, 0.3, 49.7)
"""Milliseconds; the second piece is as long as the delay, so that spikes are under way at both of its ends."""


def _part(recording: Recording, start: float, stop: float) -> Recording:
    """Return the spikes between two times (ms) as a recording that begins at the first."""
    times, (_, unit) = recording.times * 1e3, recording.spike_index()
    here = (times > start - 0.05) & (times < stop - 0.05)
    return Recording.from_arrays(
        times=np.clip(times[here] - start, 0, None) * 1e-3,
        unit=recording.units.index.to_numpy()[unit[here]],
        trial=np.repeat("0", here.sum()),
        units=recording.units,
        trials=recording.trials.set_axis(["0"]).assign(start=0.0, stop=(stop - start) * 1e-3),
        provenance={},
    )


def _spikes(recording: Recording, start: float = 0.0) -> set[tuple[int, int]]:
    steps = np.rint(recording.times * 1e4 + start * 10).astype(int)
    return set(zip(steps.tolist(), recording.spike_index()[1].tolist(), strict=True))


def _pieces(
    program: Program, inputs: dict[str, Recording], *, seed: int, fresh: bool = False
) -> tuple[set[tuple[int, int]], Any, Simulation]:
    simulation, start = program.simulation(seed=seed), 0.0
    spikes: set[tuple[int, int]] = set()
    traces = []
    for piece in PIECES:
        if fresh:
            state, simulation = simulation.state(), program.simulation(seed=seed + 1)
            simulation.restore(state)
        now = {name: _part(recording, start, start + piece) for name, recording in inputs.items()}
        found = simulation.run(f"{piece} ms", now, ["cells", "cells.v"])
        spikes |= _spikes(found, start)
        traces.append(found.traces["cells.v"].values)
        start += piece
    return spikes, np.concatenate(traces, axis=-1), simulation


CASES = [(*MODELS[0], False), *((neuron, synapse, True) for neuron, synapse in MODELS)]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize(("neuron", "synapse", "fresh"), CASES, ids=["gone on", *(f"restored {n}" for n, _ in MODELS)])
def test_run_in_pieces_is_the_run_in_one_piece(neuron: str, synapse: str, backend: str, *, fresh: bool) -> None:
    program = compiled(conformance_network(neuron, synapse), backend)
    inputs = conformance_input(duration="100 ms")
    whole = program.run(inputs, duration="100 ms", seed=3, record=["cells", "cells.v"])
    uncut = program.simulation(seed=3)
    uncut.advance("100 ms", inputs)
    spikes, traces, cut = _pieces(program, inputs, seed=3, fresh=fresh)
    assert len(spikes) > 50
    assert spikes == _spikes(whole)
    assert np.array_equal(traces, whole.traces["cells.v"].values)
    for name in ("cells", "feed"):
        for variable in cut.variables[name]:
            assert np.array_equal(cut.get(name, variable), uncut.get(name, variable)), (name, variable)
    assert cut.time == pytest.approx(0.1, rel=1e-12)  # rounding of 1000 * dt


@pytest.mark.parametrize("backend", BACKENDS)
def test_other_seed_gives_other_noise(backend: str) -> None:
    program, inputs = compiled(conformance_network("white noise", "exponential"), backend), conformance_input()
    first, second = (program.simulation(seed=seed).run("1 s", inputs) for seed in (1, 2))
    assert _spikes(first) != _spikes(second)


def test_backends_agree_on_plastic_weights_in_pieces() -> None:
    network, inputs = conformance_network("AdEx", "STDP"), conformance_input(duration="100 ms")
    found = [_pieces(compiled(network, backend), inputs, seed=0)[2].get("feed", "weight") for backend in BACKENDS]
    assert np.array_equal(*found)
    assert found[0].std() > 0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("synapse", ["STDP", "exponential"], ids=["plastic", "fixed"])
def test_what_is_set_is_read_back_and_changes_what_follows(backend: str, synapse: str) -> None:
    program = compiled(conformance_network("AdEx", synapse), backend)
    inputs = conformance_input(duration="100 ms")
    plain = _spikes(program.simulation().run("100 ms", inputs))
    for name, variable, factor in (("feed", "weight", 2.0), ("cells", "bias_I" if synapse == "STDP" else "v", 0.9)):
        changed = program.simulation()
        value = factor * changed.get(name, variable)
        changed.set(name, variable, value)
        assert np.array_equal(changed.get(name, variable), value)
        assert _spikes(changed.run("100 ms", inputs)) != plain


@pytest.mark.parametrize("backend", BACKENDS)
def test_zero_weights_silence_what_the_input_does(backend: str) -> None:
    program = compiled(conformance_network("AdEx", "exponential"), backend)
    simulation = program.simulation()
    simulation.set("feed", "weight", 0.0)
    inputs = conformance_input(duration="100 ms")
    nothing = {"source": _part(inputs["source"], 1e4, 1e4 + 100)}
    assert _spikes(simulation.run("100 ms", inputs)) == _spikes(program.run(nothing, duration="100 ms"))


@pytest.mark.parametrize("backend", BACKENDS)
def test_bad_use_is_refused_in_one_line(backend: str) -> None:
    network = conformance_network("AdEx", "STDP")
    simulation, inputs = compiled(network, backend).simulation(), conformance_input(duration="100 ms", trials=2)
    cases = [
        (lambda: simulation.run("100.05 ms", {}), "multiple of the time step"),
        (lambda: simulation.run("-5 ms", {}), "duration must be longer than zero, got -0.005 s"),
        (lambda: simulation.run("0 ms", {}), "duration must be longer than zero, got 0 s"),
        (lambda: simulation.run("100 ms"), "no input"),
        (lambda: simulation.run("100 ms", inputs), "one trial"),
        (lambda: simulation.run("100 ms", conformance_input(duration="100 ms"), []), "advance"),
        (lambda: simulation.get("nobody", "v"), "nobody"),
        (lambda: simulation.get("cells", "voltage"), "voltage"),
        (lambda: simulation.set("source", "v", 0.0), "source"),
        (lambda: simulation.set("cells", "v", np.zeros(3)), "shape"),
        (lambda: simulation.set("cells", "v", np.nan), "finite"),
        (lambda: simulation.set("cells", "v", "-70 mV"), "SI units"),
        (lambda: simulation.run("100 ms", conformance_input(duration="100 ms"), ["cells.voltage"]), "voltage"),
    ]
    for act, said in cases:
        with pytest.raises(InputError, match=said):
            act()
    assert simulation.time == 0


def test_weights_keep_the_sign_of_their_projection() -> None:
    network = conformance_network("AdEx", "STDP")
    feed = network.projections["feed"].model_copy(update={"sign": "positive"})
    signed = Network(name="signed", populations=network.populations, projections={"feed": feed})
    for backend in BACKENDS:
        with pytest.raises(InputError, match="positive by description"):
            compiled(signed, backend).simulation().set("feed", "weight", -1e-12)
        compiled(network, backend).simulation().set("feed", "weight", -1e-12)


@pytest.mark.parametrize("backend", BACKENDS)
def test_states_of_something_else_are_refused(backend: str) -> None:
    simulation = compiled(conformance_network("AdEx", "STDP"), backend).simulation()
    state = simulation.state()
    other = compiled(conformance_network("LIF", "exponential"), backend).simulation().state()
    wrong = [other, {**state, "more": np.zeros(3)}, {**state, "cells v": np.zeros((2, 2))}, {**state, "cells v": 0.5}]
    wrong += [{**state, "cells v": np.zeros(19)}, {**state, "steps": np.array([-1])}, {}]
    for given in wrong:
        with pytest.raises(FileError):
            simulation.restore(given)  # type: ignore[arg-type]
    simulation.restore(state)


def test_standalone_and_compiled_noise_cannot_be_stopped() -> None:
    noisy, quiet = (conformance_network(name, "exponential") for name in ("white noise", "AdEx"))
    for network, target in ((quiet, "cpp_standalone"), (noisy, "cython")):
        with pytest.raises(UnsupportedError, match="target"):
            compiled(network, target=target).simulation()


def test_a_backend_without_says_so() -> None:
    class WholeProgram(Program):
        def run(self, *_: object, **__: object) -> sc.Recording:
            raise NotImplementedError

    with pytest.raises(UnsupportedError, match="whole trials only"):
        WholeProgram().simulation()
