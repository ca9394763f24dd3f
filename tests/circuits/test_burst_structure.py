"""The burst circuits have the sizes, in-degrees and weights of Payeur et al. (2021), as their code states them.

Numbers: notes on the authors' code 2.3 and 2.4 (``sim_propagation.cpp``, ``sim_xor.cpp``); weights in units of the leak.
"""

import numpy as np
import pytest

import snncompare as sc
from snncompare.backends.realisation import realise
from snncompare.circuits.bursts.background import SOMA, with_background
from snncompare.circuits.bursts.currents import (
    with_fluctuating_current,
    with_rectangular_current,
    with_sinusoidal_current,
)
from snncompare.circuits.bursts.decoding import burst_decoding_network
from snncompare.circuits.bursts.hierarchy import burst_hierarchy
from snncompare.circuits.bursts.population import burst_population
from snncompare.circuits.bursts.xor import burst_xor_network
from snncompare.errors import DescriptionError, InputError
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.neurons.two_compartment import two_compartment_pyramidal

LEAK = {
    "soma": 370 / 16,
    "dendrite": 170 / 7,
    "pv": 10.0,
    "som": 5.0,
}  # nS: 23.13, 24.29; notes on the authors' code 1.2, 2.1
# source, target, leak of, excites, U of short-term plasticity, weight, inputs of a neuron (0.05 of 4000 or 1000)
DECODING = [
    ("pyr1", "pyr2", "soma", True, 0.9, 0.05, 200),
    ("pyr1", "pv", "pv", True, 0.9, 0.05, 200),
    ("pv", "pyr2", "soma", False, None, 0.07, 50),
    ("pyr2", "pyr1", "dendrite", True, 0.02, 0.37, 200),
    ("pyr2", "som", "som", True, 0.02, 0.3, 200),
    ("som", "pyr1", "dendrite", False, None, 0.035, 50),
    ("pyr1", "pyr1", "dendrite", False, 0.02, 0.1, 200),
    ("pyr2", "pyr2", "dendrite", False, 0.02, 0.1, 200),
]
XOR = [
    (pre, post, kind, "soma", {"excitation": 0.234, "inhibition": 0.25}[kind])
    for pre, post in (("in1", "hid1"), ("in1", "hid2"), ("in2", "hid1"), ("in2", "hid2"), ("hid1", "out"), ("hid2", "out"))
    for kind in ("excitation", "inhibition")
] + [
    ("out", "hid1", "feedback_excitation", "dendrite", 0.26),
    ("out", "hid1", "feedback_inhibition", "dendrite", 0.06),
    ("out", "hid2", "feedback_excitation", "dendrite", 0.026),
    ("out", "hid2", "feedback_inhibition", "dendrite", 0.27),
]  # fmt: skip


def _weight(projection, leak):
    return projection.weight.value.value * 1e9 / LEAK[leak]


def test_the_decoding_network_is_that_of_the_authors():
    network = burst_decoding_network("payeur2021")
    sizes = {name: population.size for name, population in network.populations.items()}
    assert sizes == {"pyr1": 4000, "pyr2": 4000, "pv": 1000, "som": 1000}
    assert len(network.projections) == len(DECODING)
    for source, target, leak, excites, use, weight, inputs in DECODING:
        projection = network.projections[f"{source}_to_{target}"]
        assert _weight(projection, leak) == pytest.approx(weight, rel=1e-9)
        assert projection.wiring.p * sizes[source] == pytest.approx(inputs)
        assert projection.synapse.parameters["E_syn"].value == (0.0 if excites else -0.08)
        assert projection.into == ("I_d" if leak == "dendrite" else "I")
        assert projection.delay.value == 0.8e-3
        found = projection.synapse.parameters.get("U")
        assert (None if found is None else found.value) == use


def test_the_robust_preset_differs_in_two_weights():
    ours, published = burst_decoding_network(), burst_decoding_network("payeur2021")
    changed = {n: p for n, p in ours.projections.items() if p != published.projections[n]}
    assert {n: round(_weight(p, "dendrite"), 9) for n, p in changed.items()} == {
        "pyr2_to_pyr1": 0.3,
        "som_to_pyr1": 0.045,
    }
    assert ours.populations == published.populations


def test_the_xor_network_is_that_of_the_authors():
    network = burst_xor_network()
    assert {name: population.size for name, population in network.populations.items()} == dict.fromkeys(
        ("in1", "in2", "hid1", "hid2", "out"), 500
    )
    assert len(network.projections) == len(XOR)
    for source, target, kind, leak, weight in XOR:
        projection = network.projections[f"{source}_to_{target}_{kind}"]
        assert _weight(projection, leak) == pytest.approx(weight, rel=1e-9)
        assert projection.wiring.p == pytest.approx(0.2)
        assert projection.delay.value == 0
        assert ("event_pre" if leak == "soma" else "burst_pre") in projection.synapse.on_pre
        plastic = kind == "excitation"
        assert ("learning_rate" in projection.synapse.parameters) == plastic
        if plastic:
            rate = projection.synapse.parameters["learning_rate"].value * 1e9 / LEAK["soma"]
            assert rate == pytest.approx(4e-3 if target == "out" else 8e-3, rel=1e-9)
    currents = {n: p.model.parameters.get("bias_I_d") for n, p in network.populations.items()}
    assert {n: c.value for n, c in currents.items() if c is not None} == {"hid1": 0.0, "hid2": 500e-12, "out": 400e-12}


@pytest.mark.parametrize(
    ("small", "name", "inputs"),
    [
        (burst_xor_network(400, plastic=False), "in1_to_hid1_excitation", 100),
        (burst_decoding_network(size=800), "pyr2_to_pyr1", 200),
        (burst_decoding_network(size=800), "som_to_pyr1", 50),
        (burst_hierarchy(3, size=400), "pv3_to_pyr3", 50),
    ],
    ids=lambda given: given if isinstance(given, str) else None,
)
def test_smaller_networks_keep_the_number_of_inputs(small, name, inputs):
    projection = small.projections[name]
    source, target = (small.populations[end].size for end in (projection.source, projection.target))
    alone = small.model_copy(update={"projections": {name: projection}})
    drawn = realise(alone, seed=0, given=None, dt=1e-4).connections[name]
    mean = drawn.weight.size / target
    spread = np.sqrt(inputs * (1 - inputs / source) / target)  # of the mean of binomial in-degrees
    assert mean == pytest.approx(inputs, abs=4 * spread)


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_hierarchy_of_two_levels_is_the_decoding_network_and_deeper_ones_repeat_it(depth):
    stack = burst_hierarchy(depth, relays=False)
    pair = burst_decoding_network(weights={} if depth == 2 else {"downwards": 0.2})  # stable, unlike 0.3
    assert len(stack.populations) == depth + 2 * (depth - 1)
    assert len(stack.projections) == 6 * (depth - 1) + depth
    for level in range(1, depth):
        names = {"pyr1": f"pyr{level}", "pyr2": f"pyr{level + 1}", "pv": f"pv{level + 1}", "som": f"som{level}"}
        for projection in pair.projections.values():
            source, target = names[projection.source], names[projection.target]
            twin = stack.projections[f"{source}_to_{target}"]
            assert twin == projection.model_copy(update={"source": source, "target": target})
    assert stack.populations["pyr1"] == pair.populations["pyr1"]
    assert stack.populations[f"pyr{depth}"] == pair.populations["pyr2"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: burst_xor_network(399), "at least 400 neurons"),
        (lambda: burst_xor_network(in_degree=0), "in_degree must be above zero"),
        (lambda: burst_xor_network(learning_rate=-1.0), "learning_rate must be a finite number from 0 on"),
        (lambda: burst_xor_network(feedback={"in1": (0.1, 0.1)}), "no hidden population 'in1'"),
        (lambda: burst_xor_network(feedback={"hid1": (-0.1, 0.1)}), "a finite number from 0 on, got -0.1"),
        (lambda: burst_xor_network(dendritic_drive="both"), "dendritic_drive: no choice 'both'"),
        (lambda: burst_decoding_network("robusst"), "preset: no choice 'robusst'; did you mean 'robust'"),
        (lambda: burst_decoding_network(size=199), "at least that many neurons, got 199"),
        (lambda: burst_decoding_network(weights={"upward": 1.0}), "weights: no weight 'upward'"),
        (lambda: burst_decoding_network(weights={"upwards": -1.0}), "'upwards' is a finite number from 0 on"),
        (lambda: burst_hierarchy(1), "at least 2 levels, got 1"),
        (lambda: burst_hierarchy(2.0), "at least 2 levels, got 2.0"),
        (lambda: burst_population(noise="loud"), "noise: no choice 'loud'"),
        (lambda: burst_population(0), "size"),
        (lambda: burst_population(I_d="1 mV"), "the bias must have the unit 'amp'"),
        (lambda: with_background(PYRAMIDAL, SOMA._replace(inhibitory_rate=-1.0)), "inhibitory_rate of a background"),
        (lambda: _sinusoidal(period="0 s"), "period must be above zero"),
        (lambda: _sinusoidal(into="I_x"), "into: no input 'I_x'"),
        (lambda: _sinusoidal(mean="1 mV"), "is in volt and .* is in amp"),
        (lambda: with_fluctuating_current(PYRAMIDAL, mean="0 pA", sd="-1 pA"), "sd must not be negative"),
        (lambda: with_fluctuating_current(PYRAMIDAL, mean="0 pA", sd="1 pA", tau="0 ms"), "tau must be above zero"),
        (lambda: _rectangular(first_duration="-1 ms"), "first_duration must be above zero"),
        (lambda: _rectangular(_rectangular(PYRAMIDAL)), "has a current 'course_I' already"),
    ],
)  # fmt: skip
def test_bad_input_is_refused_in_one_line(make, message):
    with pytest.raises((InputError, DescriptionError), match=message) as refused:
        make()
    assert "\n" not in str(refused.value)


PYRAMIDAL = two_compartment_pyramidal()
CHARGE = NeuronModel(equations="dq/dt = I : coulomb", inputs={"I": "amp"}, method="euler")


def _sinusoidal(**changed):
    given = {"mean": "50 pA", "amplitude": "100 pA", "period": "20 ms", "onset": "10 ms"}
    return with_sinusoidal_current(CHARGE, **(given | changed))


def _rectangular(model=CHARGE, **changed):
    given = {"first": "1 pA", "second": "2 pA", "first_duration": "3 ms", "second_duration": "7 ms", "lag": "4 ms"}
    return with_rectangular_current(model, **(given | changed))


def _current(model):
    """Return the current in every time step but the first, from the charge that it brings."""
    network = Network(populations={"cell": Population(size=1, neuron=model)})
    run = sc.compile(network, "brian2").run({}, duration="50 ms", record=["cell.q"])
    return np.diff(run.traces["cell.q"].values[0, 0]) / 1e-4


def test_currents_follow_their_courses():
    step = np.arange(1, 500)
    sine = 50e-12 + 100e-12 * np.sin(2 * np.pi * (step - 100) / 200) * (step >= 100)
    assert np.allclose(_current(_sinusoidal()), sine, rtol=0, atol=1e-20)  # rounding of sums of 1e-11
    rectangles = np.where((step - 40) % 100 < 30, 1e-12, 2e-12)
    assert np.allclose(_current(_rectangular()), rectangles, rtol=0, atol=1e-20)


def test_a_fluctuating_current_has_its_mean_and_standard_deviation():
    model = with_fluctuating_current(CHARGE, mean="70 pA", sd="450 pA")
    network = Network(populations={"cells": Population(size=400, neuron=model)})
    run = sc.compile(network, "brian2").run({}, duration="100 ms", record=["cells.noise_I"])
    current = run.traces["cells.noise_I"].values[0][:, 200:]  # from ten time constants on
    # Euler's method has a variance larger by 1/(1 - dt/2 tau), 2.5 %; 400 neurons x 20 independent values: s.e. 1 %
    assert current.std() == pytest.approx(450e-12 / np.sqrt(1 - 0.05 / 2), rel=0.03)
    assert current.mean() == pytest.approx(70e-12, abs=3 * 450e-12 / np.sqrt(400 * 20))
