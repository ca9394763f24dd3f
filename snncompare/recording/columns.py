"""Label columns as plain JSON values and back, with their exact pandas type."""

import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from snncompare.errors import InputError

__all__ = [
    "decode",
    "decode_index",
    "decode_or_infer",
    "decode_table",
    "describe",
    "describe_index",
    "encode",
    "encode_table",
]

_MISSING_TIME = np.iinfo(np.int64).min
_MISSING: dict[str, Any] = {"NaN": np.nan, "NA": pd.NA, "NaT": pd.NaT}
"""What stands for a missing value in an object column, where it is not None."""


def describe(column: pd.Series | pd.Index, name: Hashable) -> dict[str, Any]:
    """Return the type of a column as JSON, for `decode`.

    An object column may hold any of None, NaN, NA and NaT for a missing value: if it holds one of them only, its name
    stands under ``missing``; if several, they all come back as None.

    Raises
    ------
    InputError
        For types that are not kept: only booleans, numbers, text, times without zone, and categories of these.
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        categories = dtype.categories
        return {
            "type": "category",
            "of": describe(categories, name),
            "categories": encode(categories, name),
            "ordered": bool(dtype.ordered),
        }
    plain = isinstance(dtype, np.dtype) and dtype.kind in "biufmMO"
    nullable = pd.api.types.is_extension_array_dtype(dtype) and dtype.kind in "biufOUT" and "[" not in str(dtype)
    if not (plain or nullable):
        raise InputError(f"labels of type {dtype} ('{name}') cannot be stored; convert them to text or numbers first.")
    return {"type": str(dtype)} | (_missing_kind(column) if dtype.kind == "O" and plain else {})


def _missing_kind(column: pd.Series | pd.Index) -> dict[str, str]:
    kinds = {_kind(value) for value in column if _is_missing(value)}
    return {"missing": kinds.pop()} if len(kinds) == 1 and "None" not in kinds else {}


def _kind(value: Any) -> str:
    if value is None:
        return "None"
    return "NA" if value is pd.NA else "NaT" if value is pd.NaT else "NaN"


def _is_missing(value: Any) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value))


def encode(column: pd.Series | pd.Index, name: Hashable) -> list[Any]:
    """Return the values of a column as JSON scalars; ``None`` is a missing value.

    In a plain column of floats NaN is a number and stays one; in every other column it is a missing value.

    Raises
    ------
    InputError
        For values that are no text, number, boolean or missing.
    """
    dtype = column.dtype
    if isinstance(dtype, np.dtype) and dtype.kind in "mM":
        return [None if value == _MISSING_TIME else int(value) for value in column.to_numpy().astype(np.int64)]
    if isinstance(dtype, pd.CategoricalDtype):
        values = encode(dtype.categories, name)
        return [None if code < 0 else values[code] for code in np.asarray(pd.Categorical(column).codes)]
    if isinstance(dtype, np.dtype) and dtype.kind in "biuf":
        return list(column.to_numpy().tolist())
    return [_scalar(value, name) for value in column]


def _scalar(value: Any, name: Hashable) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if _is_missing(value):
        return None
    if isinstance(value, float | str | bool | int):
        return value
    raise InputError(f"the label {value!r} in '{name}' cannot be stored; labels are text, numbers or true and false.")


def decode(values: list[Any], described: dict[str, Any]) -> pd.Series:
    """Return the column that `describe` and `encode` were given, with rows numbered from 0."""
    kind = described["type"]
    if kind == "category":
        categories = pd.Index(decode(described["categories"], described["of"]))
        code = {value: i for i, value in enumerate(described["categories"])}
        dtype = pd.CategoricalDtype(categories, ordered=described["ordered"])
        return pd.Series(pd.Categorical.from_codes([-1 if v is None else code[v] for v in values], dtype=dtype))
    if kind.startswith(("datetime64", "timedelta64")):
        return pd.Series(np.array([_MISSING_TIME if v is None else v for v in values], dtype=np.int64).view(kind))
    missing = _MISSING.get(described.get("missing", ""))
    return pd.Series([missing if v is None else v for v in values], dtype=kind)


def decode_or_infer(values: list[Any], described: dict[str, Any] | None) -> pd.Series:
    """Return the values in the described type or, where they no longer fit it or none is given, as pandas infers it."""
    if described is not None:
        try:
            return decode(values, described)
        except (KeyError, TypeError, ValueError, OverflowError):
            pass
    return pd.Series(values, dtype=None if values else object)


def decode_index(values: list[Any], described: dict[str, Any]) -> pd.Index:
    """Return the index whose `encode` gave ``values``."""
    if described["range"] and values:
        step = values[1] - values[0] if len(values) > 1 else 1
        return pd.RangeIndex(values[0], values[0] + step * len(values), step, name=described["name"])
    return pd.Index(decode(values, described), name=described["name"])


def describe_index(index: pd.Index) -> dict[str, Any]:
    """Return name and type of an index as JSON, for `decode_index`."""
    return {"name": index.name, "range": isinstance(index, pd.RangeIndex), **describe(index, "index")}


def encode_table(table: pd.DataFrame) -> dict[str, Any]:
    """Return a table as JSON: index, columns, types.

    Raises
    ------
    InputError
        For labels that cannot be stored.
    """
    columns = [{"name": c, "type": describe(table[c], c), "values": encode(table[c], c)} for c in table]
    return {"index": describe_index(table.index), "names": encode(table.index, "index"), "columns": columns}


def decode_table(encoded: dict[str, Any]) -> pd.DataFrame:
    """Return the table that `encode_table` was given."""
    index = decode_index(encoded["names"], encoded["index"])
    columns = {c["name"]: decode(c["values"], c["type"]).set_axis(index) for c in encoded["columns"]}
    return pd.DataFrame(columns, index=index)
