"""A comparison as a whole: columns, seeds, words, files."""

import json

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial.distance import pdist

from snncompare.comparison.compare import compare
from snncompare.comparison.measures import Pearson, Spearman
from snncompare.comparison.result import Result
from snncompare.errors import FileError, InputError

SCALES = [0.001, 0.02, np.nan]


@pytest.fixture(scope="module")
def given(make_rdms):
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(12, 6))
    data = [pdist(truth + noise * generator.normal(size=truth.shape)) for noise in (1.5, 0.2, 3.0)]
    unrelated = pdist(generator.normal(size=truth.shape))
    models = {
        "truth": make_rdms([pdist(truth)] * 3, time_scale=SCALES),
        "NA": make_rdms([pdist(np.hstack([truth, generator.normal(size=truth.shape)]))] * 3, time_scale=SCALES),
        "unrelated": make_rdms(unrelated),
    }
    return make_rdms(data, time_scale=SCALES), models


@pytest.fixture(scope="module")
def result(given):
    return compare(*given, n_resamples=100)


def test_the_tables_have_the_columns_of_the_contract(result):
    assert list(result.table) == [
        *("model", "metric", "time_scale", "similarity", "ci_low", "ci_high", "p", "p_corrected"),
        *("ceiling_low", "ceiling_high", "verdict"),
    ]
    assert list(result.differences) == [
        *("metric", "time_scale", "model_a", "model_b", "difference", "ci_low", "ci_high", "p", "p_corrected"),
    ]
    assert len(result.table) == 9
    assert len(result.differences) == 9
    assert result.measure == Spearman()
    assert result.resamples.sizes == {"metric_index": 3, "model": 3, "resample": 100}


def test_differences_are_those_of_the_similarities(result):
    here = result.table.iloc[:3].set_index("model")["similarity"]
    for row in result.differences.iloc[:3].itertuples():
        assert row.difference == pytest.approx(here[row.model_a] - here[row.model_b])
        assert row.ci_low < row.difference < row.ci_high


def test_the_same_seed_gives_the_same_result_and_another_one_does_not(given, result):
    again, other = compare(*given, n_resamples=100), compare(*given, n_resamples=100, seed=1)
    pd.testing.assert_frame_equal(again.table, result.table)
    pd.testing.assert_frame_equal(again.differences, result.differences)
    xr.testing.assert_identical(again.resamples, result.resamples)
    assert not np.allclose(other.table["ci_low"], result.table["ci_low"])
    np.testing.assert_array_equal(other.table["similarity"], result.table["similarity"])


def test_all_models_and_time_scales_share_the_draws(make_rdms, given):
    data, _ = given
    same = make_rdms(data.get_vectors(), time_scale=SCALES)
    found = compare(data, {"a": same, "b": same}, n_resamples=60)
    np.testing.assert_array_equal(found.resamples.sel(model="a"), found.resamples.sel(model="b"))
    assert (found.differences["p"] == 1).all()


def test_the_global_generator_is_left_alone(given, result):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    compare(*given, n_resamples=60)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_the_order_of_models_does_not_matter(given, result):
    data, models = given
    turned = compare(data, dict(reversed(models.items())), n_resamples=100)
    order = ["model", "time_scale"]
    pd.testing.assert_frame_equal(
        turned.table.sort_values(order, ignore_index=True), result.table.sort_values(order, ignore_index=True)
    )


def test_a_result_comes_back_from_its_files(result, tmp_path):
    back = Result.load(result.save(tmp_path / "out"))
    pd.testing.assert_frame_equal(back.table, result.table, check_dtype=False)
    pd.testing.assert_frame_equal(back.differences, result.differences, check_dtype=False)
    xr.testing.assert_identical(back.resamples, result.resamples)
    for name in ("measure", "resampled", "statements", "seed", "provenance", "ceiling"):
        assert getattr(back, name) == getattr(result, name)
    assert back.summary() == result.summary()
    assert "summary" in json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))


def test_a_ceiling_comes_back_from_its_files(make_rdms, tmp_path):
    rows = np.random.default_rng(0).gamma(2.0, size=(3, 36))
    result = compare(make_rdms(rows, subject=["a", "b", "c"]), {"m": make_rdms(rows[0])}, n_resamples=50)
    assert Result.load(result.save(tmp_path)).ceiling == result.ceiling
    assert result.resampled == "other stimuli of the same kind and other animals"


def test_a_folder_without_result_is_refused(tmp_path):
    with pytest.raises(FileError, match=r"result\.json is missing"):
        Result.load(tmp_path)


def test_the_summary_says_which_model_at_which_precision_and_how_surely(result):
    text = result.summary()
    assert "The closest model is 'truth' for van Rossum at 20 ms: Spearman correlation 0." in text
    assert "above chance" in text
    assert "picked as the best of 3" in text
    assert "than the next, 'NA' (difference" in text or "from the next, 'NA' (difference" in text
    assert "Not above chance at any precision: 'unrelated'." in text
    assert "generalise over other stimuli of the same kind, shown to the same animal" in text
    assert "What cannot be told: One animal" in text
    assert result.best()["model"] == "truth"


def test_the_summary_says_when_nothing_is_above_chance(make_rdms):
    rows = np.random.default_rng(0).gamma(2.0, size=(2, 45))
    text = compare(make_rdms(rows[0]), {"m": make_rdms(rows[1])}, n_resamples=50).summary()
    assert text.startswith("No model is above chance at any precision. The largest similarity is that of 'm'")


def test_a_model_without_structure_is_named(make_rdms):
    rows = np.random.default_rng(0).gamma(2.0, size=(1, 45))
    found = compare(make_rdms(rows), {"flat": make_rdms(np.ones(45))}, by=Pearson(), n_resamples=50)
    assert found.table["similarity"][0] == 0
    assert found.table["p"][0] == 1
    assert any("model 'flat' sets all conditions equally apart" in text for text in found.statements)


def test_provenance_names_versions_arguments_and_conditions(result):
    assert {"rsatoolbox", "numpy"} <= set(result.provenance["versions"])
    assert result.provenance["measure"] == "Spearman"
    assert result.provenance["conditions"][:2] == ["c0", "c1"]
    assert result.provenance["seed"] == result.seed == 0


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 0.5}, {"n_resamples": 10}, {"n_resamples": True}])
def test_numbers_that_cannot_be_used_are_refused(given, wrong):
    with pytest.raises(InputError, match="must be a whole number of at least"):
        compare(*given, **wrong)


def test_a_measure_given_as_text_is_refused(given):
    with pytest.raises(InputError, match=r"write by=Spearman\(\)"):
        compare(*given, by="spearman")
