"""Latent predictive learning with rates: the local rule is the gradient, and it finds what is predictable."""

import numpy as np
import pytest
import torch

from snncompare.errors import InputError
from snncompare.learning.unsupervised.latent_prediction import LatentPrediction


def sample(seed: int = 0, n: int = 50, inputs: int = 6, units: int = 4) -> tuple[torch.Tensor, ...]:
    rng = np.random.default_rng(seed)
    now, before = (torch.from_numpy(rng.standard_normal((n, inputs))) for _ in "ab")
    return now, before, torch.from_numpy(rng.standard_normal((inputs, units)))


@pytest.mark.parametrize("terms", [(0.7, 1.3, 10.0), (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)], ids=str)
def test_the_local_rule_is_the_negative_gradient_of_the_loss(terms: tuple[float, float, float]) -> None:
    rule = LatentPrediction(pull=terms[0], push=terms[1], decorrelation=terms[2])
    now, before, weights = sample()
    weights.requires_grad_()
    activity, earlier = torch.tanh(now @ weights), torch.tanh(before @ weights)
    rule.loss(activity, earlier).backward()
    change = rule.weight_change(now, activity.detach(), earlier.detach(), (1 - activity**2).detach())
    torch.testing.assert_close(change, -weights.grad, rtol=0, atol=1e-13)  # both of order one, in float64
    assert change.abs().max() > 1e-3


def test_covariances_are_averaged_before_they_are_squared() -> None:
    # Erratum of the authors: with the square inside the average, uncorrelated units would cost.
    rule = LatentPrediction(pull=0.0, push=0.0, decorrelation=1.0)
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]], dtype=torch.float64)
    assert rule.loss(signs, signs).item() == 0.0
    same = signs[:, [0, 0]]
    assert rule.loss(same, same).item() == pytest.approx((4 / 3) ** 2, rel=1e-12)


def cosine(rule: LatentPrediction, noise: float, seed: int, steps: int = 400) -> tuple[float, float]:
    """Return |cos| with the predictable axis x, and the length, of a linear unit's weights (notes on learning rules R8.2)."""
    rng = np.random.default_rng([seed, 0])
    weights = torch.from_numpy(0.5 * rng.standard_normal((2, 1)))
    for _ in range(steps):
        place = rng.choice([-1.0, 1.0], size=200)
        glimpses = [
            np.stack([place + 0.1 * rng.standard_normal(200), noise * rng.standard_normal(200)], 1) for _ in "ab"
        ]
        before, now = (torch.from_numpy(g) for g in glimpses)
        weights = weights + 1e-2 * rule.weight_change(now, now @ weights, before @ weights, torch.ones(200, 1))
    return abs(float(weights[0, 0])) / float(weights.norm()), float(weights.norm())


def test_prediction_finds_the_predictable_axis_where_hebb_finds_the_loud_one() -> None:
    seeds = range(5)
    learnt = [cosine(LatentPrediction(decorrelation=0.0), 3.0, seed)[0] for seed in seeds]
    hebbian = [cosine(LatentPrediction(pull=0.0, decorrelation=0.0), 3.0, seed)[0] for seed in seeds]
    assert min(learnt) > 0.99  # thresholds of notes on learning rules R8.2
    assert np.mean(hebbian) < 0.2


def test_without_the_variance_term_activity_collapses() -> None:
    lengths = {push: cosine(LatentPrediction(push=push, decorrelation=0.0), 1.0, 0, steps=2000)[1] for push in (0, 1)}
    assert lengths[0] < 0.25  # R8.2: .09 to .20 after 4000 steps
    assert lengths[1] > 3


def test_decorrelation_keeps_two_units_from_learning_the_same() -> None:
    def correlation(decorrelation: float) -> float:
        rng = np.random.default_rng(3)
        rule = LatentPrediction(decorrelation=decorrelation)
        weights = torch.tensor([[1.0, 0.9], [0.1, 0.2]], dtype=torch.float64)
        for _ in range(600):
            place = torch.from_numpy(rng.choice([-1.0, 1.0], size=(200, 2)))
            now, before = (place + 0.1 * torch.from_numpy(rng.standard_normal((200, 2))) for _ in "ab")
            weights = weights + 1e-2 * rule.weight_change(now, now @ weights, before @ weights, torch.ones(200, 2))
        return abs(float(np.corrcoef((now @ weights).numpy().T)[0, 1]))

    assert correlation(10.0) < 0.15  # two s.e. of the correlation of 200 samples
    assert correlation(0.0) > 0.9


def test_samples_without_variance_are_refused() -> None:
    with pytest.raises(InputError, match="two samples"):
        LatentPrediction().loss(torch.ones(1, 3), torch.ones(1, 3))
    with pytest.raises(InputError, match="must not be negative"):
        LatentPrediction(pull=-1.0)
