"""Measures that a chip takes from a network: threshold - leak, membrane time constants, levels per weight, circuits."""

import numpy as np
import pytest

from snncompare.backends.analog.chip import deploy, deploy_many
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.network.network import Network
from snncompare.network.neurons import (
    adaptive_exponential_integrate_and_fire,
    conductance_leaky_integrate_and_fire,
    current_based_leaky_integrate_and_fire,
    izhikevich,
    leaky_integrate_and_fire,
    poisson_neuron,
    two_compartment_pyramidal,
)
from snncompare.network.synapses import ampa, delta, exponential

PLAIN = ChipProfile.load("plain")


def network(model=None, **projections):
    cells = {"size": 3, "neuron": model or leaky_integrate_and_fire()}
    there = {"input": {"size": 4, "neuron": {"type": "SpikeSource"}}, "cells": cells}
    return Network(populations=there, projections=projections)


def feed(weight="1 mV", synapse=None, **more):
    chosen = synapse or exponential()
    return {
        "source": "input", "target": "cells", "synapse": chosen, "into": None if chosen.current is None else "I",
        "weight": {"type": "Constant", "value": weight}, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("model", "apart", "tau"),
    [
        (leaky_integrate_and_fire(), 10e-3, 20e-3),
        (conductance_leaky_integrate_and_fire(), 10e-3, 20e-3),  # -50 + 60 mV; 200 pF over 10 nS
        (adaptive_exponential_integrate_and_fire(), 20.2e-3, 281 / 30 * 1e-3),  # v_T - E_L, not the peak at 0 mV
        (current_based_leaky_integrate_and_fire(tau="7 ms"), 1.0, 7e-3),
        (two_compartment_pyramidal(), 20e-3, 16e-3),  # theta_0 - E_L; of the soma
        (izhikevich(), 95e-3, None),  # from the reset at -65 mV to the peak at 30 mV: it has no leak
        (poisson_neuron(), None, None),
    ],
    ids=["LIF", "conductance", "AdEx", "current-based", "two compartments", "Izhikevich", "Poisson"],
)
def test_threshold_above_leak_and_membrane_time_constant_are_read_from_the_equations(model, apart, tau):
    chip = deploy(network(model), PLAIN)
    for found, expected in ((chip.distances, apart), (chip.membrane_time_constants, tau)):
        if expected is None:
            assert "cells" not in found
        else:
            assert found["cells"] == pytest.approx([expected] * 3, rel=1e-9)


def test_the_mismatch_of_a_threshold_is_measured_from_the_leak_not_from_zero():
    rough = PLAIN.changed(**{"threshold.sd_fraction": 0.1})
    absolute = deploy(network(conductance_leaky_integrate_and_fire()), rough)
    relative = deploy(network(leaky_integrate_and_fire(v_threshold="10 mV")), rough)
    one, other = (chip.parameter_maps["cells"]["v_threshold"].offset for chip in (absolute, relative))
    assert one == pytest.approx(other, rel=1e-9)  # 10 mV above leak, both
    assert np.ptp(one) > 0


def test_levels_per_threshold_make_a_weight_of_that_size_so_many_levels():
    """The noise profile of DelGrad: 78 levels per threshold - leak, at most 63."""
    delgrad = ChipProfile.load("bss2_delgrad")
    chip = deploy(network(feed=feed("5 mV"), large=feed("9 mV")), delgrad)
    assert chip.weight_maps["feed"].levels(np.array([5e-3, 10e-3, -10e-3])).tolist() == [39.0, 63.0, -63.0]
    assert chip.weight_maps["large"].scale == chip.weight_maps["feed"].scale == pytest.approx(7800.0)
    siemens = deploy(network(conductance_leaky_integrate_and_fire(), feed=feed("2 nS", ampa())), delgrad)
    assert siemens.weight_maps["feed"].scale is None
    assert any("cannot be compared with threshold - leak" in sentence for sentence in siemens.left_out)


def test_on_an_analog_chip_each_projection_fills_the_range_and_on_a_digital_one_all_share_it():
    net = network(weak=feed("1 mV"), strong=feed("4 mV"))
    analog = deploy(net, PLAIN.changed(**{"weights.bits": 5}))
    got = {name: one.levels(analog.realised.connections[name].weight)[0] for name, one in analog.weight_maps.items()}
    assert got == {"weak": 15.0, "strong": 15.0}
    digital = deploy(net, "loihi", dt="1 ms")
    got = {name: one.levels(digital.realised.connections[name].weight)[0] for name, one in digital.weight_maps.items()}
    assert got == {"weak": 32.0, "strong": 127.0}


def test_a_threshold_lies_on_the_grid_of_what_a_weight_adds_to_the_membrane():
    odd = leaky_integrate_and_fire(v_threshold="10.0123 mV")
    direct = deploy(network(odd, feed=feed("1.27 mV", delta())), "loihi", dt="1 ms").realisation()
    levels = direct.values["cells"]["v_threshold"] / (1.27e-3 / 127)
    assert levels == pytest.approx(np.round(levels), abs=1e-6)
    assert levels == pytest.approx([1001] * 3)
    through = deploy(network(odd, feed=feed("1.27 mV")), "loihi", dt="1 ms").realisation()
    fine = 1.27e-3 / 127 * (1 - np.exp(-1 / 20))
    assert through.values["cells"]["v_threshold"] == pytest.approx([10.0123e-3] * 3, abs=fine / 2 * 1.001)
    assert abs(direct.values["cells"]["v_threshold"][0] - 10.0123e-3) > fine / 2


def test_excitatory_and_inhibitory_synapses_of_a_neuron_have_gains_of_their_own():
    net = network(plus=feed("1 mV"), also=feed("2 mV"), minus=feed("-1 mV"))
    many = deploy_many(net, PLAIN.changed(**{"weights.polarity_cv": 0.2}), device_seeds=range(4))
    plus, also, minus = (many.weight_maps[name].factor.reshape(4, 4, 3) for name in ("plus", "also", "minus"))
    assert np.array_equal(plus, also)
    assert (plus == plus[:, :1]).all()  # of the target neuron, whichever the source
    assert (plus != minus).all()
    gain = deploy_many(net, PLAIN.changed(**{"weights.gain_cv": 0.2}), device_seeds=range(4)).weight_maps
    assert np.array_equal(gain["plus"].factor, gain["minus"].factor)


def test_several_synapses_between_two_neurons_differ_and_do_not_depend_on_each_other():
    pairs = {"type": "ExplicitList", "pairs": [[0, 0], [0, 0], [1, 2]]}
    fewer = {"type": "ExplicitList", "pairs": [[0, 0], [1, 2]]}
    rough = PLAIN.changed(**{"weights.cv": 0.2})
    three = deploy(network(feed=feed(wiring=pairs)), rough).weight_maps["feed"].factor
    two = deploy(network(feed=feed(wiring=fewer)), rough).weight_maps["feed"].factor
    assert three[0] != three[1]
    assert two.tolist() == [three[0], three[2]]


def test_roles_that_are_redrawn_in_every_run_only_are_opened_with_what_was_asked_for():
    chip = deploy(network(), PLAIN.changed(**{"threshold.per_run": 0.02}))
    one = chip.parameter_maps["cells"]["v_threshold"]
    assert one.apply(0.01).tolist() == [0.01] * 3
    assert chip.network.populations["cells"].individual == ("v_threshold",)
