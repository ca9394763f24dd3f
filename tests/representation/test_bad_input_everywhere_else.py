"""Every entry of the recording and representation rooms answers a wrong argument with one sentence of its own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import snncompare as sc
from snncompare.errors import InputError, SnncompareError
from snncompare.recording.observation import match, with_equal_counts
from snncompare.recording.surrogates import ExchangedTimes, Jitter, ShuffledTrials, UniformTimes, WindowedJitter
from snncompare.representation.kernels import Laplacian
from snncompare.representation.model_rdms import categorical, circular, from_features, from_matrix
from snncompare.representation.rdm import rdm_from_distances
from snncompare.representation.unit_halves import unit_halves

METRIC = sc.VanRossum("0.5 s")
WRONG = [None, "VanRossum", 3, 0.5, [1, 2], {"a": 1}, pd.DataFrame({"a": [1.0]}), np.arange(3.0), sc.SpikeCount]


def entries(recording):
    """Every entry with one good call: name, function, its arguments, and which of them may be replaced by rubbish."""
    distances, labels = sc.distances(recording, METRIC), recording.trials["song"]
    rdms = sc.rdm(recording, METRIC, "song")
    of, common = {"recording": recording}, {"recording": recording, "metric": METRIC, "by": "song"}
    return {
        "distances": (sc.distances, of | {"metric": METRIC}, ["recording", "metric", "execution"]),
        "gram": (sc.gram, of | {"kernel": Laplacian("0.5 s")}, ["recording", "kernel", "execution"]),
        "rdm": (sc.rdm, common, ["recording", "metric", "by", "estimator", "execution", "conditions", "join"]),
        "movie": (sc.rdm_movie, common | {"window": "5 s", "step": "5 s"}, [*common, "estimator", "window", "step"]),
        "halves": (unit_halves, common, ["recording", "metric", "estimator", "n_splits", "seed"]),
        "from distances": (
            rdm_from_distances,
            {"distances": distances, "conditions": labels},
            ["distances", "estimator"],
        ),
        "replicates": (
            sc.replicates,
            {"distances": distances, "conditions": labels, "n_resamples": 5, "n_splits": 2},
            ["distances", "conditions", "estimator", "n_resamples", "n_splits", "seed"],
        ),
        "within": (sc.within_condition, {"distances": distances, "conditions": labels}, ["distances", "estimator"]),
        "cube": (sc.rdm_cube, {"rdms": rdms}, ["rdms"]),
        "of cube": (sc.rdms_of_cube, {"cube": sc.rdm_cube(rdms)}, ["cube"]),
        "join": (
            sc.join_replicates,
            {"recordings": {"a": recording}, "metric": METRIC, "by": "song", "n_resamples": 5, "n_splits": 2},
            ["recordings", "metric", "by", "estimator", "n_resamples", "n_splits", "seed", "conditions"],
        ),
        "sessions": (sc.split_sessions, of | {"join": "song"}, ["recording", "join"]),
        "reliability": (
            sc.reliability,
            of | {"by": "song", "n_splits": 2},
            ["recording", "by", "metric", "n_splits", "seed"],
        ),
        "drift": (
            sc.drift,
            of | {"by": "song", "baseline": ("0 s", "5 s"), "response": ("5 s", "10 s"), "bins": "5 s", "n_splits": 1},
            ["recording", "by", "baseline", "response", "estimator", "time", "n_splits", "alpha", "tolerated", "seed"],
        ),
        "noise": (sc.noise_precision, of | {"by": "song"}, ["recording", "by", "shrinkage"]),
        "gram of conditions": (
            sc.condition_gram,
            {"gram": sc.gram(recording, Laplacian("0.5 s")), "conditions": labels},
            ["gram", "conditions", "unbiased"],
        ),
        "features": (from_features, {"conditions": [1, 2, 3], "features": np.eye(3)}, ["conditions", "features"]),
        "matrix": (from_matrix, {"conditions": [1, 2, 3], "matrix": 1 - np.eye(3)}, ["conditions", "matrix"]),
        "circle": (circular, {"conditions": [1, 2, 3], "period": 9}, ["period"]),
        "categories": (categorical, {"conditions": [1, 2, 3], "categories": [1, 1, 2]}, ["categories"]),
        "match": (
            match,
            {"model": recording, "recording": recording, "seed": 0},
            ["model", "recording", "seed", "by", "rates"],
        ),
        "equal counts": (with_equal_counts, of | {"seed": 0}, ["recording", "seed"]),
        "uniform": (UniformTimes().apply, of | {"seed": 0}, ["recording", "seed"]),
        "jitter": (Jitter, {"width": "1 s"}, ["width", "shape"]),
        "windowed": (WindowedJitter, {"width": "1 s"}, ["width"]),
        "exchanged": (ExchangedTimes, {}, ["width"]),
        "precision": (sc.Precision, {"matrix": np.eye(3)}, ["matrix"]),
        "latency": (sc.FirstSpikeLatency, {"silent": "10 s"}, ["silent"]),
        "rank order": (sc.RankOrder, {}, ["distance"]),
    }


def answer(function, arguments):
    """Return what an error of this package says, empty where there is none; every other error comes through."""
    try:
        function(**arguments)
    except SnncompareError as error:
        return str(error)
    return ""


NAMES = [
    "distances",
    "gram",
    "rdm",
    "movie",
    "halves",
    "from-distances",
    "replicates",
    "within",
    "cube",
    "of-cube",
    "join",
    "sessions",
    "reliability",
    "drift",
    "noise",
    "gram-of-conditions",
    "features",
    "matrix",
    "circle",
    "categories",
    "match",
    "equal-counts",
    "uniform",
    "jitter",
    "windowed",
    "exchanged",
    "precision",
    "latency",
    "rank-order",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_argument_is_answered_in_words_or_accepted(noisy_recording, name):
    """Numbers may fit some arguments; nothing but an error of this package may come out of the others."""
    function, good, arguments = entries(noisy_recording)[name.replace("-", " ")]
    answers = [answer(function, good | {argument: value}) for argument in arguments for value in WRONG]
    refused = [text for text in answers if text]
    assert len(refused) >= 4 * len(
        arguments
    )  # of 9 wrong values; a check that is gone raises something else, or nothing
    assert all(len(text) > 20 and "object at 0x" not in text for text in refused)


def test_the_list_of_names_is_complete(noisy_recording):
    assert {name.replace("-", " ") for name in NAMES} == set(entries(noisy_recording))


@pytest.mark.parametrize(
    "path", [3, None, ["a.npz"], b"a.npz", pd.DataFrame()], ids=["number", "none", "list", "bytes", "table"]
)
def test_a_path_is_text_or_a_path(path):
    with pytest.raises(InputError, match=r"path must be text or a pathlib\.Path, got"):
        sc.read(path)


def test_an_extent_is_two_times(noisy_recording, tmp_path):
    file: Path = noisy_recording.save(tmp_path / "r.npz")
    for extent in (3, [], "01", ["0 s"], {"a": 1, "b": 2}):
        with pytest.raises(InputError, match="the extent must be two times such as"):
            sc.read(file, extent=extent)
    assert sc.read(file, extent=("0 s", "11 s")).trials["stop"].tolist() == [11.0] * noisy_recording.n_trials


def test_true_and_one_are_not_taken_for_the_same_condition(noisy_recording):
    labels = [1, True, "a", "b"] * 6
    with pytest.raises(InputError, match="both True or False and the number that is equal to it"):
        sc.rdm(noisy_recording.with_trials(stimulus=labels), METRIC, "stimulus")
    apart = noisy_recording.with_trials(stimulus=[str(label) for label in labels])
    assert list(sc.rdm(apart, METRIC, "stimulus").pattern_descriptors["condition"]) == ["1", "True", "a", "b"]


def test_numbers_of_numpy_and_of_python_name_the_same_conditions(noisy_recording):
    plain = noisy_recording.with_trials(stimulus=[int(x) for x in noisy_recording.trials["orientation"]])
    numpy = noisy_recording.with_trials(
        stimulus=pd.Series([np.int16(x) for x in plain.trials["stimulus"]], dtype=object)
    )
    a, b = (sc.rdm(given, METRIC, "stimulus") for given in (plain, numpy))
    assert a.pattern_descriptors["condition"] == b.pattern_descriptors["condition"] == [40, 10, 30, 20]
    assert {type(label) for label in b.pattern_descriptors["condition"]} == {int}
    assert np.array_equal(a.get_vectors(), b.get_vectors())


def test_a_shuffle_needs_the_name_of_a_column(noisy_recording):
    with pytest.raises(InputError, match=r"ShuffledTrials\.by must be the name of one column"):
        ShuffledTrials(["song"]).apply(noisy_recording, 0)
    assert ShuffledTrials("song").apply(noisy_recording, 0).times.size == noisy_recording.times.size
