"""Quadratic neurons, the theta neuron and Izhikevich's neuron fire as their closed forms and published patterns say."""

import numpy as np
import pytest

from snncompare.network.neurons import izhikevich, quadratic_integrate_and_fire, theta_neuron
from snncompare.network.neurons.quadratic import IZHIKEVICH_PATTERNS

DRIVES = np.array([0.25, 1.0, 4.0])


def periods(run, size):
    return np.array([np.diff(run.times(k)).mean() for k in range(size)])


def test_quadratic_neuron_has_the_period_of_the_closed_form(driven):
    found = periods(driven(quadratic_integrate_and_fire(), DRIVES, 0.5), 3)
    root = np.sqrt(DRIVES)
    exact = 10e-3 / root * 2 * np.arctan(30 / root)
    # A spike waits for the end of its step of 0.1 ms, of which it needs a third from v = 30 on.
    assert np.all(np.abs(found - exact) < 1e-4)
    slower = periods(driven(quadratic_integrate_and_fire(tau="11 ms"), DRIVES, 0.5), 3)
    assert np.all(np.abs(slower - exact) > 1e-3)


def test_rate_of_the_theta_neuron_is_the_square_root_of_the_drive(driven):
    found = periods(driven(theta_neuron(), DRIVES, 0.5), 3)
    # The phase is kept through the reset, so the error is one step of 0.1 ms in all periods together, seven at least.
    assert found == pytest.approx(np.pi * 10e-3 / np.sqrt(DRIVES), abs=2e-5)


def test_theta_neuron_is_the_quadratic_neuron_with_infinite_peak(driven):
    theta = periods(driven(theta_neuron(), DRIVES, 0.2, dt=4e-5), 3)
    gap = []
    for peak in (30, 300):
        quadratic = driven(quadratic_integrate_and_fire(v_peak=peak, v_reset=-peak), DRIVES, 0.2, dt=4e-5)
        gap.append(np.abs(periods(quadratic, 3) - theta))
    # From the peak to infinity and back takes 2 tau/peak: 0.67 and 0.067 ms.
    # Of the 0.04 ms of a step the quadratic neuron loses one at most, the theta neuron a third (three periods or more).
    assert gap[0] == pytest.approx(0.667e-3, abs=5e-5)
    assert gap[1] == pytest.approx(0.067e-3, abs=5e-5)


def test_quadratic_and_theta_neuron_move_together_below_threshold(driven):
    start = -1.0
    v = driven(quadratic_integrate_and_fire(), [0.5], 0.01, values={"v": [start]}, record=["v"]).traces["v"][0]
    phase = driven(theta_neuron(), [0.5], 0.01, values={"theta": [2 * np.arctan(start)]}, record=["theta"])
    # Both by fourth-order Runge-Kutta with steps of tau/100.
    assert np.tan(phase.traces["theta"][0] / 2) == pytest.approx(v, abs=1e-7)
    assert v[-1] - v[0] > 0.5


def test_izhikevich_neurons_fire_in_the_published_patterns(driven):
    names = list(IZHIKEVICH_PATTERNS)
    made = [izhikevich(name) for name in names]
    each = {p: np.array([m.parameters[p].value for m in made]) for p in "abcd"}
    start = {"v": each["c"], "u": each["b"] * each["c"]}
    run = driven(izhikevich(), np.full(len(names), 10.0), 0.5, each=each, values=start)  # 10 mV/ms
    gaps = {name: np.diff(run.times(k))[-6:] for k, name in enumerate(names)}
    assert gaps["regular spiking"].min() > 20e-3
    assert np.ptp(gaps["regular spiking"]) < 1e-3
    assert gaps["chattering"].min() < 5e-3
    assert gaps["chattering"].max() > 20e-3
    first, *_, last = np.diff(run.times(names.index("intrinsically bursting")))
    assert first < 5e-3
    assert last > 20e-3
    assert gaps["fast spiking"].max() < 15e-3
    rates = {name: run.times(k).size for k, name in enumerate(names)}
    assert rates["fast spiking"] > rates["low-threshold spiking"] > rates["regular spiking"]


def test_with_the_reset_of_regular_spiking_the_chattering_neuron_does_not_burst(driven):
    chattering = izhikevich("chattering")
    changed = chattering.model_copy(update={"parameters": {**chattering.parameters, "c": "-65 mV"}})
    gaps = np.diff(driven(changed, [10.0], 0.5).times())[5:]
    assert gaps.min() > 0.9 * gaps.max()


def test_izhikevich_neuron_rests_without_input_where_both_nullclines_meet(driven):
    run = driven(izhikevich(), [0.0], 0.3, record=["v", "u"])
    assert run.time.size == 0
    # 0.04 v^2 + (5 - b) v + 140 = 0 with b = 0.2: the lower root is -70 mV.
    assert run.traces["v"][0, -1] == pytest.approx(-70e-3, abs=1e-5)
    assert run.traces["u"][0, -1] == pytest.approx(-14.0, abs=2e-3)
