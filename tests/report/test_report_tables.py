"""Numbers in tables can be read and compared; tables of a result hold its numbers."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from snncompare.errors import InputError
from snncompare.report.content import ReportTable
from snncompare.report.numbers import column_text, is_numeric, provenance_rows
from snncompare.report.result_tables import difference_table, similarity_table


@pytest.mark.parametrize(
    ("values", "column", "text"),
    [
        ([0.34, -0.0054, 0.0001], "similarity", ["0.340", "−0.005", "0.000"]),
        ([-0.0001, 0.5], "similarity", ["0.000", "0.500"]),
        ([1.0, 2.0, 100.0], "time_scale_ms", ["1", "2", "100"]),
        ([0.5, 1.0, 100.0], "time_scale_ms", ["0.5", "1", "100"]),
        ([12.34, 56.78], "rate", ["12.3", "56.8"]),
        ([1e-6, 2e-6], "step", ["1e-06", "2e-06"]),
        ([0.0004, 0.0123, 1.0], "p_corrected", ["< 0.001", "0.012", "1.000"]),
        ([0.0004], "power", ["0.0004"]),
        ([np.nan, np.inf, -np.inf, 0.5], "x", ["–", "∞", "−∞", "0.500"]),
        ([3, -4], "n", ["3", "−4"]),
        ([True, False], "ok", ["yes", "no"]),
        (["a", None], "name", ["a", "–"]),
    ],
)
def test_numbers_are_written_for_readers(values, column, text):
    assert column_text(pd.Series(values), column) == text


def test_only_numbers_are_flush_right():
    assert is_numeric(pd.Series([1.0]))
    assert not is_numeric(pd.Series([True]))
    assert not is_numeric(pd.Series(["1"]))


def test_provenance_is_unfolded_in_order():
    tree = {"a": {"b": 1, "c": {}}, "d": [1, 2], "e": [{"f": None}], "g": []}
    assert provenance_rows(tree) == [
        (0, "a", ""),
        (1, "b", "1"),
        (1, "c", "–"),
        (0, "d", "1, 2"),
        (0, "e", ""),
        (1, "1", ""),
        (2, "f", "–"),
        (0, "g", "–"),
    ]


def test_tables_of_a_result_are_in_milliseconds_and_best_first():
    table = pd.DataFrame(
        {
            "model": ["a", "b"],
            "metric": "van Rossum",
            "time_scale": 0.01,
            "similarity": [0.1, 0.3],
            "ci_low": 0.0,
            "ci_high": 0.4,
            "p": 0.01,
            "p_corrected": 0.02,
            "ceiling_low": np.nan,
            "ceiling_high": np.nan,
            "verdict": "related",
        }
    )
    differences = pd.DataFrame(
        [("van Rossum", 0.01, "a", "b", -0.2, -0.3, -0.1, 0.01, 0.01)],
        columns=["metric", "time_scale", "model_a", "model_b", "difference", "ci_low", "ci_high", "p", "p_corrected"],
    )
    result = SimpleNamespace(table=table, differences=differences, measure=SimpleNamespace(label="Spearman"))
    shown = similarity_table(result)
    assert list(shown.frame["model"]) == ["b", "a"]
    assert list(shown.frame["time_scale_ms"]) == [10.0, 10.0]
    assert "Spearman" in shown.caption
    assert list(difference_table(result).frame["difference"]) == [-0.2]


def test_headings_and_names_that_do_not_fit_are_refused():
    frame = pd.DataFrame({"a": [1]})
    with pytest.raises(InputError, match=r"headings are given for \['b'\]"):
        ReportTable(frame=frame, caption="c", headers={"b": "B"})
    with pytest.raises(InputError, match="cannot name a file"):
        ReportTable(frame=frame, caption="c", name="../x")
