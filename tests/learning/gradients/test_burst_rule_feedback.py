"""Feedback to dendrites: the readout's own weights, weights that learn with them, none; and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.surrogates import Event
from snncompare.errors import InputError, UnsupportedError
from snncompare.learning.gradients.choose import engine_for
from snncompare.learning.losses import Classification, Over
from snncompare.learning.presets import burst_dependent
from snncompare.learning.schedule import Execution
from snncompare.learning.signals import AdaptiveFeedback, BurstFeedback, RandomFeedback, Symmetric

EVENT, LOSS = Event("10 mV"), Classification("readout", scale="5 mV", over=Over.EACH_STEP)
TOLERANCE = 1e-12
"""Sums of 45 x 2 products in float64 in another order: 1e-14 of the largest entry, with room."""


def ran(pair, rule, *, give=None):
    module = pair.module(rule)
    engine = engine_for(module, rule, LOSS)
    if give is not None:
        engine.feedback.give({("hidden", "readout"): give})
    trials = engine.trials({"source": pair.source}, torch.tensor([0, 1]))
    next(trials)
    return {name: w.grad.clone() for name, w in module.weights.items()}, module, engine, trials


def distance(one, other):
    return max(float((one[name] - other[name]).abs().max() / other[name].abs().max()) for name in other)


@pytest.mark.parametrize("execution", Execution)
def test_symmetric_feedback_is_that_of_the_readouts_own_weights(pair_named, execution):
    pair = pair_named("leaky")
    own = ran(pair, burst_dependent(EVENT, feedback=Symmetric(), execution=execution))[0]
    random = burst_dependent(EVENT, execution=execution)
    weights = pair.plain.weights["read"].detach().numpy()
    assert distance(ran(pair, random, give=weights)[0], own) < TOLERANCE
    assert distance(ran(pair, random, give=-weights)[0], own) > 1e-3
    assert distance(ran(pair, random)[0], own) > 1e-3


@pytest.mark.parametrize("execution", Execution)
def test_learnt_feedback_has_the_gradient_of_the_readout_and_decays_with_it(pair_named, execution):
    """Kolen and Pollack (1994): the same product changes both, so that with decay they become the same."""
    pair = pair_named("leaky")
    rule = burst_dependent(EVENT, feedback=AdaptiveFeedback(seed=3, decay=0.1), execution=execution)
    gradients, module, engine, trials = ran(pair, rule)
    (feedback,) = engine.feedback.parameters()
    readout = module.weights["read"]
    assert torch.equal(feedback.grad, gradients["read"])
    before = (feedback.detach() - readout.detach()).clone()
    with torch.no_grad():
        feedback -= 1e-3 * feedback.grad
        readout -= 1e-3 * readout.grad
    next(trials, None)  # leaves the pause, in which weights have changed
    assert torch.allclose(feedback - readout, 0.9 * before, rtol=1e-12, atol=0)
    fixed = ran(pair, burst_dependent(EVENT, feedback=RandomFeedback(seed=3), execution=execution))
    assert list(fixed[2].feedback.parameters()) == []
    assert distance(fixed[0], gradients) < TOLERANCE  # before anything was learnt, both are the same weights


@pytest.mark.parametrize("execution", Execution)
def test_without_slope_hidden_layers_learn_nothing_but_the_readout_does(pair_named, execution):
    gradients, *_ = ran(pair_named("two layers"), burst_dependent(EVENT, slope=0.0, execution=execution))
    for name, gradient in gradients.items():
        assert bool(gradient.any()) == (name in ("e_read", "f_skip")), name
    learns, *_ = ran(pair_named("two layers"), burst_dependent(EVENT, slope=0.1, execution=execution))
    assert all(bool(gradient.any()) for gradient in learns.values())


def test_the_signal_is_bounded_and_its_sign_is_that_of_the_error(pair_named):
    pair = pair_named("leaky")
    feedback = engine_for(pair.module(rule := burst_dependent(EVENT, slope=50.0, offset=0.4)), rule, LOSS).feedback
    without = 1 / (1 + np.exp(-0.4))
    error = torch.tensor([[[1.0, 0.0]], [[-1.0, 0.0]], [[0.0, 0.0]]]).double() / 5e-3  # the loss's scale
    told = feedback.by_bursts(error, 1.0)["hidden"]
    weights = getattr(feedback, "hidden from readout")[:, 0]
    assert torch.equal(told[0, 0].sign(), weights.sign())  # the error tells to lower what feedback weighs positively
    assert torch.equal(told[1, 0].sign(), -weights.sign())
    assert not told[2].any()
    assert float(told.max()) <= without  # burst probabilities stay between 0 and 1
    assert float(told.min()) >= without - 1
    assert float(told.max()) > 0.9 * without  # and here they reach both ends
    assert float(told.min()) < 0.9 * (without - 1)


def test_the_signal_depends_neither_on_the_number_of_trials_nor_of_steps(pair_named):
    pair = pair_named("leaky")
    feedback = engine_for(pair.module(rule := burst_dependent(EVENT)), rule, LOSS).feedback
    one = torch.tensor([[0.3, -0.2]]).double() / 5e-3
    alone = feedback.by_bursts(one, 1.0)["hidden"]
    among = feedback.by_bursts(one.repeat(4, 1) / 4 / 10, 0.1)["hidden"]  # a mean over 4 trials and 10 steps
    assert torch.allclose(among[:1] * 4 * 10, alone, rtol=1e-12)
    assert not torch.allclose(feedback.by_bursts(one / 4, 1.0)["hidden"] * 4, alone, rtol=1e-3)


@pytest.mark.parametrize("feedback", [Symmetric(), AdaptiveFeedback()], ids=["symmetric", "learnt"])
def test_feedback_by_the_readouts_weights_needs_weights_from_every_population(pair_named, feedback):
    pair = pair_named("two layers")  # both layers project to the readout: that is allowed
    rule = burst_dependent(EVENT, feedback=feedback)
    engine_for(pair.module(rule), rule, LOSS)
    without = {name: each for name, each in pair.network.projections.items() if name != "f_skip"}
    network = pair.network.model_copy(update={"projections": without})
    del pair.plain.weights["f_skip"]
    module = pair._replace(network=network).module(rule)
    with pytest.raises(UnsupportedError, match="RandomFeedback"):
        engine_for(module, rule, LOSS)
    engine_for(module, replace(rule, signal=BurstFeedback()), LOSS)


@pytest.mark.parametrize(
    "wrong",
    [{"slope": -1.0}, {"slope": float("nan")}, {"offset": float("inf")}, {"slope": "steep"}, {"feedback": 3}],
    ids=["negative slope", "no number", "infinite offset", "a word", "no feedback"],
)
def test_wrong_values_are_refused(wrong):
    with pytest.raises(InputError, match=next(iter(wrong))):
        burst_dependent(EVENT, **wrong)


def test_an_event_is_its_own_derivative():
    u = torch.tensor([-1e-3, 0.0, 1e-9, 5e-3], dtype=torch.float64, requires_grad=True)
    fired = EVENT.fire(u)
    fired.sum().backward()
    assert torch.equal(u.grad, fired.detach() / 10e-3)
    assert torch.equal(fired, torch.tensor([0.0, 0.0, 1.0, 1.0]).double())
    assert EVENT.peak == pytest.approx(100.0)
    assert Event("20 mV").derivative(u).max() == pytest.approx(50.0)
    assert EVENT.area == float("inf")
