"""Behaviour of rsatoolbox that the room works around; a failure here means that rsatoolbox has changed."""

import numpy as np
import pytest
from rsatoolbox.inference import eval_bootstrap_pattern, eval_dual_bootstrap
from rsatoolbox.model import ModelFixed

from snncompare.comparison.compare import compare


@pytest.fixture
def rows():
    return np.random.default_rng(0).gamma(2.0, size=(4, 45))


def test_one_rdm_in_a_dual_bootstrap_divides_by_zero(make_rdms, rows, seeded_rsatoolbox):
    with seeded_rsatoolbox(0), pytest.raises(ZeroDivisionError):
        eval_dual_bootstrap([ModelFixed("m", make_rdms(rows[1]))], make_rdms(rows[0]), N=5, use_correction=False)
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
