"""Every entry of the comparison room and every figure answers a wrong argument with one sentence of its own."""

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.comparison.observation import unit_curve
from snncompare.errors import InputError, SnncompareError
from snncompare.figures.condition_rasters import draw_condition_raster
from snncompare.figures.model_bars import draw_models
from snncompare.figures.rdm_movie import draw_rdm_movie
from snncompare.figures.rdm_panels import draw_rdm, rdm_figure
from snncompare.figures.scaling import draw_scaling
from snncompare.figures.similarity_curve import draw_similarity
from snncompare.figures.timing_curve import draw_timing_contribution
from snncompare.representation.kernels import Laplacian
from snncompare.representation.model_rdms import from_features

METRIC = sc.VanRossum("20 ms")
LABELS = list("abcdefgh")
WRONG = [None, "text", 0.5, [1, "x"], {"a": 1}, pd.DataFrame({"a": [1.0]}), np.full((2, 3), np.nan), sc.SpikeCount]


def recorded(n_conditions=8, n_repeats=4, n_units=3):
    rng = np.random.default_rng(0)
    trial, unit = np.divmod(np.arange(n_conditions * n_repeats * n_units * 4), n_units * 4)
    unit //= 4
    times = np.clip(0.1 * (trial // n_repeats) + 0.1 * unit + 0.05 * rng.random(trial.size), 0, 1)
    kept = rng.random(trial.size) < 0.8
    times, trial, unit = times[kept], trial[kept], unit[kept]
    labels = np.repeat(LABELS[:n_conditions], n_repeats)
    return sc.Recording.from_arrays(
        times=times,
        unit=unit,
        trial=trial,
        units=pd.DataFrame(index=range(n_units)),
        trials=pd.DataFrame({"start": 0.0, "stop": 1.0, "stimulus": labels}),
    )


@pytest.fixture(scope="module")
def entries():
    """Return every entry with one good call: function, arguments, and which of them may be replaced by rubbish."""
    recording = recorded()
    data = sc.rdm(recording, sc.VanRossum.sweep(["5 ms", "20 ms"]), "stimulus")
    models = {"m": from_features(LABELS, np.random.default_rng(1).normal(size=(8, 3)))}
    gram = sc.condition_gram(sc.gram(recording, Laplacian("20 ms")), recording.trials["stimulus"], unbiased=False)
    trajectories = sc.rate_trajectories(recording, "stimulus", "20 ms", "50 ms")
    result = sc.compare(sc.rdm(recording, METRIC, "stimulus"), models, n_resamples=50)
    matrix = data.get_matrices()[0]
    common = {"recording": recording, "models": models, "metric": METRIC, "by": "stimulus"}
    of = {"recording": recording, "by": "stimulus"}
    return {
        "compare": (
            sc.compare,
            {"data": data, "models": models, "n_resamples": 50},
            ["data", "models", "by", "seed", "replicates", "unit_halves", "n_resamples"],
        ),
        "time scales": (
            sc.time_scale_test,
            {"data": data, "models": models, "n": 99},
            ["data", "models", "by", "seed", "n"],
        ),
        "selection": (
            sc.select_time_scale,
            {"data": data, "model": models["m"], "repeats": 1},
            ["data", "model", "by", "folds", "seed", "over", "repeats"],
        ),
        "timing": (
            sc.timing_contribution,
            common | {"widths": ["20 ms"], "n_surrogates": 19},
            [*common, "widths", "n_surrogates", "estimator", "measure", "surrogate", "level", "seed"],
        ),
        "decompose": (
            sc.decompose,
            common | {"n_surrogates": 2, "n_splits": 0, "n_permutations": 19},
            [*common, "estimator", "n_surrogates", "n_splits", "n_permutations", "seed"],
        ),
        "units": (
            unit_curve,
            common | {"n_units": [1], "n_draws": 2},
            [*common, "n_units", "n_draws", "estimator", "measure", "level", "seed"],
        ),
        "cka": (sc.cka, {"x": gram, "y": gram}, ["x", "y", "debiased"]),
        "procrustes": (sc.procrustes, {"x": gram, "y": gram}, ["x", "y", "angular"]),
        "bures": (sc.bures, {"x": gram, "y": gram}, ["x", "y"]),
        "responses": (sc.unit_responses, of | {"n_splits": 2}, ["recording", "by", "n_splits", "seed"]),
        "predictivity": (
            sc.predictivity,
            {"responses": sc.unit_responses(recording, "stimulus", n_splits=2), "predictors": gram}
            | {"score": "r2", "n_folds": 2, "n_inner_folds": 2},
            ["responses", "predictors", "score", "n_folds", "n_inner_folds", "penalties", "seed"],
        ),
        "trajectories": (
            sc.rate_trajectories,
            of | {"tau": "20 ms", "step": "50 ms"},
            ["recording", "by", "tau", "step"],
        ),
        "dynamics": (
            sc.dynamical_similarity,
            {"x": trajectories, "y": trajectories, "delays": 2, "rank": 2, "n_starts": 1},
            ["x", "y", "delays", "rank", "n_starts", "seed"],
        ),
        "matrix": (draw_rdm, {"matrix": matrix, "labels": LABELS}, ["matrix", "labels", "scale"]),
        "matrices": (rdm_figure, {"matrices": {"a": matrix}, "labels": LABELS}, ["matrices", "labels", "scale"]),
        "plane": (draw_scaling, {"matrix": matrix, "labels": LABELS}, ["matrix", "labels", "seed"]),
        "similarity": (draw_similarity, {"result": result}, ["result", "metric"]),
        "bars": (draw_models, {"result": result}, ["result", "metric", "time_scale"]),
        "contribution": (draw_timing_contribution, {"timing": None}, ["timing"]),
        "movie": (draw_rdm_movie, {"movie": None}, ["movie"]),
        "raster": (draw_condition_raster, of | {"unit": 0}, ["recording", "by", "unit"]),
    }


def answer(function, arguments):
    """Return what an error of this package says, empty where there is none; every other error comes through."""
    try:
        function(**arguments)
    except SnncompareError as error:
        return str(error)
    return ""


NAMES = [
    *("compare", "time scales", "selection", "timing", "decompose", "units", "cka", "procrustes", "bures", "responses"),
    *("predictivity", "trajectories", "dynamics", "matrix", "matrices", "plane", "similarity", "bars", "contribution"),
    *("movie", "raster"),
]


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_argument_of_a_comparison_is_answered_in_words(entries, name):
    """Some values fit some arguments; nothing but an error of this package may come out of the others."""
    function, good, arguments = entries[name]
    answers = [answer(function, good | {argument: value}) for argument in arguments for value in WRONG]
    refused = [text for text in answers if text]
    assert len(refused) >= 5 * len(arguments)  # of 8; a check that is gone raises something else, or nothing
    assert all(len(text) > 20 and "object at 0x" not in text for text in refused)


def test_every_entry_is_asked(entries):
    assert set(NAMES) == set(entries)


def test_axes_are_axes():
    with pytest.raises(InputError, match="ax must be matplotlib axes, or None, got 'left'"):
        draw_rdm(1 - np.eye(3), ["a", "b", "c"], "left")


def test_no_models_are_none_and_not_a_wrong_kind(make_rdms):
    data = make_rdms(np.arange(6.0))
    with pytest.raises(InputError, match="there are no models; give at least one"):
        sc.compare(data, {})
    with pytest.raises(InputError, match=r"models must be a mapping such as .*, got list"):
        sc.compare(data, [data])


def test_two_conditions_tell_nothing_about_reliability_and_no_warning_is_given():
    """Means of halves over two conditions correlate by +1 or -1 whatever they are."""
    two, three = (sc.unit_responses(recorded(n), "stimulus", n_splits=4, seed=1) for n in (2, 3))
    assert np.isnan(two.reliability).all()
    assert three.reliability.shape == (3,)
    assert np.isfinite(two.mean).all()


def test_missing_groups_of_rows_are_not_a_group_of_their_own(entries):
    function, good, _ = entries["predictivity"]
    with pytest.raises(InputError, match="groups are missing for 2 trials"):
        function(**good, groups=[1, 2, 3, 4, 5, 6, None, None])
    assert np.isfinite(function(**good, groups=[1, 2, 3, 4, 5, 6, 7, 8]).table["score"]).any()


def lasting(seconds):
    recording = recorded()
    trials = recording.trials.assign(stop=seconds)
    return sc.Recording(times=recording.times, offsets=recording.offsets, units=recording.units, trials=trials)


def test_trials_of_another_length_are_refused_with_both_lengths():
    data, longer = (sc.rdm(lasting(seconds), METRIC, "stimulus") for seconds in (1.0, 1.5))
    for entry in (
        lambda: sc.compare(data, {"network": longer}, n_resamples=50),
        lambda: sc.time_scale_test(data, {"network": longer}, n=99),
        lambda: sc.timing_contribution(recorded(), {"network": longer}, METRIC, "stimulus", ["9 ms"], n_surrogates=19),
    ):
        with pytest.raises(InputError, match=r"trials of the data last 1 s, those of model 'network' 1\.5 s; cut both"):
            entry()
    same = sc.rdm(lasting(1.0 + 1e-12), METRIC, "stimulus")  # far below the rounding of any time
    assert sc.compare(data, {"network": same}, n_resamples=50).table["similarity"][0] == pytest.approx(1)
