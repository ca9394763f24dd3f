"""The units of a synapse must fit each other and the two neurons it joins; Brian2's verdict is the same."""

import logging
import warnings

import pytest

from snncompare.errors import DescriptionError, SnncompareError
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.synapse import SynapseModel
from snncompare.network.trainable import Trainable
from snncompare.units import quantity

NEURON = NeuronModel(
    equations="dv/dt = (-v + I)/tau : volt (unless refractory)\nh : 1",
    threshold="v > 10*mV",
    reset="v = 0*mV",
    refractory="1 ms",
    parameters={"tau": "20 ms"},
    inputs={"I": "volt"},
)
EXPONENTIAL = {
    "equations": "dx/dt = -x/tau_syn : volt",
    "on_pre": "x_post += w",
    "current": "x",
    "weight_unit": "volt",
    "parameters": {"tau_syn": "5 ms"},
}
CONDUCTANCE = {
    "equations": "g : siemens",
    "synapse_equations": "ds/dt = -s/tau_syn : 1 (clock-driven)\ng_post = w*s : siemens (summed)",
    "on_pre": "s += 1",
    "current": "g*(E - v)/gL",
    "weight_unit": "siemens",
    "parameters": {"tau_syn": "5 ms", "E": "60 mV", "gL": "10 nS", "n": "2"},
}
PLASTIC = {
    "synapse_equations": "da/dt = -a/tau_a : volt (event-driven)\nb : 1 (constant)",
    "on_pre": "v_post += w*(1 + b); a += 0.1*mV; w = clip(w - a, 0*mV, 1*mV)",
    "on_post": "w = clip(w + a*exp(-(t - lastupdate)/tau_a), 0*mV, 1*mV)",
    "weight_unit": "volt",
    "parameters": {"tau_a": "20 ms"},
}


def _network(synapse, **projection):
    model = SynapseModel(**synapse)
    joined = Projection(
        source="cells",
        target="cells",
        synapse=model,
        into="I" if model.current else None,
        weight=Constant(value=quantity(f"1 {model.weight_unit}" if model.weight_unit != "1" else "1")),
        **projection,
    )
    return Network(populations={"cells": Population(size=2, neuron=NEURON)}, projections={"feed": joined})


@pytest.fixture
def brian2_says(monkeypatch):
    """Return Brian2's verdict on a network, with our own checks of units switched off."""
    step_program = pytest.importorskip("snncompare.dynamics.step_program")

    def verdict(synapse):
        for module, name in (("synapse", "check_synapse_units"), ("network", "check_projection_units")):
            monkeypatch.setattr(f"snncompare.network.{module}.{name}", lambda *_: None)
        logging.disable(logging.CRITICAL)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                step_program.network_program(_network(synapse), 1e-4)
        except DescriptionError:
            return False
        finally:
            monkeypatch.undo()
            logging.disable(logging.NOTSET)
        return True

    return verdict


CASES = [
    (EXPONENTIAL, {}, None),
    (EXPONENTIAL, {"on_pre": "x_post += w*mV"}, "on_pre: 'x_post' must be in volt, but 'w * mV' is in volt**2"),
    (EXPONENTIAL, {"on_pre": "v_post += w*h_pre"}, None),
    (EXPONENTIAL, {"on_pre": "h_post += w"}, "projection 'feed': on_pre: 'h_post' must have no unit, but 'w' is in volt"),
    (EXPONENTIAL, {"current": "x/ms"}, "current: the input it flows into must be in volt, but 'x / ms' is in volt/second"),
    (EXPONENTIAL, {"current": "x*h*int(not_refractory)"}, None),
    (EXPONENTIAL, {"equations": "dx/dt = -x*v/tau_syn : volt"}, "equations: dx/dt must be in volt/second"),
    (EXPONENTIAL, {"equations": "dx/dt = -x/tau + x/tau_syn*h : volt"}, None),
    (EXPONENTIAL, {"parameters": {"tau_syn": "5"}}, "'tau_syn' has no unit, got '5'; write for example 'tau_syn: 5 ms'"),
    (CONDUCTANCE, {}, None),
    (CONDUCTANCE, {"on_pre": "s += w"}, "on_pre: 's' must have no unit, but 'w' is in siemens"),
    (CONDUCTANCE, {"current": "g*(E - v)"}, "current: the input it flows into must be in volt, but 'g * (E - v)' is in amp"),
    (CONDUCTANCE, {"equations": "g : 1"}, "'g_post' is in siemens, but in equations 'g' has no unit"),
    (PLASTIC, {}, None),
    (PLASTIC, {"on_post": "w = clip(w + a, 0, 1*mV)"}, "in 'clip(w + a, 0, 1 * mV)' 'w + a' is in volt and '0' has no unit"),
    (PLASTIC, {"on_post": "w += b"}, "on_post: 'w' must be in volt, but 'b' has no unit"),
    (PLASTIC, {"on_post": "w *= (1 + b*i/N + j/N_pre)"}, None),
    (PLASTIC, {"synapse_equations": "da/dt = -a : volt (event-driven)\nb : 1"}, "synapse_equations: da/dt must be in"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "changes", "says"), CASES, ids=range(len(CASES)))
def test_units_of_a_synapse_are_judged_as_brian2_judges_them(model, changes, says, brian2_says):
    if says is None:
        assert _network(model | changes).projections
    else:
        with pytest.raises(SnncompareError) as caught:
            _network(model | changes)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)
    assert brian2_says(model | changes) == (says is None)


@pytest.mark.parametrize(
    ("model", "changes", "says"),
    [
        (EXPONENTIAL, {"initial": {"x": "1"}}, "initial: 'x' must be in volt, but '1' has no unit; write for example 'x: 1 mV'"),
        (EXPONENTIAL, {"initial": {"x": "tau_syn"}}, "initial: 'x' must be in volt, but '5 ms' is in second"),
        (PLASTIC, {"initial": {"b": "1 mV"}}, "initial: 'b' must have no unit, but '1 mV' is in volt; write for example 'b: 1'"),
        (EXPONENTIAL, {"on_pre": "x_post += w*xi*ms**0.5"}, "'xi' has no meaning here; noise stands in differential"),
        (EXPONENTIAL, {"on_pre": "x_post += w*lastupdate/ms"}, "'lastupdate' has no meaning here; only synapses with event"),
        (EXPONENTIAL, {"current": "x*rand()"}, "the current calls 'rand', with another result each time; draw it in a line of"),
        (EXPONENTIAL, {"current": "x*j"}, "'j' has no meaning here; only synapses have it"),
    ],
    ids=range(7),
)  # fmt: skip
def test_initial_values_and_names_of_a_synapse_are_checked(model, changes, says):
    with pytest.raises(SnncompareError) as caught:
        _network(model | changes)
    assert says in str(caught.value)


def test_an_exponent_that_is_trained_is_no_constant():
    rectified = CONDUCTANCE | {"current": "(g/gL)*(E - v)**n/volt"}
    assert _network(rectified)
    with pytest.raises(
        DescriptionError, match=r"projection 'feed': current: .* the exponent must be a constant number"
    ):
        _network(rectified, trainable={"n": Trainable(shared=True)})
