"""Burst-dependent learning equals its equation written out by hand, whichever engine computes it."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.surrogates import Event, SuperSpike
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.losses import Classification, Over, Regression
from snncompare.learning.presets import bptt, burst_dependent, eprop
from snncompare.learning.schedule import EverySteps, Execution, FullInfluence
from snncompare.learning.signals import RandomFeedback, Symmetric

TOLERANCE = 1e-12
"""Sums of 45 x 2 products in float64 in another order: 1e-14 of the largest entry, with room."""

DIFFERENT = 1e-3
DT = 5e-4
EVENT = Event("10 mV")
REGRESSION = Regression("readout", scale="1 mV")
MEAN = Classification("readout", scale="5 mV")
EACH = Classification("readout", scale="5 mV", over=Over.EACH_STEP, window=("5 ms", "20 ms"))
LOSSES = {"regression": REGRESSION, "mean": MEAN, "each step": EACH}
NETWORKS = ["leaky", "two layers"]


def target_of(loss, source):
    if loss is REGRESSION:
        return torch.from_numpy(np.random.default_rng(7).normal(0, 2, (*source.shape[:2], 2)))
    return torch.tensor([0, 1])


def found(pair, rule, loss=REGRESSION, *, give=None):
    """Return the gradients of an engine by projection, and the engine."""
    module = pair.module(rule)
    engine = engine_for(module, rule, loss)
    if give is not None:
        engine.feedback.give({(name, "readout"): w for name, w in give.items()})
    trials, n_steps = engine.trials({"source": pair.source}, target_of(loss, pair.source)), 0
    while n_steps < len(pair.source):  # the last pause is not left: what follows it changes learnt feedback
        n_steps += next(trials).n_steps
    return {name: w.grad for name, w in module.weights.items()}, engine


def distance(one, other):
    """Return the largest difference between two gradients, in units of the largest entry of each projection."""
    return max(float((one[name] - other[name]).abs().max() / other[name].abs().max()) for name in other)


def root_mean_square(plain):
    return float(torch.cat([plain.weights[p].detach().flatten() for p in plain.into("readout")]).square().mean().sqrt())


def dendrites(pair, loss, follow, feedback):
    """Return u of each population, (step, batch, neuron), for feedback weights in units of the readout's."""
    _, states = pair.plain.run(pair.source, follow())
    values = torch.stack([u["v"] for u in states["readout"]]).requires_grad_()
    used = loss.for_step(DT)
    (error,) = torch.autograd.grad(used(values, target_of(loss, pair.source)), values)
    scale, trials = (1e-3, 2) if loss is REGRESSION else (5e-3, 2)
    counted = {REGRESSION: 1, MEAN: 45, EACH: 30}[loss]  # of what the loss is a mean over; 30 steps of the window
    return {name: -(error * scale * trials * counted) @ weights.T for name, weights in feedback.items()}, counted


def by_hand(pair, loss, follow, feedback, *, slope=1.0, offset=0.0, sign=1.0, event=True):
    """Return -sum_t (p - p_bar) e_post e_pre by projection, e_pre the postsynaptic potential."""
    spikes, _ = pair.plain.run(pair.source, follow())
    potentials, counted = dendrites(pair, loss, follow, feedback)
    gradients = {}
    for name, u in potentials.items():
        deviation = torch.sigmoid(slope * sign * u + offset) - 1 / (1 + math.exp(-offset))
        kind = pair.plain.populations[name][0]
        for projection in pair.plain.into(name):
            source, _, delay = pair.plain.projections[projection]
            potential, current, last = 0.0, torch.zeros(2, len(pair.plain.weights[projection]), 1).double(), -1000
            total = 0.0
            for t, now in enumerate(spikes[name]):
                awake = (t - last >= kind.refractory).unsqueeze(1) if t else torch.ones(2, 1, 1, dtype=torch.bool)
                more = kind.decay * potential + (1 - kind.decay) * current
                potential = torch.where(awake, more, potential)  # (trial, source, target)
                current = current * kind.synapse
                height = now if event else torch.ones_like(now)
                total = total - (deviation[t] * height / 10e-3).unsqueeze(1) * potential
                last = torch.where(now > 0, t, last if t else torch.full_like(now, -1000))
                if t >= delay:
                    current = current + spikes[source][t - delay].unsqueeze(2)
                potential = potential * (1 - now.unsqueeze(1))  # a reset leaves nothing of it
            gradients[projection] = total.sum(dim=0) / 2 / counted
    return gradients


def feedback_of(engine, pair):
    """Return an engine's feedback in units of the root mean square of the readout's weights."""
    unit = root_mean_square(pair.plain)
    drawn = {
        name: getattr(engine.feedback, f"{name} from readout") for name in pair.plain.populations if name != "readout"
    }
    return {name: weights.detach() / unit for name, weights in drawn.items()}


@pytest.mark.parametrize("execution", Execution)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("network", NETWORKS)
def test_burst_dependent_learning_equals_its_equation(pair_named, follow, network, loss, execution):
    pair, loss = pair_named(network), LOSSES[loss]
    rule = burst_dependent(EVENT, feedback=RandomFeedback(seed=4), slope=1.5, offset=0.7, execution=execution)
    gradients, engine = found(pair, rule, loss)
    expected = by_hand(pair, loss, follow, feedback_of(engine, pair), slope=1.5, offset=0.7)
    assert all(float(gradient.norm()) > 0 for gradient in expected.values())
    assert distance(gradients, expected) < TOLERANCE


@pytest.mark.parametrize(
    "changed",
    [{"slope": 1.4}, {"offset": 0.8}, {"sign": -1.0}, {"event": False}],
    ids=lambda changed: next(iter(changed)),
)
def test_every_part_of_the_equation_is_seen(pair_named, follow, changed):
    """Negative controls: another slope or offset, feedback of the other sign, no postsynaptic event."""
    pair = pair_named("two layers")
    rule = burst_dependent(EVENT, feedback=RandomFeedback(seed=4), slope=1.5, offset=0.7)
    gradients, engine = found(pair, rule)
    given = {"slope": 1.5, "offset": 0.7} | changed
    assert distance(gradients, by_hand(pair, REGRESSION, follow, feedback_of(engine, pair), **given)) > DIFFERENT


@pytest.mark.parametrize("network", NETWORKS)
def test_the_readout_learns_by_its_own_gradient(pair_named, network):
    pair = pair_named(network)
    bursts, exact = found(pair, burst_dependent(EVENT))[0], found(pair, bptt(EVENT))[0]
    into = pair.plain.into("readout")
    assert distance({name: bursts[name] for name in into}, {name: exact[name] for name in into}) < TOLERANCE


@pytest.mark.parametrize("kind", ["two layers of others", "two in one layer"])
@pytest.mark.parametrize("loss", ["mean", "each step"])
def test_all_ways_of_computing_it_agree_for_other_neurons(pair_named, kind, loss):
    pair, rule = pair_named(kind), burst_dependent(EVENT, slope=2.0, offset=-0.5)
    forward = found(pair, rule, LOSSES[loss])[0]
    assert distance(found(pair, replace(rule, execution=Execution.BACKWARD), LOSSES[loss])[0], forward) < TOLERANCE
    assert distance(found(pair, replace(rule, storage=FullInfluence()), LOSSES[loss])[0], forward) < TOLERANCE


def test_windows_between_changes_of_weights_make_no_difference_to_either_engine(pair_named):
    pair, rule = pair_named("two layers"), replace(burst_dependent(EVENT), schedule=EverySteps(45))
    whole, backward = found(pair, rule)[0], replace(rule, execution=Execution.BACKWARD)
    assert distance(found(pair, backward)[0], whole) < TOLERANCE
    for each in (rule, backward):  # weights are not changed here, and nothing passes from window to window backwards
        windows = found(pair, replace(each, schedule=EverySteps(9)))[0]
        assert (distance(windows, whole) < TOLERANCE) == (each is rule)


def ending_in_silence(pair, follow):
    """Return the pair with input that stops early and weak recurrence, so that no spike comes near the end."""
    for name in ("b_recur", "d_recur"):
        pair.plain.weights[name] *= 0.2
    pair.source[25:] = 0
    spikes, _ = pair.plain.run(pair.source, follow())
    for name in ("low", "high"):
        fired = torch.stack(spikes[name])
        assert float(fired.sum()) > 5
        assert not fired[-3:].any()  # a spike takes up to two steps to the readout
    return pair


def test_a_small_slope_is_e_prop_with_the_same_feedback(pair_named, follow):
    """Errors of a mean over time are the same in every step, so that the way to the readout takes no time."""
    pair = ending_in_silence(pair_named("two layers", steps=60), follow)
    feedback, slope = RandomFeedback(seed=4), 1e-4
    without_memory = replace(eprop(EVENT, feedback=feedback), paths=burst_dependent(EVENT).paths)
    linear = found(pair, without_memory, MEAN)[0]
    for offset in (0.0, 0.7):
        bursts = found(pair, burst_dependent(EVENT, feedback=feedback, slope=slope, offset=offset), MEAN)[0]
        p = 1 / (1 + math.exp(-offset))
        # the readout's spike-to-membrane gain in one step, and B in units of the readout's weights
        factor = slope * p * (1 - p) * 5e-3 / (root_mean_square(pair.plain) * (1 - math.exp(-DT / 10e-3)))
        for name in ("a_feed", "b_recur", "c_up", "d_recur"):
            error = float((bursts[name] - factor * linear[name]).abs().max() / (factor * linear[name]).abs().max())
            assert error < 1e-4, name  # the next term of the sigmoid is smaller by slope * u, with |u| of about 1
    steep = found(pair, burst_dependent(EVENT, feedback=feedback, slope=5.0), MEAN)[0]["a_feed"]
    flat = linear["a_feed"]
    cosine = float((steep * flat).sum() / (steep.norm() * flat.norm()))
    assert cosine < 1 - DIFFERENT  # negative control: where the sigmoid saturates, signals are no longer proportional


def test_it_is_none_of_the_rules_it_resembles(pair_named):
    pair, feedback, soft = pair_named("leaky"), RandomFeedback(seed=4), SuperSpike("2 mV", "10 mV")
    bursts = found(pair, burst_dependent(EVENT, feedback=feedback))[0]
    others = {
        "bptt": bptt(soft),
        "e-prop": eprop(soft),
        "random e-prop": eprop(soft, feedback=feedback),
        "random e-prop with events": eprop(EVENT, feedback=feedback),
        "bursts with a surrogate": burst_dependent(soft, feedback=feedback),
        "bursts with symmetric feedback": burst_dependent(EVENT, feedback=Symmetric()),
    }
    for name, rule in others.items():
        other = found(pair, rule)[0]
        for projection in ("feed", "recur"):  # directions: sizes differ anyway
            one, two = bursts[projection], other[projection]
            assert float((one * two).sum() / (one.norm() * two.norm())) < 1 - DIFFERENT, (name, projection)
