"""The attack stays in its box and raises the loss; what is learnt is the equation of Büchel et al. 2022."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import log_softmax

from snncompare.errors import InputError
from snncompare.learning.losses import Classification, Regression
from snncompare.learning.on_chip.attack import attacked, divergence, worst
from snncompare.learning.on_chip.settings import AdversarialMismatch

THETA = {"w": torch.tensor([2.0, -3.0, 0.0, 0.5]).double(), "tau": torch.tensor(0.01).double()}
SLOPE = {"w": torch.tensor([1.0, 1.0, 1.0, -2.0]).double(), "tau": torch.tensor(-7.0).double()}


def linear(theta):
    return sum((theta[name] * SLOPE[name]).sum() for name in theta)


def test_on_a_linear_loss_the_attack_reaches_the_corner_of_the_box_that_is_worst():
    chosen = AdversarialMismatch(zeta=0.1, steps=4, start=0.0)
    found = attacked(THETA, worst(chosen, THETA, linear, seed=0))
    for name, theta in THETA.items():
        expected = theta + 0.1 * theta.abs() * SLOPE[name].sign()
        assert torch.allclose(found[name], expected, rtol=1e-14)  # four additions of a quarter: rounding
    assert found["w"][2] == 0.0  # nothing relative to nothing
    assert linear(found) > linear(THETA)


@pytest.mark.parametrize("zeta", [0.025, 0.3])
def test_the_attack_stays_in_its_box_wherever_it_begins(zeta):
    rough = AdversarialMismatch(zeta=zeta, steps=7, start=zeta)  # normal numbers that would leave the box at once

    def bumpy(theta):
        return torch.sin(300 * theta["w"]).sum() + theta["tau"]

    deltas = [worst(rough, THETA, bumpy, seed=seed) for seed in range(5)]
    for delta in deltas:
        assert all(float(values.abs().max()) <= zeta for values in delta.values())
    assert not torch.equal(deltas[0]["w"], deltas[1]["w"])
    assert torch.equal(deltas[0]["w"], worst(rough, THETA, bumpy, seed=0)["w"])
    size = [np.mean([float(worst(AdversarialMismatch(z, 7), THETA, linear, s)["w"].abs().max()) for s in range(3)])
            for z in (0.025, 0.3)]  # fmt: skip
    assert size[0] < 0.03 < size[1], "a box that does not matter"


def test_more_steps_climb_to_a_maximum_inside_the_box():
    top = {"w": THETA["w"] * (1 + 0.01), "tau": THETA["tau"]}

    def hill(theta):
        return -((theta["w"] - top["w"]) ** 2).sum()

    heights = []
    for steps in (1, 40):
        delta = worst(AdversarialMismatch(zeta=0.02, steps=steps, start=0.0), THETA, hill, seed=0)
        heights.append(float(hill(attacked(THETA, delta))))
    # At the start the gradient is not zero; one step of 2 % overshoots by as much as it began below; 40 steps of
    # 0.05 % end within one step of the top.
    assert heights[1] > -((5e-4 * 3.0) ** 2) * 3 > heights[0]


def test_the_divergence_is_that_of_the_probabilities_of_classes():
    loss = Classification("readout", scale="1 mV")
    rng = np.random.default_rng(0)
    one, other = (torch.from_numpy(rng.normal(size=(10, 3, 4)) * 1e-3) for _ in range(2))
    p, q = (np.exp(log_softmax(v.mean(dim=0) / 1e-3, dim=1).numpy()) for v in (one, other))
    by_hand = (p * np.log(p / q)).sum(axis=1).mean()
    assert math.isclose(float(divergence(loss, one, other)), by_hand, rel_tol=1e-12)
    assert float(divergence(loss, one, one)) == 0.0
    assert not math.isclose(float(divergence(loss, other, one)), by_hand, rel_tol=1e-3), "not symmetric"


def test_a_loss_without_classes_compares_what_it_reads():
    loss = Regression("readout", scale="1 mV")
    one, other = torch.full((5, 2, 3), 2.0).double(), torch.full((5, 2, 3), 3.0).double()
    assert float(divergence(loss, one, other)) == 0.25  # (3 - 2)^2 / 2^2
    assert float(divergence(loss, one, one)) == 0.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"zeta": 0.0}, "zeta must lie between 0 and 1"),
        ({"zeta": 1.5}, "zeta must lie between 0 and 1"),
        ({"steps": 0}, "steps must be at least 1"),
        ({"beta": -1.0}, "beta must be at least 0"),
        ({"start": 0.5}, r"start between 0 and zeta \(0.025\)"),
        ({"steps": 2.5}, "a whole number"),
    ],
    ids=["no box", "box over zero", "no step", "negative beta", "start outside", "half steps"],
)
def test_attacks_that_cannot_be_are_refused(given, message):
    with pytest.raises(InputError, match=message):
        AdversarialMismatch(**given)
