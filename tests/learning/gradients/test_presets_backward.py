"""Every learning rule has the gradient that its stop-gradients, written out by hand in plain torch, have."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.losses import RateTarget, Regression
from snncompare.learning.presets import (
    bptt,
    checkpointed_bptt,
    d_rtrl,
    decolle,
    eprop,
    ostl,
    rflo,
    superspike,
    truncated_bptt,
)
from snncompare.learning.schedule import AfterTrials, EverySteps, Execution
from snncompare.learning.signals import AdaptiveFeedback, LocalReadouts, RandomFeedback

TOLERANCE = 1e-12
"""Sums of 45 x 2 products in float64 in another order: 1e-14 of the largest, with room for the exponential's slope."""

DIFFERENT = 1e-3
SURROGATE, BACKWARD = SuperSpike("2 mV", "10 mV"), {"execution": Execution.BACKWARD}
LOSS = Regression("readout", scale="1 mV")
LOCAL = {"recurrent": False, "reset": False}
OWN_ONLY = LOCAL | {"adaptation": False, "across": "none", "readout": False}
PRESETS = {
    "bptt": (bptt(SURROGATE), {}),
    "checkpointed bptt": (checkpointed_bptt(SURROGATE, 17), {}),
    "truncated bptt": (truncated_bptt(SURROGATE, 20), {"windows": (20, 40)}),
    "e-prop": (eprop(SURROGATE, **BACKWARD), LOCAL | {"across": "at once"}),
    "e-prop, random": (eprop(SURROGATE, feedback=RandomFeedback(seed=1), **BACKWARD), LOCAL | {"across": "none"}),
    "e-prop, adaptive": (eprop(SURROGATE, feedback=AdaptiveFeedback(seed=2), **BACKWARD), LOCAL | {"across": "none"}),
    "ostl": (ostl(SURROGATE, **BACKWARD), {"across": "at once", "readout": False}),
    "ostl without H": (
        ostl(SURROGATE, recurrent=False, **BACKWARD),
        {"recurrent": False, "across": "at once", "readout": False},
    ),
    "rflo": (rflo(SURROGATE, **BACKWARD), OWN_ONLY),
    "decolle": (replace(decolle(SURROGATE, **BACKWARD), schedule=AfterTrials()), OWN_ONLY),
    "superspike": (superspike(SURROGATE, **BACKWARD), LOCAL | {"adaptation": False, "across": "at once"}),
    "d-rtrl": (d_rtrl(SURROGATE, **BACKWARD), {"recurrent": False, "across": "at once"}),
}
APPROXIMATE = [name for name in PRESETS if name not in ("bptt", "checkpointed bptt")]


def answers(source):
    return torch.from_numpy(np.random.default_rng(7).normal(0, 2, (*source.shape[:2], 2)))


def found(pair, rule, penalties=()):
    """Return the gradients of an engine by projection, and its feedback as it was before."""
    module = pair.module(rule)
    engine = engine_for(module, rule, LOSS, penalties)
    feedback = copy.deepcopy(engine.feedback)
    trials, n_steps = engine.trials({"source": pair.source}, answers(pair.source)), 0
    while n_steps < len(pair.source):  # the last pause is not left: what follows it changes adaptive feedback
        n_steps += next(trials).n_steps
    feedback.grads = {name: p.grad for name, p in engine.feedback.named_parameters()}
    return {name: w.grad for name, w in module.weights.items()}, feedback


def expected(pair, follow, feedback, paths, penalty=None):
    given = dict(paths)
    if feedback.broadcast():
        given["feedback"] = {population: w.detach() for (population, _), w in feedback.broadcast().items()}
    given["local"] = feedback.local() or None
    target = answers(pair.source)
    return pair.plain.gradients(pair.source, lambda values: LOSS(values, target), follow(**given), penalty)


def distance(one, other):
    """Return the largest difference between two gradients, in units of the largest entry of each projection."""
    return max(float((one[name] - other[name]).abs().max() / other[name].abs().max()) for name in other)


@pytest.mark.parametrize("preset", PRESETS)
def test_preset_equals_hand_written_stop_gradients(pair, follow, preset):
    rule, paths = PRESETS[preset]
    gradients, feedback = found(pair, rule)
    by_hand, of_feedback, spikes = expected(pair, follow, feedback, paths)
    for name in (name for name, z in spikes.items() if z):
        assert 8 < float(torch.stack(spikes[name]).sum()) < 300, name  # of 45 steps x 2 trials x 5 neurons: alive
    assert all(float(gradient.norm()) > 0 for gradient in by_hand.values())
    assert distance(gradients, by_hand) < TOLERANCE
    for name, gradient in feedback.grads.items():
        expected_of_it = of_feedback[name.removesuffix(" from readout")]
        assert float((gradient - expected_of_it).abs().max() / expected_of_it.abs().max()) < TOLERANCE


@pytest.mark.parametrize("preset", APPROXIMATE)
def test_approximate_preset_is_not_bptt(pair_named, preset):
    pair = pair_named("two layers")
    exact, _ = found(pair, PRESETS["bptt"][0])
    gradients, _ = found(pair, PRESETS[preset][0])
    assert distance(gradients, exact) > DIFFERENT


@pytest.mark.parametrize(
    ("preset", "switched"),
    [
        ("e-prop", {"recurrent": True}),
        ("e-prop", {"reset": True}),
        ("e-prop", {"adaptation": False}),
        ("e-prop", {"across": "none"}),
        ("e-prop", {"across": "full"}),
        ("e-prop", {"readout": False}),
        ("e-prop", {"carry": False}),
        ("ostl", {"recurrent": False}),
        ("ostl", {"readout": True}),
        ("ostl", {"reset": False}),
        ("rflo", {"adaptation": True}),
        ("rflo", {"feedback": None}),
        ("decolle", {"local": None}),
        ("truncated bptt", {"windows": (20,)}),
    ],
    ids=str,
)
def test_one_switched_path_is_seen(pair_named, follow, preset, switched):
    pair, (rule, paths) = pair_named("two layers"), PRESETS[preset]
    gradients, feedback = found(pair, rule)
    if None in switched.values():
        feedback = copy.deepcopy(engine_for(pair.module(bptt(SURROGATE)), bptt(SURROGATE), LOSS).feedback)
    by_hand, _, _ = expected(pair, follow, feedback, paths | switched)
    assert distance(gradients, by_hand) > DIFFERENT


@pytest.mark.parametrize("across", ["full", "at once", "none"])
@pytest.mark.parametrize("carry", [True, False])
def test_paths_without_name_equal_stop_gradients_too(pair_named, follow, carry, across):
    kinds = {"full": CrossLayer.FULL, "at once": CrossLayer.INSTANT, "none": CrossLayer.NONE}
    pair = pair_named("two layers")
    paths = Paths(carry=carry, reset=False, cross_layer=kinds[across], readout=False)
    gradients, feedback = found(pair, replace(bptt(SURROGATE), paths=paths))
    by_hand, _, _ = expected(
        pair, follow, feedback, {"carry": carry, "reset": False, "across": across, "readout": False}
    )
    assert distance(gradients, by_hand) < TOLERANCE


@pytest.mark.parametrize("signal", [RandomFeedback(seed=3), LocalReadouts(seed=3)], ids=["random", "local"])
@pytest.mark.parametrize("every", [7, 45])
def test_windows_of_other_rules_equal_stop_gradients_too(pair_named, follow, signal, every):
    pair = pair_named("two layers")
    rule = replace(bptt(SURROGATE), signal=signal, schedule=EverySteps(every))
    gradients, feedback = found(pair, rule)
    by_hand, _, _ = expected(pair, follow, feedback, {"windows": tuple(range(every, 45, every))})
    assert distance(gradients, by_hand) < TOLERANCE


@pytest.mark.parametrize("preset", ["bptt", "e-prop", "ostl", "rflo", "e-prop, random"])
def test_penalty_follows_the_same_paths(pair_named, follow, preset):
    pair, penalty = pair_named("two layers"), RateTarget(rate="20 Hz", strength=1e7)
    rule, paths = PRESETS[preset]
    gradients, feedback = found(pair, rule, [penalty])
    by_hand, _, _ = expected(pair, follow, feedback, paths, lambda z: penalty.of_counts(z.sum(dim=0), 45 * 5e-4))
    without, _, _ = expected(pair, follow, feedback, paths)
    assert distance(gradients, by_hand) < TOLERANCE
    assert distance(gradients, without) > DIFFERENT
