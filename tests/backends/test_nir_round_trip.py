"""A network that NIR can say fires the same spikes after it was written as NIR and read back."""

import subprocess
import sys

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.nir import check_nir_round_trip, export_nir, from_nir, import_nir, to_nir
from snncompare.backends.realisation import Realisation, realise
from snncompare.errors import FileError, InputError, MissingDependencyError, UnsupportedError
from snncompare.network.initialisers import Constant, Gamma, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import conductance_leaky_integrate_and_fire, leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import alpha, delta, double_exponential, exponential
from snncompare.network.wiring import AllToAll, Convolution, FixedProbability, OneToOne
from snncompare.testing.conformance import same_spikes
from snncompare.testing.networks import poisson_input
from snncompare.units import quantity

nir = pytest.importorskip("nir")

LIF = leaky_integrate_and_fire(refractory="0 ms")
INTEGRATOR = NeuronModel(equations="dv/dt = 0*volt/second : volt", threshold="v > 10*mV", reset="v = 1*mV")


def normal(mean, sd):
    return Normal(mean=quantity(mean), sd=quantity(sd))


def recurrent():
    """Heterogeneous neurons, two projections onto them, a delay, a sparse recurrence and a readout."""
    taus = {"tau": Gamma(mean=quantity("20 ms"), sd=quantity("5 ms"))}
    cells = Population(size=40, neuron=LIF, parameters=taus, initial={"v": Uniform(low="0 mV", high="9 mV")})
    feed = {"synapse": exponential(), "into": "I"}
    return Network(
        populations={
            "source": Population(size=20, neuron=SpikeSource()),
            "cells": cells,
            "out": Population(size=3, neuron=leaky_readout()),
        },
        projections={
            "forth": Projection(source="source", target="cells", weight=normal("5 mV", "5 mV"), **feed),
            "back": Projection(
                source="cells",
                target="cells",
                weight=normal("0 mV", "2 mV"),
                wiring=FixedProbability(p=0.3),
                delay="1 ms",
                **feed,
            ),
            "read": Projection(source="cells", target="out", synapse=delta(), weight=normal("0 mV", "2 mV")),
        },
    )


def one_projection(neuron=LIF, synapse=None, *, into="I", n=20, source=20, cells=None, **projection):
    given = {"weight": normal("6 mV", "6 mV"), "delay": "1 ms"} | projection
    joined = Projection(source="source", target="cells", synapse=synapse or exponential(), into=into, **given)
    return Network(
        populations={
            "source": Population(size=source, neuron=SpikeSource()),
            "cells": Population(size=n, neuron=neuron, **(cells or {})),
        },
        projections={"feed": joined},
    )


def spikes(units=20, duration=1.0):
    return {"source": poisson_input(units=units, trials=1, rate=60, duration=duration)}


@pytest.mark.parametrize("backend", ["brian2", "torch"])
def test_a_recurrent_network_fires_the_same_thousand_spikes(backend):
    network = recurrent()
    assert check_nir_round_trip(network, realise(network, 1), spikes(), dt="0.5 ms", backend=backend) >= 1000


WAYS = {
    "delta": (one_projection(synapse=delta(), into=None, weight=normal("2 mV", "2 mV")), ["LIF"]),
    "alpha": (one_projection(synapse=alpha(), weight=normal("3 mV", "3 mV")), ["LI", "LI", "LIF"]),
    "doubleexponential": (one_projection(synapse=double_exponential()), ["LI", "LI", "LIF"]),
    "absolute": (
        one_projection(
            conductance_leaky_integrate_and_fire(refractory="0 ms"),
            exponential(unit="amp"),
            weight=normal("60 pA", "60 pA"),
            cells={"initial": {"v": Uniform(low="-60 mV", high="-51 mV")}},
        ),
        ["CubaLIF"],
    ),
    "integrator": (
        one_projection(INTEGRATOR, delta(), into=None, weight=Constant(value="1 mV"), wiring=FixedProbability(p=0.2)),
        ["IF"],
    ),
    "rungekutta": (
        one_projection(LIF.model_copy(update={"method": "rk4"}), weight=normal("9 mV", "6 mV")),
        ["CubaLIF"],
    ),
    "delays": (one_projection(delay=Uniform(low="0 ms", high="3 ms")), ["CubaLIF"]),
    "onetoone": (one_projection(wiring=OneToOne(), weight=normal("60 mV", "9 mV")), ["CubaLIF"]),
    "conv1d": (
        one_projection(
            wiring=Convolution(input_shape=(10,), kernel=(3,), channels_in=2, channels_out=3, padding=1),
            n=30,
            weight=normal("20 mV", "9 mV"),
            cells={"parameters": {"tau": Gamma(mean=quantity("20 ms"), sd=quantity("5 ms"))}},
        ),
        ["CubaLIF"],
    ),
    "conv2d": (
        one_projection(
            synapse=delta(),
            into=None,
            wiring=Convolution(input_shape=(4, 5), kernel=(2, 2), channels_out=2, stride=2),
            n=8,
            weight=normal("6 mV", "2 mV"),
        ),
        ["LIF"],
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_each_kind_of_cell_has_its_nodes(way):
    network, kinds = WAYS[way]
    nodes = to_nir(network, realise(network, 1), dt="0.5 ms").nodes.values()
    assert [type(node).__name__ for node in nodes if type(node).__name__ in {"LI", "IF", "LIF", "CubaLIF"}] == kinds


@pytest.mark.slow
def test_what_nir_can_say_comes_back_as_it_was(tmp_path):
    """All of the above side by side in one network, which Brian2 builds only once."""
    populations, projections = {}, {}
    for way, (network, _) in WAYS.items():
        populations |= {f"{way}source": network.populations["source"], way: network.populations["cells"]}
        ends = {"source": f"{way}source", "target": way}
        projections[f"{way}feed"] = network.projections["feed"].model_copy(update=ends)
    network = Network(populations=populations, projections=projections)
    before = realise(network, 1)
    after, read = import_nir(export_nir(tmp_path / "a.nir", network, before, dt="0.5 ms"))
    given = dict.fromkeys(network.sources(), spikes(duration=0.25)["source"])
    runs = [
        sc.compile(described, "brian2", dt="0.5 ms", weights=weights).run(given, duration="0.25 s", record=list(WAYS))
        for described, weights in [(network, before), (after, read)]
    ]
    counts = runs[0].units["population"].iloc[runs[0].spike_index()[1]].value_counts()
    # 30 spikes of 8 to 30 neurons: enough for a wrong time constant, weight or delay to show
    assert counts.reindex(list(WAYS), fill_value=0).min() >= 30
    assert same_spikes(*runs)


def test_a_convolution_stays_one():
    network, _ = WAYS["conv2d"]
    before = realise(network, 1)
    after, read = from_nir(to_nir(network, before, dt="0.5 ms"))
    assert after.projections["feed"].wiring == network.projections["feed"].wiring
    assert np.array_equal(read.connections["feed"].kernel, before.connections["feed"].kernel)


def test_weights_delays_and_parameters_come_back_to_the_last_digit(tmp_path):
    network = recurrent()
    before = realise(network, 1)
    after, read = import_nir(export_nir(tmp_path / "a.nir", network, before, dt="0.5 ms"))
    for name in network.projections:
        assert np.array_equal(read.connections[name].dense(), before.connections[name].dense()), name
    assert after.projections["back"].delay == quantity("1 ms")
    # 1/(1/tau) rounds twice
    assert np.allclose(read.values["cells"]["tau_v"], before.values["cells"]["tau"], rtol=1e-15, atol=0)
    assert np.array_equal(read.values["cells"]["v"], before.values["cells"]["v"])


@pytest.fixture(scope="module")
def original():
    network, given = recurrent(), spikes(duration=0.1)
    realisation = realise(network, 1)
    program = sc.compile(network, "brian2", dt="0.5 ms", weights=realisation)
    run = program.run(given, duration="0.1 s", record=["cells"])
    assert run.times.size > 200
    return network, realisation, given, run


def with_node(graph, name, **changes):
    changed = nir.dict2NIRNode(graph.to_dict())
    for field, value in changes.items():
        setattr(changed.nodes[name], field, value(getattr(changed.nodes[name], field)))
    return changed


@pytest.mark.filterwarnings("ignore::snncompare.errors.TimeStepWarning")  # a time constant below dt is the point
@pytest.mark.parametrize(
    "change",
    [
        {"tau_mem": lambda tau: tau * 5e-4},  # the time constant times the time step, as Norse writes it
        {"v_threshold": lambda threshold: threshold * 1.01},
        {"v_reset": lambda reset: reset + 1e-3},
        {"w_in": lambda w_in: w_in * 1.01},
        {},
    ],
    ids=["tau times dt", "threshold", "reset", "current", "nothing"],
)
def test_a_graph_that_was_changed_does_not_pass_for_the_network(change, original):
    """Negative control: what others' converters got wrong changes the spikes; without a change they are the same."""
    network, realisation, given, expected = original
    graph = with_node(to_nir(network, realisation, dt="0.5 ms"), "cells", **change)
    described, weights = from_nir(graph)
    run = sc.compile(described, "brian2", dt="0.5 ms", weights=weights).run(given, duration="0.1 s", record=["cells"])
    assert same_spikes(expected, run) is (not change)


def test_the_check_says_where_the_first_difference_is(monkeypatch):
    network, realisation = recurrent(), realise(recurrent(), 1)

    def damaged(path):
        graph = nir.read(path)
        return from_nir(with_node(graph, "cells", v_threshold=lambda threshold: threshold * 1.01))

    monkeypatch.setattr("snncompare.backends.nir.round_trip.import_nir", damaged)
    with pytest.raises(UnsupportedError, match=r"'cells\[\d+\]' (no longer )?fires at [\d.]+ ms of trial 'trial 0'"):
        check_nir_round_trip(network, realisation, spikes(duration=0.1), dt="0.5 ms", duration="0.1 s")


def test_the_check_does_not_pass_where_nothing_fires():
    network = one_projection(weight=Constant(value="0.1 mV"), n=2)
    with pytest.raises(InputError, match="no neuron fired, so nothing was compared"):
        check_nir_round_trip(network, realise(network, 1), spikes(duration=0.05), dt="0.5 ms", duration="50 ms")


def test_a_realisation_must_be_complete():
    network = recurrent()
    complete = realise(network, 1)
    with pytest.raises(InputError, match="no weights of 'forth'; use realise"):
        to_nir(network, Realisation({}, complete.values), dt="1 ms")
    with pytest.raises(InputError, match="population 'cells': the realisation has no values of 'tau'; use realise"):
        to_nir(network, Realisation(complete.connections, {}), dt="1 ms")


def test_the_time_step_is_needed_and_must_fit(tmp_path):
    network = one_projection(wiring=AllToAll())
    path = export_nir(tmp_path / "a.nir", network, realise(network, 1), dt="0.5 ms")
    with pytest.raises(InputError, match=r"made for a time step of 0\.5 ms, and dt is 1 ms"):
        import_nir(path, dt="1 ms")
    graph = nir.read(path)
    graph.metadata = {}
    nir.write(path, graph)
    with pytest.raises(
        InputError, match=r"does not say for which time step it was made.*dt='1 ms', or spike='impulse'"
    ):
        import_nir(path)
    assert import_nir(path, dt="0.5 ms")[1].connections["feed"].weight.size == 400
    for wrong in ({"dt": "0 ms"}, {"dt": "1 ms", "spike": "often"}, {"dt": "1 ms", "method": "magic"}):
        with pytest.raises(InputError) as caught:
            import_nir(path, **wrong)
        assert not isinstance(caught.value, FileError)
    with pytest.raises(FileError, match="cannot write"):
        export_nir(tmp_path / "nowhere" / "a.nir", network, realise(network, 1), dt="0.5 ms")


def test_nir_is_imported_only_where_it_is_used():
    code = "import snncompare.backends.nir, sys; print('nir' in sys.modules, 'h5py' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_without_the_package_the_line_to_type_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(MissingDependencyError, match=r"install it with: pip install -e '\.\[nir\]'"):
        import_nir(tmp_path / "a.nir")
