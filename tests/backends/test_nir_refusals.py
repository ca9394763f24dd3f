"""What NIR cannot say is refused, with the population or projection and the reason, however it is written."""

import numpy as np
import pytest

from snncompare.backends.nir import to_nir
from snncompare.backends.realisation import realise
from snncompare.errors import UnsupportedError
from snncompare.network import neurons, synapses
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapse import SynapseModel
from snncompare.network.wiring import AllToAll, Convolution
from snncompare.units import quantity

nir = pytest.importorskip("nir")

PLAIN = neurons.leaky_integrate_and_fire(refractory="0 ms")


def network(neuron=PLAIN, synapse=None, *, into="I", n=4, **projection):
    given = {"weight": Constant(value="1 mV"), "wiring": AllToAll()} | projection
    return Network(
        populations={
            "source": Population(size=3, neuron=SpikeSource()),
            "cells": Population(size=n, neuron=neuron),
        },
        projections={
            "feed": Projection(
                source="source", target="cells", synapse=synapse or synapses.exponential(), into=into, **given
            )
        },
    )


def written(*args, **kwargs):
    described = network(*args, **kwargs)
    return to_nir(described, realise(described, 0), dt="0.1 ms")


def model(equations="dv/dt = (-v + I)/tau : volt", threshold="v > 10*mV", reset="v = 0*mV", **changes):
    tau = {"tau": quantity("20 ms")}
    return NeuronModel(
        equations=equations, threshold=threshold, reset=reset, inputs={"I": "volt"}, parameters=tau, **changes
    )


@pytest.mark.parametrize(
    "same",
    [
        model("dv/dt = I/tau - v*tau**-1 : volt"),
        model("rate = 1/tau : Hz\ndrive = (I - v)*rate : volt/second\ndv/dt = drive : volt"),
        model("dv/dt = -(2*v - 2*I)/(2*tau) : volt", threshold="2*v - 20*mV > 0*mV", reset="v = 5*mV - 0.005*volt"),
        model("dv/dt = (exp(0)*I - v)/clip(tau, 1*ms, 1*second) : volt", threshold="10*mV < v"),
        model("dmembrane/dt = (I - membrane)/tau : volt", threshold="membrane > 10*mV", reset="membrane = 0*volt"),
        model(functions={"leak(x)": "-x"}, equations="dv/dt = (leak(v) + I)/tau : volt"),
        PLAIN,
    ],
)
def test_equations_decide_not_how_they_are_written(same):
    node = written(same).nodes["cells"]
    assert isinstance(node, nir.CubaLIF)
    for field, value in {"tau_mem": 0.02, "tau_syn": 0.005, "v_leak": 0.0, "v_threshold": 0.01, "v_reset": 0.0}.items():
        # a product and a quotient round
        assert np.allclose(getattr(node, field), value, rtol=1e-14, atol=1e-18), field


REFUSED_NEURONS = {
    r"it is refractory after a spike \(2 ms\)": neurons.leaky_integrate_and_fire(),
    r"refractory after a spike \(v > 1\*mV\)": model(refractory="v > 1*mV"),
    "is not that of one variable with a constant": neurons.adaptive_leaky_integrate_and_fire(refractory="0 ms"),
    "depends on 'v' in a non-linear way": neurons.quadratic_integrate_and_fire(),
    "'v' drives 'u'": model("dv/dt = (-v + I - u)/tau : volt\ndu/dt = (0.1*v - u)/tau : volt"),
    "'a' and 'b' drive each other": model(
        "dv/dt = (-v + a + I)/tau : volt\nda/dt = (b - a)/tau : volt\ndb/dt = (0.5*a - b)/tau : volt"
    ),
    "'u' does not act on 'v'": model("dv/dt = (-v + I)/tau : volt\ndu/dt = -u/tau : volt"),
    "'v' does not decay in 4 of 4 neurons": model("dv/dt = (v + I)/tau : volt"),
    "depends on 'xi'": model("dv/dt = (-v + I)/tau + 1*mV*xi/tau**0.5 : volt", method="euler"),
    "depends on 't'": model("dv/dt = (-v + I + 1*mV*sin(t*Hz))/tau : volt", method="euler"),
    "no function 'rand'": model("dv/dt = (-v + I)/tau : volt", threshold="v > rand()*mV"),
    "depends on a condition": model("dv/dt = (-v + I*int(v == 0*mV))/tau : volt", method="euler"),
    "holds a value from one time step to the next": model(
        "dv/dt = (-v + I + u)/tau : volt\nu = 0.5*v : volt (constant over dt)", method="euler"
    ),
    "fires at the threshold itself": model(threshold="v >= 10*mV"),
    "where 'v' falls below a threshold": model(threshold="-v > 10*mV"),
    "is not one comparison": model(threshold="v > 10*mV and t > 1*ms"),
    "reset is missing": model(reset=""),
    "reset moves it by an amount": model(reset="v -= 10*mV"),
    "reset sets it to what depends on the state": model(reset="v = 0.5*v"),
    "reset changes other variables": model(
        "dv/dt = (-v + I + u)/tau : volt\ndu/dt = -u/tau : volt", reset="v = 0*mV; u += 1*mV"
    ),
    "a constant input and no leak": model("dv/dt = (10*mV + I)/tau : volt"),
    "one variable that drives no other": model(
        "dv/dt = (-v + I)/tau : volt\ndu/dt = -u/tau : volt", threshold=None, reset=""
    ),
}


@pytest.mark.parametrize("reason", REFUSED_NEURONS)
def test_neurons_that_nir_lacks_are_refused(reason):
    neuron = REFUSED_NEURONS[reason]
    unit = neuron.inputs["I"]
    given = {"synapse": synapses.exponential(unit=unit), "weight": Constant(value=quantity(f"1 {unit}"))}
    with pytest.raises(UnsupportedError, match=rf"population 'cells' cannot be written as NIR: .*{reason}"):
        written(neuron, **given)


def test_a_filter_that_a_refractory_neuron_holds_is_refused():
    held = SynapseModel(
        equations="dx/dt = -x/(5*ms) : volt (unless refractory)",
        on_pre="x_post += w",
        current="x",
        weight_unit="volt",
    )
    with pytest.raises(UnsupportedError, match=r"'x_feed' loses the input of the step in which the neuron fires"):
        written(synapse=held)


def plain_synapse(on_pre, **changes):
    return SynapseModel(equations="dx/dt = -x/(5*ms) : volt", on_pre=on_pre, current="x", weight_unit="volt", **changes)


DEPRESSION = {"synapse_equations": "ds/dt = (1 - s)/(1*second) : 1 (event-driven)"}
REFUSED_SYNAPSES = {
    "state of their own": plain_synapse("x_post += w*s; s *= 0.5", **DEPRESSION),
    "state of their own .plasticity": plain_synapse("x_post += w; w = clip(w + 1*mV, 0*mV, 9*mV)"),
    "more than add to state variables: 'x_feed_post": plain_synapse("x_post = w"),
    "adds 'w_feed [+] 1[*]mV' and not a multiple": plain_synapse("x_post += w + 1*mV"),
    "adds '1[*]mV' and not a multiple": plain_synapse("x_post += 1*mV"),
    "depends on 'rand": plain_synapse("x_post += w*rand()"),
    "adds '.*v_post.*' and not a multiple": plain_synapse("x_post += w + v_post"),
}  # fmt: skip


@pytest.mark.parametrize("reason", REFUSED_SYNAPSES)
def test_synapses_that_nir_lacks_are_refused(reason):
    found = "no function 'rand'" if "rand" in reason else reason
    with pytest.raises(UnsupportedError, match=rf"projection 'feed' cannot be written as NIR: .*{found}"):
        written(synapse=REFUSED_SYNAPSES[reason])


def test_a_conductance_is_refused():
    neuron = neurons.conductance_leaky_integrate_and_fire(refractory="0 ms")
    with pytest.raises(UnsupportedError, match=r"population 'cells' cannot be written as NIR: .*in a non-linear way"):
        written(neuron, synapses.ampa(), weight=Constant(value="1 nS"))


@pytest.mark.parametrize("gain", ["normalised", "plain"])
def test_neurons_of_surrogate_gradient_training_pass(gain):
    neuron = neurons.current_based_leaky_integrate_and_fire(input_gain=gain)
    found = written(neuron, synapses.delta(unit="1", variable="x"), into=None, weight=Constant(value="1"))
    node = found.nodes["cells"]
    factor = {"normalised": 1.0, "plain": 1 / -np.expm1(-1e-4 / 20e-3)}[gain]
    # in a forward Euler step a spike moves the current by w_in dt/tau_syn, and the current the membrane by R dt/tau
    moved = node.w_in * 1e-4 / node.tau_syn * node.r * 1e-4 / node.tau_mem
    assert np.allclose(moved, factor * 1e-4 / 20e-3, rtol=1e-12)  # a few products round


def test_an_alpha_synapse_passes_where_a_conductance_does_not():
    """Positive control of the refusals: chains of filters are said by several nodes."""
    kinds = [type(node).__name__ for node in written(synapse=synapses.alpha()).nodes.values()]
    assert kinds.count("LI") == 2
    assert kinds.count("LIF") == 1


def test_a_network_without_an_input_is_refused():
    described = Network(populations={"cells": Population(size=2, neuron=PLAIN)})
    with pytest.raises(UnsupportedError, match=r"needs an input, and the network has no spike source"):
        to_nir(described, realise(described, 0), dt="0.1 ms")


def test_what_dense_matrices_cannot_hold_is_refused(monkeypatch):
    monkeypatch.setattr("snncompare.backends.nir.weights_to_nodes.MAX_NUMBERS", 11)
    with pytest.raises(
        UnsupportedError, match=r"projection 'feed' .*dense weights only, 12 numbers here; 11 are allowed"
    ):
        written()
    monkeypatch.setattr("snncompare.backends.nir.weights_to_nodes.MAX_NUMBERS", 20)
    with pytest.raises(UnsupportedError, match=r"different delays, each of which needs a weight matrix"):
        written(delay=Uniform(low="0 ms", high="3 ms"))
    monkeypatch.setattr("snncompare.backends.nir.cells_to_graph.MAX_NUMBERS", 43)
    with pytest.raises(UnsupportedError, match=r"with it the graph has 44 numbers, and 43 are allowed"):
        written()
    monkeypatch.setattr("snncompare.backends.nir.cells_to_graph.MAX_NUMBERS", 44)
    written()


def convolved(kernel=(2, 2), recurrent=None, **projection):
    wiring = Convolution(input_shape=(4, 4), kernel=kernel)
    n = int(np.prod(wiring.output_shape))
    feed = {"synapse": synapses.exponential(), "into": "I", "weight": Normal(mean="1 mV", sd="1 mV")}
    projections = {"feed": Projection(source="source", target="cells", wiring=wiring, **(feed | projection))}
    if recurrent is not None:
        projections["back"] = Projection(source="cells", target="cells", wiring=recurrent, **feed)
    populations = {
        "source": Population(size=16, neuron=SpikeSource()),
        "cells": Population(size=n, neuron=PLAIN),
    }
    described = Network(populations=populations, projections=projections)
    return to_nir(described, realise(described, 0), dt="0.1 ms")


def test_convolutions_that_nir_lacks_are_refused():
    assert isinstance(convolved().nodes["feed"], nir.Conv2d)
    with pytest.raises(UnsupportedError, match=r"projection 'feed' .*a kernel of 2 x 3 is not square"):
        convolved(kernel=(2, 3))
    with pytest.raises(UnsupportedError, match=r"projection 'feed' .*of its convolution have different delays"):
        convolved(delay=Uniform(low="0 ms", high="3 ms"))
    with pytest.raises(UnsupportedError, match=r"projection 'back' .*arranged in channels"):
        convolved(recurrent=AllToAll())
    with pytest.raises(
        UnsupportedError, match=r"'cells' is arranged as \(1, 3, 3\) for another convolution and as \(1, 9\)"
    ):
        convolved(recurrent=Convolution(input_shape=(9,), kernel=(3,), padding=1))
