"""What projections bring gets their names, whole words only, on the state and nowhere else."""

import pytest

from snncompare.network.composition import compose, compose_synapse, weight_name
from snncompare.network.equations import renamed_equations, renamed_expression
from snncompare.network.initialisers import Constant
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import delta, exponential
from snncompare.units import quantity


def _network(projections, neuron=None):
    return Network(
        populations={
            "source": Population(size=2, neuron=SpikeSource()),
            "cells": Population(size=2, neuron=neuron or leaky_integrate_and_fire()),
        },
        projections={
            name: Projection(
                source="source",
                target="cells",
                synapse=synapse,
                into=None if synapse.current is None else "I",
                weight=Constant(value=quantity("1 mV") if synapse.weight_unit == "volt" else quantity("1")),
            )
            for name, synapse in projections.items()
        },
    )


def test_without_projections_an_input_is_zero_with_its_unit():
    assert compose(_network({}), "cells").equations.splitlines()[-1] == "I = 0*volt : volt"
    plain = NeuronModel(equations="dv/dt = (-v + I)/tau : 1", parameters={"tau": "1 ms"}, inputs={"I": "1"})
    assert compose(_network({}, plain), "cells").equations.splitlines()[-1] == "I = 0 : 1"


def test_the_same_synapse_twice_is_two_states_and_a_sum():
    composed = compose(_network({"feed": exponential(tau="5 ms"), "back": exponential(tau="7 ms")}), "cells")
    assert composed.equations.splitlines() == [
        "dv/dt = (-v + I)/tau : volt (unless refractory)",
        "dx_back/dt = -x_back/tau_syn_back : volt",
        "dx_feed/dt = -x_feed/tau_syn_feed : volt",
        "I = (x_back) + (x_feed) : volt",
    ]
    assert composed.parameters["tau_syn_feed"] == quantity("5 ms")
    assert composed.parameters["tau_syn_back"] == quantity("7 ms")
    assert composed.parameters["tau"] == quantity("20 ms")


def test_the_order_in_which_projections_were_written_does_not_matter():
    one = compose(_network({"feed": exponential(), "back": exponential()}), "cells")
    other = compose(_network({"back": exponential(), "feed": exponential()}), "cells")
    assert one == other


def test_a_current_may_be_an_expression_of_the_target_and_keeps_its_brackets():
    synapse = SynapseModel(
        equations="dg/dt = -g/tau_g : 1",
        on_pre="g_post += w",
        current="g*(E - v) + 0*volt*exp(-g)",
        parameters={"tau_g": "5 ms", "E": "60 mV"},
    )
    lines = compose(_network({"feed": synapse, "other": exponential()}), "cells").equations.splitlines()
    assert lines[-1] == "I = (g_feed*(E_feed - v) + 0*volt*exp(-g_feed)) + (x_other) : volt"


def test_a_delta_synapse_adds_no_state_and_no_current():
    network = _network({"kick": delta()})
    assert compose(network, "cells").equations.splitlines()[-1] == "I = 0*volt : volt"
    assert compose_synapse(network, "kick").on_pre == "v_post += w_kick"
    assert weight_name("kick") == "w_kick"


def test_only_the_synapses_own_names_change_in_what_a_spike_does():
    synapse = SynapseModel(
        equations="dx/dt = -x/tau : 1\ndx_rec/dt = -x_rec/tau : 1",
        on_pre="x_post += w*gain; x_rec_post += w*x_post; v_post += 0*volt*w",
        current="0*volt*x",
        parameters={"tau": "5 ms", "gain": "2"},
    )
    assert compose_synapse(_network({"feed": synapse}), "feed").on_pre == (
        "x_feed_post += w_feed*gain_feed; x_rec_feed_post += w_feed*x_feed_post; v_post += 0*volt*w_feed"
    )


NAMES = {"x": "x_p", "dx": "dx_p", "s": "s_p", "tau": "tau_p", "x_p": "x_p_p", "second": "never"}


@pytest.mark.parametrize(
    ("text", "renamed"),
    [
        ("x", "x_p"),
        ("exp(x)", "exp(x_p)"),
        ("x_rec + x", "x_rec + x_p"),
        ("x + x_p", "x_p + x_p_p"),
        ("dx + x", "dx_p + x_p"),
        ("dx/dt", "dx_p/dt"),
        ("max_x + xx + x2", "max_x + xx + x2"),
        ("1e5*x + 2.5e-3", "1e5*x_p + 2.5e-3"),
        ("-x/tau", "-x_p/tau_p"),
    ],
)
def test_whole_words_are_renamed_all_at_once(text, renamed):
    assert renamed_expression(text, NAMES) == renamed


def test_derivatives_are_renamed_but_units_flags_and_comments_are_not():
    text = "dx/dt = dx/tau : volt/second (unless refractory)  # x\nddx/dt = -x/s : 1\ns : second (constant)\nxx = x : 1"
    assert renamed_equations(text, NAMES).splitlines() == [
        "dx_p/dt = dx_p/tau_p : volt/second (unless refractory)",
        "ddx_p/dt = -x_p/s_p : 1",
        "s_p : second (constant)",
        "xx = x_p : 1",
    ]


def test_one_name_after_the_other_would_rename_twice_so_the_check_above_can_fail():
    text = "x + x_p"
    for name, new in NAMES.items():
        text = text.replace(name, new)
    assert text != renamed_expression("x + x_p", NAMES)


def test_an_equation_over_several_lines_stays_one_equation():
    synapse = SynapseModel(
        equations="dx/dt = (-x\n  + 0*x) # decay\n  /tau_x : volt",
        on_pre="x_post += w",
        current="x",
        weight_unit="volt",
        parameters={"tau_x": "5 ms"},
    )
    brian2 = pytest.importorskip("brian2")
    composed = compose(_network({"feed": synapse}), "cells")
    equations = brian2.Equations(composed.equations)
    assert equations.diff_eq_names == {"v", "x_feed"}
    assert equations.dimensions["x_feed"] == brian2.volt.dim


def test_a_spike_source_has_nothing_to_compose():
    with pytest.raises(TypeError, match="a spike source has no equations"):
        compose(_network({}), "source")
