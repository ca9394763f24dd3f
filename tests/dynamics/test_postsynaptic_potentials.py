"""Postsynaptic potentials measured by simulation are those of the discrete equations, around the working point."""

import numpy as np
import pytest

from snncompare.dynamics.membrane_probe import MembraneProbe, postsynaptic_potential
from snncompare.errors import DescriptionError
from snncompare.network.initialisers import Constant, Normal
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.neurons.leaky import conductance_leaky_integrate_and_fire, leaky_integrate_and_fire
from snncompare.network.neurons.stochastic import noisy_leaky_integrate_and_fire
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses.currents import delta, exponential
from snncompare.network.synapses.short_term import depressing
from snncompare.network.synapses.spike_timing import pair_stdp
from snncompare.units import Quantity, parse_unit, quantity

TAU, TAU_SYN = 20e-3, 10e-3
ROUNDING = 1e-12
"""A kernel is the difference of two simulated traces that agree in some ten leading digits at most."""


def described(neuron, synapse, **changes):
    _, dimension = parse_unit(synapse.weight_unit)
    feed = Projection(
        source="source",
        target="cells",
        synapse=synapse,
        into="I" if synapse.current is not None else None,
        weight=Constant(value=Quantity(1.0, dimension)),
        **changes,
    )
    cells = neuron if isinstance(neuron, Population) else Population(size=2, neuron=neuron)
    return Network(
        populations={"source": Population(size=3, neuron=SpikeSource()), "cells": cells}, projections={"feed": feed}
    )


def kernel(neuron, synapse, dt="1 ms", **changes):
    return postsynaptic_potential(described(neuron, synapse, **changes), "feed", dt)


def changed(neuron, **updates):
    return neuron.model_copy(update=updates)


CURRENT = exponential(tau="10 ms")
LEAKY = leaky_integrate_and_fire(tau="20 ms")


def test_the_kernel_of_the_paper_is_met_to_all_digits():
    """stork's kernel: exponential Euler, 200 steps from the step of the spike on (facts T2.1)."""
    response = kernel(LEAKY, CURRENT)
    shown = response.samples[:200]
    assert shown[0] == 0
    # summed in another order the last digit may differ
    assert shown.sum() * 1e-3 == pytest.approx(0.010507353352192265, rel=1e-15)
    assert (shown**2).sum() * 1e-3 == pytest.approx(0.001841948059032449, rel=1e-15)
    assert response.integral == pytest.approx(1e-3 / (1 - np.exp(-0.1)), rel=1e-7), "all of it, not 200 steps"


def test_formulas_in_continuous_time_miss_the_kernel_at_large_steps_and_meet_it_at_small_ones():
    integral, squared = TAU_SYN, TAU_SYN**2 / 2 / (TAU_SYN + TAU)
    coarse, fine = (kernel(LEAKY, CURRENT, dt) for dt in ("1 ms", "0.1 ms"))
    assert coarse.squared_integral > 1.1 * squared
    # exponential Euler is of first order: a tenth of the step, a tenth of the error
    assert fine.squared_integral == pytest.approx(squared, rel=0.0105)
    assert fine.integral == pytest.approx(integral, rel=0.0051)


def test_the_method_of_the_neuron_is_the_method_of_the_kernel():
    plain = changed(LEAKY, equations=LEAKY.equations.replace(" (unless refractory)", ""), refractory=None)
    t = np.arange(200) * 1e-3
    # linear equations solved exactly: a difference of two exponentials, sampled
    exact = TAU_SYN / (TAU - TAU_SYN) * (np.exp(-t / TAU) - np.exp(-t / TAU_SYN))
    found = kernel(changed(plain, method="exact"), CURRENT).samples[:200]
    assert np.abs(found - exact).max() < ROUNDING
    euler = kernel(changed(plain, method="euler"), CURRENT).samples[:200]
    assert np.abs(euler - exact).max() > 1e-3
    decay, drive = 1 - 1e-3 / TAU, 1 - 1e-3 / TAU_SYN
    geometric = 1e-3 / TAU * (decay ** np.arange(200) - drive ** np.arange(200)) / (decay - drive)
    assert np.abs(euler - geometric).max() < ROUNDING


def test_a_delta_synapse_is_seen_after_the_state_update():
    response = kernel(LEAKY, delta())
    decay = np.exp(-1e-3 / TAU)
    assert np.abs(response.samples[1:50] - decay ** np.arange(1, 50)).max() < ROUNDING
    assert response.integral == pytest.approx(1e-3 * decay / (1 - decay), rel=1e-6)
    assert response.squared_integral == pytest.approx(1e-3 * decay**2 / (1 - decay**2), rel=1e-6)


def test_delays_spikes_and_refractoriness_do_not_matter():
    plain = kernel(LEAKY, CURRENT).samples
    delayed = kernel(LEAKY, CURRENT, delay="7 ms").samples
    hair_trigger = changed(LEAKY, parameters=LEAKY.parameters | {"v_threshold": quantity("-1 mV")})
    assert np.array_equal(delayed, plain)
    assert np.array_equal(kernel(hair_trigger, CURRENT).samples, plain), "at rest it would fire all the time"


def test_noise_is_left_out():
    found, plain = (
        kernel(noisy_leaky_integrate_and_fire(tau="20 ms", sigma=sigma), CURRENT).samples for sigma in ("5 mV", "0 mV")
    )
    assert found.size == plain.size
    assert np.abs(found - plain).max() < ROUNDING


def test_drawn_parameters_are_taken_at_their_mean():
    drawn = Normal(mean=quantity("20 ms"), sd=quantity("5 ms"))
    cells = Population(size=2, neuron=leaky_integrate_and_fire(tau="33 ms"), parameters={"tau": drawn})
    assert np.array_equal(kernel(cells, CURRENT).samples, kernel(LEAKY, CURRENT).samples)


CELL = changed(
    conductance_leaky_integrate_and_fire(),
    equations="dv/dt = (gL*(EL - v) + I)/C : volt",
    threshold="v > limit",
    reset="v = EL",
    refractory=None,
    parameters={n: quantity(v) for n, v in {"gL": "10 nS", "EL": "-70 mV", "C": "200 pF", "limit": "-50 mV"}.items()},
    inputs={"I": "amp"},
    initial={},
)


def conductance(reversal):
    return SynapseModel(
        equations="dg/dt = -g/tau_syn : siemens",
        on_pre="g_post += w",
        current="g*(E - v)",
        weight_unit="siemens",
        parameters={"E": quantity(reversal), "tau_syn": quantity("10 ms")},
    )


def biexponential(steps, dt, decay_of_membrane):
    """Kernel of exponential Euler for unit driving force; with and without a load only this decay differs."""
    response, gate = np.zeros(steps), 1.0
    for k in range(1, steps):
        response[k] = decay_of_membrane * response[k - 1] + (1 - decay_of_membrane) * gate
        gate *= np.exp(-dt / TAU_SYN)
    return response


def test_a_conductance_at_rest_acts_through_its_driving_force():
    """Start at 0 mV, far from rest: what counts is where the membrane settles."""
    for reversal, force in (("0 mV", 70e-3), ("-80 mV", -10e-3)):
        found = kernel(CELL, conductance(reversal)).samples[:200]
        expected = force / 10e-9 * biexponential(200, 1e-3, np.exp(-1 / 20))
        # relative size of what is left of the curvature, the square of the tolerated asymmetry
        assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


def test_under_load_the_time_constant_is_shorter_and_the_force_smaller():
    load = 30e-9
    network, dt = described(CELL, conductance("0 mV")), 1e-3
    per_step = load * (1 - np.exp(-dt / TAU_SYN))
    probe = MembraneProbe(network, "cells", ["feed"], dt, "v")
    rest, loaded = probe.respond(), probe.respond({"feed": per_step}, scale=1e-3)
    # a spike in every step: what the membrane sees has decayed once since
    conductances = load * np.exp(-dt / TAU_SYN) + per_step
    settled = 10e-9 * -70e-3 / (10e-9 + conductances)
    assert rest.potential == pytest.approx(-70e-3, rel=1e-6)
    assert loaded.potential == pytest.approx(settled, rel=1e-6)
    found = loaded.kernels["feed"].samples[:200]
    faster = np.exp(-dt * (10e-9 + conductances) / 200e-12)
    expected = -settled / (10e-9 + conductances) * biexponential(200, dt, faster)
    assert np.abs(found - expected).max() < 1e-5 * expected.max()
    assert found.max() < 0.2 * rest.kernels["feed"].samples.max(), "without the load it would be several times as large"
    again = probe.respond()
    assert np.array_equal(again.kernels["feed"].samples, rest.kernels["feed"].samples), "nothing is left of the load"


@pytest.mark.parametrize(
    ("neuron", "synapse", "says"),
    [
        (LEAKY, depressing(CURRENT), "depends on the spike before it"),
        (LEAKY, SynapseModel(on_pre="v_post += w*w/volt", weight_unit="volt"), "not in proportion to the weight"),
        (LEAKY, SynapseModel(on_pre="v_post += w**3/volt**2", weight_unit="volt"), "not in proportion to the weight"),
        (LEAKY, SynapseModel(on_pre="v_post = w", weight_unit="volt"), "depends on the spike before it"),
        (LEAKY, SynapseModel(on_pre="v_post += 0*w", weight_unit="volt"), "not in proportion to the weight"),
    ],
)
def test_synapses_whose_effect_is_not_a_kernel_times_the_weight_are_refused(neuron, synapse, says):
    with pytest.raises(DescriptionError, match=f"projection 'feed': the effect of a spike on 'v' .*{says}"):
        kernel(neuron, synapse)


@pytest.mark.parametrize(
    ("equations", "says"),
    [
        ("dv/dt = I/tau : volt", "'v' still remembers a spike"),
        ("dv/dt = (v*v/volt + 1*volt + I)/tau : volt", "'v' does not settle"),
        ("dv/dt = (10*mV + I)/tau : volt", "'v' does not settle"),
    ],
)
def test_membranes_without_rest_or_leak_are_refused(equations, says, monkeypatch):
    monkeypatch.setattr("snncompare.dynamics.membrane_probe._LONGEST", 0.4)
    tau = {"tau": quantity("20 ms")}
    neuron = NeuronModel(equations=equations, inputs={"I": "volt"}, parameters=tau, method="euler")
    with pytest.raises(DescriptionError, match=f"population 'cells': {says}"):
        kernel(neuron, CURRENT)


def test_plastic_synapses_have_the_kernel_of_their_initial_weights():
    plastic = kernel(LEAKY, pair_stdp(CURRENT, w_max="1 mV"))
    plain = kernel(LEAKY, CURRENT)
    assert plastic.integral == pytest.approx(plain.integral, rel=1e-6)
    assert plastic.squared_integral == pytest.approx(plain.squared_integral, rel=1e-6)


def test_unknown_names_are_refused():
    network = described(LEAKY, CURRENT)
    with pytest.raises(DescriptionError, match="no projection 'fed'; did you mean 'feed'"):
        postsynaptic_potential(network, "fed", "1 ms")
    with pytest.raises(DescriptionError, match="population 'cells': no membrane variable 'u'"):
        postsynaptic_potential(network, "feed", "1 ms", "u")
