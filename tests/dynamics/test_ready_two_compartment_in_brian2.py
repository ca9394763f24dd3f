"""The two-compartment pyramidal neuron does what was measured of the published one, without noise."""

import numpy as np
import pytest

from snncompare.errors import DescriptionError
from snncompare.network.equations import renamed_equations
from snncompare.network.neurons import two_compartment_pyramidal
from snncompare.network.synapses import ampa

DT = 1e-4

SOMA = "2*nA*int(t >= 10*ms)*int(t < 15*ms)"
DENDRITE = "3.4*nA*(1 - exp(-(t - 10*ms)/(4*ms)))*exp(-(t - 10*ms)/(4*ms))*int(t >= 10*ms)"
LATE_SOMA = "2*nA*int(t >= 30*ms)*int(t < 35*ms)"


def injected(model, soma="0*nA", dendrite="0*nA"):
    equations = renamed_equations(model.equations, {"I": f"(I + {soma})", "I_d": f"(I_d + {dendrite})"})
    return model.model_copy(update={"equations": equations})


def test_soma_fires_with_the_measured_rates(driven):
    steps = np.array([0.45, 0.5, 0.6, 0.8, 1.0, 1.4]) * 1e-9
    run = driven(two_compartment_pyramidal(), steps, 1.0)
    steady = [2 * np.count_nonzero(run.times(k) > 0.5) for k in range(6)]
    # Below the rheobase of g_L 20 mV = 462.5 pA nothing; above, spikes in the last half second of a second.
    assert steady == [0, 6, 10, 18, 26, 42]


@pytest.mark.parametrize(
    ("soma", "dendrite", "expected"),
    [
        (SOMA, "0*nA", [14.1]),
        ("0*nA", DENDRITE, []),
        (SOMA, DENDRITE, [14.1, 23.6, 37.4]),
    ],
)
def test_coincidence_of_soma_and_dendrite_is_a_burst(driven, soma, dendrite, expected):
    run = driven(injected(two_compartment_pyramidal(), soma, dendrite), [0.0], 0.1)
    # The measurement took the parts of a step of 0.1 ms in another order; that and a box one step longer move the later
    # spikes by 0.1 to 0.3 ms.
    assert run.time == pytest.approx(np.array(expected) * 1e-3, abs=0.31e-3)


def euler(steps, box_steps=20):
    """Return when the neuron fires in a recursion written by hand, and its two potentials."""
    v, v_d, w_s, w_d, theta, box = -70e-3, -70e-3, 0.0, 1e-4, -50e-3, 0
    fired, potentials = [], []
    for k in range(steps):
        s = k * DT - 10e-3
        soma = 2e-9 if 100 <= k < 150 else 0.0
        dendrite = 3.4e-9 * (1 - np.exp(-s / 4e-3)) * np.exp(-s / 4e-3) if k >= 100 else 0.0
        plateau = 1 / (1 + np.exp(-(v_d + 38e-3) / 6e-3))
        dv = -(v + 70e-3) / 16e-3 + (1300e-12 * plateau - 200e-12 * w_s + soma) / 370e-12
        dv_d = -(v_d + 70e-3) / 7e-3 + (1200e-12 * plateau + 2600e-12 * (box > 0) - 13e-9 * w_d + dendrite) / 170e-12
        dw_d = (v_d + 70e-3 - w_d) / 30e-3
        v, v_d, w_d, w_s = v + DT * dv, v_d + DT * dv_d, w_d + DT * dw_d, w_s - DT * w_s / 100e-3
        theta, box = theta - DT * (theta + 50e-3) / 27e-3, max(box - 1, 0)
        potentials.append((v, v_d))
        if v > theta:
            fired.append(k)
            v, theta, w_s, box = -70e-3, theta + 2e-3, w_s + 1, box_steps
    return np.array(fired), np.array(potentials).T


def test_burst_is_that_of_a_recursion_written_by_hand(driven):
    run = driven(injected(two_compartment_pyramidal(), SOMA, DENDRITE), [0.0], 0.1, record=["v", "v_d"])
    fired, potentials = euler(1000)
    assert np.array_equal(np.rint(run.time / DT), fired)
    found = np.stack([run.traces["v"][0], run.traces["v_d"][0]])
    assert found == pytest.approx(potentials, rel=0, abs=1e-10)  # rounding, amplified by the plateau
    assert not np.array_equal(euler(1000, box_steps=15)[0], fired)


def test_twenty_milliseconds_later_there_is_no_coincidence(driven):
    run = driven(injected(two_compartment_pyramidal(), LATE_SOMA, DENDRITE), [0.0], 0.1)
    assert run.time.size == 1


def test_refractory_period_and_late_box_leave_two_spikes_of_the_burst(driven):
    model = two_compartment_pyramidal(box_delay="0.5 ms", refractory="3 ms")
    run = driven(injected(model, SOMA, DENDRITE), [0.0], 0.1)
    assert run.time.size == 2  # the test above has three


@pytest.mark.parametrize(("tau_d", "below", "above"), [("7 ms", 0.50e-9, 0.60e-9), ("8 ms", 0.40e-9, 0.45e-9)])
def test_dendrite_has_a_threshold_for_its_plateau(driven, tau_d, below, above):
    model = two_compartment_pyramidal(tau_d=tau_d)
    peak = driven(model, [below, above], 0.1, into="I_d", record=["v_d"]).traces["v_d"].max(axis=1)
    # A plateau lifts the dendrite far above the half-activation of -38 mV; without, it stays below.
    assert peak[0] < -38e-3
    assert peak[1] > -20e-3


def test_without_the_dendritic_current_there_is_no_plateau(driven):
    model = two_compartment_pyramidal()
    changed = model.model_copy(update={"parameters": {**model.parameters, "g_d": "0 pA"}})
    assert driven(changed, [0.6e-9], 0.1, into="I_d", record=["v_d"]).traces["v_d"].max() < -38e-3


@pytest.mark.parametrize(("delay", "first"), [("0 ms", 1), ("0.5 ms", 6)])
def test_a_spike_opens_the_box_for_twenty_steps_from_its_delay_on(driven, delay, first):
    run = driven(injected(two_compartment_pyramidal(box_delay=delay), SOMA), [0.0], 0.05, record=["box"])
    spike = round(run.time[0] / DT)
    assert run.time.size == 1
    assert np.array_equal(np.flatnonzero(run.traces["box"][0]), spike + first + np.arange(20))


def test_a_spike_inside_the_box_restarts_it(driven):
    run = driven(injected(two_compartment_pyramidal(), "15*nA*int(t < 3*ms)"), [0.0], 0.02, record=["box"])
    spikes = np.rint(run.time / DT).astype(int)
    assert spikes.size >= 2
    assert np.diff(spikes).max() < 20
    assert np.array_equal(np.flatnonzero(run.traces["box"][0]), np.arange(spikes[0] + 1, spikes[-1] + 21))


def test_threshold_moves_by_two_millivolts_a_spike_and_adaptation_by_one(driven):
    run = driven(two_compartment_pyramidal(), [0.8e-9], 0.1, record=["theta", "w_s"])
    after = round(run.time[0] / DT) + 1
    assert run.traces["theta"][0, after] == pytest.approx(-50e-3 + 2e-3 * (1 - DT / 27e-3), abs=1e-9)
    assert run.traces["w_s"][0, after] == pytest.approx(1 - DT / 100e-3, abs=1e-9)


@pytest.mark.parametrize(("drive", "read"), [("soma", "v"), ("local", "v_d")])
def test_dendritic_conductance_is_driven_from_where_it_was_asked_to_be(connected, simulate, drive, read):
    model = two_compartment_pyramidal(dendritic_drive=drive)
    network = connected(model, ampa(voltage="v_drive"), "20 nS", into="I_d")
    run = simulate(network, 0.02, spikes=[(0, 1e-3)], record=["v", "v_d", "x_feed", "I_d"])
    there = slice(30, None)
    expected = -run.traces["x_feed"] * run.traces[read]
    other = -run.traces["x_feed"] * run.traces["v_d" if read == "v" else "v"]
    assert run.traces["I_d"][:, there] == pytest.approx(expected[:, there], rel=1e-12)
    assert np.abs(other - expected)[:, there].max() > 0.05 * np.abs(expected).max()


def test_another_drive_is_refused():
    with pytest.raises(DescriptionError, match="no choice 'axon'"):
        two_compartment_pyramidal(dendritic_drive="axon")
