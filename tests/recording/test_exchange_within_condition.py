"""Exchange within a condition keeps counts and time courses, and leaves bursts to chance."""

import numpy as np
import pytest

from snncompare.errors import InputError
from snncompare.recording.bursts import burst_statistics
from snncompare.recording.exchange import ExchangedWithinCondition
from snncompare.recording.surrogates import ExchangedTimes
from snncompare.testing.burst_codes import burst_code


def times_of(recording, condition, unit):
    trial, column = recording.spike_index()
    here = (recording.trials["condition"].to_numpy()[trial] == condition) & (column == unit)
    return np.sort(recording.times[here])


def test_counts_and_times_of_unit_and_condition_stay_and_bursts_go():
    recording = burst_code("both", n_units=4, n_conditions=3, transient=3.0)
    moved = ExchangedWithinCondition("condition").apply(recording, 1)
    assert np.array_equal(np.diff(moved.offsets), np.diff(recording.offsets))
    for condition in range(3):
        for unit in range(4):
            assert np.array_equal(times_of(moved, condition, unit), times_of(recording, condition, unit))
    assert not np.array_equal(moved.times, recording.times)
    probability = [burst_statistics(r)["burst_probability"].mean() for r in (recording, moved)]
    assert probability[1] < probability[0] - 0.05
    # the control: exchange between all trials does not keep the times of a condition
    mixed = ExchangedTimes().apply(recording, 1)
    assert not np.array_equal(times_of(mixed, 0, 0), times_of(recording, 0, 0))


def test_the_seed_decides_and_an_unknown_column_is_refused():
    recording = burst_code("rate", n_units=2, n_conditions=2, n_trials=4)
    exchange = ExchangedWithinCondition("condition")
    assert exchange.apply(recording, 3).equals(exchange.apply(recording, 3))
    assert not exchange.apply(recording, 3).equals(exchange.apply(recording, 4))
    with pytest.raises(InputError, match="condition"):
        ExchangedWithinCondition("conditions").apply(recording, 0)
