"""What tensors become on chips: the numbers of the numpy transforms to the last bit, and their derivatives."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.analog.frozen.maps import ParameterMap, WeightMap
from snncompare.backends.torch.emulated_values import emulated_parameter, emulated_weights, injected, with_factors

RNG = np.random.default_rng(5)
ASKED = RNG.normal(0, 0.4, 40)
FACTOR = np.exp(0.2 * RNG.standard_normal((3, 40)))
MAPS = {
    "largest": WeightMap(None, -63.0, 63.0, rounds=True, factor=FACTOR),
    "clipped": WeightMap(200.0, -63.0, 63.0, rounds=True, factor=FACTOR),
    "unsigned": WeightMap(31.0, 0.0, 15.0, rounds=True, factor=FACTOR[:1]),
    "one device": WeightMap(31.0, -15.0, 15.0, rounds=True, factor=FACTOR[0]),
    "not rounded": WeightMap(31.0, -7.0, 7.0, factor=FACTOR),
    "factors only": WeightMap(factor=FACTOR),
}


def on_tensors(asked, transform):
    return with_factors(emulated_weights(asked, transform), transform)


@pytest.mark.parametrize("name", MAPS)
def test_weights_are_those_of_numpy_to_the_last_bit(name):
    expected = MAPS[name].apply(ASKED)
    got = on_tensors(torch.from_numpy(ASKED), MAPS[name]).numpy()
    assert np.array_equal(got, expected.squeeze())
    assert not np.array_equal(on_tensors(torch.from_numpy(ASKED), replace(MAPS[name], factor=FACTOR + 0.1)), expected)


def test_halves_are_rounded_to_the_even_level():
    halves = torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, 3.5, 9.0], dtype=torch.float64)
    levels = emulated_weights(halves, WeightMap(1.0, -3.0, 3.0, rounds=True))
    assert levels.tolist() == [0.0, 2.0, 2.0, 0.0, -2.0, 3.0, 3.0]


@pytest.mark.parametrize("shape", [(40,), (1, 40), (3, 40)], ids=str)
def test_parameters_are_those_of_numpy_to_the_last_bit(shape):
    factor, offset = np.exp(0.1 * RNG.standard_normal(shape)), 0.01 * RNG.standard_normal(shape)
    transform = ParameterMap(factor, offset, low=-0.3, high=0.4)
    expected = transform.apply(ASKED)
    assert {-0.3, 0.4} <= set(expected.ravel())
    got = emulated_parameter(torch.from_numpy(ASKED), transform).numpy()
    assert np.array_equal(got, expected.squeeze())
    for changed in ({"factor": factor + 0.1}, {"offset": offset + 0.1}, {"low": -0.2}, {"high": 0.3}):
        other = emulated_parameter(torch.from_numpy(ASKED), replace(transform, **changed)).numpy()
        assert not np.array_equal(other, got)


@pytest.mark.parametrize("gradient", ["straight_through", "clipped"])
def test_the_gradient_passes_rounding_and_stops_at_the_range_where_asked(gradient):
    transform = replace(MAPS["clipped"], gradient=gradient)
    asked = torch.from_numpy(ASKED).requires_grad_()
    on_tensors(asked, transform).sum().backward()
    inside = np.abs(np.rint(ASKED * 200)) <= 63
    assert 5 < inside.sum() < 35
    expected = FACTOR.sum(axis=0) * (inside if gradient == "clipped" else 1.0)
    assert np.allclose(asked.grad.numpy(), expected, rtol=1e-15, atol=0)  # three addends


@pytest.mark.parametrize("scale", [31.0, 1.0])
def test_where_nothing_is_rounded_the_gradient_is_that_of_differences(scale):
    """Away from the corners of the range, which differences would straddle."""
    transform = WeightMap(scale, -7.0, 7.0, factor=FACTOR, gradient="clipped")
    asked = torch.from_numpy(ASKED[np.abs(np.abs(ASKED * scale) - 7) > 0.1])
    transform = replace(transform, factor=FACTOR[:, : asked.numel()])
    assert torch.autograd.gradcheck(lambda w: on_tensors(w, transform), asked.requires_grad_())


def test_what_is_injected_goes_on_and_the_gradient_is_the_models():
    model, weight = torch.tensor([1.0, 2.0, 3.0], requires_grad=True), torch.tensor([5.0, 7.0, 11.0])
    found = injected(model * 2, torch.tensor([10.0, float("nan"), 30.0]))
    assert found.tolist() == [10.0, 4.0, 30.0]
    (found * weight).sum().backward()
    assert model.grad.tolist() == [10.0, 14.0, 22.0]
