"""Rates and intervals of trains whose statistics are known."""

import numpy as np
import pandas as pd
import pytest

from snncompare.recording.interval_statistics import interval_statistics
from snncompare.recording.recording import Recording


def table(train):
    return interval_statistics(
        Recording.from_arrays(
            times=train,
            unit=["a"] * len(train),
            trial=[0] * len(train),
            units=pd.DataFrame(index=["a", "silent"]),
            trials=pd.DataFrame({"start": [0.0], "stop": [2.0]}),
        )
    )


def test_a_regular_train_has_no_variability():
    row = table(np.arange(1, 20) * 0.1).loc[(0, "a")]
    assert row["rate"] == 9.5
    assert row["median"] == pytest.approx(0.1)
    assert row["cv"] == pytest.approx(0.0, abs=1e-12)
    assert row["cv2"] == pytest.approx(0.0, abs=1e-12)


def test_alternating_intervals_have_the_variability_of_the_formula():
    row = table([0.0, 0.1, 0.4, 0.5, 0.8]).loc[(0, "a")]
    assert row["shortest"] == pytest.approx(0.1)
    assert row["cv"] == pytest.approx(0.5)
    assert row["cv2"] == pytest.approx(1.0)


def test_a_silent_unit_has_a_rate_of_zero_and_no_intervals():
    row = table([0.5]).loc[(0, "silent")]
    assert row["rate"] == 0.0
    assert row[["shortest", "median", "cv", "cv2"]].isna().all()
