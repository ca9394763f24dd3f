"""Which model is closest, the control aside."""

from typing import Any

import pandas as pd

from snncompare.commands.demo.names import CONTROL
from snncompare.comparison.result import Result

__all__ = ["closest_model", "models_only"]


def models_only(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a result's table that are about models that hear the sounds."""
    return table[table["model"] != CONTROL]


def closest_model(result: Result) -> "pd.Series[Any]":
    """Return the row of the model with the largest similarity at any metric and time scale."""
    rows = models_only(result.table)
    return rows.iloc[int(rows["similarity"].argmax())]
