"""A convolution is a dense layer whose weights are shared."""

from math import prod

import pytest
import torch

from snncompare.errors import InputError
from snncompare.learning.burstprop import BurstCCN, BurstNetwork, Burstprop, Convolution, Dense, EnsembleRule, Feedback
from snncompare.learning.burstprop.gradient import angle, exact_signals, weight_changes
from snncompare.learning.burstprop.layers import ConvolutionalWiring, DenseWiring

SHAPE = (2, 7, 6)
LAYER = Convolution(3, 3, stride=2)
RANDOM = torch.Generator().manual_seed(0)


def drawn(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=RANDOM, dtype=torch.float64)


def unrolled(wiring: ConvolutionalWiring, kernel: torch.Tensor) -> torch.Tensor:
    """Return the dense weights that do the same, written out place by place."""
    dense = torch.zeros(*wiring.shape_out, *wiring.shape_in, dtype=torch.float64)
    channels, height, width = wiring.shape_out
    for channel in range(channels):
        for y in range(height):
            for x in range(width):
                dense[channel, y, x, :, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3] = kernel[channel]
    return dense.reshape(prod(wiring.shape_out), prod(wiring.shape_in))


def test_drive_feedback_and_product_equal_those_of_the_unrolled_dense_layer() -> None:
    wiring = LAYER.on(SHAPE)
    kernel, bias = drawn(*wiring.weight_shape), drawn(3)
    dense, flat = DenseWiring(SHAPE, prod(wiring.shape_out)), unrolled(wiring, kernel)
    pre, post = drawn(4, *SHAPE), drawn(4, *wiring.shape_out)
    each = bias.repeat_interleave(prod(wiring.shape_out[1:]))
    torch.testing.assert_close(wiring.drive(pre, kernel, bias).flatten(1), dense.drive(pre, flat, each))
    torch.testing.assert_close(wiring.back(post, kernel), dense.back(post.flatten(1), flat))
    ours = kernel.clone()
    wiring.add_product(ours, post, pre, keep=0.5, rate=2.0)
    whole = torch.zeros_like(flat)
    dense.add_product(whole, post.flatten(1), pre, keep=0.0, rate=1.0)
    # a shared weight changes by the sum over the places where it stands
    channels, height, width = wiring.shape_out
    places = whole.reshape(channels, height, width, *SHAPE)
    shared = sum(places[:, y, x, :, 2 * y : 2 * y + 3, 2 * x : 2 * x + 3] for y in range(height) for x in range(width))
    torch.testing.assert_close(ours, 0.5 * kernel + 2.0 * shared)
    torch.testing.assert_close(wiring.sum_of(post), post.sum((0, 2, 3)))


def test_another_stride_is_another_layer() -> None:
    wiring = Convolution(3, 3, stride=1).on(SHAPE)
    assert wiring.shape_out == (3, 5, 4)
    assert LAYER.on(SHAPE).shape_out == (3, 3, 2)


@pytest.mark.parametrize(
    "rule",
    [
        Burstprop(feedback=Feedback.SYMMETRIC, slope=0.1, recurrent_inhibition=False),
        BurstCCN(feedback=Feedback.SYMMETRIC, slope=0.4),
    ],
    ids=["burstprop", "burst_ccn"],
)
def test_tied_feedback_through_convolutions_follows_the_gradient(rule: EnsembleRule) -> None:
    # a slope of a tenth keeps the potentials in the linear range: what is left of the angle is of third order
    network = BurstNetwork((LAYER, Convolution(4, 2), Dense(20), Dense(5)), inputs=SHAPE, dtype="float64")
    inputs, targets = drawn(6, *SHAPE), torch.eye(5, dtype=torch.float64)[[0, 1, 2, 3, 4, 0]]
    rates = network.rates(inputs)
    kept = rule.prepare(network, 0)
    exact = weight_changes(network, exact_signals(network, inputs, targets), rates)
    ours = weight_changes(network, rule.signals(network, kept, rates, targets, RANDOM), rates)
    assert max(angle(a, b) for a, b in zip(ours, exact, strict=True)) < 0.05
    network.weights[1].mul_(-1)  # other weights on the way up: the gradient found before is not theirs
    changed = weight_changes(network, exact_signals(network, inputs, targets), network.rates(inputs))
    assert angle(ours[0], changed[0]) > 20.0


def test_layers_of_convolutions_have_no_recurrent_inhibition() -> None:
    network = BurstNetwork((LAYER, Dense(20), Dense(5)), inputs=SHAPE)
    kept = Burstprop().prepare(network, 0)
    assert [tuple(part.shape) for part in kept["inhibition"]] == [(0, 0), (20, 20)]


@pytest.mark.parametrize(
    ("layers", "inputs", "said"),
    [
        ((Convolution(3, 9), Dense(5)), SHAPE, "not smaller"),
        ((Convolution(3, 3), Dense(5)), 42, "channels, height, width"),
        ((Dense(5), Convolution(3, 3)), SHAPE, "dense output layer"),
        ((), 4, "dense output layer"),
        ((5,), 4, "must be Dense"),
    ],
)
def test_layers_that_do_not_fit_are_refused(layers: tuple[object, ...], inputs: object, said: str) -> None:
    with pytest.raises(InputError, match=said):
        BurstNetwork(layers, inputs=inputs)  # type: ignore[arg-type]
