"""Integrate-and-fire neurons fire at the rates that theory gives, and low-pass filters answer steps as they should."""

from math import log

import numpy as np
import pytest

from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.integrate_and_fire import integrate_and_fire
from snncompare.encoding.low_pass import low_pass
from snncompare.encoding.randomness import child

DT = 1e-4


def fire(drives, randomness=None, **changes):
    n = len(drives)
    settings = {"membrane": 0.01, "refractory": 0.002, "noise": 0.0, "adaptation": 0.0, "recovery": 0.05} | changes
    every = {name: np.full(n, value) for name, value in settings.items()}
    return integrate_and_fire(np.asarray(drives, dtype=float), DT, randomness or presentation_seed(0, 0), **every)


@pytest.mark.parametrize("drive", [1.2, 2.0, 5.0])
def test_the_rate_to_a_constant_drive_is_the_exact_one(drive):
    times = fire(np.full((1, 100_000), drive)).times
    interval = 0.002 + 0.01 * log(drive / (drive - 1))
    # The straight line through a sample is off by at most a tenth of a sample here.
    assert np.diff(times)[5:].mean() == pytest.approx(interval, abs=0.5 * DT)


def test_a_drive_below_threshold_is_silent_without_noise_only():
    assert fire(np.full((1, 100_000), 0.9)).times.size == 0
    assert fire(np.full((1, 100_000), 0.9), noise=0.2).times.size > 10


def test_adaptation_slows_the_discharge_to_the_predicted_rate():
    times = fire(np.full((1, 200_000), 20.0), membrane=0.005, adaptation=1.0, recovery=0.1).times
    first, last = np.diff(times)[0], np.diff(times)[-20:].mean()
    assert last > 2 * first
    # In the mean over an interval, a = rate * adaptation * recovery, and the drive less a is that of the interval.
    rate = 1 / last
    assert rate == pytest.approx(1 / (0.002 + 0.005 * log(1 + 1 / (20.0 - rate * 0.1 - 1))), rel=0.15)


def test_no_interval_is_shorter_than_the_refractory_period():
    times = fire(np.full((1, 50_000), 500.0), refractory=0.003).times
    assert np.diff(times).min() >= 0.003 - 1e-12  # rounding of sums of times
    assert np.diff(fire(np.full((1, 50_000), 500.0), refractory=0.0005).times).min() < 0.003


def test_noise_of_a_neuron_depends_on_its_number_and_not_on_the_others():
    two, three = (fire(np.full((n, 20_000), 1.1), noise=0.3) for n in (2, 3))
    assert np.array_equal(two.times, three.times[: two.times.size])
    assert not np.array_equal(three.times[: three.counts[0]], three.times[three.counts[0] :][: three.counts[1]])


def test_a_child_is_that_of_spawning_and_leaves_its_parent_as_it_was():
    parent = presentation_seed(3, 4)
    first, again = (child(parent, 2).generate_state(4) for _ in range(2))
    assert np.array_equal(first, again)
    assert np.array_equal(first, presentation_seed(3, 4).spawn(3)[2].generate_state(4))
    assert parent.n_children_spawned == 0


@pytest.mark.parametrize("order", [1, 2])
def test_a_filter_starts_at_rest_and_answers_a_step_exponentially(order):
    step = np.concatenate([np.full((1, 100), 3.0), np.full((1, 400), 4.0)], axis=1)
    found = low_pass(step, 0.01, DT, order)[0]
    assert found[:100] == pytest.approx(3.0, abs=1e-12)
    s = np.arange(1, 401) * DT / 0.01
    exact = 1 - np.exp(-s) * (1 if order == 1 else 1 + s)
    # Exact for one filter; the second one takes the output of the first as constant over a sample.
    assert found[100:] - 3.0 == pytest.approx(exact, abs=1e-12 if order == 1 else 0.005)
