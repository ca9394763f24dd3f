"""The study of mismatch against a recording runs, and its stored numbers are those its README tells."""

import json
from pathlib import Path

import numpy as np
import pytest
from rsatoolbox.rdm import RDMs

STUDY = Path(__file__).parents[2] / "analyses" / "mismatch_and_brain"
METRICS = ("spike count", "van Rossum")
SIGMAS = ("0.05", "0.1", "0.2", "0.3", "0.5")


@pytest.fixture(scope="module")
def script(analysis_module):
    return analysis_module("mismatch_and_brain")


@pytest.fixture(scope="module")
def stored():
    results = json.loads((STUDY / "results.json").read_text(encoding="utf-8"))
    assert not results["quick"]
    return results["metrics"]


@pytest.mark.slow
def test_the_quick_study_compares_chips_with_the_ideal_and_the_neuron(run_analysis, tmp_path, shared_data):
    if not (shared_data / "gerbil_ic_fm_sounds").is_dir():
        pytest.skip("the recording of gerbil inferior colliculus is not here")
    run_analysis("mismatch_and_brain", tmp_path)
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert found["quick"]
    for metric in METRICS:
        near = found["metrics"][f"trained: {metric}, mismatch 0.3: similarity to the ideal, median"]["value"]
        assert 0 < near < 1
    assert (tmp_path / "mismatch.png").stat().st_size > 10_000


def labelled(values, conditions):
    return RDMs(
        values[None],
        pattern_descriptors={"condition": conditions},
        rdm_descriptors={"metric": ["spike count"]},
    )


def test_similarity_matches_conditions_by_label(script):
    points = np.random.default_rng(0).normal(size=6)
    names = list("abcdef")
    far = np.abs(points[:, None] - points[None, :])
    order = [3, 1, 5, 0, 2, 4]
    above = np.triu_indices(6, 1)
    one = labelled(far[above], names)
    other = labelled(far[np.ix_(order, order)][above], [names[k] for k in order])
    assert script.alike(one, other)["similarity"].item() == pytest.approx(1.0)
    shuffled = labelled(far[np.ix_(order, order)][above], names)
    assert script.alike(one, shuffled)["similarity"].item() < 0.9


def test_a_chip_of_the_study_has_mismatch_of_one_size_everywhere(script):
    chip = script.chip(0.2)
    assert chip.weights.cv.value == 0.2
    assert chip.parameters["threshold"].sd_fraction.value == 0.2
    assert {chip.parameters[f"{name}_time_constant"].cv.value for name in ("membrane", "synaptic", "adaptation")} == {
        0.2
    }
    assert script.chip(0.0).weights.cv.value == 0


def test_the_ideal_network_is_above_chance_so_that_the_question_is_not_empty(stored):
    for metric in METRICS:
        words = stored[f"trained: {metric}, ideal: similarity to the neuron"]["source"]
        assert float(words.split(" to ")[0]) > 0
        assert float(words.split("corrected p ")[1].split(";")[0]) < 0.05


def test_stored_chips_leave_the_ideal_and_the_task_as_mismatch_grows(stored):
    for metric in METRICS:
        curve = [stored[f"trained: {metric}, mismatch {s}: similarity to the ideal, median"]["value"] for s in SIGMAS]
        assert (np.diff(curve) < 0).all()
        assert (
            curve[-1]
            < stored[f"trained: {metric}: ideal with the sounds played again, similarity to the ideal"]["value"]
        )
    right = [stored[f"trained: mismatch {s}: sounds named right"]["value"] for s in ("0", *SIGMAS)]
    assert (np.diff(right) < 0).all()


def test_the_readme_tells_the_stored_differences(stored):
    text = " ".join((STUDY / "README.md").read_text(encoding="utf-8").split())
    for sigma in SIGMAS:
        cells = []
        for metric in METRICS:
            entry = stored[f"trained: {metric}, mismatch {sigma}: similarity to the neuron, minus the ideal's"]
            cells.append(f"{round(entry['value'], 3) + 0.0:.3f} ({entry['source'].split(';')[0]})")
        assert " | ".join(cells) in text
