"""Leaky and exponential integrate-and-fire neurons fire as their closed forms and published patterns say."""

import numpy as np
import pytest

from snncompare.network.neurons import (
    adaptive_exponential_integrate_and_fire,
    adaptive_leaky_integrate_and_fire,
    conductance_leaky_integrate_and_fire,
    exponential_integrate_and_fire,
    firing_pattern,
    leaky_integrate_and_fire,
    parvalbumin_interneuron,
    somatostatin_interneuron,
)
from snncompare.network.neurons.exponential import FIRING_PATTERNS

DT = 1e-4


def periods(run, size):
    return np.array([np.diff(run.times(k)).mean() for k in range(size)])


def test_leaky_integrate_and_fire_has_the_period_of_the_closed_form(driven):
    amounts = np.array([11.0, 12.0, 15.0, 20.0, 40.0]) * 1e-3
    found = periods(driven(leaky_integrate_and_fire(), amounts, 0.3), 5)
    exact = 2e-3 + 20e-3 * np.log(amounts / (amounts - 10e-3))
    # Between spikes the integration is exact; in Brian2 the step of the spike is the first of the refractory period.
    assert np.all((found > exact - DT) & (found < exact + 1e-9))
    other = 2e-3 + 22e-3 * np.log(amounts / (amounts - 10e-3))
    assert np.all(np.abs(found - other) > DT)


def test_conductance_neuron_has_the_period_of_the_closed_form(driven):
    amounts = np.array([0.11, 0.15, 0.3]) * 1e-9
    found = periods(driven(conductance_leaky_integrate_and_fire(), amounts, 0.4), 3)
    exact = 5e-3 + 20e-3 * np.log(amounts / (amounts - 10e-9 * 10e-3))
    assert np.all((found > exact - DT) & (found < exact + 1e-9))


def test_adaptive_threshold_settles_where_decay_and_jump_balance(driven):
    run = driven(adaptive_leaky_integrate_and_fire(), [20e-3], 1.0, record=["a"])
    period = np.diff(run.times())[-1]
    before_spike = run.traces["a"][0][round(run.times()[-1] / DT)]
    # In the steady state a jumps by 1 mV and decays back within one period: a = b q/(1 - q) before the jump.
    q = np.exp(-period / 100e-3)
    assert before_spike == pytest.approx(1e-3 * q / (1 - q), rel=0.02)  # the period is known to one step in 14 ms
    assert np.diff(run.times())[0] < 0.8 * period


def test_exponential_neuron_fires_from_its_rheobase_on(driven):
    rheobase = 20e-9 * (-59.9e-3 + 65e-3 - 3.48e-3)
    run = driven(exponential_integrate_and_fire(), rheobase * np.array([0.5, 0.995, 1.02, 2.0]), 0.5)
    assert np.array_equal(run.count(4) > 0, [False, False, True, True])
    softer = exponential_integrate_and_fire(Delta_T="2 mV")  # rheobase 91 % higher
    assert driven(softer, [1.5 * rheobase], 0.5).time.size == 0


def test_exponential_neuron_slows_down_at_the_rheobase_as_a_saddle_node_does(driven):
    rheobase = 20e-9 * (-59.9e-3 + 65e-3 - 3.48e-3)
    excess = rheobase * np.array([0.04, 0.16])
    found = periods(driven(exponential_integrate_and_fire(), rheobase + excess, 1.2), 2)
    # Close to the bifurcation the passage takes pi C sqrt(2 Delta_T/(g_L excess)); the rest of the period is shorter
    # than a fifth of it here.
    passage = np.pi * 200e-12 * np.sqrt(2 * 3.48e-3 / (20e-9 * excess))
    assert np.all(np.abs(found - passage) < 0.2 * passage)
    assert found[0] / found[1] == pytest.approx(2, rel=0.1)


def test_adaptive_exponential_neurons_fire_in_the_published_patterns(driven):
    names = list(FIRING_PATTERNS)
    made = [firing_pattern(name) for name in names]
    each = {p: np.array([m.parameters[p].value for m, _ in made]) for p in made[0][0].parameters}
    model, amounts = adaptive_exponential_integrate_and_fire(), [current.value for _, current in made]
    run = driven(model, amounts, 0.6, each=each, values={"v": each["E_L"]})
    spikes = {name: run.times(k) for k, name in enumerate(names)}
    gaps = {name: np.diff(times) for name, times in spikes.items()}
    assert np.ptp(gaps["tonic"][5:]) <= 2 * DT
    assert np.all(np.diff(gaps["adapting"][:6]) > 0)
    assert gaps["adapting"][-1] > 5 * gaps["adapting"][0]
    assert np.all(gaps["initial burst"][:2] < 10e-3)
    assert np.all(gaps["initial burst"][2:] > 50e-3)
    short, long = np.sort(gaps["regular bursting"])[:-4], np.sort(gaps["regular bursting"])[-4:]
    assert short.max() < 10e-3
    assert np.all(long > 100e-3)
    assert spikes["delayed accelerating"][0] > 2 * spikes["adapting"][0]
    assert np.all(np.diff(gaps["delayed accelerating"]) <= DT)
    assert gaps["delayed accelerating"][-1] < 0.6 * gaps["delayed accelerating"][0]
    assert spikes["delayed regular bursting"][0] > 50e-3
    assert np.count_nonzero(gaps["delayed regular bursting"] > 50e-3) >= 6
    assert spikes["transient"].size >= 1
    assert spikes["transient"].max() < 0.1
    assert gaps["irregular"].std() > 0.3 * gaps["irregular"].mean()


def test_without_its_jump_the_bursting_neuron_fires_tonically(driven):
    model, current = firing_pattern("regular bursting")
    changed = model.model_copy(update={"parameters": {**model.parameters, "b": "0 pA"}})
    gaps = np.diff(driven(changed, [current.value], 0.3).times())
    assert gaps.size > 10
    assert np.ptp(gaps[5:]) <= 2 * DT


@pytest.mark.parametrize(
    ("model", "rheobase", "v", "w"),
    [(parvalbumin_interneuron(), 200e-12, -48e-3, 0.0), (somatostatin_interneuron(), 25e-12, -61.455e-3, 4.273e-12)],
)
def test_interneurons_leave_their_resting_state_at_the_published_rheobase(driven, model, rheobase, v, w):
    # From just below the potential where the resting state vanishes, with the adaptation that belongs to it: from rest
    # the slow adaptation would let a first spike pass.
    start = {"v": np.full(2, v - 0.5e-3), "w": np.full(2, w)}
    run = driven(model, rheobase * np.array([0.99, 1.015]), 1.5, values=start)
    assert np.array_equal(run.count(2) > 0, [False, True])


def test_a_refractory_interneuron_is_held_where_it_was_asked_to_be(driven):
    for hold, expected in (("rest", -70e-3), ("reset", -55e-3)):
        run = driven(parvalbumin_interneuron(hold=hold), [400e-12], 0.1, record=["v"])
        held = run.traces["v"][0][round(run.times()[0] / DT) + 1 :][:8]
        assert np.all(held == expected)
