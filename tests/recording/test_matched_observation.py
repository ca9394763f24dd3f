"""A model with as many units, trials, seconds and spikes as the animal gave."""

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.recording.observation import match, with_equal_counts
from snncompare.recording.recording import Recording


def poisson(rates, *, trials_per_condition=20, conditions=3, start=0.0, stop=1.0, seed=0):
    rng = np.random.default_rng(seed)
    n_trials = trials_per_condition * conditions
    counts = rng.poisson(np.asarray(rates) * (stop - start), (n_trials, len(rates)))
    train = np.repeat(np.arange(counts.size), counts.ravel())
    return Recording.from_arrays(
        times=rng.uniform(start, stop, train.size),
        unit=train % len(rates),
        trial=train // len(rates),
        units=pd.DataFrame(index=range(len(rates))),
        trials=pd.DataFrame({"start": start, "stop": stop, "condition": np.arange(n_trials) % conditions}),
    )


def rate(recording):
    return recording.times.size / recording.n_units / (recording.trials["stop"] - recording.trials["start"]).sum()


@pytest.fixture(scope="module")
def animal():
    return poisson([4, 8, 15], trials_per_condition=6, start=0.1, stop=0.6, seed=1)


@pytest.fixture(scope="module")
def model():
    return poisson(np.linspace(20, 40, 30), start=-0.2, stop=1.0, seed=2)


def test_units_trials_window_and_rate_are_those_of_the_recording(model, animal):
    seen = match(model, animal, 0, by="condition")
    assert (seen.n_units, seen.n_trials) == (3, 18)
    assert seen.trials["condition"].value_counts().to_dict() == {0: 6, 1: 6, 2: 6}
    assert set(seen.trials["start"]) == {0.1}
    assert set(seen.trials["stop"]) == {0.6}
    assert seen.times.min() >= 0.1
    assert seen.times.max() <= 0.6
    expected = rate(animal)
    # 3 units, 18 trials, 0.5 s: Poisson standard error of the rate
    assert rate(seen) == pytest.approx(expected, abs=4 * np.sqrt(expected / 27))
    assert seen.provenance["matched"]["units"] == [30, 3]
    assert rate(match(model, animal, 0, by="condition", rates=None)) > 2 * expected


def test_every_spike_that_is_left_was_there(model, animal):
    seen = match(model, animal, 0, by="condition")
    for trial in seen.trials.index:
        for unit in seen.units.index:
            assert np.isin(seen.train(trial, unit), model.train(trial, unit)).all()


def test_rates_unit_by_unit_follow_the_rank(model, animal):
    seen = match(model, animal, 3, by="condition", rates="unit")
    found = np.sort(seen.counts().sum("trial").to_numpy()) / 9.0
    wanted = np.sort(animal.counts().sum("trial").to_numpy()) / 9.0
    assert np.allclose(found, wanted, atol=4 * np.sqrt(wanted.max() / 9))
    population = np.sort(match(model, animal, 3, by="condition").counts().sum("trial").to_numpy()) / 9.0
    assert np.ptp(population) < np.ptp(found)  # thinned alike, units stay as alike as the model's were


def test_seeds_choose_units_and_trials(model, animal):
    first, again, other = (match(model, animal, seed, by="condition") for seed in (0, 0, 1))
    assert first.equals(again)
    assert list(first.units.index) != list(other.units.index)
    assert list(first.trials.index) != list(other.trials.index)
    free = match(model, animal, 0)
    assert free.n_trials == 18
    assert free.trials["condition"].value_counts().to_dict() != {0: 6, 1: 6, 2: 6}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda m: m.select(units=np.arange(30) < 2), "the model has 2 units, the recording 3"),
        (lambda m: m.select(trials=np.arange(60) < 15), "the model has 5 trials of condition 0, the recording 6"),
        (lambda m: m.with_trials(condition=["a", "b", "c"] * 20), "the model has 'a', 'b', 'c', the recording 0, 1, 2"),
        (lambda m: poisson(np.full(30, 2.0)), r"the model fires .* Hz per unit, the recording .* Hz"),
        (lambda m: poisson(np.full(30, 30.0), start=0.2), "trials last from 0.2 to 1 s, the recording's from 0.1"),
        (lambda m: m.with_trials(condition=np.nan), "60 trials of the model have no label in 'condition'"),
    ],
    ids=["units", "trials", "labels", "rate", "window", "missing labels"],
)
def test_a_model_that_cannot_be_seen_that_way_is_refused_with_the_numbers(change, sentence, model, animal):
    with pytest.raises(InputError, match=sentence):
        match(change(model), animal, 0, by="condition")


def test_a_unit_that_fires_less_than_the_one_of_its_rank_is_named(animal):
    with pytest.raises(InputError, match=r"1 of 3 units .* worst '2' with"):
        match(poisson([40.0, 40.0, 0.5]), animal, 0, rates="unit")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"seed": -1}, "seed must be"),
        ({"seed": 0, "rates": "all"}, "no way to equalise rates 'all'"),
        ({"seed": 0, "by": "odour"}, "the model has no column in its trials table 'odour'"),
    ],
    ids=["seed", "rates", "column"],
)
def test_arguments_that_mean_nothing_are_refused(arguments, sentence, model, animal):
    with pytest.raises(InputError, match=sentence):
        match(model, animal, **arguments)


def test_equal_counts_leave_nothing_to_count(animal):
    equal = with_equal_counts(animal.select(units=[False, False, True]), 0)
    counts = equal.counts().to_numpy()
    fewest = int(animal.counts().to_numpy()[:, 2].min())
    assert fewest > 0
    assert (counts == fewest).all()
    assert np.isin(equal.times, animal.times).all()
    other = with_equal_counts(animal.select(units=[False, False, True]), 1)
    assert not np.array_equal(equal.times, other.times)
    assert equal.provenance["equal_counts"] == {"seed": 0}
    with pytest.raises(InputError, match="seed must be"):
        with_equal_counts(animal, -1)
