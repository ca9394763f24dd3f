"""Surrogates move spikes, lose none, and keep and destroy what they say."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snncompare.errors import InputError
from snncompare.recording.marks import Marks
from snncompare.recording.recording import Recording
from snncompare.recording.surrogates import (
    ExchangedAfterFirst,
    ExchangedTimes,
    Jitter,
    ShuffledIntervals,
    ShuffledTrials,
    UniformTimes,
    WindowedJitter,
)

MOVES_SPIKES = [
    Jitter("30 ms"),
    Jitter("3 s"),
    Jitter("30 ms", "gaussian"),
    WindowedJitter("30 ms"),
    WindowedJitter("0.35 s"),
    ExchangedTimes("30 ms"),
    ExchangedTimes(),
    ExchangedAfterFirst(),
    ShuffledIntervals(),
    UniformTimes(),
]
EVERY = [*MOVES_SPIKES, ShuffledTrials("condition")]
ANY_SURROGATE = pytest.mark.parametrize("surrogate", EVERY, ids=repr)
ANY_MOVE = pytest.mark.parametrize("surrogate", MOVES_SPIKES, ids=repr)


def recorded(counts, seed=0, start=-0.2, stop=0.8, conditions=2):
    """Return uniformly random trains with the given counts (n_trials, n_units); some spikes on the edges."""
    counts = np.asarray(counts)
    n_trials, n_units = counts.shape
    train = np.repeat(np.arange(counts.size), counts.ravel())
    times = np.random.default_rng(seed).uniform(start, stop, train.size)
    times[:: max(1, train.size // 3)] = start
    times[1 :: max(1, train.size // 2)] = stop
    trials = pd.DataFrame({"start": start, "stop": stop, "condition": np.arange(n_trials) % conditions})
    return Recording.from_arrays(
        times=times,
        unit=train % n_units,
        trial=train // n_units,
        units=pd.DataFrame({"area": "V1"}, index=range(n_units)),
        trials=trials,
        marks={"tone": Marks("event", pd.DataFrame({"trial": [0], "start": [0.1], "stop": [0.1]}))},
        provenance={"file": "x"},
    )


def counts_of(recording):
    return np.diff(recording.offsets)


def in_windows(recording, width, start=-0.2, stop=0.8):
    """Return the counts of every train in windows of a width; the last window is closed."""
    edges = start + np.arange(int(np.ceil((stop - start) / width - 1e-9))) * width
    window = np.searchsorted(edges, recording.times, side="right") - 1
    train = np.repeat(np.arange(recording.offsets.size - 1), counts_of(recording))
    found = np.zeros((recording.offsets.size - 1, edges.size), dtype=int)
    np.add.at(found, (train, window), 1)
    return found


@pytest.fixture(scope="module")
def recording():
    return recorded(np.random.default_rng(1).poisson(9, (12, 5)))


@ANY_MOVE
@settings(max_examples=25)
@given(data=st.data())
def test_every_train_keeps_its_count_inside_its_window(surrogate, data):
    counts = data.draw(st.lists(st.lists(st.integers(0, 6), min_size=3, max_size=3), min_size=1, max_size=5))
    source = recorded(counts, seed=data.draw(st.integers(0, 99)))
    moved = surrogate.apply(source, seed=data.draw(st.integers(0, 2**40)))
    assert np.array_equal(moved.offsets, source.offsets)
    assert ((moved.times >= -0.2) & (moved.times <= 0.8)).all()


@ANY_SURROGATE
def test_tables_and_marks_stay_and_provenance_says_what_was_done(surrogate, recording):
    moved = surrogate.apply(surrogate.apply(recording, 3), 4)
    assert moved.units.equals(recording.units)
    assert moved.trials.equals(recording.trials)
    assert moved.marks["tone"].equals(recording.marks["tone"])
    assert moved.provenance["file"] == "x"
    assert [step["seed"] for step in moved.provenance["surrogates"]] == [3, 4]
    assert repr(surrogate) in json.dumps(moved.provenance).replace('\\"', '"')
    assert surrogate.keeps != surrogate.destroys


@ANY_SURROGATE
def test_the_same_seed_gives_the_same_spikes_and_another_seed_others(surrogate, recording):
    once = surrogate.apply(recording, 5)
    assert once.equals(surrogate.apply(recording, 5))
    assert not np.array_equal(once.times, surrogate.apply(recording, 6).times)
    assert not np.array_equal(once.times, recording.times)


@pytest.mark.parametrize("surrogate", [Jitter("0 s"), WindowedJitter("0 s"), ExchangedTimes("0 s")], ids=repr)
def test_width_zero_moves_nothing(surrogate, recording):
    assert surrogate.apply(recording, 0).equals(recording)


@pytest.mark.parametrize("kind", [WindowedJitter, ExchangedTimes])
@pytest.mark.parametrize("width", [0.001, 0.03, 0.1, 0.35, 2.0])
def test_windowed_surrogates_keep_the_count_of_every_window_and_jitter_does_not(kind, width, recording):
    before = in_windows(recording, width)
    for seed in range(5):
        assert np.array_equal(in_windows(kind(f"{width} s").apply(recording, seed), width), before)
    if width < 1:
        assert not np.array_equal(in_windows(Jitter(f"{width} s").apply(recording, 0), width), before)


def test_windowed_jitter_fills_its_windows_evenly():
    source = recorded(np.full((50, 20), 20))
    moved = WindowedJitter("100 ms").apply(source, 0)
    phase = np.mod(moved.times + 0.2, 0.1)
    # 20 000 spikes in 10 bins: standard deviation 42; 4.5 of them, for ten bins
    assert np.abs(np.histogram(phase, 10, (0, 0.1))[0] - 2000).max() < 190


@pytest.mark.parametrize("shape", ["uniform", "gaussian"])
def test_jitter_displaces_by_its_width_and_keeps_a_flat_rate_flat_at_the_edges(shape):
    source = recorded(np.full((50, 20), 1))
    inner = Recording.from_arrays(
        times=np.full(1000, 0.3),
        unit=np.tile(np.arange(20), 50),
        trial=np.repeat(np.arange(50), 20),
        units=source.units,
        trials=source.trials,
    )
    moved = Jitter("60 ms", shape).apply(inner, 0).times - 0.3
    assert moved.std() == pytest.approx(0.06 / np.sqrt(12), rel=0.1)  # 1000 draws: 2 % standard error
    assert (np.abs(moved).max() <= 0.03) == (shape == "uniform")
    flat = UniformTimes().apply(recorded(np.full((50, 20), 20)), 1)
    edge = Jitter("100 ms", shape).apply(flat, 2).times < -0.15
    assert edge.sum() == pytest.approx(1000, abs=4.5 * np.sqrt(1000))


def test_exchanged_times_keep_every_units_times_to_the_last_bit(recording):
    for surrogate in (ExchangedTimes(), ExchangedTimes("50 ms"), ExchangedAfterFirst()):
        moved = surrogate.apply(recording, 0)
        for unit in range(5):
            times = [np.sort(r.times[r.spike_index()[1] == unit]) for r in (recording, moved)]
            assert np.array_equal(*times)
    moved = UniformTimes().apply(recording, 0)
    assert not np.array_equal(np.sort(moved.times), np.sort(recording.times))


def firsts(recording):
    return recording.times[recording.offsets[:-1][counts_of(recording) > 0]]


def test_first_spikes_stay_where_that_is_said_and_move_elsewhere(recording):
    assert np.array_equal(firsts(ExchangedAfterFirst().apply(recording, 0)), firsts(recording))
    assert np.array_equal(firsts(ShuffledIntervals().apply(recording, 0)), firsts(recording))
    assert not np.array_equal(firsts(ExchangedTimes().apply(recording, 0)), firsts(recording))


def test_exchange_after_the_first_spike_reaches_all_arrangements_equally_often():
    """Two trains with one first and one later spike each: both arrangements are allowed, and as likely."""
    source = Recording.from_arrays(
        times=[0.1, 0.5, 0.2, 0.6],
        unit=[0, 0, 0, 0],
        trial=[0, 0, 1, 1],
        units=pd.DataFrame(index=[0]),
        trials=pd.DataFrame({"start": [0.0, 0.0], "stop": 1.0}),
    )
    exchanged = sum(ExchangedAfterFirst().apply(source, k).times[1] == 0.6 for k in range(100))
    assert 28 <= exchanged <= 72  # binomial, 4.5 standard deviations
    late = Recording(times=[0.1, 0.5, 0.55, 0.6], offsets=source.offsets, units=source.units, trials=source.trials)
    assert all(ExchangedAfterFirst().apply(late, k).equals(late) for k in range(20))


def test_shuffled_intervals_are_the_same_intervals_in_another_order(recording):
    moved = ShuffledIntervals().apply(recording, 0)
    changed = 0
    for trial in range(12):
        for unit in range(5):
            before, after = recording.train(trial, unit), moved.train(trial, unit)
            assert np.allclose(np.sort(np.diff(before)), np.sort(np.diff(after)), atol=1e-15)
            assert before[-1:].tolist() == after[-1:].tolist()
            changed += not np.allclose(before, after)
    assert changed > 40


def test_shuffled_trials_keep_every_units_trains_by_condition_and_break_what_units_share():
    rng = np.random.default_rng(2)
    counts = np.repeat(rng.integers(0, 30, (60, 1)), 2, axis=1)  # two units that always fire as often as each other
    source = recorded(counts)
    moved = ShuffledTrials("condition").apply(source, 0)
    for condition in range(2):
        rows = np.flatnonzero(source.trials["condition"] == condition)
        for unit in range(2):
            trains = [sorted(tuple(r.train(k, unit)) for k in rows) for r in (source, moved)]
            assert trains[0] == trains[1]
    shared = [np.corrcoef(counts_of(r).reshape(60, 2).T)[0, 1] for r in (source, moved)]
    assert shared[0] == pytest.approx(1.0)
    assert abs(shared[1]) < 0.5  # 60 independent trials: standard error 0.13


def test_the_default_dithering_of_elephant_changes_counts_and_ours_does_not():
    pq = pytest.importorskip("quantities")
    neo = pytest.importorskip("neo")
    surrogates = pytest.importorskip("elephant.spike_train_surrogates")
    source = recorded(np.full((1, 1), 22), start=0.0, stop=1.0)
    train = neo.SpikeTrain(source.times, units="s", t_stop=1.0)
    dithered = [train_.size for train_ in surrogates.dither_spikes(train, 30 * pq.ms, n_surrogates=20)]
    assert min(dithered) < 22
    assert {counts_of(Jitter("60 ms").apply(source, k)).item() for k in range(20)} == {22}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Jitter("-1 ms"), "must not be negative"),
        (lambda: WindowedJitter(0.01), "s"),
        (lambda: Jitter("1 ms", "boxcar"), "no shape of jitter 'boxcar'"),
        (lambda: Jitter("1 ms").apply(recorded([[1]]), -1), "seed must be a whole number"),
        (lambda: ShuffledTrials("odor").apply(recorded([[1]]), 0), "no column in the trials table 'odor'"),
    ],
    ids=["negative width", "no unit", "unknown shape", "negative seed", "unknown column"],
)
def test_what_cannot_be_is_refused(make, sentence):
    with pytest.raises(InputError, match=sentence):
        make()


def test_exchanging_between_trials_of_different_length_is_refused():
    source = recorded([[3], [4]])
    unlike = Recording(
        times=np.clip(source.times, -0.2, 0.5),
        offsets=source.offsets,
        units=source.units,
        trials=source.trials.assign(stop=[0.8, 0.5]),
    )
    for surrogate in (ExchangedTimes(), ExchangedAfterFirst(), ShuffledTrials("condition")):
        with pytest.raises(InputError, match="one common window"):
            surrogate.apply(unlike, 0)
    assert np.array_equal(counts_of(WindowedJitter("100 ms").apply(unlike, 0)), [3, 4])
