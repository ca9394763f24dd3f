"""Brian2 runs what the arrays say: weights, delays and values of single neurons; spikes and traces come back."""

from dataclasses import replace

import brian2
import numpy as np
import pytest

import snncompare as sc
from snncompare.errors import InputError
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapses import delta
from snncompare.testing.conformance import same_spikes
from snncompare.testing.networks import poisson_input, pulse_input, recurrent_network

QUIET = NeuronModel(
    equations="dv/dt = -v/tau : volt",
    threshold="v > 1*volt",
    reset="v = 0*volt",
    parameters={"tau": "10 ms"},
)


def _heterogeneous():
    network = recurrent_network()
    cells, recur = network.populations["adaptive"], network.projections["recur"]
    varied = {
        "parameters": {"tau": Normal(mean="10 ms", sd="1 ms", low="5 ms")},
        "initial": {"v": Uniform(low="0 mV", high="9 mV")},
    }
    return network.model_copy(
        update={
            "populations": {**network.populations, "adaptive": cells.model_copy(update=varied)},
            "projections": {
                **network.projections,
                "recur": recur.model_copy(update={"delay": Uniform(low="0 ms", high="4 ms")}),
            },
        }
    )


def _by_hand(program, inputs, trial):
    """The heterogeneous network as a Brian2 script, from the arrays of the program."""
    arrays, volt, second = program.realisation, brian2.volt, brian2.second
    values = {"tau_a": 100e-3 * second, "b": 1e-3 * volt, "tau_s": 3e-3 * second}
    source = brian2.SpikeGeneratorGroup(12, *_spikes_of(inputs, trial), dt=0.5 * brian2.ms)
    adaptive = brian2.NeuronGroup(
        25,
        """dv/dt = (-v + x_recur + x_drive)/tau : volt (unless refractory)
        da/dt = -a/tau_a : volt
        tau : second (constant)
        dx_drive/dt = -x_drive/tau_s : volt
        dx_recur/dt = -x_recur/tau_s : volt""",
        threshold="v > 10*mV + a",
        reset="v = 0*mV; a += b",
        refractory=2 * brian2.ms,
        method="exponential_euler",
        namespace=values,
        dt=0.5 * brian2.ms,
    )
    plain = brian2.NeuronGroup(
        25,
        "dv/dt = -v/tau : volt (unless refractory)",
        threshold="v > 10*mV",
        reset="v = 0*mV",
        refractory=3 * brian2.ms,
        method="exponential_euler",
        namespace={"tau": 15 * brian2.ms},
        dt=0.5 * brian2.ms,
    )
    adaptive.tau, adaptive.v = arrays.values["adaptive"]["tau"] * second, arrays.values["adaptive"]["v"] * volt
    ends = {"drive": (source, adaptive, "x_drive"), "recur": (adaptive, adaptive, "x_recur")}
    ends |= {"across": (adaptive, plain, "v"), "back": (plain, adaptive, "v")}
    objects = [source, adaptive, plain]
    for name, (pre, post, variable) in ends.items():
        connections = arrays.connections[name]
        made = brian2.Synapses(pre, post, "w : volt", on_pre=f"{variable}_post += w", dt=0.5 * brian2.ms)
        made.connect(i=connections.source, j=connections.target)
        made.w = connections.weight * volt
        if name == "back":
            made.delay = 3 * brian2.ms
        if connections.delay is not None:
            made.delay = connections.delay * second
        objects.append(made)
    monitor = brian2.SpikeMonitor(adaptive)
    brian2.Network(*objects, monitor).run(1 * second, namespace={})
    return np.asarray(monitor.i), np.rint(np.asarray(monitor.t_) / 5e-4)


def _spikes_of(recording, trial):
    of_trial, unit = recording.spike_index()
    here = of_trial == trial
    return unit[here], recording.times[here] * brian2.second


def test_a_heterogeneous_network_equals_a_script_written_by_hand():
    inputs = poisson_input(trials=3)
    program = sc.compile(_heterogeneous(), "brian2", dt="0.5 ms", seed=1)
    ours = program.run({"source": inputs}, duration="1 s", record=["adaptive"])
    trial, unit = ours.spike_index()
    neuron, step = _by_hand(program, inputs, trial=1)
    assert neuron.size > 500
    here = trial == 1
    expected, found = np.lexsort((step, neuron)), np.lexsort((ours.times[here], unit[here]))
    assert np.array_equal(neuron[expected], unit[here][found])
    assert np.array_equal(step[expected], np.rint(ours.times[here][found] / 5e-4))


@pytest.mark.parametrize("part", ["delay", "tau", "v"])
def test_every_array_matters(part):
    inputs = {"source": poisson_input(trials=1)}
    program = sc.compile(_heterogeneous(), "brian2", dt="0.5 ms", seed=1)
    connections, values = dict(program.realisation.connections), dict(program.realisation.values["adaptive"])
    if part == "delay":
        recur = connections["recur"]
        connections["recur"] = type(recur)(recur.shape, recur.source, recur.target, recur.weight, recur.delay + 5e-4)
    else:
        values[part] = values[part] * 1.05
    changed = sc.compile(_heterogeneous(), "brian2", dt="0.5 ms", weights={**connections, "adaptive": values}, seed=1)
    assert not same_spikes(program.run(inputs, duration="1 s"), changed.run(inputs, duration="1 s"))


def test_delays_given_for_single_synapses_replace_the_one_that_is_described():
    inputs, network = {"source": poisson_input(trials=1)}, recurrent_network()
    program = sc.compile(network, "brian2", dt="0.5 ms", seed=1)
    recur = program.realisation.connections["recur"]
    runs = {}
    for steps in (3, 5):
        given = replace(recur, delay=np.full(recur.n_synapses, steps * 5e-4))
        weights = {**program.realisation.connections, "recur": given}
        runs[steps] = sc.compile(network, "brian2", dt="0.5 ms", weights=weights).run(inputs, duration="1 s")
    described = program.run(inputs, duration="1 s")
    assert described.times.size > 300
    assert same_spikes(runs[3], described)
    assert not same_spikes(runs[5], described)


def test_a_trace_holds_what_the_threshold_sees():
    network = Network(
        populations={
            "source": Population(size=1, neuron=SpikeSource()),
            "cell": Population(size=1, neuron=QUIET),
        },
        projections={
            "kick": Projection(
                source="source", target="cell", synapse=delta(), weight=Constant(value="0.5 volt"), delay="1 ms"
            )
        },
    )
    recording = sc.compile(network, "brian2", dt="0.5 ms").run(
        {"source": pulse_input(0.01)}, duration="50 ms", record=["cell", "cell.v"]
    )
    trace = recording.traces["cell.v"]
    # The spike of step 20 arrives in step 22 after its state update, so that step 23 is the first to show its decay.
    expected = np.where(np.arange(100) > 22, 0.5 * np.exp(-(np.arange(100) - 22) * 5e-4 / 10e-3), 0.0)
    assert trace.dims == ("trial", "unit", "time")
    assert trace.attrs["unit"] == "volt"
    assert recording.times.size == 0
    # Decay factors multiplied up to 77 times lose about one unit in the last place each.
    np.testing.assert_allclose(trace.values[0, 0], expected, rtol=1e-13, atol=0)


def test_a_neuron_that_knows_its_index_runs_its_trials_alone():
    model = QUIET.model_copy(update={"equations": "dv/dt = (2*volt*(i + 1) - v)/tau : volt"})
    network = Network(populations={"cells": Population(size=2, neuron=model), "source": _source()})
    trials = poisson_input(units=1, trials=2)
    counts = sc.compile(network, "brian2", dt="0.5 ms").run({"source": trials}, duration="1 s").counts()
    assert counts[0, 1] > counts[0, 0]
    assert (counts[0] == counts[1]).all()


def _source():
    return Population(size=1, neuron=SpikeSource())


def test_what_cannot_be_recorded_is_named():
    program = sc.compile(recurrent_network(), "brian2", dt="0.5 ms")
    inputs = {"source": poisson_input(trials=1)}
    for record, message in (
        (["adaptive.u"], "'adaptive' has no variable 'u'"),
        (["hidden.v"], "no population with variables 'hidden'"),
        (["source"], "no population that spikes 'source'"),
        ("adaptive", r"record is a list of names; write record=\['adaptive'\]"),
    ):
        with pytest.raises(InputError, match=message):
            program.run(inputs, duration="10 ms", record=record)


def test_traces_that_would_not_fit_into_memory_are_refused():
    program = sc.compile(
        Network(populations={"cells": Population(size=1_000_000, neuron=QUIET)}), "brian2", dt="0.1 ms"
    )
    with pytest.raises(InputError, match="samples"):
        program.run({}, duration="10 s", record=["cells.v"])


@pytest.mark.slow
def test_a_standalone_program_gives_the_same_spikes_and_traces():
    inputs = {"source": poisson_input(trials=2)}
    record = ["adaptive", "adaptive.v"]
    runtime, standalone = (
        sc.compile(_heterogeneous(), "brian2", dt="0.5 ms", seed=1, target=target).run(
            inputs, duration="1 s", record=record
        )
        for target in ("numpy", "cpp_standalone")
    )
    assert runtime.times.size > 500
    assert same_spikes(runtime, standalone)
    # C++ and numpy round exponentials differently in the last place.
    np.testing.assert_allclose(runtime.traces["adaptive.v"], standalone.traces["adaptive.v"], rtol=1e-12, atol=1e-15)
