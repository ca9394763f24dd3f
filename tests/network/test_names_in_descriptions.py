"""A name means one thing: what is reserved, taken or missing is refused where it stands."""

import pytest

from snncompare.errors import DescriptionError
from snncompare.network.initialisers import Constant
from snncompare.network.names import check_free_names, check_names, is_known
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import delta, exponential
from snncompare.units import quantity

TAU = {"tau": "20 ms"}


def _network(neuron=None, synapse=None, name="feed", into="I", weight="1 mV", **projection):
    return Network(
        populations={
            "source": Population(size=2, neuron=SpikeSource()),
            "cells": Population(size=2, neuron=neuron or leaky_integrate_and_fire()),
        },
        projections={
            name: Projection(
                source="source",
                target="cells",
                synapse=synapse or exponential(),
                into=into,
                weight=Constant(value=quantity(weight)),
                **projection,
            )
        },
    )


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "1a", "_a", "a__b", "é", "ｖ", "a.b", "a-b", "pre", "post", "x_post", "x_pre"]
)
def test_names_are_plain_words(name):
    with pytest.raises(DescriptionError, match="cannot name a population"):
        check_names([name], "population")
    with pytest.raises(DescriptionError, match=r"'populations'"):
        Network.parse({"populations": {name: {"size": 1, "neuron": {"type": "SpikeSource"}}}}, "file")


@pytest.mark.parametrize(
    "name", ["t", "dt", "i", "N", "xi", "xi_1", "e", "pi", "inf", "exp", "rand", "mV", "nS", "volt", "ms", "Hz", "and"]
)
def test_names_that_equations_know_cannot_be_given_another_meaning(name):
    for given in ({"parameters": {name: "1 ms"}}, {"inputs": {name: "volt"}}):
        with pytest.raises(DescriptionError, match=f"'{name}' cannot name"):
            NeuronModel(equations="dv/dt = -v/tau : volt", **{"parameters": TAU} | given)
    with pytest.raises(DescriptionError, match=f"'{name}' cannot name"):
        SynapseModel(on_pre="v_post += w", parameters={name: "1 ms"})
    with pytest.raises(DescriptionError):
        NeuronModel(equations=f"d{name}/dt = -1/second : 1")


def test_brian2_would_silently_use_its_own_meaning_so_the_refusal_matters():
    namespace = pytest.importorskip("brian2.core.namespace")
    from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS

    reserved = {*namespace.DEFAULT_UNITS, *DEFAULT_FUNCTIONS, *DEFAULT_CONSTANTS} - {"-inf"}
    for name in reserved:
        with pytest.raises(DescriptionError):
            check_free_names([name], "parameter")


def test_brian2_would_set_its_own_attribute_instead_of_the_variable_so_the_refusal_matters():
    brian2 = pytest.importorskip("brian2")
    group = brian2.NeuronGroup(
        1, "dv/dt = -v/ms : 1 (unless refractory)", threshold="v > 1", reset="v = 0", refractory="1*ms", method="euler"
    )
    brian2.Network(group).run(0 * brian2.ms)
    own = {name for name in {*dir(group), *vars(group)} if not name.startswith("_") and name.isidentifier()}
    for name in own - {"v", "v_"}:
        with pytest.raises(DescriptionError):
            check_free_names([name], "parameter")
    unprotected = brian2.NeuronGroup(1, "order : 1")
    unprotected.order = 5
    assert unprotected.variables["order"].get_value()[0] == 0, "the variable is still zero"
    brian2.Network(unprotected)


@pytest.mark.parametrize("name", ["double", "new", "this", "union", "template", "register", "true", "NULL", "xor"])
def test_words_of_cpp_are_no_names_because_standalone_programs_would_not_compile(name):
    with pytest.raises(DescriptionError, match=f"'{name}' cannot name a parameter; it is a word of C"):
        check_free_names([name], "parameter")


@pytest.mark.parametrize(
    "name", ["v", "w", "m", "h", "n", "g", "s", "C", "tau", "E_L", "V", "S", "A", "M", "I_syn", "dv", "ms_1"]
)
def test_ordinary_symbols_stay_free(name):
    check_free_names([name], "variable")
    assert not is_known(name)


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (
            {"equations": "dv/dt = -v/tua : volt"},
            "equations: no variable, input or parameter 'tua'; did you mean 'tau'?",
        ),
        ({"threshold": "v > v_tresh"}, "threshold: no variable, input or parameter 'v_tresh'"),
        ({"threshold": "v > 1*mV", "reset": "u = 0*mV"}, "reset: no state variable 'u'; available: 'v'."),
        ({"threshold": "v > 1*mV", "reset": "v = vr"}, "reset: no variable, input or parameter 'vr'"),
        ({"reset": "v = 0*mV"}, "a reset needs a threshold"),
        ({"initial": {"u": "1 mV"}}, "initial: no state variable 'u'; available: 'v'."),
        ({"initial": {"v": "taw"}}, "initial of 'v': no parameter 'taw'; did you mean 'tau'?"),
        ({"initial": [1]}, "'initial': expected keys and values, got [1]."),
        ({"inputs": {"v": "volt"}}, "'v' is defined twice"),
        ({"inputs": {"I": "mV"}}, "'volt' instead of 'mV'"),
        ({"parameters": {"tau": "20 ms", "v": "1 mV"}}, "'v' is defined twice"),
        ({"parameters": {"tau": "20 mz"}}, "'parameters.tau': no unit 'mz'"),
        ({"refractory": "2 mV"}, "refractory must be a time such as '2 ms'"),
        ({"refractory": 2}, "refractory must be a time such as '2 ms'"),
        ({"refractory": "-2 ms"}, "not negative, got '-2 ms'"),
        ({"method": "eular"}, "'method': no method 'eular'; did you mean 'euler'?"),
    ],
    ids=range(16),
)
def test_a_neuron_model_names_what_is_wrong_with_it(model, says):
    with pytest.raises(DescriptionError) as caught:
        NeuronModel(**{"equations": "dv/dt = -v/tau : volt", "parameters": TAU} | model)
    assert says in str(caught.value)


def test_times_constants_and_refractoriness_need_no_definition():
    model = NeuronModel(
        equations="dv/dt = (mV*sin(2*pi*t/second) - v + i*uvolt + xi*0*mV*second**0.5)/tau*int(not_refractory) : volt",
        threshold="v > 1*mV and t - lastspike > dt",
        refractory="2 ms",
        parameters=TAU,
    )
    assert model.names() == ["v", "tau"]


@pytest.mark.parametrize(
    ("synapse", "says"),
    [
        ({"on_pre": "y += w"}, "on_pre: no name 'y'"),
        ({"on_pre": "tau_syn += 1*ms"}, "on_pre changes the parameter 'tau_syn'"),
        ({"on_pre": "u_post += w"}, "on_pre: no name 'u_post'"),
        ({"on_pre": "x_post += w*q"}, "on_pre: no name 'q'"),
        ({"equations": "dx/dt = -x/tua : volt"}, "'tua'; did you mean 'tau'?"),
        ({"current": "y"}, "current: no variable of the synapse 'y'; available: 'x'."),
        ({"current": "x*gain"}, "'gain'"),
        ({"parameters": {"tau_syn": "1 ms", "w": "1"}}, "'w' is defined twice"),
        ({"parameters": {"tau_syn": "1 ms", "x": "1"}}, "'x' is defined twice"),
        ({"weight_unit": "mV"}, "'volt' instead of 'mV'"),
        (
            {"weight_unit": "amp", "on_pre": "x_post += w*Mohm"},
            "weight must have the unit 'amp' of the synapse, got '1 mV'",
        ),
    ],
    ids=range(11),
)
def test_a_synapse_names_what_neither_it_nor_its_target_has(synapse, says):
    given = {
        "equations": "dx/dt = -x/tau_syn : volt",
        "on_pre": "x_post += w",
        "current": "x",
        "weight_unit": "volt",
        "parameters": {"tau_syn": "5 ms"},
    }
    with pytest.raises(DescriptionError) as caught:
        _network(synapse=SynapseModel(**given | synapse))
    assert says in str(caught.value)


def test_a_synapse_may_use_the_variables_of_its_target():
    conductance = SynapseModel(
        equations="dg/dt = -g/tau_syn : 1",
        on_pre="g_post += w",
        current="g*(E - v)",
        parameters={"tau_syn": "5 ms", "E": "60 mV"},
    )
    assert _network(synapse=conductance, weight="1").incoming("cells")["feed"].into == "I"
    other = NeuronModel(equations="du/dt = (-u + I)/tau : volt", parameters=TAU, inputs={"I": "volt"})
    with pytest.raises(DescriptionError, match=r"projection 'feed'.*'v'"):
        _network(neuron=other, synapse=conductance, weight="1")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"name": "cells"}, "'cells' names a population and a projection; rename one of them."),
        ({"into": "J"}, "projection 'feed': no input 'J'; available: 'I'."),
        ({"into": None}, "'into' names the input that the synapse's 'current' flows into: give both or neither."),
        ({"synapse": delta(variable="u"), "into": None}, "projection 'feed': on_pre: no name 'u_post'"),
        ({"weight": "1 pA"}, "weight must have the unit 'volt' of the synapse, got '1 pA'."),
        ({"delay": "1 mV"}, "delay must be a time such as '1 ms', not negative, got '1 mV'."),
        ({"delay": 1}, "delay must be a time such as '1 ms', not negative, got '1'."),
        ({"delay": "-1 ms"}, "delay must be a time such as '1 ms', not negative, got '-1 ms'."),
    ],
    ids=range(8),
)
def test_a_projection_that_does_not_fit_is_refused(wrong, says):
    with pytest.raises(DescriptionError) as caught:
        _network(**wrong)
    assert says in str(caught.value)


def test_what_never_fires_is_no_source():
    readout = {"size": 2, "neuron": leaky_readout().plain()}
    feed = {
        "source": "out",
        "target": "out",
        "synapse": delta().plain(),
        "weight": {"type": "Constant", "value": "1 mV"},
    }
    with pytest.raises(DescriptionError, match="starts at 'out', which has no threshold and never fires"):
        Network.parse({"populations": {"out": readout}, "projections": {"feed": feed}}, "file")


def test_names_that_projections_add_must_be_free():
    neuron = NeuronModel(
        equations="dv/dt = (-v + I)/tau : volt\ndx_feed/dt = -x_feed/tau : volt", parameters=TAU, inputs={"I": "volt"}
    )
    assert _network(neuron=neuron, name="other")
    with pytest.raises(
        DescriptionError, match="projection 'feed' adds 'x_feed' to 'cells', which has that name already"
    ):
        _network(neuron=neuron)
    twice = SynapseModel(
        equations="dx_a/dt = -x_a/tau_syn : volt",
        on_pre="x_a_post += w",
        current="x_a",
        weight_unit="volt",
        parameters={"tau_syn": "5 ms"},
    )
    first = _network(name="a_b")
    with pytest.raises(DescriptionError, match="adds 'x_a_b'"):
        first.model_copy(
            update={
                "projections": dict(first.projections)
                | {"b": first.projections["a_b"].model_copy(update={"synapse": twice})}
            }
        )
