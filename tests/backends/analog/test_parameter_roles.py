"""What parameters are for, read from the equations of every ready neuron and of equations of a user's own."""

import pytest

from snncompare.backends.analog.reading.roles import Role, reading, roles_of
from snncompare.circuits.bursts.synapses import conductance
from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import (
    adaptive_exponential_integrate_and_fire,
    adaptive_leaky_integrate_and_fire,
    burst_poisson_neuron,
    conductance_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    current_based_readout,
    escape_noise_leaky_integrate_and_fire,
    izhikevich,
    leaky_integrate_and_fire,
    leaky_readout,
    poisson_neuron,
    traub_miles,
    two_compartment_pyramidal,
    with_bias,
    with_poisson_background,
)
from snncompare.network.synapses import ampa, delta, depressing, double_exponential, exponential, saturating_nmda

SHORT = {
    "mem": Role.MEMBRANE_TIME_CONSTANT, "syn": Role.SYNAPTIC_TIME_CONSTANT, "adt": Role.ADAPTATION_TIME_CONSTANT,
    "tim": Role.OTHER_TIME, "thr": Role.THRESHOLD, "leak": Role.LEAK, "res": Role.RESET,
    "ads": Role.ADAPTATION_STRENGTH, "oth": Role.OTHER,
}  # fmt: skip
NEURONS = {
    "LIF": (leaky_integrate_and_fire(), "tau:mem v_threshold:thr v_reset:res"),
    "adaptive LIF": (
        adaptive_leaky_integrate_and_fire(),
        "tau:mem tau_adaptation:adt adaptation:ads v_threshold:thr v_reset:res",
    ),
    "conductance LIF": (
        conductance_leaky_integrate_and_fire(), "C:mem g_L:oth E_L:leak v_threshold:thr v_reset:res",
    ),
    "CuBa": (current_based_leaky_integrate_and_fire(), "tau:mem v_threshold:thr tau_syn:syn"),
    "readout": (leaky_readout(), "tau:mem"),
    "CuBa readout": (current_based_readout(), "tau:mem tau_syn:syn"),
    "AdEx": (
        adaptive_exponential_integrate_and_fire(),
        "C:mem g_L:oth E_L:leak v_T:thr Delta_T:oth tau_w:adt a:ads b:ads v_peak:oth v_reset:res",
    ),
    "escape noise": (
        escape_noise_leaky_integrate_and_fire(), "tau:mem v_threshold:thr width:oth rate:oth v_reset:res",
    ),
    "Izhikevich": (izhikevich(), "a:adt b:oth c:res d:ads v_peak:thr"),
    "Hodgkin-Huxley": (
        traub_miles(), "C:mem g_L:oth g_Na:oth g_K:oth E_L:leak E_Na:oth E_K:oth v_T:oth v_spike:thr",
    ),
    "Poisson": (poisson_neuron(), "rate:oth"),
    "two compartments": (
        two_compartment_pyramidal(),
        "E_L:leak v_reset:res C_s:oth tau_s:mem g_s:oth b:ads tau_ws:adt C_d:oth tau_d:mem g_d:oth zeta:oth a:ads "
        "tau_wd:adt E_d:oth D_d:oth theta_0:thr Delta_theta:ads tau_theta:adt box_delay:tim box_duration:tim",
    ),
    "burst-Poisson": (
        burst_poisson_neuron(),
        "E_L:leak v_reset:res C_s:oth tau_s:mem b:ads tau_ws:adt C_d:oth tau_d:mem a:ads tau_wd:adt E_d:oth D_d:oth "
        "theta_0:thr Delta_theta:ads tau_theta:adt pause:tim delay_min:tim delay_max:tim",
    ),
    "biased": (with_bias(leaky_integrate_and_fire(), "1 mV"), "tau:mem v_threshold:thr v_reset:res bias_I:oth"),
    "background": (
        with_poisson_background(
            conductance_leaky_integrate_and_fire(), rate="100 Hz", weight="1 nS", tau="5 ms", reversal="0 mV"
        ),
        "C:mem g_L:oth E_L:leak v_threshold:thr v_reset:res rate_background:oth weight_background:oth "
        "tau_background:syn reversal_background:oth",
    ),
}  # fmt: skip


def network_of(model, **synapses):
    cells = {"size": 2, "neuron": model}
    projections = {
        name: {
            "source": "input",
            "target": "cells",
            "synapse": synapse,
            "into": None if synapse.current is None else "I",
            "weight": {"type": "Constant", "value": f"1 {synapse.weight_unit}"},
        }
        for name, synapse in synapses.items()
    }
    populations = {"input": {"size": 2, "neuron": {"type": "SpikeSource"}}, "cells": cells}
    return Network(populations=populations, projections=projections)


@pytest.mark.parametrize("name", NEURONS)
def test_the_roles_of_a_ready_neuron(name):
    model, text = NEURONS[name]
    expected = {key: SHORT[role] for key, role in (part.split(":") for part in text.split())}
    assert roles_of(network_of(model), "cells") == expected


def test_synaptic_time_constants_have_the_suffix_of_their_projection():
    network = network_of(conductance_leaky_integrate_and_fire(), fast=ampa(), slow=depressing(ampa(tau="50 ms")))
    roles = roles_of(network, "cells")
    assert roles["tau_syn_fast"] == roles["tau_syn_slow"] == Role.SYNAPTIC_TIME_CONSTANT
    assert roles["E_syn_fast"] == Role.OTHER
    assert roles["tau_depression_slow"] == Role.OTHER_TIME


def test_all_time_constants_of_a_synapse_are_found_also_behind_subexpressions_and_sums():
    roles = roles_of(network_of(leaky_integrate_and_fire(), feed=double_exponential()), "cells")
    assert roles["tau_rise_feed"] == roles["tau_decay_feed"] == Role.SYNAPTIC_TIME_CONSTANT
    roles = roles_of(network_of(conductance_leaky_integrate_and_fire(), feed=saturating_nmda()), "cells")
    assert roles["tau_rise_feed"] == roles["tau_decay_feed"] == Role.SYNAPTIC_TIME_CONSTANT


def test_a_decay_that_is_written_for_one_step_has_a_time_constant_too():
    """The synapses of the burst circuits: exact decay inside of Euler's method."""
    fast = conductance("excitation")
    assert "exp(-dt/tau_syn)" in fast.equations
    roles = roles_of(network_of(conductance_leaky_integrate_and_fire(), feed=fast), "cells")
    assert roles["tau_syn_feed"] == Role.SYNAPTIC_TIME_CONSTANT
    other = fast.model_copy(update={"equations": "dx/dt = -x*(1 - exp(-tau_syn/dt))/dt : siemens"})
    roles = roles_of(network_of(conductance_leaky_integrate_and_fire(), feed=other), "cells")
    assert roles["tau_syn_feed"] == Role.OTHER_TIME


def test_a_state_that_synapses_move_is_the_membrane_where_no_input_reaches_it():
    model = NeuronModel(
        equations="dv/dt = -v/tau : 1\ndu/dt = -u/slow : 1",
        threshold="u > limit and v > theta",
        parameters={"tau": "10 ms", "slow": "90 ms", "limit": "0.1", "theta": "1"},
    )
    assert reading(network_of(model, feed=delta(unit="1")), "cells").membranes == ("v",)
    assert roles_of(network_of(model, feed=delta(unit="1")), "cells")["theta"] == Role.THRESHOLD
    assert reading(network_of(model, feed=delta(unit="1", variable="u")), "cells").membranes == ("u",)


def test_equations_of_a_user_are_read_by_structure_not_by_name():
    model = NeuronModel(
        equations="dx/dt = (rest - x + drive)/a : volt\ndz/dt = (x - z)/b : volt",
        threshold="c < x",
        reset="x = d; z += k",
        refractory="f",
        parameters={"rest": "-60 mV", "a": "9 ms", "b": "99 ms", "c": "1 mV", "d": "2 mV", "k": "3 mV", "f": "4 ms"},
        inputs={"drive": "volt"},
    )
    roles = roles_of(network_of(model), "cells")
    assert roles | {"b": None, "k": None} == {
        "rest": "leak", "a": "membrane_time_constant", "b": None, "c": "threshold", "d": "reset", "k": None,
        "f": "refractory",
    }  # fmt: skip
    # z does not act on x: it is bookkeeping; once it does, it is adaptation
    assert roles["b"] == Role.OTHER_TIME
    coupled = model.model_copy(update={"equations": model.equations.replace("+ drive", "+ drive - z")})
    assert roles_of(network_of(coupled), "cells")["b"] == Role.ADAPTATION_TIME_CONSTANT
    assert roles_of(network_of(coupled), "cells")["k"] == Role.ADAPTATION_STRENGTH


def test_a_user_may_say_otherwise():
    network = network_of(leaky_integrate_and_fire(), feed=exponential())
    changed = roles_of(network, "cells", {"tau": "other_time", "v_reset": None, "tau_syn_feed": Role.OTHER})
    assert changed == {"tau": "other_time", "v_threshold": "threshold", "tau_syn_feed": "other"}


@pytest.mark.parametrize(
    ("given", "says"), [({"tao": "leak"}, "'tau'"), ({"tau": "membrane_time"}, "membrane_time_constant")]
)
def test_parameters_and_roles_that_do_not_exist_are_refused_by_name(given, says):
    with pytest.raises(InputError, match=says):
        roles_of(network_of(leaky_integrate_and_fire()), "cells", given)


def test_a_spike_source_has_no_roles():
    assert roles_of(network_of(leaky_integrate_and_fire()), "input") == {}
