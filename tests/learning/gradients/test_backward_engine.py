"""The backward engine: windows, pieces, feedback weights, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.convolution import ConvolutionProduct
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.products import DenseProduct, OneToOneProduct
from snncompare.backends.torch.sparse import SparseProduct, sparse_pattern
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.errors import InputError, UnsupportedError
from snncompare.learning.gradients.backward import Backward
from snncompare.learning.losses import Regression
from snncompare.learning.presets import bptt, decolle, eprop, ostl, truncated_bptt
from snncompare.learning.schedule import Execution
from snncompare.learning.signals import AdaptiveFeedback, LocalReadouts, RandomFeedback
from snncompare.network.synapses import depressing, exponential
from snncompare.network.wiring import Convolution

SURROGATE, LOSS = SuperSpike("2 mV", "10 mV"), Regression("readout", scale="1 mV")
OSTL = ostl(SURROGATE, execution=Execution.BACKWARD)


@pytest.fixture
def deep(pair_named):
    return pair_named("two layers")


def answers(source):
    return torch.from_numpy(np.random.default_rng(7).normal(0, 2, (*source.shape[:2], 2)))


def run(pair, rule, change=lambda module, window: None):
    """Return what was learnt in each window, the gradients, and the engine."""
    module = pair.module(rule)
    engine, learnt = Backward(module, rule, LOSS), []
    for each in engine.trials({"source": pair.source}, answers(pair.source)):
        learnt.append(each)
        change(module, len(learnt))
    return learnt, {name: w.grad for name, w in module.weights.items()}, engine


def test_forward_pass_is_the_same_whatever_is_followed(deep):
    whole = {}
    for name, rule in {"all": bptt(SURROGATE), "few": OSTL, "cut": replace(OSTL, paths=Paths(carry=False))}.items():
        module = deep.module(rule)
        feedback = {("low", "readout"): torch.ones(5, 2).double()}
        for given in (None, feedback):
            found = module({"source": deep.source}, record=["low", "high"], traces=[("readout", "v")], feedback=given)
            whole[name, given is None] = [*found.spikes.values(), *found.traces.values()]
    for found in whole.values():
        assert all(torch.equal(one, other) for one, other in zip(found, whole["all", True], strict=True))


def test_windows_see_new_weights_and_the_state_that_old_ones_left(deep):
    def change(module, window):
        if window == 1:
            with torch.no_grad():
                for weight in module.weights.values():
                    weight.mul_(1.1)

    learnt, _, _ = run(deep, truncated_bptt(SURROGATE, 25), change)
    module, target = deep.module(bptt(SURROGATE)), answers(deep.source)
    first = module({"source": deep.source[:25]}, traces=LOSS.reads.traces)
    change(module, 1)
    after = module({"source": deep.source[25:]}, traces=LOSS.reads.traces, state=first.state)
    assert [each.n_steps for each in learnt] == [25, 20]
    parts = [(first, target[:25]), (after, target[25:])]
    expected = [LOSS(LOSS.reads.of(activity), part).item() for activity, part in parts]
    # The same sums of 25 x 2 x 2 squares, in another order.
    np.testing.assert_allclose([each.loss for each in learnt], expected, rtol=1e-13)
    unchanged, _, _ = run(deep, truncated_bptt(SURROGATE, 25))
    assert abs(unchanged[1].loss / learnt[1].loss - 1) > 1e-3


@pytest.mark.parametrize("rule", [bptt(SURROGATE), OSTL], ids=["bptt", "ostl"])
def test_pieces_that_are_computed_again_change_nothing(deep, rule):
    _, whole, _ = run(deep, rule)
    _, pieces, _ = run(deep, replace(rule, checkpoint_every=7))
    for name, gradient in whole.items():
        # Gradients of pieces are added up in another order.
        torch.testing.assert_close(pieces[name], gradient, rtol=1e-12, atol=1e-12 * float(gradient.abs().max()))


def test_a_run_that_goes_on_keeps_the_first_effects_on_their_way(deep):
    gradients = []
    for parts in ([45], [20, 25]):
        module, state, seen, first = deep.module(OSTL), None, [], 0
        for length in parts:
            part = {"source": deep.source[first : first + length]}
            activity = module(part, traces=LOSS.reads.traces, state=state)
            state, first = activity.state, first + length
            seen.append(LOSS.reads.of(activity))
        LOSS(torch.cat(seen), answers(deep.source)).backward()
        gradients.append(module.weights["a_feed"].grad)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-12, atol=1e-12 * float(gradients[0].abs().max()))


def test_adaptive_feedback_and_readout_weights_decay_after_each_change(deep):
    rule = eprop(SURROGATE, feedback=AdaptiveFeedback(decay=0.2), execution=Execution.BACKWARD)
    module = deep.module(rule)
    engine = Backward(module, rule, LOSS)
    before = {name: w.detach().clone() for name, w in [*module.weights.items(), *engine.feedback.named_parameters()]}
    trials = engine.trials({"source": deep.source}, answers(deep.source))
    next(trials)
    assert all(torch.equal(w, before[name]) for name, w in module.weights.items())
    assert next(trials, None) is None
    for name, weight in [*module.weights.items(), *engine.feedback.named_parameters()]:
        decays = name in ("e_read", "f_skip") or "from readout" in name
        assert torch.equal(weight, before[name] * (0.8 if decays else 1.0)), name


def test_feedback_is_drawn_in_units_of_the_readout_weights(pair_named):
    pair = pair_named("leaky", size=400)
    rule = eprop(SURROGATE, feedback=RandomFeedback(sd=3.0, seed=5), execution=Execution.BACKWARD)
    engine = Backward(pair.module(rule), rule, LOSS)
    weights = engine.feedback.broadcast()["hidden", "readout"]
    size = float(pair.plain.weights["read"].square().mean().sqrt())
    # The standard deviation of 800 normal numbers has a standard error of 2.5 %.
    assert float(weights.std()) == pytest.approx(3.0 * size, rel=0.1)
    assert not list(engine.feedback.parameters())
    other = Backward(pair.module(rule), replace(rule, signal=RandomFeedback(sd=3.0, seed=6)), LOSS)
    assert not torch.equal(other.feedback.broadcast()["hidden", "readout"], weights)


def test_local_readouts_lie_within_their_bounds(pair_named):
    pair, rule = pair_named("leaky", size=400), decolle(SURROGATE, readouts=LocalReadouts(scale=2.0))
    weights = Backward(pair.module(rule), rule, LOSS).feedback.local()["hidden"]
    bound = 2.0 / 400**0.5 * 1e-3  # in units of 1 mV, which the loss calls one
    assert bound * 0.98 < float(weights.abs().max()) <= bound


def test_given_feedback_replaces_what_was_drawn(deep):
    rule = eprop(SURROGATE, feedback=RandomFeedback(), execution=Execution.BACKWARD)
    feedback = Backward(deep.module(rule), rule, LOSS).feedback
    feedback.give({("low", "readout"): np.full((5, 2), 0.5)})
    assert float(feedback.broadcast()["low", "readout"].sum()) == 5.0
    with pytest.raises(InputError, match=r"must have the shape \(5, 2\), got \(2, 5\)"):
        feedback.give({("low", "readout"): np.zeros((2, 5))})
    with pytest.raises(InputError, match="pair of population and readout"):
        feedback.give({("nobody", "readout"): np.zeros((5, 2))})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({("source", "readout"): (6, 2)}, "population that spikes"),
        ({("low", "high"): (5, 5)}, "readout with a projection"),
        ({("low", "readout"): (2, 5)}, r"must have the shape \(5, 2\)"),
    ],
    ids=["source", "no readout", "shape"],
)
def test_feedback_that_does_not_fit_is_refused(deep, given, says):
    feedback = {pair: torch.zeros(shape).double() for pair, shape in given.items()}
    with pytest.raises(InputError, match=says):
        deep.module(bptt(SURROGATE))({"source": deep.source}, feedback=feedback)


def test_paths_are_not_left_out_behind_synapses_with_state(deep):
    plastic = deep.network.projections["c_up"].model_copy(update={"synapse": depressing(exponential(tau="4 ms"))})
    network = deep.network.model_copy(update={"projections": {**deep.network.projections, "c_up": plastic}})
    TorchNetwork(network, 5e-4, {}, surrogate=SURROGATE)
    for across in (CrossLayer.INSTANT, CrossLayer.NONE):
        with pytest.raises(UnsupportedError, match="'c_up', whose synapses have state"):
            TorchNetwork(network, 5e-4, {}, surrogate=SURROGATE, paths=Paths(cross_layer=across))


def test_constant_products_add_the_same_without_a_derivative():
    matrix = torch.arange(12.0).reshape(3, 4).requires_grad_()
    rows, columns = np.nonzero(np.ones((3, 4)))
    kernel = torch.ones(2, 1, 2).requires_grad_()
    wiring = Convolution(input_shape=(3,), channels_in=1, channels_out=2, kernel=(2,))
    products = [
        (DenseProduct(matrix), 4),
        (OneToOneProduct(torch.arange(3.0).requires_grad_()), 3),
        (SparseProduct(sparse_pattern(rows, columns, (3, 4), matrix.device), matrix.reshape(-1)), 4),
        (ConvolutionProduct(wiring, kernel), 4),
    ]
    spikes = torch.tensor([[1.0, 0.0, 1.0]], requires_grad=True)
    for product, size in products:
        before = torch.zeros(1, size)
        added = product.constant().add(before, spikes)
        assert torch.equal(added, product.add(before, spikes))
        leaves = (matrix, kernel, spikes)
        by = torch.autograd.grad(added.sum(), leaves, allow_unused=True)
        assert [gradient is not None for gradient in by] == [False, False, True]
