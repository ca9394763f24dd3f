"""The optimiser changes what the description marks, in units of what it is, and keeps bounds and signs."""

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import InputError
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.optimisers import Adam
from snncompare.learning.rule import LearningRule
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable

EACH, ONE = Trainable(), Trainable(shared=True)
RATE = 0.01


def network(*, hidden=None, trainable=None, sign=None, delay="1.2 ms"):
    return Network(
        populations={
            "inputs": Population(size=6, neuron=SpikeSource()),
            "hidden": Population(size=8, neuron=leaky_integrate_and_fire(), trainable=hidden or {}),
        },
        projections={
            "feed": Projection(
                source="inputs", target="hidden", synapse=exponential(tau="4 ms"), into="I",
                weight={"type": "Uniform", "low": "5 mV", "high": "30 mV"},
                delay={"type": "Uniform", "low": "0.6 ms", "high": delay}, sign=sign,
                trainable={"weight": EACH} if trainable is None else trainable,
            )
        },
    )  # fmt: skip


def learner(described, *, trainable=None, rate=RATE):
    rule = LearningRule(
        surrogate=SuperSpike("2 mV", "10 mV"), optimiser=Adam(learning_rate=rate, clip=1e9), trainable=trainable
    )
    module = TorchNetwork(described, 5e-4, {}, surrogate=rule.surrogate)
    optimiser = Optimiser(module, rule)
    optimiser.set_rate(rate)
    return module, optimiser


def loss(module, sign=1.0):
    fired = torch.from_numpy(np.random.default_rng(0).random((60, 3, 6)) < 0.15).double()
    activity = module({"inputs": fired}, traces=[("hidden", "v")], record=["hidden"])
    assert float(activity.spikes["hidden"].detach().sum()) > 3, "too quiet to learn anything from"
    return sign * ((activity.traces["hidden", "v"] * 1e3).sum() + activity.spikes["hidden"].sum())


def snapshot(module):
    return {name: p.detach().clone() for name, p in module.named_parameters()}


def test_what_is_marked_is_changed_and_nothing_else():
    marks = {"tau": EACH, "v_threshold": ONE}
    module, optimiser = learner(network(hidden=marks, trainable={"delay": EACH, "tau_syn": ONE}))
    before = snapshot(module)
    optimiser.step(loss(module))
    after = snapshot(module)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {
        "neurons.hidden.tau", "neurons.hidden.v_threshold", "neurons.hidden.tau_syn_feed", "synapses.feed.delay",
    }  # fmt: skip
    for name in changed:  # the first step of Adam has the length of the learning rate, in units of what is changed
        size = float(before[name].square().mean().sqrt())
        largest = float((after[name] - before[name]).abs().max()) / size
        assert largest == pytest.approx(RATE, rel=1e-3), name


def test_a_rule_may_train_less_than_what_is_marked():
    module, optimiser = learner(network(hidden={"tau": EACH}), trainable=("hidden",))
    before = snapshot(module)
    optimiser.step(loss(module))
    after = snapshot(module)
    assert torch.equal(before["synapses.feed.weight"], after["synapses.feed.weight"])
    assert not torch.equal(before["neurons.hidden.tau"], after["neurons.hidden.tau"])


def test_a_rule_may_train_one_value_of_a_population():
    module, optimiser = learner(network(hidden={"tau": EACH, "v_threshold": ONE}), trainable=("hidden.v_threshold",))
    before = snapshot(module)
    optimiser.step(loss(module))
    after = snapshot(module)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"neurons.hidden.v_threshold"}
    with pytest.raises(InputError, match=r"projection or population that learns 'hidden\.v_reset'"):
        learner(network(hidden={"tau": EACH}), trainable=("hidden.v_reset",))


def test_a_rule_cannot_train_what_is_not_marked():
    with pytest.raises(InputError, match="projection or population that learns"):
        learner(network(trainable={}), trainable=("feed",))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_bounds_and_signs_hold_after_every_step(sign):
    marks = {"tau": Trainable(low="18 ms", high="22 ms"), "v_threshold": Trainable(shared=True, low="9.9 mV")}
    described = network(hidden=marks, trainable={"weight": EACH, "delay": Trainable(high="1.3 ms")}, sign="positive")
    module, optimiser = learner(described, rate=0.5)
    free, other = learner(network(hidden={"tau": EACH, "v_threshold": ONE}, trainable={"weight": EACH}), rate=0.5)
    for _ in range(3):
        optimiser.step(loss(module, sign))
        values = snapshot(module)
        assert 18e-3 <= float(values["neurons.hidden.tau"].min()) <= float(values["neurons.hidden.tau"].max()) <= 22e-3
        assert float(values["neurons.hidden.v_threshold"]) >= 9.9e-3
        assert float(values["synapses.feed.weight"].min()) >= 0
        assert 0 <= float(values["synapses.feed.delay"].min()) <= float(values["synapses.feed.delay"].max()) <= 1.3e-3
    other.step(loss(free, sign))
    unbounded = snapshot(free)
    assert not (unbounded["neurons.hidden.tau"] - 20e-3).abs().max() <= 2e-3, "without bounds nothing would differ"


def test_a_value_that_starts_at_zero_needs_bounds_that_tell_its_size():
    with pytest.raises(InputError, match="starts at zero"):
        learner(network(hidden={"v": EACH}))
    module, optimiser = learner(network(hidden={"v": Trainable(low="0 mV", high="10 mV")}))
    optimiser.step(loss(module, -1.0))
    assert float(module.neurons["hidden"]["v"].detach().max()) == pytest.approx(RATE * 5e-3, rel=1e-3)
