import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.recording.read import read
from snncompare.recording.recording import Recording
from snncompare.recording.surrogates import ExchangedTimes, UniformTimes
from snncompare.representation.conditions import Conditions
from snncompare.representation.decoding.codes import CODES as ALL
from snncompare.representation.decoding.codes import TIMING, codes_of
from snncompare.representation.decoding.folds import folds_of
from snncompare.representation.distances import aligned_trains
from snncompare.representation.gram import gram
from snncompare.representation.kernels import Laplacian
from snncompare.representation.label_information import label_information
from snncompare.representation.metrics import SpikeCount, VictorPurpura
from snncompare.testing.ground_truth import CODES, Design, latency_code, mixture, pattern_code, rate_code

SCALES = ("5 ms", "50 ms")
LIVES = {"rate": ("counts",), "latency": ("timing",), "pattern": ("timing",), "synchrony": ("synchrony",)}


def design(code="rate", repeats=15, noise=0, units=8):
    return Design(
        conditions=4, repeats=repeats, units=units, layout="line" if code == "synchrony" else "circle", noise=noise
    )


def information(recording, by="condition", **options):
    return label_information(recording, by, **{"time_scales": SCALES, "n_permutations": 39} | options)


@pytest.fixture(scope="module")
def found():
    return {code: information(make(design(code))) for code, make in CODES.items()}


@pytest.mark.parametrize("code", CODES)
def test_the_labels_are_found_where_they_were_put_and_nowhere_else(found, code):
    assert found[code].lives_in() == LIVES[code]


@pytest.mark.parametrize("code", CODES)
def test_a_population_that_does_not_code_is_at_chance_in_every_code(code):
    silent = information(CODES[code](design(code), depth=0.0))
    assert silent.lives_in() == ()
    assert (silent.table["p_corrected"] > 0.05).all()
    # bits: 60 trials of 4 classes; a corrected estimate scatters by about sqrt(9 / 2) / (60 ln 2) = 0.05 at chance
    assert silent.table["information"].abs().max() < 0.25


def test_which_spikes_tell_is_told_apart(found):
    def accuracy(code, of):
        return found[code].best(of)["accuracy"]

    assert accuracy("latency", "latencies") > 0.9
    assert accuracy("pattern", "latencies") < 0.45  # its first spikes fall anywhere
    assert accuracy("pattern", "trains given counts") > 0.9
    assert accuracy("rate", "latencies") > 0.6  # more spikes, earlier first spikes: not a latency code
    assert accuracy("rate", "latencies given counts") < 0.45
    assert accuracy("rate", "trains given counts") < 0.45
    assert found["rate"].best("trains given counts")["information"] < 0.15  # also what errors tell is left out
    assert found["rate"].best("counts")["information"] > 1.8  # of 2 bits
    assert accuracy("synchrony", "synchrony") > 0.7


def test_a_mixture_lives_in_counts_and_timing():
    both = mixture(rate_code(design(units=5), depth=0.5), latency_code(design(units=5)))
    assert information(both).lives_in() == ("counts", "timing")


@pytest.mark.parametrize("surrogate", [ExchangedTimes(), UniformTimes()], ids=["exchanged", "uniform"])
def test_count_preserving_surrogates_take_the_timing_and_leave_the_counts(surrogate):
    both = mixture(rate_code(design(units=5)), latency_code(design(units=5)))
    before, after = information(both), information(surrogate.apply(both, seed=0))
    assert before.lives_in() == ("counts", "timing")
    assert after.lives_in() == ("counts",)
    assert after.best("counts")["accuracy"] == before.best("counts")["accuracy"]


def test_short_time_scales_see_what_long_ones_blur():
    fine = latency_code(design(), depth=0.002, jitter=1e-3)  # latencies differ by milliseconds
    by_scale = information(fine, time_scales=("1 ms", "500 ms")).table.query("code == 'trains given counts'")
    sharp, blurred = by_scale["accuracy"]
    assert sharp > 0.6
    assert blurred < sharp - 0.15


def test_trains_are_the_kernel_of_the_package_and_given_counts_vanish_at_long_scales():
    recording = rate_code(design())
    conditions = Conditions.of(recording, "condition")
    chosen = folds_of(conditions, 5, np.random.default_rng(0))
    codes = list(codes_of(aligned_trains(recording), np.array([0.01, 1e4]), chosen))
    trains = {code.time_scale: code.gram for code in codes if code.name == "trains"}
    given = {code.time_scale: code.gram for code in codes if code.name == "trains given counts"}
    expected = gram(recording, Laplacian("10 ms")).to_numpy()
    assert np.allclose(trains[0.01], expected, rtol=1e-12)
    # at 10 000 s a train is its count: normalised, all are alike, up to (0.5 s / 10 000 s) per unit
    assert np.abs(given[1e4]).max() < 10 * 5e-5
    assert np.abs(given[0.01]).max() > 0.1  # control
    assert [code.name for code in codes if np.isnan(code.time_scale)] == [
        "counts",
        "latencies",
        "latencies given counts",
    ]


def test_other_metrics_are_read_too(found):
    more = information(pattern_code(design()), metrics=[SpikeCount(), *VictorPurpura.sweep(["20 ms"])]).table
    metrics = more[more["code"] == "metric"]
    assert list(metrics["readout"]) == ["linear discriminant", "nearest class"]
    counts, edits = metrics["accuracy"]
    assert counts < 0.45
    assert edits > 0.9
    counts = information(rate_code(design()), metrics=SpikeCount()).table.set_index("code")["accuracy"]
    assert counts["metric"] == counts["counts"]  # the same inner products, made from distances


def with_speakers(own, n=4):
    """Speakers who say every label, each to its own units, or all to the same ones."""
    recording = latency_code(design(repeats=20, units=6))
    speaker = np.arange(recording.n_trials) % n
    trial, unit = recording.spike_index()
    ear = speaker if own else np.zeros_like(speaker)
    return Recording.from_arrays(
        times=recording.times,
        unit=[f"{ear[i]}, {j}" for i, j in zip(trial, unit, strict=True)],
        trial=trial,
        units=pd.DataFrame(index=[f"{k}, {j}" for k in range(n) for j in range(6)]),
        trials=recording.trials.assign(speaker=[f"s{k}" for k in speaker]),
    )


def test_unseen_groups_are_at_chance_where_the_code_is_that_of_the_group():
    spoken = with_speakers(own=True)
    assert information(spoken).best("trains")["accuracy"] > 0.7  # four trials per speaker and class train; chance 0.25
    unseen = information(spoken, groups="speaker")
    assert unseen.lives_in() == ()
    assert "every 'speaker' left out" in unseen.statements[0]
    alike = information(with_speakers(own=False), groups="speaker")  # control: one code for all speakers
    assert alike.best("trains")["accuracy"] > 0.9


def test_what_was_drawn_is_said_and_drawn_evenly():
    whole = rate_code(design(repeats=30, units=20))
    few = information(whole, most_trials=40, most_units=8)
    assert (few.trials, few.units) == (40, 8)
    assert few.confusion[0].sum(axis=1).tolist() == [10] * 4
    assert "40 of 120 trials" in few.summary()
    assert "8 of 20 units" in few.summary()
    everything = information(whole, most_trials=None, most_units=None)
    assert (everything.trials, everything.units) == (120, 20)
    assert "drawn" not in everything.summary()  # control


def test_windows_of_unlike_length_are_padded_with_silence_and_said():
    recording = rate_code(design())
    trials = recording.trials.assign(stop=0.5 + 0.1 * (np.arange(recording.n_trials) % 3))
    padded = Recording(times=recording.times, offsets=recording.offsets, units=recording.units, trials=trials)
    result = information(padded)
    assert "Windows end between 0.5 and 0.7 s" in result.summary()
    assert result.lives_in() == ("counts",)
    late = Recording(
        times=recording.times + 1.0,
        offsets=recording.offsets,
        units=recording.units,
        trials=trials.assign(start=np.arange(recording.n_trials) % 2 * 0.5, stop=2.0),
    )
    with pytest.raises(InputError, match=r"begin between 0 and 0\.5 s"):
        information(late)


def test_the_same_seed_gives_the_same_table_and_another_one_other_folds():
    recording = rate_code(design(), depth=0.3)
    first, again, other = (information(recording, seed=seed).table for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first, again)
    assert not first["accuracy"].equals(other["accuracy"])


def test_silent_units_trials_and_single_units_are_no_exception():
    recording = latency_code(design(units=2))
    quiet = recording.trials["condition"].to_numpy()[recording.spike_index()[0]] > 0  # one condition is silence
    counts = np.bincount(np.flatnonzero(np.diff(recording.offsets)).repeat(8)[quiet], minlength=recording.n_trials * 2)
    some = Recording(
        times=recording.times[quiet],
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        units=recording.units,
        trials=recording.trials,
    )
    assert {"counts", "timing"} <= set(information(some).lives_in())
    alone = some.select(units=[True, False])
    assert set(information(alone).table["code"]) == set(ALL) - {"synchrony"}
    nothing = Recording(times=np.empty(0), offsets=np.zeros_like(some.offsets), units=some.units, trials=some.trials)
    assert (information(nothing).table["accuracy"] == 0.25).all()
    assert information(nothing).lives_in() == ()


def test_intervals_and_chance_are_where_they_belong(found):
    for result in found.values():
        table = result.table
        assert (table["accuracy_low"] <= table["accuracy"]).all()
        assert (table["accuracy"] <= table["accuracy_high"]).all()
        assert table["chance"].between(0.18, 0.32).all()  # mean of 39 permutations of 60 trials: 0.25 +- 0.02
        assert (table["information"] <= result.entropy + 1e-12).all()
        assert (table["p_corrected"] >= table["p"]).all()
        assert set(TIMING) < set(table["code"])


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "conditon"}, "did you mean 'condition'"),
        ({"n_permutations": 5}, "n_permutations"),
        ({"time_scales": []}, "at least one time scale"),
        ({"time_scales": ["0 ms"]}, "above zero"),
        ({"most_trials": 3}, "most_trials"),
        ({"folds": 99}, "take folds=15"),
        ({"groups": "condition"}, "cannot be learned there"),
        ({"metrics": ["counts"]}, "expected a metric"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_wrong_arguments_are_refused(options, says):
    with pytest.raises(InputError, match=says):
        information(rate_code(design()), **options)


def test_a_lab_recording_is_told_apart_after_the_response_begins_and_not_before(shared_data):
    # mouse visual cortex, four gratings: the README of the data finds chance before 40 ms (nearest mean, counts)
    path = shared_data / "neo_recordings" / "mouse_v1_gratings_60units.nwb"
    whole = read(path, trials="trials")
    options = {"n_permutations": 59, "time_scales": ["10 ms"], "most_trials": 100}
    seen = information(whole, "orientation_deg", **options)
    assert "counts" in seen.lives_in()
    assert seen.best("counts")["accuracy"] > 0.8
    early = whole.times < whole.trials["start"].min() + 0.035
    kept = np.bincount(
        np.repeat(np.arange(whole.offsets.size - 1), np.diff(whole.offsets))[early], minlength=whole.offsets.size - 1
    )
    before = Recording(
        times=whole.times[early],
        offsets=np.concatenate([[0], np.cumsum(kept)]),
        units=whole.units,
        trials=whole.trials,
    )
    assert information(before, "orientation_deg", **options).lives_in() == ()
