"""Behaviour of rsatoolbox's inference that the room works around; a failure here means that rsatoolbox has changed.

Of making RDMs: test_rsatoolbox_faults_of_rdms.py.
"""

import inspect

import numpy as np
import pytest
from rsatoolbox import inference
from rsatoolbox.inference import eval_bootstrap, eval_bootstrap_pattern, eval_bootstrap_rdm, eval_dual_bootstrap
from rsatoolbox.model import ModelFixed

from snncompare.comparison.compare import compare


@pytest.fixture
def rows():
    return np.random.default_rng(0).gamma(2.0, size=(4, 45))


def test_one_rdm_in_a_bootstrap_over_two_factors_divides_by_zero(make_rdms, rows, seeded_rsatoolbox):
    with seeded_rsatoolbox(0), pytest.raises(ZeroDivisionError):
        eval_dual_bootstrap([ModelFixed("m", make_rdms(rows[1]))], make_rdms(rows[0]), N=5, use_correction=False)
    with seeded_rsatoolbox(0), pytest.raises(ZeroDivisionError):
        eval_bootstrap([ModelFixed("m", make_rdms(rows[1]))], make_rdms(rows[0]), N=5)
    assert np.isfinite(compare(make_rdms(rows[0]), {"m": make_rdms(rows[1])}).table["ci_low"]).all()


def test_the_ceiling_after_a_dual_bootstrap_is_not_two_numbers(make_rdms, rows, seeded_rsatoolbox):
    with seeded_rsatoolbox(0):
        result = eval_dual_bootstrap(
            [ModelFixed("m", make_rdms(rows[3]))], make_rdms(rows[:3]), N=5, use_correction=False
        )
    assert result.get_noise_ceil().shape == (2, 5, 1, 3)
    data = make_rdms(rows[:3], subject=["a", "b", "c"])
    ours = compare(data, {"m": make_rdms(rows[3])}).ceiling
    assert ours is not None
    assert len(ours.low) == len(ours.high) == 1


def test_the_ceiling_of_one_rdm_is_trivially_1(make_rdms, rows, seeded_rsatoolbox):
    with seeded_rsatoolbox(0):
        result = eval_bootstrap_pattern([ModelFixed("m", make_rdms(rows[1]))], make_rdms(rows[0]), N=3)
    np.testing.assert_allclose(result.get_noise_ceil(), 1)
    assert compare(make_rdms(rows[0]), {"m": make_rdms(rows[1])}).ceiling is None


def test_a_fixed_model_overwrites_the_index_of_the_rdms_it_is_given(make_rdms, rows):
    given = make_rdms(rows[0])
    given.pattern_descriptors["index"] = list(range(10, 20))
    ModelFixed("m", given)
    assert list(given.pattern_descriptors["index"]) == list(range(10))
    given.pattern_descriptors["index"] = list(range(10, 20))
    compare(make_rdms(rows[1]), {"m": given})
    assert list(given.pattern_descriptors["index"]) == list(range(10, 20))


def test_tests_from_the_proportion_of_resamples_fail_and_ours_are_there(make_rdms, rows, seeded_rsatoolbox):
    models = {"m": make_rdms(rows[2]), "n": make_rdms(rows[3])}
    with seeded_rsatoolbox(0):
        result = eval_bootstrap_pattern(
            [ModelFixed(name, rdms) for name, rdms in models.items()], make_rdms(rows[:2]), N=100
        )
    with pytest.raises(ValueError, match=r"cannot reshape array of size 100 into shape \(2,1\)"):
        result.test_all("bootstrap")
    with pytest.raises(AssertionError, match="wrong dimensionality"):
        result.test_all("ranksum")
    ours = compare(make_rdms(rows[:2], subject=["a", "b"]), models, n_resamples=100)
    assert 0 <= ours.differences["p"][0] <= 1
    assert ((ours.table["p"] > 0) & (ours.table["p"] <= 1)).all()


def test_few_conditions_give_resamples_without_value(make_rdms, rows, seeded_rsatoolbox):
    """Samples with fewer than three different conditions are nan; from 8 conditions on ours hold none."""
    few = rows[:, :6]
    with seeded_rsatoolbox(0):
        result = eval_bootstrap_pattern([ModelFixed("m", make_rdms(few[1]))], make_rdms(few[0]), N=200)
    assert np.isnan(result.evaluations).any()
    ours = compare(make_rdms(rows[0, :28]), {"m": make_rdms(rows[1, :28])}, n_resamples=200)
    assert np.isfinite(ours.resamples).all()
    assert compare(make_rdms(few[0]), {"m": make_rdms(few[1])}).resamples is None  # refused, not filled with nan


def test_bootstraps_take_no_seed_and_move_the_global_generator(make_rdms, rows, seeded_rsatoolbox):
    names = (
        "eval_bootstrap",
        "eval_bootstrap_pattern",
        "eval_bootstrap_rdm",
        "eval_dual_bootstrap",
        "bootstrap_crossval",
    )
    for name in names:
        assert not {"seed", "rng", "random_state"} & set(inspect.signature(getattr(inference, name)).parameters)

    def theirs():
        return eval_bootstrap_rdm([ModelFixed("m", make_rdms(rows[3]))], make_rdms(rows[:3]), N=5).evaluations

    with seeded_rsatoolbox(0):
        assert not np.array_equal(theirs(), theirs())
    data, models = make_rdms(rows[:3], subject=["a", "b", "c"]), {"m": make_rdms(rows[3])}
    with seeded_rsatoolbox(0):
        before = np.random.get_state()[1].copy()  # noqa: NPY002
        one, two = (compare(data, models, seed=3, n_resamples=50).resamples for _ in range(2))
        np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(one, two)
