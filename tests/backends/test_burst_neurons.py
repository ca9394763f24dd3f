"""The neurons of the burst-multiplexing circuit fire as was measured of the published ones, on every backend."""

import numpy as np
import pytest

import snncompare as sc
from snncompare.network.equations import renamed_equations
from snncompare.network.initialisers import Normal, Uniform
from snncompare.network.network import Network, Population
from snncompare.network.neurons import (
    burst_poisson_neuron,
    leak_units,
    two_compartment_pyramidal,
    with_bias,
    with_poisson_background,
)
from snncompare.recording.bursts import BURST, EVENT, spike_kinds
from snncompare.units import quantity

BACKENDS = ["brian2", "torch"]
SOMA = "2*nA*int(t >= 10*ms)*int(t < 15*ms)"
DENDRITE = "3.4*nA*(1 - exp(-(t - 10*ms)/(4*ms)))*exp(-(t - 10*ms)/(4*ms))*int(t >= 10*ms)"
LATE_SOMA = "2*nA*int(t >= 30*ms)*int(t < 35*ms)"
BURN_IN = 0.5


def injected(model, soma="0*nA", dendrite="0*nA"):
    return model.model_copy(
        update={"equations": renamed_equations(model.equations, {"I": f"(I + {soma})", "I_d": f"(I_d + {dendrite})"})}
    )


def driven(backend, model, soma, dendrite, duration, *, seed=0, record=None, **options):
    """Return the recording of one neuron for each pair of constant currents (pA)."""
    currents = {"bias_I": np.asarray(soma, float) * 1e-12, "bias_I_d": np.asarray(dendrite, float) * 1e-12}
    given = Uniform(low=quantity("0 pA"), high=quantity("1 pA"))  # replaced by the currents
    neuron = with_bias(with_bias(model, "0 pA"), "0 pA", into="I_d")
    initial = {} if "g_soma_e" not in model.names() else {"v": Normal(mean=quantity("-70 mV"), sd=quantity("5 mV"))}
    cells = Population(size=len(soma), neuron=neuron, parameters=dict.fromkeys(currents, given), initial=initial)
    network = Network(populations={"cells": cells})
    program = sc.compile(network, backend, weights={"cells": currents}, **options)
    return program.run({}, duration=f"{duration} s", seed=seed, record=record)


def trains(run):
    return [run.times[first:last] for first, last in zip(run.offsets[:-1], run.offsets[1:], strict=True)]


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_soma_fires_with_the_measured_steady_rates(backend):
    # Rheobase g_L 20 mV = 462.5 pA; 1 s steps of 0.5 to 1.4 nA fire 6, 10, 18, 26, 42 Hz (specification, 6.3).
    steps = [450, 500, 600, 800, 1000, 1400]
    found = trains(driven(backend, two_compartment_pyramidal(), steps, [0] * 6, 1.0))
    assert [2 * np.count_nonzero(train > 0.5) for train in found] == [0, 6, 10, 18, 26, 42]


CASES = {
    "soma alone": (SOMA, "0*nA", {}, [14.1]),
    "dendrite alone": ("0*nA", DENDRITE, {}, []),
    "coincidence": (SOMA, DENDRITE, {}, [14.1, 23.6, 37.4]),
    "soma 20 ms later": (LATE_SOMA, DENDRITE, {}, 1),
    "refractory, late box": (SOMA, DENDRITE, {"box_delay": "0.5 ms", "refractory": "3 ms"}, 2),
}


@pytest.mark.parametrize("case", CASES)
def test_coincidence_counts_are_the_measured_ones_spike_for_spike(case):
    soma, dendrite, options, expected = CASES[case]
    model = injected(two_compartment_pyramidal(**options), soma, dendrite)
    one, other = (driven(backend, model, [0], [0], 0.1).times for backend in BACKENDS)
    assert np.array_equal(one, other)
    if isinstance(expected, int):
        assert one.size == expected
    else:
        # The measurement updated the parts of a step in another order: within three steps of 0.1 ms.
        assert one * 1e3 == pytest.approx(expected, abs=0.31)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_dendrite_has_a_threshold_between_half_and_six_tenths_of_a_nanoampere(backend):
    run = driven(backend, two_compartment_pyramidal(), [0, 0], [500, 600], 0.1, record=["cells.v_d"])
    below, above = run.traces["cells.v_d"].values[0].max(axis=-1)
    assert below < -38e-3 < -20e-3 < above


def noisy(model):
    """Return the model with the background of Payeur et al. (2021): 500 Hz of excitation and of inhibition each."""
    for compartment, weight, into, voltage in (("soma", 0.35, "I", "v"), ("dendrite", 0.05, "I_d", "v_drive")):
        for sign, tau, reversal in (("e", "5 ms", "0 mV"), ("i", "10 ms", "-80 mV")):
            model = with_poisson_background(
                model,
                rate="500 Hz",
                weight=leak_units(model, compartment, weight),
                tau=tau,
                reversal=reversal,
                into=into,
                voltage=voltage,
                name=f"{compartment}_{sign}",
            )
    return model


def statistics(backend, model, points, *, n=120, duration=3.0, **options):
    """Return event rate (Hz) and burst probability at pairs of somatic and dendritic current (pA)."""
    soma, dendrite = np.repeat(np.array(points, float), n, axis=0).T
    run = driven(backend, noisy(model), soma, dendrite, duration + BURN_IN, **options)
    kinds, unit = spike_kinds(run), run.spike_index()[1]
    events, bursts = (
        np.bincount(unit[(kinds == kind) & (run.times > BURN_IN)] // n, minlength=len(points))
        for kind in (EVENT, BURST)
    )
    return events / (n * duration), bursts / np.maximum(events, 1)


# Points of the curves of sections 6.2 and 6.4 (measured with 0.1 ms Euler steps): somatic and dendritic current (pA),
# event rate (Hz), burst probability. Their tolerances are 5 % and 0.015; n neurons for T seconds add sampling error:
# below 3 standard errors of 1/sqrt(n T ER) for the rate and of sqrt(BP(1 - BP)/(n T ER)) for the probability.
FULL = {(0, 50): (5.54, 0.226), (0, 200): (5.15, 0.564), (200, 50): (7.87, 0.280)}
LOCAL = {(0, 200): (None, 0.377)}
POISSON = {(0, 0): (5.99, 0.106), (0, 500): (5.99, 0.515), (300, 0): (11.2, 0.108)}


def misses(found, expected, n, duration):
    """Return the points at which event rate or burst probability lie outside the band."""
    outside = []
    for point, rate, probability in zip(expected, *found, strict=True):
        event_rate, burst_probability = expected[point]
        events = n * duration * rate
        if event_rate is not None and abs(rate / event_rate - 1) > 0.05 + 3 / np.sqrt(events):
            outside.append((point, "ER", rate))
        if abs(probability - burst_probability) > 0.015 + 3 * np.sqrt(probability * (1 - probability) / events):
            outside.append((point, "BP", probability))
    return outside


MODELS = {
    "full": (two_compartment_pyramidal, {}, FULL),
    "local": (two_compartment_pyramidal, {"dendritic_drive": "local"}, LOCAL),
    "burst-Poisson": (burst_poisson_neuron, {}, POISSON),
}


@pytest.mark.slow
@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", MODELS)
def test_event_rates_and_burst_probabilities_are_the_measured_ones(backend, kind):
    make, options, expected = MODELS[kind]
    found = statistics(backend, make(**options), list(expected), n=100, duration=2.0)
    assert misses(found, expected, 100, 2.0) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"dendritic_drive": "local"}, {(0, 200): (5.15, 0.564)}),
        ({"box_duration": "2.2 ms"}, {(0, 50): (5.54, 0.226)}),
        ({"tau_d": "8 ms"}, {(0, 50): (5.54, 0.226)}),
    ],
    ids=["local drive", "longer box", "slower dendrite"],
)
def test_other_neurons_leave_the_band(change, expected):
    found = statistics("brian2", two_compartment_pyramidal(**change), list(expected), n=100, duration=2.0)
    assert any(what == "BP" for _, what, _ in misses(found, expected, 100, 2.0))


def test_without_a_plateau_there_are_no_bursts():
    model = two_compartment_pyramidal()
    still = model.model_copy(update={"parameters": {**model.parameters, "g_s": "0 pA", "g_d": "0 pA", "zeta": "0 pA"}})
    rate, probability = statistics("brian2", still, [(0, 50)], n=100, duration=0.5)
    assert rate[0] > 2
    assert probability[0] < 0.1  # 0.226 with them


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_burst_poisson_neuron_fires_twice_at_most_and_never_in_its_pause(backend):
    run = driven(backend, noisy(burst_poisson_neuron()), [300] * 40, [400] * 40, 0.7)
    kinds = spike_kinds(run)
    gaps = np.diff(run.times)[np.diff(run.spike_index()[1]) == 0] * 1e3
    second = gaps[gaps < 16]
    assert EVENT in kinds
    assert set(kinds) <= {EVENT, BURST}
    assert second.size > 50
    assert 5 - 0.101 <= second.min() < 7
    assert 13 < second.max() <= 15.001
    assert gaps[gaps >= 16].min() >= 20 - 1e-6


@pytest.mark.slow
def test_the_dendrite_of_a_burst_poisson_neuron_does_not_change_its_rate_of_events():
    rate, probability = statistics("torch", burst_poisson_neuron(), [(0, -200), (0, 600)], n=60, duration=1.0)
    events = 60 * rate.min()
    assert abs(rate[1] / rate[0] - 1) < 0.05 + 3 * np.sqrt(2 / events)  # the second spike prolongs the pause a little
    assert probability[1] - probability[0] > 0.4  # 0.046 and 0.620
