"""Synaptic currents and conductances have the time course, peak and voltage dependence of their equations."""

import numpy as np
import pytest

from snncompare.errors import DescriptionError
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons import conductance_leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapses import (
    alpha,
    ampa,
    as_conductance,
    delta,
    double_exponential,
    exponential,
    gaba_a,
    gaba_b,
    nmda,
    saturating_nmda,
)

DT = 1e-4
SPIKE = 10
"""Step of the spike; the current that follows from it is first integrated in the next step."""


def clamped():
    """Return a neuron whose membrane potential stays where it starts."""
    return NeuronModel(equations="dv/dt = 0*volt/second : volt", inputs={"I": "amp"}, method="euler")


@pytest.fixture
def response(simulate, connected):
    """Return a variable after one spike, from the step of its arrival on; for several `potentials` (step, neuron)."""

    def of(model, synapse, weight, *, steps=400, potentials=None, dt=DT, variable="I", spikes=(SPIKE,)):
        size = 1 if potentials is None else len(potentials)
        values = {} if potentials is None else {"v": potentials}
        times = [(0, (step + 1) * dt) for step in spikes]
        network = connected(model, synapse, weight, size=size)
        run = simulate(network, (SPIKE + 2 + steps) * dt, dt=dt, spikes=times, values=values, record=[variable])
        found = run.traces[variable][:, SPIKE + 1 :]
        return found[0] if potentials is None else found.T

    return of


def test_delta_synapse_moves_the_variable_by_its_weight(simulate, connected):
    run = simulate(connected(clamped(), delta(), "3 mV"), 0.005, spikes=[(0, 1e-3), (0, 3e-3)], record=["v"])
    v = run.traces["v"][0]
    # The potential is read before the spikes of a step arrive.
    assert np.array_equal(v[[10, 11, 30, 31]], [0, 3e-3, 3e-3, 6e-3])


def test_exponential_current_decays_from_its_weight(response):
    current = response(leaky_readout(), exponential(tau="4 ms"), "2 mV", variable="x_feed")
    steps = np.arange(1, 400)
    assert current[1:400] == pytest.approx(2e-3 * np.exp(-steps * DT / 4e-3), rel=1e-12)
    assert current[1:400] != pytest.approx(2e-3 * np.exp(-steps * DT / 5e-3), rel=0.01)


@pytest.mark.parametrize(("method", "tolerance"), [("exact", 1e-12), ("exponential_euler", 0.02)])
def test_alpha_current_peaks_at_its_weight_after_its_time_constant(response, method, tolerance):
    model = leaky_readout().model_copy(update={"method": method})
    current = response(model, alpha(tau="4 ms"), "2 mV", variable="x_feed")
    steps = np.arange(1, 400)
    x = steps * DT / 4e-3
    # The exact method is exact; exponential Euler is behind by half a step of 0.1 ms at first order.
    assert current[1:400] == pytest.approx(2e-3 * x * np.exp(1 - x), abs=2e-3 * tolerance)
    assert abs(current.argmax() - 40) <= (0 if method == "exact" else 1)
    assert current.max() == pytest.approx(2e-3, rel=2e-2)


@pytest.mark.parametrize(("rise", "decay"), [(1.0, 5.0), (2.0, 10.0), (6.0, 3.0)])
def test_double_exponential_peaks_at_its_weight_where_both_slopes_are_equal(response, rise, decay):
    synapse = double_exponential(tau_rise=f"{rise} ms", tau_decay=f"{decay} ms")
    x, y = (response(leaky_readout(), synapse, "2 mV", variable=name) for name in ("x_feed", "y_feed"))
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    height = np.exp(-peak / decay) - np.exp(-peak / rise)
    steps = np.arange(1, 400)
    exact = 2e-3 * (np.exp(-steps * 0.1 / decay) - np.exp(-steps * 0.1 / rise)) / height
    assert (x - y)[1:400] / height == pytest.approx(exact, rel=1e-9, abs=1e-18)
    assert exact.max() == pytest.approx(2e-3, rel=1e-3)  # on the grid of 0.1 ms
    assert abs(exact.argmax() + 1 - peak / 0.1) < 1


def test_equal_time_constants_are_refused():
    with pytest.raises(DescriptionError, match="use 'alpha'"):
        double_exponential(tau_rise="5 ms", tau_decay="5 ms")


@pytest.mark.parametrize(
    ("synapse", "reversal"), [(ampa(), 0.0), (gaba_a(), -80e-3), (gaba_b(), -95e-3), (ampa(reversal="-20 mV"), -20e-3)]
)
def test_conductance_currents_vanish_at_their_reversal_potential(response, synapse, reversal):
    potentials = reversal + np.array([0.0, 10e-3, -10e-3])
    at, above, below = response(clamped(), synapse, "1 nS", potentials=potentials).T
    assert np.abs(at).max() < 1e-27
    assert np.all(above[5:] < 0)
    assert np.all(below[5:] > 0)
    assert -above == pytest.approx(below, rel=1e-9, abs=1e-30)


def test_conductance_current_is_conductance_times_driving_force(response):
    current, conductance = (
        response(clamped(), ampa(tau="4 ms"), "2 nS", potentials=[-60e-3], variable=name) for name in ("I", "x_feed")
    )
    assert conductance.max() == pytest.approx(2e-9, rel=0.03)
    assert current == pytest.approx(conductance * 60e-3, rel=1e-12)


def test_any_current_becomes_a_conductance_except_the_delta_synapse(response):
    synapse = as_conductance(alpha(tau="4 ms", unit="siemens"), reversal="-70 mV")
    current = response(clamped(), synapse, "2 nS", potentials=[-60e-3])
    assert current.min() == pytest.approx(-2e-9 * 10e-3, rel=0.01)
    with pytest.raises(DescriptionError, match="no driving force"):
        as_conductance(delta(), reversal="0 mV")


def test_conductance_on_the_leak_scale_fits_a_neuron_without_capacitance(response):
    synapse = ampa(reversal="70 mV", unit="1")
    current = response(leaky_readout(), synapse, "0.5", steps=2)
    assert current[1] == pytest.approx(0.5 * np.exp(-DT / 5e-3) * 70e-3, rel=0.01)


def test_inhibitory_conductance_shunts_without_moving_the_membrane_at_its_reversal(simulate, connected):
    model = conductance_leaky_integrate_and_fire()
    network = connected(model, gaba_a(reversal="-60 mV"), "20 nS")
    v = simulate(network, 0.02, spikes=[(0, 1e-3)], record=["v"]).traces["v"][0]
    assert np.abs(v + 60e-3).max() < 1e-15
    hyperpolarised = connected(model, gaba_a(), "20 nS")
    assert simulate(hyperpolarised, 0.02, spikes=[(0, 1e-3)], record=["v"]).traces["v"][0].min() < -65e-3


def test_magnesium_blocks_the_fraction_of_jahr_and_stevens(response):
    v = np.array([-80.0, -60.0, -20.0, 0.0, 40.0])
    open_fraction = np.array([0.0244, 0.0796, 0.5081, 0.7812, 0.9771])
    assert open_fraction == pytest.approx(1 / (1 + np.exp(-0.062 * v) / 3.57), abs=1e-4)
    options = {"potentials": v * 1e-3, "steps": 100}
    found = response(clamped(), nmda(), "1 nS", variable="block_feed", **options)
    assert found[1:] == pytest.approx(np.broadcast_to(open_fraction, found[1:].shape), abs=1e-4)
    free, blocked = (
        response(clamped(), nmda(magnesium=magnesium), "1 nS", **options) for magnesium in ("0 mM", "1 mM")
    )
    assert blocked == pytest.approx(open_fraction * free, rel=5e-3)  # four decimals of 0.0244
    assert np.abs(free).max(axis=0) == pytest.approx(1e-12 * np.abs(v), rel=0.01, abs=1e-20)


def test_nmda_leaves_the_equation_of_a_leaky_neuron_linear(simulate, connected):
    network = connected(conductance_leaky_integrate_and_fire(), nmda(), "5 nS")
    run = simulate(network, 0.05, spikes=[(0, 1e-3)], record=["v"])
    assert run.traces["v"][0].max() > -58.5e-3


def test_gates_saturate_each_for_itself(response, simulate, connected):
    fast = tuple(range(SPIKE, SPIKE + 400, 20))  # 500 Hz
    once = response(clamped(), saturating_nmda(), "1 nS", variable="g_feed")
    many = response(clamped(), saturating_nmda(), "1 nS", variable="g_feed", spikes=fast)
    linear_once, linear_many = (
        response(clamped(), nmda(), "1 nS", variable="x_feed", spikes=spikes) for spikes in ((SPIKE,), fast)
    )
    assert 0.4e-9 < once.max() < 0.7e-9
    assert 0.9e-9 < many.max() < 1e-9
    assert linear_many.max() > 10 * linear_once.max()
    # Two synapses with half the spikes each open further than one with all of them.
    network = connected(clamped(), saturating_nmda(), "1 nS", sources=2)
    spikes = [(k % 2, (step + 1) * DT) for k, step in enumerate(fast)]
    two = simulate(network, 0.05, spikes=spikes, record=["g_feed"]).traces["g_feed"].max()
    assert two > 1.5 * many.max()


def test_saturating_gate_follows_its_equation(response):
    found = response(clamped(), saturating_nmda(), "1 nS", steps=200, variable="g_feed", dt=2e-5)
    s, r, fine = 0.0, 1.0, 2e-6
    expected = []
    for _ in range(2000):
        expected.append(s)
        s, r = s + fine * (-s / 100e-3 + 500 * r * (1 - s)), r - fine * r / 2e-3
    # Both are first order: a hundredth of the rise time of 2 ms a step.
    assert found[1:200] == pytest.approx(1e-9 * np.array(expected)[:1990:10], abs=0.02e-9)
