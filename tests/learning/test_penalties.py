"""Penalties on firing are zero where nothing is wrong, and have the values and slopes of their equations elsewhere."""

import numpy as np
import pytest
import torch

from snncompare.errors import InputError
from snncompare.learning.losses import RateLimit, RateTarget, Synchrony

DT = 1e-3


def test_a_rate_target_has_the_slope_of_the_published_rule():
    """Bellec et al. 2020: the learning signal of each spike is c (f_j - f*) / T for one trial of T steps."""
    fired = (torch.rand((200, 1, 5), generator=torch.Generator().manual_seed(0)) < 0.04).double().requires_grad_()
    c, target = 300.0, 0.01
    value = RateTarget("10 Hz", c).of_spikes(fired, DT)
    value.backward()
    f = fired.detach().mean(dim=(0, 1))
    assert float(value.detach()) == pytest.approx(float(0.5 * c * (f - target).square().sum()), rel=1e-12)
    assert torch.allclose(fired.grad, (c * (f - target) / 200).expand(200, 1, 5), rtol=1e-12, atol=0)
    for other in (RateTarget("20 Hz", c), RateTarget("10 Hz", 1.0), RateTarget("10 Hz", c, step="2 ms")):
        assert float(other.of_spikes(fired.detach(), DT)) != pytest.approx(float(value.detach()), rel=1e-2)


def test_a_rate_target_takes_the_mean_over_trials_before_the_square():
    counts = torch.tensor([[0.0], [4.0]], dtype=torch.float64)
    assert float(RateTarget("20 Hz", 1.0).of_counts(counts, 0.1)) == pytest.approx(0.0, abs=1e-30)
    assert float(RateTarget("20 Hz", 1.0).of_counts(counts[:1], 0.1)) == pytest.approx(0.5 * 0.02**2, rel=1e-12)


def test_synchrony_is_the_excess_of_the_fano_factor_squared():
    together = torch.zeros((100, 1, 8), dtype=torch.float64)
    together[::10] = 1.0  # all 8 neurons in 10 of 100 steps: mean 0.8, variance 6.4 - 0.64
    excess = (6.4 - 0.64) / 0.8 - 1
    assert float(Synchrony(0.5).of_spikes(together, DT)) == pytest.approx(0.5 * excess**2, rel=1e-12)
    both = torch.cat([together, torch.zeros_like(together)], dim=1)
    assert float(Synchrony(0.5).of_spikes(both, DT)) == pytest.approx(0.25 * excess**2, rel=1e-12)


def test_independent_neurons_cost_next_to_nothing_and_shared_input_much():
    rng = np.random.default_rng(0)
    alone = torch.from_numpy((rng.random((4000, 2, 20)) < 0.02).astype(float))
    volleys = (rng.random((4000, 2, 1)) < 0.02) & (rng.random((4000, 2, 20)) < 0.8)
    # The Fano factor of 4000 independent steps has the standard error sqrt(2/4000) = 0.022.
    assert float(Synchrony().of_spikes(alone, DT)) < (4 * 0.022) ** 2
    assert float(Synchrony().of_spikes(torch.from_numpy(volleys.astype(float)), DT)) > 10


def test_silence_is_not_synchronous_and_the_gradient_is_finite():
    fired = torch.zeros((50, 2, 4), dtype=torch.float64)
    fired[10, 1] = 1.0
    fired.requires_grad_()
    value = Synchrony().of_spikes(fired, DT)
    value.backward()
    assert float(value.detach()) > 0
    assert torch.isfinite(fired.grad).all()
    assert not fired.grad[:, 0].any()
    assert float(Synchrony().of_spikes(torch.zeros((50, 2, 4)), DT)) == 0.0


def test_counts_say_nothing_of_synchrony():
    assert Synchrony().needs_steps
    assert not RateLimit().needs_steps
    with pytest.raises(InputError, match="every step"):
        Synchrony().of_counts(torch.zeros((1, 2)), 1.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: RateLimit("50 Hz", "1 Hz"), "low must lie below high"),
        (lambda: RateTarget("-1 Hz"), "at least 0 Hz"),
        (lambda: RateTarget(step="0 ms"), "above 0 s"),
        (lambda: Synchrony(0.0), "strength must be positive"),
    ],
)
def test_penalties_that_mean_nothing_are_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
