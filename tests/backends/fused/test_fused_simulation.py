"""A run in pieces is the run in one piece; what is kept in between is checked before it is believed."""

import numpy as np
import pytest

from snncompare.backends.registry import compile as compile_network
from snncompare.errors import FileError, InputError
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapses import depressing, exponential


@pytest.fixture(scope="module")
def program():
    """Noisy neurons, a background of random kicks, synapses with a delay and with a state of their own."""
    model = NeuronModel(
        equations="""dv/dt = (-v + drive + I)/tau + noise*sqrt(2/tau)*xi : volt
                     kick = int(rand() < 0.02) : 1 (constant over dt)
                     dx/dt = -x/tau + kick/ms : 1""",
        threshold="v > 10*mV",
        reset="v = rand()*mV",
        method="euler",
        parameters={"tau": "20 ms", "drive": "9 mV", "noise": "3 mV"},
        inputs={"I": "volt"},
    )
    recurrent = Projection(
        source="cells",
        target="cells",
        synapse=depressing(exponential()),
        into="I",
        weight={"type": "Uniform", "low": "0 mV", "high": "1 mV"},
        delay="2 ms",
    )
    network = Network(
        name="noisy", populations={"cells": Population(size=150, neuron=model)}, projections={"loop": recurrent}
    )
    return compile_network(network, "fused", dt="0.5 ms", seed=1)


def _in_pieces(simulation, pieces):
    times, units, before = [], [], 0
    for steps in pieces:
        found = simulation.run(f"{steps * 0.5} ms")
        times.append(np.rint(found.times / 5e-4).astype(int) + before)
        units.append(found.spike_index()[1])
        before += steps
    order = np.lexsort((np.concatenate(times), np.concatenate(units)))
    return np.concatenate(units)[order], np.concatenate(times)[order]


def test_a_run_in_pieces_is_one_run(program):
    whole, parts = (_in_pieces(program.simulation(3), pieces) for pieces in ([600], [1, 1, 3, 95, 200, 300]))
    assert whole[0].size > 500
    assert np.array_equal(whole, parts)


def test_another_seed_gives_another_run(program):
    """Negative control."""
    assert not np.array_equal(*(_in_pieces(program.simulation(seed), [600])[1][:500] for seed in (3, 4)))


def test_a_simulation_is_the_first_trial_of_a_run(program):
    run = program.run({}, duration="300 ms", seed=3)
    assert np.array_equal(run.times, program.simulation(3).run("300 ms").times)


def test_what_is_recorded_does_not_change_what_happens(program):
    one, two = (program.run({}, duration="200 ms", seed=5, record=r) for r in (None, ["cells.v", "cells", "cells.x"]))
    assert np.array_equal(one.times, two.times)
    assert two.traces["cells.v"].shape == (1, 150, 400)
    assert not np.array_equal(two.traces["cells.v"][0, 0], two.traces["cells.x"][0, 0])


def test_a_restored_simulation_goes_on_as_it_would_have(program):
    simulation, other = program.simulation(3), program.simulation(9)
    simulation.advance("50 ms")
    kept = simulation.state()
    expected = simulation.run("100 ms").times
    other.advance("20 ms")
    other.restore(kept)
    assert np.array_equal(other.run("100 ms").times, expected)
    assert other.time == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("counts", lambda array: array + 10**6),
        ("counts", lambda array: array - 10**6),
        ("spikes", lambda array: array + 10**6),
        ("spikes", lambda array: array[:-1]),
        ("variables", lambda array: array.astype(np.float32)),
    ],
    ids=["too many", "negative", "no such neuron", "too short", "other numbers"],
)
def test_a_state_that_points_outside_the_memory_is_refused(program, name, change):
    simulation = program.simulation(3)
    state = simulation.state()
    with pytest.raises(FileError, match="state"):
        simulation.restore({**state, name: change(state[name])})


def test_variables_are_read_and_set_in_the_order_of_the_description(program):
    simulation = program.simulation(0)
    simulation.set("cells", "v", np.arange(150) * 1e-5)
    assert np.array_equal(simulation.get("cells", "v"), np.arange(150) * 1e-5)
    assert np.array_equal(simulation.get("loop", "weight"), program.realisation.connections["loop"].weight)
    weight = np.linspace(0, 1e-3, 150 * 149)
    simulation.set("loop", "weight", weight)
    assert np.array_equal(simulation.get("loop", "weight"), weight)
    assert np.array_equal(program.simulation(0).get("loop", "weight"), program.realisation.connections["loop"].weight)


def test_state_kept_for_source_neurons_is_set_alike_for_their_synapses(program):
    simulation = program.simulation(0)
    simulation.set("loop", "resources", 0.5)
    assert (simulation.get("loop", "resources") == 0.5).all()
    with pytest.raises(InputError, match="kept once for all synapses of a source neuron"):
        simulation.set("loop", "resources", np.linspace(0, 1, 150 * 149))
    assert (simulation.get("loop", "resources") == 0.5).all()


def test_weights_that_are_set_act(program):
    free, strong = program.simulation(3), program.simulation(3)
    free.set("loop", "weight", 0.0)
    strong.set("loop", "weight", 3e-4)
    assert strong.run("200 ms").times.size > 1.2 * free.run("200 ms").times.size
