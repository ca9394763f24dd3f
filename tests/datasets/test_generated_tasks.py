"""Generated tasks: what was published about them, independence of their trials, targets that follow from the spikes."""

import numpy as np
import pytest

from snncompare import datasets
from snncompare.datasets.samplers.evidence_accumulation import evidence_accumulation
from snncompare.datasets.samplers.pattern_generation import pattern_generation
from snncompare.datasets.samplers.randman import randman
from snncompare.datasets.samplers.store_recall import store_recall
from snncompare.errors import InputError

TASKS = {
    "evidence": (evidence_accumulation, {"n_train": 4, "n_validation": 3, "n_test": 2}),
    "store": (store_recall, {"n_train": 4, "n_validation": 3, "n_test": 2}),
    "pattern": (pattern_generation, {"n_patterns": 9}),
    "randman": (randman, {"n_train": 4, "n_validation": 3, "n_test": 2, "smoothness": 2.0, "n_classes": 1}),
}

CHANGES = {
    "evidence": {
        "n_cues": 5, "probability": 0.9, "cue": "90 ms", "pause": "40 ms", "shortest_delay": "1 s",
        "longest_delay": "1 s", "recall": "100 ms", "n_per_group": 9, "cue_rate": "60 Hz", "noise_rate": "0 Hz",
        "seed": 1,
    },
    "store": {
        "n_symbols": 11, "symbol": "100 ms", "expected_delay": 2.0, "n_per_group": 24, "rate": "60 Hz", "seed": 1,
    },
    "pattern": {"n_units": 99, "rate": "60 Hz", "duration": "900 ms", "n_outputs": 2, "seed": 1},
    "randman": {"n_units": 19, "dimension": 2, "smoothness": 3.0, "window": "190 ms", "n_classes": 2, "seed": 1},
}  # fmt: skip


def spikes(source, position):
    times, counts = source.spikes(np.array([position]))
    return np.split(times, np.cumsum(counts[0])[:-1])


def response(source):
    times, counts = source.spikes(np.arange(len(source.trials)))
    targets = [source.target(i) for i in range(len(source.trials))]
    shown = [None if one is None else np.nan_to_num(one.to_numpy(), nan=-1.0).tolist() for one in targets]
    return times.tolist(), counts.tolist(), source.trials["stop"].tolist(), shown


@pytest.mark.parametrize("name", TASKS)
def test_every_option_matters_and_the_same_seed_gives_the_same_trials(name):
    make, options = TASKS[name]
    first = response(make({}, **options))
    assert response(make({}, **options)) == first
    for option, value in CHANGES[name].items():
        assert response(make({}, **(options | {option: value}))) != first, option


@pytest.mark.parametrize("name", TASKS)
def test_a_trial_does_not_depend_on_the_number_or_the_order_of_others(name):
    make, options = TASKS[name]
    many, few = (
        make({}, **options),
        make(
            {}, **{key: 2 if key.startswith("n_") and key != "n_classes" else value for key, value in options.items()}
        ),
    )
    for position, trial in enumerate(few.trials.index):
        whole = many.trials.index.get_loc(trial)
        assert [a.tolist() for a in spikes(few, position)] == [a.tolist() for a in spikes(many, whole)]
    backwards = many.spikes(np.array([1, 0]))
    assert backwards.times.tolist() == [*many.spikes(np.array([1])).times, *many.spikes(np.array([0])).times]
    assert backwards.counts.shape == (2, len(many.units))
    assert many.spikes(np.empty(0, dtype=np.int64)).counts.shape == (0, len(many.units))


@pytest.mark.parametrize("name", ["evidence", "store", "randman"])
def test_parts_are_drawn_from_seeds_of_their_own(name):
    make, options = TASKS[name]
    source = make({}, **options)
    assert source.trials["split"].tolist() == ["train"] * 4 + ["validation"] * 3 + ["test"] * 2
    trains = [str([a.tolist() for a in spikes(source, i)]) for i in range(9)]
    assert len(set(trains)) == 9


@pytest.mark.parametrize("name", ["evidence_accumulation", "store_recall", "pattern_generation", "randman"])
def test_the_dataset_of_the_card_fits_on_a_grid_of_a_millisecond(name):
    options = {"n_patterns": 2} if name == "pattern_generation" else {"n_train": 2, "n_validation": 1, "n_test": 1}
    if name == "evidence_accumulation":
        options |= {"shortest_delay": "1050 ms", "longest_delay": "1050 ms"}
    dataset = datasets.load(name, **options)
    raster = dataset.raster([0, 1], "1 ms")
    # Randman times are real numbers: one at the very end of the window is in the step after it.
    assert abs(raster.sum() - sum(dataset[i].times.size for i in (0, 1))) <= (2 if name == "randman" else 0)
    assert dataset[0].times.max() <= dataset[0].duration
    other = datasets.load(name, seed=1, **options)
    assert not np.array_equal(other[0].times, dataset[0].times)


@pytest.fixture(scope="module")
def source():
    return evidence_accumulation({}, n_train=400, n_validation=0, n_test=0)


class TestEvidence:
    def test_times_and_groups_are_the_published_ones(self, source):
        trials = source.trials
        # 7 x (50 + 100) ms, the delay, 150 ms.
        assert np.allclose(trials["stop"], 1.05 + trials["delay"] + 0.15)
        assert trials["delay"].min() < 0.51
        assert trials["delay"].max() > 1.49
        assert source.units["group"].tolist() == ["left"] * 10 + ["right"] * 10 + ["recall"] * 10 + ["noise"] * 10
        # 400 x 7 cues: the larger share of each trial has the mean E max(B, 7 - B) / 7, B binomial with 0.7: 0.728.
        assert trials[["n_left", "n_right"]].max(axis=1).mean() / 7 == pytest.approx(0.728, abs=0.02)
        assert abs((trials["side"] == "left").mean() - 0.5) < 0.1  # four standard errors

    def test_neurons_fire_at_their_rates_during_their_cues_only(self, source):
        counts, cue_time, total = np.zeros(4), np.zeros(4), 0.0
        for i in range(60):
            trains, row = spikes(source, i), source.trials.iloc[i]
            counts += [sum(train.size for train in trains[10 * g : 10 * g + 10]) for g in range(4)]
            cue_time += [0.1 * row["n_left"], 0.1 * row["n_right"], 0.15, row["stop"]]
            recall = np.concatenate(trains[20:30])
            assert recall.min() >= row["stop"] - 0.15 - 1e-9
            cues = np.concatenate(trains[:20])
            assert cues.max() < 1.05
            assert (cues % 0.15 >= 0.05 - 1e-9).all()
            total += row["stop"]
        # At least 3600 spikes expected in each group: a standard error of 2 %.
        assert counts / (10 * cue_time) == pytest.approx([40, 40, 40, 10], rel=0.07)

    def test_counting_cues_answers_the_question_and_noise_does_not(self, source):
        right = {"cues": 0, "noise": 0}
        for i in range(100):
            sizes = [train.size for train in spikes(source, i)]
            is_right = source.trials["side"].iloc[i] == "right"
            right["cues"] += (sum(sizes[10:20]) > sum(sizes[:10])) == is_right
            right["noise"] += (sum(sizes[35:]) > sum(sizes[30:35])) == is_right
        assert right["cues"] > 85
        assert 30 < right["noise"] < 70

    def test_the_target_is_the_side_with_more_cues_and_only_asked_for_during_recall(self, source):
        for i in range(20):
            target, row = source.target(i), source.trials.iloc[i]
            asked = target["time"] >= row["stop"] - 0.15 - 1e-9
            assert np.isnan(target[~asked]).all()
            assert int(asked.sum()) == 150
            answer = "right" if row["n_right"] > row["n_left"] else "left"
            assert row["side"] == answer
            assert (target[asked].sel(output=answer) == 1).all()
            assert (target[asked].sum("output") == 1).all()


class TestStoreRecall:
    def test_the_target_is_the_bit_that_was_stored_and_spikes_show_the_symbols(self):
        source = store_recall({}, n_train=40, n_validation=0, n_test=0)
        for i in range(40):
            target, stored, waits = source.target(i), None, "S"
            shown = [np.concatenate(spikes(source, i)[25 * g : 25 * g + 25]) for g in range(4)]
            symbols = source.trials["symbols"].iloc[i].split()
            assert symbols.count("R") == source.trials["n_recalls"].iloc[i] >= 1
            for k, symbol in enumerate(symbols):
                answer = target[200 * k : 200 * (k + 1)]
                fired = [bool(((times >= 0.2 * k - 1e-9) & (times < 0.2 * k + 0.1999)).any()) for times in shown]
                bit = [symbol.endswith("0"), symbol.endswith("1")]
                assert fired == [*bit, symbol.startswith("S"), symbol == "R"]
                if symbol == "R":
                    assert waits == "R"
                    assert (answer.sel(output=stored) == 1).all()
                    assert (answer.sum("output") == 1).all()
                    waits = "S"
                else:
                    assert np.isnan(answer).all()
                if symbol.startswith("S"):
                    assert waits == "S"
                    stored, waits = symbol[1], "R"

    def test_commands_come_as_often_as_the_expected_delay_says(self):
        delays = []
        for row in store_recall({}, n_symbols=600, expected_delay=4.0, n_train=8, n_validation=0, n_test=0).trials[
            "symbols"
        ]:
            symbols = row.split()
            stores = [k for k, s in enumerate(symbols) if s[0] == "S"]
            recalls = [k for k, s in enumerate(symbols) if s == "R"]
            delays += [r - s for s, r in zip(stores, recalls, strict=False)]
        # Geometric, mean 4, standard deviation 3.5; about 600 delays: a standard error of 0.14.
        assert np.mean(delays) == pytest.approx(4.0, abs=0.5)
        assert min(delays) == 1


class TestPatternGeneration:
    def test_the_curve_has_power_at_its_four_frequencies_only(self):
        curve = pattern_generation({}, n_outputs=2).target(0).to_numpy()
        power = np.abs(np.fft.rfft(curve, axis=0)) / 500
        assert curve[0].tolist() == [0.0, 0.0]
        assert np.abs(curve).max(axis=0) == pytest.approx([1.0, 1.0], abs=1e-12)
        others = np.delete(power, [0, 1, 2, 3, 5], axis=0)
        assert others.max() < 1e-12
        assert power[[1, 2, 3, 5]].min() > 0.01
        # Amplitudes lie from 0.5 to 2 before the curve is scaled.
        assert (power[[1, 2, 3, 5]].max(axis=0) / power[[1, 2, 3, 5]].min(axis=0) <= 4).all()
        assert not np.allclose(curve[:, 0], curve[:, 1])

    def test_the_input_fires_at_its_rate_and_is_frozen(self):
        source = pattern_generation({}, n_patterns=2)
        counts = source.spikes(np.array([0])).counts
        # 5000 spikes expected: a standard error of 1.4 %.
        assert counts.sum() == pytest.approx(5000, rel=0.06)
        assert source.spikes(np.array([0])).times.tolist() == source.spikes(np.array([0])).times.tolist()
        assert source.spikes(np.array([1])).times.tolist() != source.spikes(np.array([0])).times.tolist()


@pytest.mark.parametrize(
    ("make", "wrong", "says"),
    [
        (evidence_accumulation, {"n_cues": 6}, "odd"),
        (evidence_accumulation, {"probability": 0.4}, "probability"),
        (evidence_accumulation, {"cue": "1.5 ms"}, "whole number of milliseconds"),
        (evidence_accumulation, {"shortest_delay": "2 s"}, "shortest_delay"),
        (evidence_accumulation, {"cue_rate": "2 kHz"}, "one spike per step"),
        (evidence_accumulation, {"seed": -1}, "seed"),
        (store_recall, {"n_symbols": 1}, "n_symbols"),
        (store_recall, {"expected_delay": 0.5}, "expected_delay"),
        (store_recall, {"n_train": 0, "n_validation": 0, "n_test": 0}, "empty"),
        (pattern_generation, {"n_units": 0}, "n_units"),
        (pattern_generation, {"duration": "5 ms"}, "longer"),
        (pattern_generation, {"n_patterns": 0}, "n_patterns"),
        (randman, {"smoothness": 0.0}, "smoothness"),
        (randman, {"dimension": 0}, "dimension"),
        (randman, {"n_train": -5}, "'train'"),
    ],
)  # fmt: skip
def test_options_that_describe_no_task_are_refused(make, wrong, says):
    with pytest.raises(InputError, match=says):
        make({}, **wrong)
