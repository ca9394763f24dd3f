"""Send-on-delta gives the signal back to within one step."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.encoding.catalogue import encoder
from snncompare.encoding.encoder import presentation_seed
from snncompare.encoding.level_crossing import LevelCrossing
from snncompare.encoding.stimuli import Image, Signal
from snncompare.errors import InputError

RANDOMNESS = presentation_seed(0, 0)


def walk(seed=0, n_channels=3, n_samples=500):
    steps = np.random.default_rng(seed).standard_normal((n_channels, n_samples))
    return Signal(np.cumsum(steps, axis=1), "1 kHz", [f"channel {k}" for k in range(n_channels)])


def worst_error(delta, stimulus, spikes):
    """Return the largest difference between signal and reconstruction, over times between and at the samples."""
    n = stimulus.values.shape[1]
    sampled = np.arange(n) / stimulus.sampling_rate
    times = np.linspace(0.0, sampled[-1], 20 * n)
    signal = np.stack([np.interp(times, sampled, values) for values in stimulus.values])
    return np.abs(signal - delta.reconstruction(stimulus, spikes, times)).max(axis=1)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 20.0))
def test_the_reconstruction_is_never_off_by_more_than_one_step(seed, step):
    stimulus, delta = walk(seed), LevelCrossing(step=step)
    # Rounding of some hundred additions of the step.
    assert (worst_error(delta, stimulus, delta.fire(stimulus, RANDOMNESS)) <= step * (1 + 1e-9)).all()


def test_a_missing_spike_breaks_the_bound():
    """Negative control."""
    stimulus, delta = walk(), LevelCrossing(step=0.5)
    spikes = delta.fire(stimulus, RANDOMNESS)
    lost = spikes.counts.copy()
    lost[0] -= 1
    assert worst_error(delta, stimulus, type(spikes)(spikes.times[1:], lost))[0] > 0.5


def test_a_ramp_is_crossed_at_the_exact_times():
    stimulus = Signal([np.linspace(0.0, 1.0, 11), np.linspace(0.0, -1.0, 11)], "10 Hz", ["up", "down"])
    recording = LevelCrossing(step=0.25).encode([stimulus], seed=0)
    # Sums of 0.25 are exact; positions on the line are rounded once.
    assert recording.train(0, "up on") == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=1e-12)
    assert recording.train(0, "down off") == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=1e-12)
    assert recording.train(0, "up off").size == recording.train(0, "down on").size == 0
    assert recording.units["polarity"].tolist() == ["on", "off"] * 2
    assert recording.trials["stop"].tolist() == [1.1]


def test_each_channel_may_have_its_own_step_and_a_constant_is_silent():
    stimulus = Signal([np.linspace(0, 1, 50), np.linspace(0, 1, 50), np.ones(50)], "1 kHz")
    counts = LevelCrossing(step=(0.15, 0.4, 0.1)).fire(stimulus, RANDOMNESS).counts
    assert counts.tolist() == [6, 0, 2, 0, 0, 0]


def test_a_refractory_period_keeps_spikes_of_a_channel_apart():
    stimulus = walk(n_samples=2000)
    free, held = (LevelCrossing(step=0.2, refractory_period=f"{ms} ms").encode([stimulus], seed=0) for ms in (0, 3))
    for channel in stimulus.channels:
        shortest = {}
        for name, recording in (("free", free), ("held", held)):
            both = np.concatenate([recording.train(0, f"{channel} {polarity}") for polarity in ("on", "off")])
            shortest[name] = np.diff(np.sort(both)).min()
        assert shortest["held"] >= 0.003 - 1e-12
        assert shortest["free"] < 0.001


def test_a_waiting_crossing_is_dropped_where_the_signal_comes_back():
    there_and_back = Signal([[0.0, 1.0, 2.0, 2.0, 0.4, 0.4, 0.4, 0.4]], "1 kHz")
    assert LevelCrossing(step=1.0).fire(there_and_back, RANDOMNESS).counts.tolist() == [2, 1]
    assert LevelCrossing(step=1.0, refractory_period="5 ms").fire(there_and_back, RANDOMNESS).counts.tolist() == [1, 0]


def test_nothing_is_random_and_plain_data_make_it_again():
    delta = LevelCrossing(step=(0.5, 1.0, 2.0), refractory_period="1 ms")
    assert encoder(delta.described()) == delta
    first, other = (delta.encode([walk()], seed=seed) for seed in (0, 1))
    assert np.array_equal(first.times, other.times)


@pytest.mark.parametrize("wrong", [{"step": 0.0}, {"step": -1.0}, {"step": (1.0, float("nan"))}, {"step": "big"}])
def test_steps_that_are_none_are_refused(wrong):
    with pytest.raises(InputError, match="step"):
        LevelCrossing(**wrong)


def test_signals_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="2 steps for 3 channels"):
        LevelCrossing(step=(1.0, 2.0)).encode([walk()], seed=0)
    with pytest.raises(InputError, match="larger step"):
        LevelCrossing(step=1e-9).encode([walk()], seed=0)
    with pytest.raises(InputError, match="kind Signal"):
        LevelCrossing(step=1.0).encode([Image(np.zeros((2, 2)), 1.0)], seed=0)
    with pytest.raises(InputError, match="refractory_period"):
        LevelCrossing(step=1.0, refractory_period="-1 ms")
