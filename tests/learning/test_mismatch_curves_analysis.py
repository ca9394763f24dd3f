"""The study of accuracy against mismatch runs, and its stored curves have the published shape."""

import json
from pathlib import Path

import numpy as np
import pytest

STUDY = Path(__file__).parents[2] / "analyses" / "mismatch_curves"
KINDS = ("surrogate gradients", "readout only")
SIGMAS = ("0", "0.05", "0.1", "0.2", "0.3", "0.5")


@pytest.fixture(scope="module")
def script(analysis_module):
    return analysis_module("mismatch_curves")


@pytest.fixture(scope="module")
def stored():
    results = json.loads((STUDY / "results.json").read_text(encoding="utf-8"))
    assert not results["quick"]
    return results["metrics"]


@pytest.mark.slow
def test_the_quick_study_measures_every_scheme(run_analysis, tmp_path, shared_data):
    environment = {"SNNCOMPARE_DATA": str(shared_data), "SNNCOMPARE_CACHE": str(tmp_path / "cache")}
    run_analysis("mismatch_curves", tmp_path, environment=environment)
    found = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert found["quick"]
    for kind in KINDS:
        ideal = found["metrics"][f"{kind}: accuracy without a chip"]["value"]
        assert found["metrics"][f"{kind}: accuracy, mismatch 0"]["value"] == pytest.approx(ideal, abs=1e-12)
    for scheme in ("trained longer", "noise injection", "adversarial", "in the loop", "readout calibrated"):
        assert f"{scheme}: accuracy, mismatch 0.5" in found["metrics"]
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_intervals_are_of_networks_and_devices(script):
    rng = np.random.default_rng(0)
    networks, devices = rng.normal(size=(40, 1)), rng.normal(size=(1, 40))
    for values, sd in ((networks + 0 * devices, 1.0), (0 * networks + devices, 1.0), (networks + devices, 2**0.5)):
        low, high = script.interval(values)
        # The standard error of 40 draws is sd / sqrt(40); the sample's own spread is within a third of the true one.
        assert high - low == pytest.approx(2 * 1.96 * sd / 40**0.5, rel=0.35)
    low, high = script.interval(np.full((3, 10), 0.7))
    assert low == pytest.approx(0.7)
    assert high == pytest.approx(0.7)


def test_a_chip_of_no_mismatch_is_no_chip_and_mismatch_is_of_all_three_classes(script):
    points = {
        name: script.profile_at(script.base(), script.Point(sigma=0.3, parameters=name))
        for name in script.PARAMETER_CLASSES
    }
    sizes = {
        name: (
            p.weights.cv.value,
            p.parameters["membrane_time_constant"].cv.value,
            p.parameters["threshold"].sd_fraction.value,
        )
        for name, p in points.items()
    }
    assert sizes["all"] == (0.3, 0.3, 0.3)
    assert [sizes[name] for name in ("weights", "time_constants", "thresholds")] == [
        (0.3, 0, 0),
        (0, 0.3, 0),
        (0, 0, 0.3),
    ]


def test_stored_accuracy_never_rises_with_mismatch(stored):
    for kind in KINDS:
        curve = [stored[f"{kind}: accuracy, mismatch {sigma}"]["value"] for sigma in SIGMAS]
        # A chip of no mismatch names the very same trials right; means of equal fractions differ by rounding alone.
        assert curve[0] == pytest.approx(stored[f"{kind}: accuracy without a chip"]["value"], abs=1e-12)
        # 270 test trials: a standard error of 0.015 of one network; the mean over 30 chips is told to less than a point.
        assert np.diff(curve).max() < 0.01
        assert curve[-1] < curve[0] / 2
        entry = stored[f"{kind}: largest rise between neighbouring mismatches"]
        assert entry["value"] == pytest.approx(np.diff(curve).max())


def test_stored_resolution_has_the_published_shape(stored):
    six, three = (stored[f"surrogate gradients: {bits} bits minus float"]["value"] for bits in (6, 3))
    assert abs(six) <= 0.02  # the published shape: 6 bits within 2 points of float
    assert three < -0.1
    assert stored["surrogate gradients: accuracy, 2 bits"]["value"] < 0.5


def test_stored_readout_only_networks_collapse_first(stored):
    for sigma in SIGMAS[2:5]:
        assert (
            stored[f"share above chance, readout only minus surrogate gradients, mismatch {sigma}"]["interval"][1] < 0
        )
    shares = [stored[f"{kind}: share of accuracy above chance, mismatch 0.2"]["value"] for kind in KINDS]
    assert shares[1] < shares[0] / 2


def test_stored_training_for_chips_recovers_more_than_as_much_training_without(stored):
    control = stored["trained longer: gain, mismatch 0.3"]
    for scheme in ("noise injection", "adversarial"):
        assert stored[f"{scheme}: gain, mismatch 0.3"]["interval"][0] > control["interval"][1]
    for scheme in ("in the loop", "readout calibrated"):
        assert stored[f"{scheme}: share of the loss won back, mismatch 0.3"]["value"] > 0.8
    assert stored["trained longer: share of the loss won back, mismatch 0.3"]["value"] < 0.2


def test_the_readme_tells_the_stored_numbers(stored):
    text = " ".join((STUDY / "README.md").read_text(encoding="utf-8").split())
    for kind in KINDS:
        row = [f"{100 * stored[f'{kind}: accuracy, mismatch {sigma}']['value']:.1f}" for sigma in SIGMAS]
        assert f"| {kind} | " + " | ".join(row) + " |" in text
