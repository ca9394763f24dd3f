"""Compiled parts of the retina compute what NumPy and SciPy do."""

import numpy as np
import pytest
from scipy.sparse import random_array

from snncompare.encoding.point_process import fire_at_rates
from snncompare.encoding.visual.ganglion_cells import MIDGET_ON
from snncompare.encoding.visual.pooling import weighted
from snncompare.encoding.visual.spiking import _free_rates, _interpolated
from snncompare.encoding.visual.temporal_filter import convolved

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n_taps", [1, 6, 64])
def test_a_convolution_in_time_is_that_of_numpy(n_taps):
    signals, kernel = RNG.standard_normal((3, 40)), np.concatenate([np.zeros(4), RNG.random(n_taps)])
    kernel /= kernel.sum()
    expected = np.stack([np.convolve(row, kernel)[:40] for row in signals])
    # A part of 1e-12 of the kernel may be left out.
    assert np.abs(convolved(signals, kernel) - expected).max() < 1e-11
    assert np.abs(convolved(signals, kernel[1:]) - expected).max() > 1e-2


def test_the_kernel_of_a_cell_keeps_its_weight():
    kernel = MIDGET_ON.temporal_filter.low_pass(2e-3, 3e-3)
    step = convolved(np.ones((1, 100)), kernel)[0]
    assert np.allclose(step, np.minimum(np.cumsum(np.concatenate([kernel, np.zeros(100)]))[:100], 1.0), atol=1e-11)
    with pytest.raises(ValueError, match="read-only"):
        kernel[0] = 1.0  # it is kept for the next movie


def test_weighted_rows_are_the_product_of_matrices():
    weights = random_array((7, 50), density=0.3, rng=RNG, format="csr")
    values = RNG.standard_normal((50, 33))
    assert np.allclose(weighted(weights, values), weights.toarray() @ values, atol=1e-12)
    assert not np.allclose(weighted(weights, values[::-1]), weights.toarray() @ values, atol=1e-2)


def test_rates_are_looked_up_as_numpy_does():
    rates, free = _free_rates(1e-3, 4.3e-3)
    asked = np.concatenate([rates, RNG.uniform(0.0, 1.2 * rates[-1], 5000), [0.0, 1e-9, rates[-1], 1e9]])
    assert np.allclose(_interpolated(asked[np.newaxis], rates, free)[0], np.interp(asked, rates, free), rtol=1e-12)


def test_recovery_that_is_followed_from_sample_to_sample_is_that_of_the_formula():
    """The hazard of the next spike, r (1 - exp(-(s - t_a) / tau)), integrated over each interval, is exponential."""
    rate, dead, recovery = 200.0, 1e-3, 4.3e-3
    spikes = fire_at_rates(np.full((200, 5000), rate), 0.5e-3, RNG, refractory=dead, recovery=recovery)
    trains = np.split(spikes.times, np.cumsum(spikes.counts)[:-1])
    s = np.concatenate([np.diff(train) for train in trains]) - dead

    def spent(tau):
        return rate * (s - tau * -np.expm1(-s / tau))

    # Mean and variance are 1; 50 000 intervals: three standard errors of 0.0045, and recovery held for half a millisecond.
    assert spent(recovery).mean() == pytest.approx(1.0, abs=0.015)
    assert spent(recovery).var() == pytest.approx(1.0, abs=0.05)
    assert abs(spent(2 * recovery).mean() - 1.0) > 0.1
