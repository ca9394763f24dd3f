"""Spikes are events, second spikes of bursts, or later ones, as the published definition says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.recording.bursts import (
    BURST,
    EVENT,
    LATER,
    burst_statistics,
    bursts,
    events,
    later_spikes,
    spike_kinds,
)
from snncompare.recording.recording import Recording


def recorded(trains, window=(0.0, 1.0), sessions=None, **labels):
    """Return a recording of ``trains[trial][unit]``, seconds."""
    spikes = [(t, u, k) for k, trial in enumerate(trains) for u, train in enumerate(trial) for t in train]
    times, unit, trial = (list(column) for column in zip(*spikes, strict=True)) if spikes else ([], [], [])
    units = pd.DataFrame({} if sessions is None else {"session": sessions}, index=range(len(trains[0])))
    trials = pd.DataFrame({"start": window[0], "stop": window[1], **labels}, index=range(len(trains)))
    return Recording.from_arrays(times=times, unit=unit, trial=trial, units=units, trials=trials)


def kinds_one_by_one(train, longest):
    """Return the kinds by walking along the train: the definition of Payeur et al. 2021, word by word."""
    found, last, marked = [], -np.inf, True
    for time in train:
        if time - last > longest + 1e-9:
            kind, marked = EVENT, False
        elif not marked:
            kind, marked = BURST, True
        else:
            kind = LATER
        found.append(kind)
        last = time
    return found


@pytest.mark.parametrize(
    ("intervals_ms", "expected"),
    [
        pytest.param([15.9], [EVENT, BURST], id="15.9"),
        pytest.param([16.1], [EVENT, EVENT], id="16.1"),
        pytest.param([16.0], [EVENT, BURST], id="16 exactly"),
        pytest.param([10, 10], [EVENT, BURST, LATER], id="10+10"),
        pytest.param([10, 17], [EVENT, BURST, EVENT], id="10+17"),
        pytest.param([17, 10, 10, 10, 17], [EVENT, EVENT, BURST, LATER, LATER, EVENT], id="two isolated, one burst"),
        pytest.param([0], [EVENT, BURST], id="at once"),
    ],
)
def test_hand_made_trains_are_told_apart(intervals_ms, expected):
    train = 0.1 + np.concatenate([[0], np.cumsum(intervals_ms)]) / 1e3
    recording = recorded([[train]])
    assert spike_kinds(recording).tolist() == expected
    assert events(recording).train(0, 0).tolist() == train[np.array(expected) == EVENT].tolist()
    assert bursts(recording).train(0, 0).tolist() == train[np.array(expected) == BURST].tolist()


def test_the_interval_decides():
    recording = recorded([[[0.1, 0.11, 0.13]]])
    assert spike_kinds(recording, "8 ms").tolist() == [EVENT, EVENT, EVENT]
    assert spike_kinds(recording, "16 ms").tolist() == [EVENT, BURST, EVENT]
    assert spike_kinds(recording, "20 ms").tolist() == [EVENT, BURST, LATER]


def test_every_trial_and_every_unit_begins_anew():
    # 5 ms lie between the last spike of a train and the first of the next one in the array of all times
    recording = recorded([[[0.1, 0.2], [0.205]], [[0.21], [0.215, 0.22]]])
    assert spike_kinds(recording).tolist() == [EVENT, EVENT, EVENT, EVENT, EVENT, BURST]


TRAINS = st.lists(  # whole and half milliseconds, so that intervals of exactly 16 ms occur
    st.lists(st.lists(st.integers(0, 400).map(lambda k: k / 2000), max_size=12).map(sorted), min_size=2, max_size=2),
    min_size=1,
    max_size=4,
)


@given(TRAINS, st.sampled_from([4.0, 16.0, 40.0]))
def test_kinds_equal_a_walk_along_the_trains_and_share_out_all_spikes(trains, milliseconds):
    recording, interval = recorded(trains), f"{milliseconds} ms"
    walked = [kind for trial in trains for train in trial for kind in kinds_one_by_one(train, milliseconds / 1e3)]
    assert spike_kinds(recording, interval).tolist() == walked
    first, later, second = (kept(recording, interval) for kept in (events, later_spikes, bursts))
    assert first.times.size + later.times.size == recording.times.size
    for trial in recording.trials.index:
        for unit in recording.units.index:
            parts = np.concatenate([first.train(trial, unit), later.train(trial, unit)])
            assert np.array_equal(np.sort(parts), recording.train(trial, unit))
            assert second.train(trial, unit).size <= first.train(trial, unit).size


def test_what_is_kept_stays_labelled_and_says_so():
    recording = recorded([[[0.1, 0.11]], [[]]], odour=["mint", "citral"])
    kept = bursts(recording, "12 ms")
    assert kept.trials.equals(recording.trials)
    assert kept.units.equals(recording.units)
    assert kept.provenance["bursts"] == {"kept": "bursts", "interval_s": 0.012}
    assert "bursts" not in recording.provenance


def test_statistics_are_those_counted_by_hand():
    trains = [[[0.1, 0.11, 0.12, 0.5], []], [[0.3], [0.2, 0.21]]]
    table = burst_statistics(recorded(trains, window=(0.0, 2.0)))
    assert table.loc[0, ["trials", "spikes", "events", "bursts"]].tolist() == [2, 5, 3, 1]
    assert table.loc[0, ["rate", "event_rate", "burst_rate"]].tolist() == [5 / 4, 3 / 4, 1 / 4]
    assert table.loc[0, ["burst_probability", "spikes_per_burst"]].tolist() == [1 / 3, 3.0]
    assert table.loc[1, ["burst_probability", "spikes_per_burst"]].tolist() == [1.0, 2.0]


def test_conditions_and_units_without_events_have_no_burst_probability():
    table = burst_statistics(recorded([[[0.1, 0.11], []], [[], []]], odour=["mint", "citral"]), by="odour")
    assert table.index.names == ["condition", "unit"]
    assert table.loc[("mint", 0), "burst_probability"] == 1.0
    assert np.isnan(table.loc[[("mint", 1), ("citral", 0)], "burst_probability"]).all()
    assert table.loc[("citral", 0), "event_rate"] == 0.0  # recorded, and silent


def test_a_unit_counts_in_the_trials_of_its_session_only():
    trains = [[[0.1, 0.5], []], [[], [0.2]]]
    recording = recorded(trains, sessions=["s", "t"], session=["s", "t"])
    assert burst_statistics(recording, join="session")["event_rate"].tolist() == [2.0, 1.0]
    assert burst_statistics(recording)["event_rate"].tolist() == [1.0, 0.5]  # the control: half of the trials are empty
    with pytest.raises(InputError, match="another 'session'"):
        burst_statistics(recorded(trains, sessions=["t", "s"], session=["s", "t"]), join="session")


@pytest.mark.parametrize("interval", ["0 ms", "-16 ms", "16 mV", 0.016, "inf ms", "nan ms"])
def test_intervals_that_are_no_positive_times_are_refused(interval):
    with pytest.raises(InputError):
        events(recorded([[[0.1]]]), interval)


def test_unknown_columns_and_missing_labels_are_refused():
    recording = recorded([[[0.1]], [[0.1]]], odour=["mint", None])
    with pytest.raises(InputError, match="odour"):
        burst_statistics(recording, by="odor")
    with pytest.raises(InputError, match="1 trials have no 'odour'"):
        burst_statistics(recording, by="odour")
    with pytest.raises(InputError, match="units table"):
        burst_statistics(recording, join="odour")
    with pytest.raises(InputError, match="Recording"):
        events([0.1, 0.2])
