"""How a cell of a table is written for a reader."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["column_text", "is_numeric", "provenance_rows"]

MISSING = "–"
_MINUS = "\N{MINUS SIGN}"


def column_text(values: pd.Series, column: str = "") -> list[str]:
    """Return the cells of a column as text, in a form that compares well down the column.

    Numbers that are all whole stay whole; p values have three decimals; others have as many decimals as give the
    largest three significant digits, or three significant digits each where they span several orders of magnitude.
    Where there is no value stands an en dash.

    Parameters
    ----------
    values : Series
    column : str
        Name of the column; ``p`` and names that start with ``p_`` hold p values.

    Examples
    --------
    >>> column_text(pd.Series([0.12345, -0.00551, float("nan")])), column_text(pd.Series([0.0004, 0.2]), "p_corrected")
    (['0.123', '−0.006', '–'], ['< 0.001', '0.200'])
    """
    if not pd.api.types.is_float_dtype(values):
        return [_plain(value) for value in values]
    numbers = values.to_numpy(dtype=float, na_value=np.nan)
    if column == "p" or column.startswith("p_"):
        return [_signed(x, "< 0.001" if x < 0.001 else f"{x:.3f}") for x in numbers]
    sizes = np.abs(numbers[np.isfinite(numbers) & (numbers != 0)])
    largest, smallest = (sizes.max(), sizes.min()) if sizes.size else (1.0, 1.0)
    if largest < 1e7 and not (sizes % 1).any():
        return [_signed(x, f"{x:.0f}") for x in numbers]
    decimals = 2 - int(np.floor(np.log10(largest)))
    if 0 <= decimals <= 4 and (largest <= 1 or smallest >= 10.0 ** (1 - decimals)):
        fixed = 3 if 0.01 <= largest <= 1 else decimals
        return [_signed(x, f"{x:.{fixed}f}") for x in numbers]
    return [_signed(x, f"{x:.3g}") for x in numbers]


def _signed(value: float, text: str) -> str:
    if math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞" if value > 0 else f"{_MINUS}∞"
    if not text.strip("-0."):
        text = text.removeprefix("-")
    return text if "e" in text else text.replace("-", _MINUS)


def _plain(value: Any) -> str:
    if value is None or value is pd.NaT or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
        return MISSING
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return str(value).replace("-", _MINUS)
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def is_numeric(values: pd.Series) -> bool:
    """Return whether a column holds numbers, which are set flush right."""
    return bool(pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values))


def provenance_rows(tree: Any, depth: int = 0) -> list[tuple[int, str, str]]:
    """Return a nested mapping as rows ``(depth, key, value)``; a key that only holds others has an empty value."""
    if isinstance(tree, Mapping):
        items = [(str(key), value) for key, value in tree.items()]
    else:
        items = [(str(i), value) for i, value in enumerate(tree, 1)]
    rows = []
    for key, value in items:
        nested = isinstance(value, Mapping) or (_is_list(value) and any(map(_is_container, value)))
        if nested and len(value):
            rows.append((depth, key, ""))
            rows.extend(provenance_rows(value, depth + 1))
        elif _is_container(value):
            rows.append((depth, key, ", ".join(map(_exact, value)) or MISSING))
        else:
            rows.append((depth, key, _exact(value)))
    return rows


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_container(value: Any) -> bool:
    return isinstance(value, Mapping) or _is_list(value)


def _exact(value: Any) -> str:
    return MISSING if value is None else str(value)
