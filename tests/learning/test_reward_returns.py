"""The online form of an actor-critic's gradient is its offline form, for any rewards, values and traces."""

import numpy as np
import pytest
import torch

from snncompare.learning.reward.returns import discounted_sum, returns, temporal_difference_errors

DECISIONS, TRIALS, DISCOUNT = 40, 3, 0.93
CLOSE = {"rtol": 1e-12, "atol": 1e-12}
"""Sums of 40 numbers of size 1 to 10 in float64."""


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    rewards, values = (torch.from_numpy(rng.normal(size=(DECISIONS, TRIALS))) for _ in range(2))
    return rewards, values, torch.from_numpy(rng.normal(size=(DECISIONS, TRIALS, 5, 4)))


def test_returns_are_discounted_sums_of_what_comes():
    rewards, _, _ = drawn()
    last = torch.tensor([1.0, 0.0, -2.0], dtype=torch.float64)
    found = returns(rewards, last, DISCOUNT)
    for t in (0, 17, DECISIONS - 1):
        powers = DISCOUNT ** torch.arange(DECISIONS - t, dtype=torch.float64)
        expected = (powers[:, None] * rewards[t:]).sum(0) + DISCOUNT ** (DECISIONS - t) * last
        torch.testing.assert_close(found[t], expected, **CLOSE)
    assert not torch.allclose(found, returns(rewards, last, 0.5))


@pytest.mark.parametrize("ends", [True, False])
def test_filtered_traces_times_errors_sum_to_traces_times_advantages(ends):
    rewards, values, traces = drawn()
    last = torch.zeros(TRIALS, dtype=torch.float64) if ends else torch.ones(TRIALS, dtype=torch.float64)
    errors = temporal_difference_errors(rewards, values, last, DISCOUNT)
    online = torch.einsum("tb,tbij->ij", errors, discounted_sum(traces, DISCOUNT))
    offline = torch.einsum("tb,tbij->ij", returns(rewards, last, DISCOUNT) - values, traces)
    torch.testing.assert_close(online, offline, **CLOSE)
    wrong_filter = torch.einsum("tb,tbij->ij", errors, discounted_sum(traces, DISCOUNT - 0.01))
    assert (wrong_filter - offline).norm() / offline.norm() > 1e-3
    wrong_end = temporal_difference_errors(rewards, values, last + 1, DISCOUNT)
    wrong = torch.einsum("tb,tbij->ij", wrong_end, discounted_sum(traces, DISCOUNT))
    assert (wrong - offline).norm() / offline.norm() > 1e-3


def test_errors_vanish_where_values_are_the_returns():
    rewards, values, _ = drawn()
    last = values[-1]
    exact = returns(rewards, last, DISCOUNT)
    assert temporal_difference_errors(rewards, exact, last, DISCOUNT).abs().max() < 1e-12
    assert temporal_difference_errors(rewards, exact + 1, last, DISCOUNT).abs().max() > 1e-2
