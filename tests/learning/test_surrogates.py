"""Surrogate derivatives have the peak and the area they state, and the values that others have published."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from snncompare.backends.torch.functions import Draws
from snncompare.backends.torch.surrogates import (
    ArcTangent,
    Boxcar,
    EscapeNoise,
    Exponential,
    HyperbolicTangent,
    MultiGaussian,
    Sigmoid,
    SmoothSpike,
    SuperSpike,
    Triangle,
    spike,
)
from snncompare.errors import InputError


def gaussian(x, mean, sd):
    return math.exp(-(((x - mean) / sd) ** 2) / 2) / (sd * math.sqrt(2 * math.pi))


def many_gaussians(u, g=0.5, h=0.15, s=0.5):
    return g * ((1 + h) * gaussian(u, 0, s) - h * gaussian(u, s, 6 * s) - h * gaussian(u, -s, 6 * s))


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


# name: surrogate, psi(u) as its publication writes it, peak, area (volt; steepness beta = 20 per volt, height h = 0.5)
PUBLISHED = {
    "SuperSpike": (SuperSpike("50 mV", "1 V"), lambda u: (20 * abs(u) + 1) ** -2, 1, 2 / 20),
    "SuperSpike, asymptotic": (SuperSpike("50 mV", "50 mV"), lambda u: 20 / (20 * abs(u) + 1) ** 2, 20, 2),
    "sigmoid": (Sigmoid("50 mV", "200 mV"), lambda u: 20 * sigmoid(20 * u) * sigmoid(-20 * u), 5, 1),
    "triangle": (Triangle("0.6 V", "2 V"), lambda u: 0.5 * max(0, 1 - abs(u) / 0.6), 0.5, 0.3),
    "arctan": (ArcTangent("0.6 V", "2 V"), lambda u: 0.5 / (1 + (u / 0.6) ** 2), 0.5, math.pi * 0.3),
    "exponential": (Exponential("0.6 V", "2 V"), lambda u: 0.5 * math.exp(-abs(u) / 0.6), 0.5, 0.6),
    "fast sigmoid": (SuperSpike("0.6 V", "2 V"), lambda u: 0.5 * (1 + abs(u) / 0.6) ** -2, 0.5, 0.6),
    "boxcar": (Boxcar("0.6 V", "2 V"), lambda u: 0.5 * (abs(u) < 0.6), 0.5, 0.6),
    "tanh": (HyperbolicTangent("0.6 V", "0.6 V"), lambda u: (1 - math.tanh(u / 0.6) ** 2) / 0.6, 1 / 0.6, 2),
    "multi-Gaussian": (MultiGaussian("0.5 V"), many_gaussians, many_gaussians(0.0), 0.425),
    "smooth": (SmoothSpike("0.1 V"), lambda u: 10 * sigmoid(10 * u) * sigmoid(-10 * u), 2.5, 1),
    "escape noise": (EscapeNoise("0.1 V"), lambda u: 10 * sigmoid(10 * u) * sigmoid(-10 * u), 2.5, 1),
}


def psi(surrogate, u):
    return float(surrogate.derivative(torch.tensor(u, dtype=torch.float64)))


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_surrogate_is_the_published_one(name):
    surrogate, published, _, _ = PUBLISHED[name]
    for u in (-1.3, -0.4, -1e-3, 0.0, 0.02, 0.3, 0.59, 0.9):
        assert psi(surrogate, u) == pytest.approx(published(u), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("name", PUBLISHED)
def test_peak_and_area_are_those_of_the_table(name):
    surrogate, _, peak, area = PUBLISHED[name]
    assert surrogate.peak == pytest.approx(peak, rel=1e-12)
    assert psi(surrogate, 0.0) == pytest.approx(peak, rel=1e-12)
    assert surrogate.area == pytest.approx(area, rel=1e-12)
    # quadrature over all numbers: a finite window would miss the heavy tails; kinks at the width are given as points
    inner = quad(lambda u: psi(surrogate, u), -2, 2, points=[-0.6, 0, 0.6], limit=400, epsabs=1e-10)[0]
    tails = sum(quad(lambda u, s=s: psi(surrogate, s * u), 2, np.inf, limit=400, epsabs=1e-10)[0] for s in (-1, 1))
    assert inner + tails == pytest.approx(area, abs=1e-6)


def test_the_peak_of_the_multi_gaussian_is_that_of_the_table():
    assert MultiGaussian("0.5 V").peak == pytest.approx(0.439, abs=5e-4)  # three digits are published


@pytest.mark.parametrize(
    ("surrogate", "recorded"),
    [
        (Triangle, 0.21030100902759),
        (Exponential, 0.28011776848615),
        (SuperSpike, 0.20044113201621),
        (ArcTangent, 0.37433498786304),
    ],
    ids=["piecewise linear", "exponential", "fast sigmoid", "arctangent"],
)
def test_surrogates_equal_those_of_nest(surrogate, recorded):
    """NEST, test_eprop_plasticity: height 0.5 and width 1/1.7, the first values recorded.

    All were recorded at one membrane: the distance that gives the first of them must give the others.
    """
    height, width = 0.5, 1 / 1.7
    distance = (1 - 0.21030100902759 / height) * width
    shape = surrogate(f"{width!r} V", f"{1 / height!r} V")
    assert psi(shape, distance) == pytest.approx(recorded, rel=1e-12)  # fourteen digits are published
    assert psi(shape, 1.01 * distance) != pytest.approx(recorded, rel=1e-4)


def test_a_wider_surrogate_has_another_area():
    """Negative control: the quadrature is sensitive to the width."""
    area = quad(lambda u: psi(SuperSpike("55 mV", "1 V"), u), -np.inf, np.inf, limit=400)[0]
    assert abs(area - 2 / 20) > 1e-3


@pytest.mark.parametrize("name", [name for name in PUBLISHED if name != "escape noise"])
def test_the_backward_pass_of_a_spike_is_the_surrogate(name):
    surrogate = PUBLISHED[name][0]
    u = torch.linspace(-1, 1, 41, dtype=torch.float64, requires_grad=True)
    fired = surrogate.fire(u)
    fired.sum().backward()
    assert torch.allclose(u.grad, surrogate.derivative(u.detach()), rtol=1e-12)
    if not surrogate.smooth:
        assert torch.equal(fired, (u > 0).double())


def test_a_spike_is_fired_above_the_threshold_or_at_it_as_asked():
    u = torch.tensor([-1e-300, 0.0, 1e-300], dtype=torch.float64)
    assert spike(u, SuperSpike("1 V", "1 V")).tolist() == [0.0, 0.0, 1.0]
    assert spike(u, SuperSpike("1 V", "1 V"), at_zero=True).tolist() == [0.0, 1.0, 1.0]


def test_a_noisy_threshold_fires_with_the_probability_it_states():
    surrogate, n = EscapeNoise("0.1 V"), 40_000
    u = torch.full((n,), 0.05, dtype=torch.float64, requires_grad=True)
    draws = Draws(torch.Generator().manual_seed(0), u)
    fired = surrogate.fire(u, draws=draws)
    probability = sigmoid(0.5)
    error = 4 * math.sqrt(probability * (1 - probability) / n)  # four standard errors: wrong once in 16000 seeds
    share = float(fired.detach().mean())
    assert set(fired.tolist()) == {0.0, 1.0}
    assert abs(share - probability) < error
    assert abs(share - sigmoid(0.6)) > error
    fired.sum().backward()
    assert torch.allclose(u.grad, surrogate.derivative(u.detach()), rtol=1e-12)


@pytest.mark.parametrize(("width", "scale"), [("0 mV", "10 mV"), ("2 mV", "10 ms"), ("-2 mV", "10 mV")])
@pytest.mark.parametrize("kind", [SuperSpike, Sigmoid])
def test_impossible_widths_and_scales_are_refused(kind, width, scale):
    with pytest.raises(InputError, match="positive with the same unit"):
        kind(width, scale)


@pytest.mark.parametrize("kind", [SmoothSpike, EscapeNoise, MultiGaussian])
def test_an_impossible_width_is_refused(kind):
    with pytest.raises(InputError, match="width must be positive"):
        kind("0 mV")


def test_surrogates_are_values():
    assert SuperSpike("1 mV", "10 mV") == SuperSpike("1 mV", "10 mV")
    assert SuperSpike("1 mV", "10 mV") != SuperSpike("2 mV", "10 mV")
    assert repr(Triangle("1 mV", "10 mV")) == "Triangle(width='1 mV', scale='10 mV')"
