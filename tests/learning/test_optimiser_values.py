"""Optimisers step as their papers say, in units of what is changed; learning rates follow their schedules."""

import math
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.surrogates import SuperSpike
from snncompare.errors import InputError
from snncompare.learning.learning_rates import Constant, ExponentialDecay, HalfCosine, StepDecay, WarmUp
from snncompare.learning.optimiser import Optimiser
from snncompare.learning.optimisers import Adam, Adamax, AdamW, GradientDescent, RMSprop, TorchOptimiser, Units
from snncompare.learning.rule import LearningRule
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import SpikeSource
from snncompare.network.neurons import leaky_integrate_and_fire
from snncompare.network.synapses import exponential
from snncompare.network.trainable import Trainable

RATE = 0.02
START = np.array([[3e-3, -1e-3], [2e-3, 2e-3]])
UNIT = math.sqrt(np.mean(START**2))
GRADIENTS = [np.array([[5.0, -2.0], [0.3, 1.0]]) * k for k in (1.0, -0.4, 2.0)]
"""By the weights in volts."""
NO_CLIP = {"clip": None, "schedule": Constant()}


def learner(chosen):
    network = Network(
        populations={
            "inputs": Population(size=2, neuron=SpikeSource()),
            "cells": Population(size=2, neuron=leaky_integrate_and_fire(), trainable={"tau": Trainable(shared=True)}),
        },
        projections={
            "feed": Projection(
                source="inputs", target="cells", synapse=exponential(tau="4 ms"), into="I",
                weight={"type": "Uniform", "low": "5 mV", "high": "30 mV"},
            )
        },
    )  # fmt: skip
    rule = LearningRule(surrogate=SuperSpike("2 mV", "10 mV"), optimiser=chosen)
    module = TorchNetwork(network, 5e-4, {"feed": START})
    optimiser = Optimiser(module, rule)
    optimiser.set_rate(chosen.rate_at(0, 10))
    return module.synapses["feed"].weight, module.neurons["cells"]["tau"], optimiser


def moved(chosen, gradients=GRADIENTS):
    weight, tau, optimiser = learner(chosen)
    for gradient in gradients:
        weight.grad = torch.from_numpy(gradient.copy()).reshape(weight.shape)
        tau.grad = torch.zeros_like(tau)
        optimiser.update()
    return weight.detach().numpy().reshape(2, 2)


def adam(unit, *, decay=0.0, decoupled=0.0, hat=False, eps=1e-8, rate=RATE):
    """Kingma and Ba 2015, algorithm 1, or the form before section 2.1; on weights in units."""
    w, m, v = START / unit, 0.0, 0.0
    for n, gradient in enumerate(GRADIENTS, 1):
        g = gradient * unit + decay * w
        w = w * (1 - rate * decoupled)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        if hat:
            w = w - rate * math.sqrt(1 - 0.999**n) / (1 - 0.9**n) * m / (np.sqrt(v) + eps * unit)
        else:
            w = w - rate * (m / (1 - 0.9**n)) / (np.sqrt(v / (1 - 0.999**n)) + eps * unit)
    return w * unit


def descent(unit, *, momentum=0.0, decay=0.0):
    w, m = START / unit, 0.0
    for gradient in GRADIENTS:
        m = momentum * m + gradient * unit + decay * w
        w = w - RATE * m
    return w * unit


def root_mean_square(unit):
    """Tieleman and Hinton 2012."""
    w, v = START / unit, 0.0
    for gradient in GRADIENTS:
        g = gradient * unit
        v = 0.9 * v + 0.1 * g**2
        w = w - RATE * g / (np.sqrt(v) + 1e-8 * unit)
    return w * unit


def largest(unit):
    """Kingma and Ba 2015, algorithm 2."""
    w, m, u = START / unit, 0.0, 0.0
    for n, gradient in enumerate(GRADIENTS, 1):
        g = gradient * unit
        m, u = 0.9 * m + 0.1 * g, np.maximum(0.999 * u, np.abs(g) + 1e-8 * unit)
        w = w - RATE / (1 - 0.9**n) * m / u
    return w * unit


FORMS = {
    "Adam": (Adam(RATE, **NO_CLIP), adam),
    "Adam with weight decay": (Adam(RATE, weight_decay=0.3, **NO_CLIP), lambda u: adam(u, decay=0.3)),
    "Adam with a large epsilon": (Adam(RATE, eps=0.5, **NO_CLIP), lambda u: adam(u, eps=0.5)),
    "Adam with epsilon hat": (Adam(RATE, eps=0.5, epsilon_hat=True, **NO_CLIP), lambda u: adam(u, eps=0.5, hat=True)),
    "AdamW": (AdamW(RATE, weight_decay=0.3, **NO_CLIP), lambda u: adam(u, decoupled=0.3)),
    "Adamax": (Adamax(RATE, **NO_CLIP), largest),
    "RMSprop": (RMSprop(RATE, alpha=0.9, **NO_CLIP), root_mean_square),
    "gradient descent": (GradientDescent(RATE, **NO_CLIP), descent),
    "momentum": (GradientDescent(RATE, momentum=0.7, **NO_CLIP), lambda u: descent(u, momentum=0.7)),
    "descent with decay": (GradientDescent(RATE, weight_decay=0.3, **NO_CLIP), lambda u: descent(u, decay=0.3)),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("units", list(Units), ids=lambda units: units.value)
def test_an_optimiser_steps_as_published_in_units_of_what_it_changes(name, units):
    chosen, form = FORMS[name]
    found = moved(replace(chosen, units=units))
    expected = form(UNIT if units is Units.INITIAL_SIZE else 1.0)
    # Rounding of three updates in another order of multiplications.
    assert np.allclose(found, expected, rtol=1e-12, atol=0)
    others = [other(UNIT if units is Units.INITIAL_SIZE else 1.0) for key, (_, other) in FORMS.items() if key != name]
    assert all(np.abs(found / other - 1).max() > 1e-6 for other in others), "another optimiser would pass, too"


@pytest.mark.parametrize(
    "chosen",
    [
        *(FORMS[name][0] for name in ("Adam", "AdamW", "Adamax", "RMSprop", "momentum", "descent with decay")),
        TorchOptimiser(RATE, name="Adagrad", **NO_CLIP),
        TorchOptimiser(RATE, name="NAdam", settings={"weight_decay": 0.1}, **NO_CLIP),
    ],
    ids=["Adam", "AdamW", "Adamax", "RMSprop", "momentum", "decay", "Adagrad", "NAdam"],
)
def test_a_learning_rate_serves_any_physical_unit(chosen, monkeypatch):
    """Weights a thousand times smaller, with gradients a thousand times larger, move in the same proportion."""
    large = moved(chosen)
    monkeypatch.setattr(sys.modules[__name__], "START", START / 1e3)
    small = moved(chosen, [gradient * 1e3 for gradient in GRADIENTS])
    # Epsilon, 1e-8 or 1e-10 by volts, is at most 1e-7 of the smaller gradients.
    assert np.allclose(small * 1e3, large, rtol=1e-6, atol=0)
    assert not np.allclose(moved(replace(chosen, units=Units.SI)), small, rtol=1e-3, atol=0)


def test_factors_slow_a_part_of_the_network():
    slow = Adam(RATE, factors={"cells.tau": 0.1}, **NO_CLIP)
    for chosen, expected in (
        (slow, 0.1),
        (Adam(RATE, **NO_CLIP), 1.0),
        (Adam(RATE, factors={"cells": 0.5}, **NO_CLIP), 0.5),
    ):
        weight, tau, optimiser = learner(chosen)
        before = float(tau.detach())
        weight.grad, tau.grad = torch.ones_like(weight), torch.ones_like(tau)
        optimiser.update()
        assert (before - float(tau.detach())) / before == pytest.approx(RATE * expected, rel=1e-5)
        assert float((torch.from_numpy(START).reshape(weight.shape) - weight.detach()).abs().max()) == pytest.approx(
            RATE * UNIT, rel=1e-5
        )
    assert hash(slow) == hash(Adam(RATE, factors=(("cells.tau", 0.1),), **NO_CLIP))
    with pytest.raises(InputError, match=r"did you mean 'cells\.tau'"):
        learner(Adam(RATE, factors={"cells.tao": 0.1}))


def test_gradients_are_clipped_by_norm_and_by_value():
    (gradient, *_) = GRADIENTS
    scaled = gradient * UNIT
    by_norm = moved(GradientDescent(RATE, 1e-3, schedule=Constant()), [gradient])
    expected = START - RATE * UNIT * scaled * 1e-3 / np.linalg.norm(scaled)
    assert np.allclose(by_norm, expected, rtol=1e-12, atol=0)
    by_value = moved(GradientDescent(RATE, None, clip_value=2e-3, schedule=Constant()), [gradient])
    assert np.allclose(by_value, START - RATE * UNIT * np.clip(scaled, -2e-3, 2e-3), rtol=1e-12, atol=0)
    assert np.abs(scaled).min() < 2e-3 < np.abs(scaled).max()
    free = moved(GradientDescent(RATE, 1e3, schedule=Constant()), [gradient])
    assert np.allclose(free, START - RATE * UNIT * scaled, rtol=1e-12, atol=0)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(), [1, 1, 1, 1]),
        (HalfCosine(), [1, 0.5 + math.sqrt(0.125), 0.5, 0.5 - math.sqrt(0.125)]),
        (StepDecay(2, 0.5), [1, 1, 0.5, 0.5]),
        (ExponentialDecay(0.5), [1, 0.5, 0.25, 0.125]),
        (WarmUp(2, Constant()), [1 / 3, 2 / 3, 1, 1]),
        (WarmUp(2), [1 / 3, 2 / 3, 1, 0.5]),
    ],
    ids=lambda value: repr(value) if not isinstance(value, list) else "",
)
def test_schedules_give_their_learning_rates(schedule, expected):
    found = [Adam(0.2, schedule=schedule).rate_at(finished, 4) for finished in range(4)]
    assert found == pytest.approx([0.2 * factor for factor in expected], rel=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(0.0), "learning_rate must be positive"),
        (lambda: Adam(clip=-1.0), "clip must be positive"),
        (lambda: Adam(factors={"feed": 0}), r"factors\['feed'\] must be positive"),
        (lambda: Adam(betas=(1.5, 0.9)), "below 1, got 1.5"),
        (lambda: GradientDescent(nesterov=True), "momentum"),
        (lambda: Adamax(epsilon_hat=True), "option of Adam only"),
        (lambda: TorchOptimiser(name="LBFGS"), "no optimiser 'LBFGS'"),
        (lambda: TorchOptimiser(name="NAdam", settings={"lr": 1}), "learning_rate"),
        (lambda: learner(TorchOptimiser(name="NAdam", settings={"nothing": 1})), "refuses"),
        (lambda: StepDecay(0), "every must be at least 1"),
        (lambda: ExponentialDecay(1.1), "at most 1"),
        (lambda: WarmUp(0), "warm-up must be at least 1"),
    ],
)
def test_values_that_mean_nothing_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
