"""Single values out of Neo objects: plain labels, and the factor that turns times into seconds."""

from datetime import date, datetime
from functools import lru_cache
from typing import Any

import numpy as np

__all__ = ["plain", "same", "scale_to_seconds"]


def plain(value: Any) -> str | bool | int | float | None:
    """Return an annotation as a plain label, or None if it is no single value.

    A quantity becomes text with its unit, a date its ISO form.
    """
    if hasattr(value, "dimensionality"):
        return f"{value.item()!r} {value.dimensionality.string}" if np.size(value) == 1 else None
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return value if isinstance(value, str | bool | int | float) else None


def same(a: Any, b: Any) -> bool:
    """Return whether two plain labels are equal; a missing number (NaN) equals a missing number."""
    return bool(a == b or (a != a and b != b))  # noqa: PLR0124 - NaN alone differs from itself


def scale_to_seconds(dimensionality: Any) -> float:
    """Return the number of seconds in the unit of a Neo object's times."""
    return _scale(dimensionality.string)


@lru_cache(maxsize=64)
def _scale(unit: str) -> float:
    import quantities as pq

    return float(pq.Quantity(1.0, unit).rescale("s").magnitude)
