"""A network that learns online, decision by decision, gets the gradient of the actor-critic loss of whole episodes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import Triangle
from snncompare.circuits.actor_critic import actor_critic
from snncompare.dynamics.paths import Paths
from snncompare.encoding.codes.population import PopulationCode
from snncompare.encoding.codes.rate import RateCode
from snncompare.errors import InputError
from snncompare.learning.losses import RateLimit
from snncompare.learning.presets import bptt, eprop
from snncompare.learning.reward.actor_critic import ActorCritic, Decisions
from snncompare.learning.reward.environments import Environments, cart_pole, delayed_cue
from snncompare.learning.reward.forward_player import ForwardPlayer
from snncompare.learning.reward.observations import EncodedObservations, SpikeObservations
from snncompare.learning.reward.play import play
from snncompare.learning.reward.players import BackwardPlayer, Player
from snncompare.learning.signals import AdaptiveFeedback, RandomFeedback, Symmetric

pytest.importorskip("gymnasium")

PSI = Triangle("10 mV", "33 mV")
READS = ActorCritic(discount=0.9)
RATES = RateLimit("80 Hz", "90 Hz")
CODE = PopulationCode(n_per_feature=4, code=RateCode(highest_rate="500 Hz", window="10 ms"))
POLE = EncodedObservations(low=(-2.4, -2.0, -0.21, -2.0), high=(2.4, 2.0, 0.21, 2.0), code=CODE)
EXACT = 1e-12
"""Relative to the gradient's norm: both sum the same products of float64 in another order; 1e-15 was measured."""


def learnt(player, rule, *, longest=14, seed=1, reads=READS, network=None, rates=True):
    """Return the gradients after one round, and how it went."""
    described = network or actor_critic(inputs=16, actions=2, hidden=10, adaptive=6, feed="25 mV")
    module = TorchNetwork(described, 1e-3, {}, surrogate=rule.surrogate, paths=rule.paths, seed=seed)
    learner = player(module, reads, rule, (RATES,) if rates else ())
    went = play(learner, Environments(lambda: cart_pole(longest=longest), 4), POLE, np.random.default_rng(3))
    learner.learn()
    named = [*module.named_parameters(), *learner.feedback.named_parameters()]
    return {name: parameter.grad for name, parameter in named}, went


def distance(one, other):
    each = {name: float((one[name] - other[name]).norm() / other[name].norm()) for name in other}
    return max(each.values())


@pytest.mark.parametrize("signal", [Symmetric(), RandomFeedback(), AdaptiveFeedback()], ids=lambda s: type(s).__name__)
@pytest.mark.parametrize("longest", [6, 30], ids=["episodes cut", "episodes that end"])
def test_online_is_offline(signal, longest):
    rule = eprop(PSI, feedback=signal)
    online, went = learnt(ForwardPlayer, rule, longest=longest)
    offline, same = learnt(BackwardPlayer, rule, longest=longest)
    assert 20 < went.rate < 200, "neither silent nor saturated"
    assert (went.lengths == 6).all() if longest == 6 else (went.lengths < 30).any()
    assert went.rate == same.rate
    assert all(float(gradient.norm()) > 0 for gradient in offline.values())
    assert distance(online, offline) < EXACT


@pytest.mark.parametrize(
    "other",
    [
        {"reads": ActorCritic(discount=0.85)},
        {"reads": ActorCritic(discount=0.9, value_weight=0.6)},
        {"reads": ActorCritic(discount=0.9, entropy_weight=0.1)},
        {"rates": False},
    ],
    ids=["discount", "value", "entropy", "rates"],
)
def test_every_part_of_the_loss_matters_online(other):
    rule = eprop(PSI)
    assert distance(learnt(ForwardPlayer, rule, **other)[0], learnt(BackwardPlayer, rule)[0]) > 1e-3


def test_eprop_is_not_back_propagation_through_time():
    offline, _ = learnt(BackwardPlayer, bptt(PSI))
    assert distance(learnt(ForwardPlayer, eprop(PSI))[0], offline) > 1e-3


def test_without_the_adaptation_path_the_gradient_differs():
    rule = eprop(PSI)
    cut = replace(rule, paths=replace(rule.paths, adaptation=False))
    assert distance(learnt(ForwardPlayer, cut)[0], learnt(BackwardPlayer, rule)[0]) > 1e-3
    assert distance(learnt(ForwardPlayer, cut)[0], learnt(BackwardPlayer, cut)[0]) < EXACT


def test_online_is_offline_where_only_the_last_action_counts():
    network = actor_critic(inputs=8, actions=2, hidden=6, adaptive=6, feed="40 mV")
    rule, found = eprop(PSI), []
    for player in (ForwardPlayer, BackwardPlayer):
        module = TorchNetwork(network, 1e-3, {}, surrogate=PSI, paths=rule.paths, seed=2)
        learner = player(module, READS, rule, ())
        task = Environments(lambda: delayed_cue(shortest_delay="40 ms", longest_delay="80 ms", n_per_group=2), 3)
        went = play(learner, task, SpikeObservations("20 ms"), np.random.default_rng(5))
        learner.learn()
        found.append({name: parameter.grad for name, parameter in module.named_parameters()})
    assert np.unique(went.lengths).size > 1, "episodes end at different times"
    assert distance(*found) < EXACT


def test_the_loss_is_the_one_of_its_equation():
    rng = np.random.default_rng(0)
    policy, value = torch.from_numpy(rng.normal(size=(3, 2, 4))), torch.from_numpy(rng.normal(size=(3, 2)))
    action, reward = torch.from_numpy(rng.integers(4, size=(3, 2))), torch.from_numpy(rng.normal(size=(3, 2)))
    counts = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], dtype=torch.float64)
    playing = torch.tensor([[1.0, 1.0], [1.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    reads = ActorCritic(discount=0.8, value_weight=0.7, entropy_weight=0.3)
    total = 0.0
    for b in range(2):
        for t in range(3):
            p = np.exp(policy[t, b].numpy()) / np.exp(policy[t, b].numpy()).sum()
            back = sum(0.8 ** (s - t) * float(reward[s, b]) for s in range(t, 3)) - float(value[t, b])
            acted = back * np.log(p[action[t, b]]) - 0.3 * (p * np.log(p)).sum()
            total += float(playing[t, b]) * (0.35 * back**2 - float(counts[t, b]) * acted)
    found = reads.loss(Decisions(policy, value, action, reward, counts, playing))
    assert float(found) == pytest.approx(total / 2, rel=1e-12)


def test_signals_are_the_derivatives_of_log_policy_value_and_entropy():
    rng = np.random.default_rng(1)
    membrane = torch.from_numpy(rng.normal(size=(5, 4)) * 1e-3).requires_grad_()
    action, counts = torch.from_numpy(rng.integers(3, size=5)), torch.ones(5, dtype=torch.float64)
    reads = ActorCritic(value_weight=0.4, entropy_weight=0.2)
    policy, value = reads.read(membrane)
    log_policy = torch.log_softmax(policy, dim=1)
    score = log_policy[torch.arange(5), action].sum() + 0.4 * value.sum()
    (expected,) = torch.autograd.grad(score, membrane, retain_graph=True)
    torch.testing.assert_close(reads.signal(policy.detach(), action, counts), expected, rtol=1e-12, atol=1e-9)
    (expected,) = torch.autograd.grad(-0.2 * (log_policy.exp() * log_policy).sum(), membrane)
    torch.testing.assert_close(reads.entropy_signal(policy.detach(), counts), expected, rtol=1e-12, atol=1e-9)
    assert float(expected.norm()) > 1


def test_readouts_of_the_wrong_size_and_impossible_weights_are_refused():
    network = actor_critic(inputs=4, actions=2, hidden=4)
    with pytest.raises(InputError, match="must have 4 neurons, one for each action and one for the value; it has 3"):
        READS.check(network, 3)
    with pytest.raises(InputError, match="no population 'reedout'; did you mean 'readout'"):
        ActorCritic(readout="reedout").check(network, 2)
    with pytest.raises(InputError, match=r"discount must lie from 0 to 1, got 1\.1"):
        ActorCritic(discount=1.1)
    READS.check(network, 2)


def test_a_player_that_does_not_learn_plays_the_same_and_changes_nothing():
    network = actor_critic(inputs=16, actions=2, hidden=10, feed="25 mV")
    module = TorchNetwork(network, 1e-3, {}, surrogate=PSI, paths=Paths(reset=False), seed=1)
    went = [
        play(player, Environments(cart_pole, 3), POLE, np.random.default_rng(4))
        for player in (Player(module, READS), BackwardPlayer(module, READS, bptt(PSI)))
    ]
    assert went[0].returns.tolist() == went[1].returns.tolist()
    greedy = play(Player(module, READS), Environments(cart_pole, 3), POLE, np.random.default_rng(4), greedy=True)
    assert greedy.returns.tolist() != went[0].returns.tolist()
    assert all(parameter.grad is None for parameter in module.parameters())
