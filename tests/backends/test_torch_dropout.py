"""Spikes that are dropped or scaled act as if the weights behind their neuron were scaled in that trial."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.realisation import realise
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire, leaky_readout
from snncompare.network.synapse import SynapseModel
from snncompare.network.synapses import depressing, exponential
from snncompare.network.wiring import AllToAll, Convolution, FixedProbability

DT, STEPS, BATCH = 1e-3, 60, 3
SIZES = {"inputs": 12, "hidden": 9, "readout": 2}
SURROGATE = SuperSpike("2 mV", "10 mV")
ROUNDING = 1e-9
"""Sums in another order differ by rounding, which 60 steps add up."""
PAIRS = SynapseModel(
    synapse_equations="dbefore/dt = -before/tau_before : 1 (event-driven)",
    on_pre="v_post += w; before += 0.2",
    on_post="w = clip(w - before*0.1*mV, 0*mV, 5*mV)",
    weight_unit="volt",
    parameters={"tau_before": "20 ms"},
)


def network(**changed):
    neuron, fast = leaky_integrate_and_fire(v_threshold="10 mV"), exponential(tau="4 ms")
    strong, weak = {"type": "Uniform", "low": "5 mV", "high": "25 mV"}, {"type": "Normal", "mean": "1 mV", "sd": "6 mV"}
    each = {"type": "Uniform", "low": "1 ms", "high": "4 ms"}
    projections = {
        "feed": {
            "source": "inputs",
            "target": "hidden",
            "weight": strong,
            "delay": "1 ms",
            "wiring": FixedProbability(p=0.5),
        },
        "recur": {"source": "hidden", "target": "hidden", "weight": weak, "delay": each},
        "read": {"source": "hidden", "target": "readout", "weight": weak},
    }
    for name, options in changed.items():
        projections[name] |= options
    return Network(
        populations={
            "inputs": Population(size=SIZES["inputs"], neuron=SpikeSource()),
            "hidden": Population(size=SIZES["hidden"], neuron=neuron),
            "readout": Population(size=SIZES["readout"], neuron=leaky_readout(tau="20 ms")),
        },
        projections={n: Projection(**({"synapse": fast, "into": "I"} | p)) for n, p in projections.items()},
    )


def raster(n_steps=STEPS, batch=BATCH, seed=0):
    fired = np.random.default_rng(seed).random((n_steps, batch, SIZES["inputs"])) < 0.1
    return {"inputs": torch.from_numpy(fired).double()}


def factors(seed=1, populations=("inputs", "hidden")):
    rng = np.random.default_rng(seed)
    return {n: torch.from_numpy((rng.random((BATCH, SIZES[n])) < 0.7) / 0.7) for n in populations}


VARIANTS = {
    "sparse, each delay its own": {},
    "sparse, no delay": {"feed": {"delay": "0 ms"}, "recur": {"delay": "0 ms"}},
    "all to all": {"feed": {"wiring": AllToAll()}, "recur": {"delay": "2 ms"}},
    "one kernel": {"feed": {"wiring": Convolution(input_shape=[12], kernel=[4], channels_out=3, stride=4)}},
}


def module_of(described, realisation=None, **options):
    drawn = realise(described, 0, dt=DT) if realisation is None else realisation
    return TorchNetwork(described, DT, drawn, surrogate=SURROGATE, **options)


def learn(module, inputs, **options):
    """Return the activity, and per projection the gradient of a loss of its weights."""
    module.zero_grad()
    activity = module(inputs, traces=[("hidden", "v"), ("readout", "v")], record=["hidden"], **options)
    (activity.traces["readout", "v"] * 1e3).square().sum().backward()
    return activity, {name: module.synapses[name].weight.grad.clone() for name in module.synapses}


def scaled(described, dropout, trial):
    """Return the realisation with the weights behind each neuron scaled by its factor in one trial."""
    drawn, found = realise(described, 0, dt=DT), {}
    for name, connections in drawn.connections.items():
        factor = dropout.get(described.projections[name].source)
        sent = 1.0 if factor is None else factor[trial].numpy()[connections.source]
        found[name] = replace(connections, weight=connections.weight * sent, shared=None)
    return replace(drawn, connections=found)


def by_weight(module, gradient, name, drawn):
    """Return gradients as `drawn` counts its weights: per synapse, or per value of a kernel."""
    connections = drawn.connections[name]
    if gradient.shape == connections.shape:
        gradient = gradient[torch.from_numpy(connections.source), torch.from_numpy(connections.target)]
    return gradient.flatten().numpy()


def largest(one, two):
    return float(np.abs(one - two).max() / np.abs(two).max())


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("dropped", [("inputs", "hidden"), ("hidden",), ("inputs",)], ids="+".join)
def test_activity_and_gradients_are_those_of_weights_scaled_trial_by_trial(variant, dropped):
    described, inputs, dropout = network(**VARIANTS[variant]), raster(), factors(populations=dropped)
    drawn = realise(described, 0, dt=DT)
    apart = network(**VARIANTS[variant] | ({"feed": {}} if variant == "one kernel" else {}))
    module = module_of(described)
    activity, gradients = learn(module, inputs, dropout=dropout)
    assert float(activity.spikes["hidden"].detach().sum()) > 20, "too quiet for the comparison to mean anything"
    sums = {}
    for trial in range(BATCH):
        one = module_of(apart, scaled(described, dropout, trial))
        seen, found = learn(one, {"inputs": inputs["inputs"][:, [trial]]})
        assert torch.equal(seen.spikes["hidden"], activity.spikes["hidden"][:, [trial]])
        for key, values in seen.traces.items():
            assert largest(values.detach().numpy(), activity.traces[key][:, [trial]].detach().numpy()) < ROUNDING
        for name, connections in drawn.connections.items():
            factor = dropout.get(described.projections[name].source)
            sent = 1.0 if factor is None else factor[trial].numpy()[connections.source]
            each = sent * by_weight(one, found[name], name, drawn)
            if connections.shared is not None:
                each = np.bincount(connections.shared, each)
            sums[name] = sums.get(name, 0.0) + each
    for name, expected in sums.items():
        assert largest(by_weight(module, gradients[name], name, drawn), expected) < ROUNDING


@pytest.mark.parametrize("population", ["inputs", "hidden"])
def test_dropping_one_neuron_in_one_trial_changes_that_trial_only(population):
    """Negative control of the test above: every factor matters, in its own trial."""
    module, inputs = module_of(network()), raster()
    for neuron in range(SIZES[population]):
        dropout = {population: torch.ones(BATCH, SIZES[population])}
        dropout[population][1, neuron] = 0.0
        whole, less = (learn(module, inputs, dropout=d)[0].traces["readout", "v"] for d in (None, dropout))
        assert torch.equal(whole[:, [0, 2]], less[:, [0, 2]])
        assert float((whole[:, 1] - less[:, 1]).detach().abs().max()) > 1e-5


@pytest.mark.parametrize("variant", VARIANTS)
def test_factors_of_one_change_nothing(variant):
    module, inputs = module_of(network(**VARIANTS[variant])), raster()
    ones = {name: torch.ones(BATCH, SIZES[name]) for name in ("inputs", "hidden")}
    (without, first), (within, second) = learn(module, inputs), learn(module, inputs, dropout=ones)
    assert torch.equal(without.traces["readout", "v"], within.traces["readout", "v"])
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_dropped_neuron_fires_and_resets_as_before_and_is_recorded():
    module, inputs = module_of(network(recur={"weight": {"type": "Constant", "value": "0 mV"}})), raster()
    silent = {"hidden": torch.zeros(BATCH, SIZES["hidden"])}
    whole, less = learn(module, inputs)[0], learn(module, inputs, dropout=silent)[0]
    assert float(whole.spikes["hidden"].detach().sum()) > 20
    assert torch.equal(whole.spikes["hidden"], less.spikes["hidden"])
    assert torch.equal(whole.traces["hidden", "v"], less.traces["hidden", "v"])
    assert float(whole.traces["readout", "v"].detach().abs().max()) > 1e-4
    assert float(less.traces["readout", "v"].detach().abs().max()) == 0.0


def test_a_dropped_spike_source_is_recorded_as_it_fired():
    silent = {"inputs": torch.zeros(BATCH, SIZES["inputs"])}
    activity = module_of(network())(raster(), record=["inputs", "hidden"], dropout=silent)
    assert torch.equal(activity.spikes["inputs"], raster()["inputs"])
    assert float(activity.spikes["hidden"].detach().sum()) == 0.0


@pytest.mark.parametrize("variant", VARIANTS)
def test_states_that_are_computed_again_give_the_same_gradients(variant):
    module, dropout = module_of(network(**VARIANTS[variant])), factors()
    whole, again = (learn(module, raster(), dropout=dropout, checkpoint_every=n)[1] for n in (None, 7))
    assert all(largest(again[name].numpy(), whole[name].numpy()) < ROUNDING for name in whole)


@pytest.mark.parametrize("variant", VARIANTS)
def test_without_gradients_and_in_pieces_the_activity_is_the_same(variant):
    module, inputs, dropout = module_of(network(**VARIANTS[variant])), raster()["inputs"], factors()
    taught = learn(module, {"inputs": inputs}, dropout=dropout)[0]
    with torch.no_grad():
        first = module({"inputs": inputs[:25]}, record=["hidden"], dropout=dropout)
        second = module({"inputs": inputs[25:]}, record=["hidden"], dropout=dropout, state=first.state)
    both = torch.cat([first.spikes["hidden"], second.spikes["hidden"]])
    assert torch.equal(both, taught.spikes["hidden"].detach())


def test_what_was_sent_before_the_whole_network_goes_on_still_arrives_scaled():
    """The run that goes on would be exact, spike by spike; what is on its way are no whole spikes."""
    described = network(feed={"delay": "5 ms"})
    module, inputs, scale = module_of(described), raster()["inputs"], {"inputs": torch.full((BATCH, 12), 0.5)}
    taught = module({"inputs": inputs[:20]}, dropout=scale).state
    expected = module({"inputs": inputs[20:]}, traces=[("hidden", "v")], state=taught).traces["hidden", "v"]
    with torch.no_grad():
        state = module({"inputs": inputs[:20]}, dropout=scale).state
        found = module({"inputs": inputs[20:]}, traces=[("hidden", "v")], state=state).traces["hidden", "v"]
    assert largest(found.numpy(), expected.detach().numpy()) < ROUNDING


def test_the_exact_run_without_dropout_stays_exact():
    """Bit for bit the same before and after a run with dropout."""
    module = module_of(network())
    with torch.no_grad():
        before = module(raster(), traces=[("hidden", "v")]).traces["hidden", "v"]
        module(raster(), dropout=factors())
        assert torch.equal(module(raster(), traces=[("hidden", "v")]).traces["hidden", "v"], before)


@pytest.mark.parametrize(
    ("dropout", "message"),
    [
        ({"hiden": torch.ones(BATCH, 9)}, "did you mean 'hidden'"),
        ({"readout": torch.ones(BATCH, 2)}, "population that spikes"),
        ({"hidden": torch.ones(9)}, r"must have the shape \(3, 9\) \(batch, neuron\), got \(9,\)"),
    ],
    ids=["unknown", "does not fire", "not of each trial"],
)
def test_dropout_that_does_not_fit_is_refused(dropout, message):
    with pytest.raises(InputError, match=message):
        module_of(network())(raster(), dropout=dropout)


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"recur": {"synapse": PAIRS, "into": None}}, "hidden"),
        ({"feed": {"synapse": PAIRS, "into": None}}, "hidden"),
        ({"read": {"synapse": depressing(), "into": "I"}}, "hidden"),
    ],
    ids=["plastic, from it", "plastic, to it", "depressing"],
)
def test_spikes_that_change_synapses_cannot_be_scaled(changed, refused):
    described = network(**changed)
    with pytest.raises(UnsupportedError, match="change with each spike of 'hidden'"):
        module_of(described)(raster(), dropout=factors(populations=(refused,)))
