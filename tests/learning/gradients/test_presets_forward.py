"""Every learning rule computed forwards has the gradient that its stop-gradients, written out by hand, have."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.losses import Regression
from snncompare.learning.presets import bptt, d_rtrl, decolle, eprop, ostl, rflo, rtrl, snap, superspike
from snncompare.learning.schedule import AfterTrials, Execution
from snncompare.learning.signals import AdaptiveFeedback, RandomFeedback

TOLERANCE = 1e-12
"""Sums of 45 x 2 products in float64 in another order: 1e-14 of the largest, with room for the exponential's slope."""

SURROGATE, LOSS = SuperSpike("2 mV", "10 mV"), Regression("readout", scale="1 mV")
LOCAL = {"recurrent": False, "reset": False}
OWN_ONLY = LOCAL | {"adaptation": False, "across": "none", "readout": False}
PRESETS = {
    "rtrl": (rtrl(SURROGATE), {}),
    "e-prop": (eprop(SURROGATE), LOCAL | {"across": "at once"}),
    "e-prop, random": (eprop(SURROGATE, feedback=RandomFeedback(seed=1)), LOCAL | {"across": "none"}),
    "e-prop, adaptive": (eprop(SURROGATE, feedback=AdaptiveFeedback(seed=2)), LOCAL | {"across": "none"}),
    "ostl": (ostl(SURROGATE), {"across": "at once", "readout": False}),
    "ostl without H": (
        ostl(SURROGATE, recurrent=False),
        {"recurrent": False, "across": "at once", "readout": False},
    ),
    "rflo": (rflo(SURROGATE), OWN_ONLY),
    "decolle": (replace(decolle(SURROGATE), schedule=AfterTrials()), OWN_ONLY),
    "superspike": (superspike(SURROGATE), LOCAL | {"adaptation": False, "across": "at once"}),
    "d-rtrl": (d_rtrl(SURROGATE), {"recurrent": False, "across": "at once"}),
}


def answers(source):
    return torch.from_numpy(np.random.default_rng(7).normal(0, 2, (*source.shape[:2], 2)))


def found(pair, rule):
    """Return the gradients of an engine by projection, and its feedback as it was before."""
    module = pair.module(rule)
    engine = engine_for(module, rule, LOSS)
    feedback = copy.deepcopy(engine.feedback)
    next(engine.trials({"source": pair.source}, answers(pair.source)))
    feedback.grads = {name: p.grad for name, p in engine.feedback.named_parameters()}
    return {name: w.grad for name, w in module.weights.items()}, feedback


def by_hand(pair, follow, feedback, paths):
    given = dict(paths) | {"local": feedback.local() or None}
    if feedback.broadcast():
        given["feedback"] = {population: w.detach() for (population, _), w in feedback.broadcast().items()}
    target = answers(pair.source)
    return pair.plain.gradients(pair.source, lambda values: LOSS(values, target), follow(**given))


def distance(one, other):
    """Return the largest difference between two gradients, in units of the largest entry of each projection."""
    return max(float((one[name] - other[name]).abs().max() / other[name].abs().max()) for name in other)


@pytest.mark.parametrize("preset", PRESETS)
def test_forward_preset_equals_hand_written_stop_gradients(pair, follow, preset):
    rule, paths = PRESETS[preset]
    assert rule.execution is Execution.FORWARD
    gradients, feedback = found(pair, rule)
    expected, of_feedback, spikes = by_hand(pair, follow, feedback, paths)
    for name in (name for name, z in spikes.items() if z):
        assert 8 < float(torch.stack(spikes[name]).sum()) < 300, name  # of 45 steps x 2 trials x 5 neurons: alive
    assert distance(gradients, expected) < TOLERANCE
    for name, gradient in feedback.grads.items():
        expected_of_it = of_feedback[name.removesuffix(" from readout")]
        assert float((gradient - expected_of_it).abs().max() / expected_of_it.abs().max()) < TOLERANCE


def test_snap_of_many_steps_is_rtrl_and_of_one_step_is_not(pair_named, follow):
    pair = pair_named("two layers")
    expected, _, _ = pair.plain.gradients(pair.source, lambda values: LOSS(values, answers(pair.source)), follow())
    assert distance(found(pair, snap(SURROGATE, 20))[0], expected) < TOLERANCE
    assert distance(found(pair, snap(SURROGATE, 1))[0], expected) > 1e-3


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "rtrl"])
def test_forward_preset_is_not_bptt(pair_named, preset):
    pair = pair_named("two layers")
    exact, _ = found(pair, bptt(SURROGATE))
    assert distance(found(pair, PRESETS[preset][0])[0], exact) > 1e-3
