"""Maps of parameters and weights: the formula, the errors of quantisation in closed form, and devices side by side."""

import numpy as np
import pytest

from snncompare.backends.analog.frozen.maps import ParameterMap, WeightMap

RNG = np.random.default_rng


def test_a_parameter_is_scaled_shifted_and_clipped_in_this_order():
    one = ParameterMap(np.array([1.0, 2.0, 2.0]), np.array([0.0, 1.0, -10.0]), low=0.5, high=4.0)
    assert one.apply(1.0).tolist() == [1.0, 3.0, 0.5]
    assert one.apply(np.array([5.0, 1.0, 20.0])).tolist() == [4.0, 3.0, 4.0]


def test_devices_side_by_side_are_the_devices_alone():
    factor, offset = RNG(0).random((3, 4)), RNG(9).random((3, 4))
    parts = [ParameterMap(factor[k], offset[k], low=0.1) for k in range(3)]
    both = ParameterMap(factor, offset, low=0.1)
    assert np.array_equal(both.apply(2.0), np.stack([part.apply(2.0) for part in parts]))
    assert all(both.select(k).equals(part) for k, part in enumerate(parts))
    assert not both.select(0).equals(parts[1])


def test_weights_are_rounded_to_even_and_clipped_to_the_range():
    one = WeightMap(scale=2.0, low=-3.0, high=3.0, rounds=True)
    assert one.levels(np.array([0.25, 0.75, 0.3, 5.0, -5.0])).tolist() == [0.0, 2.0, 1.0, 3.0, -3.0]
    assert one.apply(np.array([0.3, 5.0])).tolist() == [0.5, 1.5]
    assert WeightMap(scale=2.0, low=-3.0, high=3.0).apply(np.array([0.3, 5.0])).tolist() == [0.3, 1.5]


def test_without_a_scale_the_largest_weight_fills_the_range():
    one, w = WeightMap(scale=None, low=-63.0, high=63.0, rounds=True), np.array([-0.2, 0.1, 0.05])
    assert one.levels(w).tolist() == [-63.0, 32.0, 16.0]
    assert one.apply(w)[0] == pytest.approx(-0.2, rel=1e-15)
    assert one.levels(np.zeros(2)).tolist() == [0.0, 0.0]
    assert WeightMap(scale=None, low=0.0, high=255.0, rounds=True).top == 255.0


def test_a_map_that_neither_rounds_nor_clips_leaves_the_bits_alone():
    w = RNG(0).normal(size=50)
    assert WeightMap().apply(w) is w
    factor = RNG(1).random((2, 50))
    assert np.array_equal(WeightMap(factor=factor).apply(w), w * factor)


def test_the_error_of_rounding_has_the_variance_of_a_uniform_distribution():
    """Largest error Delta/2, rms Delta/sqrt(12) = 0.2887 Delta."""
    delta = 1 / 63
    w = RNG(2).uniform(-1, 1, 200_000)
    error = WeightMap(scale=63.0, low=-63.0, high=63.0, rounds=True).apply(w) - w
    assert np.abs(error).max() <= delta / 2 * (1 + 1e-12)
    assert error.std() / delta == pytest.approx(1 / np.sqrt(12), rel=0.005)  # 200 000 draws: 0.1 % standard error
    assert abs(error.mean()) < 5 * error.std() / np.sqrt(w.size)
    floored = np.floor(w * 63) / 63 - w
    assert abs(floored.mean()) > 5 * error.std() / np.sqrt(w.size)


@pytest.mark.parametrize(("bits", "decibels"), [(2, 8.3), (3, 15.7), (4, 22.3), (5, 28.6), (6, 34.8), (8, 46.9)])
def test_the_signal_to_noise_ratio_of_clipped_gaussian_weights(bits, decibels):
    """N(0, 0.25^2) weights on +-1 with sign and b bits: signal to noise in closed form."""
    top = float(2**bits - 1)
    w = np.clip(RNG(3).normal(0, 0.25, 200_000), -1, 1)
    error = WeightMap(scale=top, low=-top, high=top, rounds=True).apply(w) - w
    assert 10 * np.log10((w**2).mean() / (error**2).mean()) == pytest.approx(decibels, abs=0.1)


def test_weights_of_several_devices_are_those_of_each():
    factor, w = RNG(0).random((3, 20)), RNG(8).normal(size=20)
    parts = [WeightMap(None, -7.0, 7.0, rounds=True, factor=factor[k]) for k in range(3)]
    both = WeightMap(None, -7.0, 7.0, rounds=True, factor=factor)
    assert np.array_equal(both.apply(w), np.stack([part.apply(w) for part in parts]))
    assert all(both.select(k).equals(part) for k, part in enumerate(parts))
    assert not both.select(0).equals(WeightMap(None, -7.0, 7.0, rounds=False, factor=parts[0].factor))
