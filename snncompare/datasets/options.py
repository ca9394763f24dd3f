"""Options of samples, checked against the types that their function states."""

from collections.abc import Sequence
from math import isfinite
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import numpy as np

from snncompare.errors import InputError

__all__ = ["checked_option", "checked_seed"]

_MOST = 1_000_000
"""Samples, units and the like that are asked for with one number."""

_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: "nothing"}


def checked_option(name: str, value: Any, kind: Any) -> Any:
    """Return the value of an option, as plain Python.

    Parameters
    ----------
    name : str
    value
    kind : type
        What the function of the samples states; what it does not state, as for quantities, is left to it.

    Raises
    ------
    InputError
        For another type, numbers that are not finite, and whole numbers beyond a million that are no seeds.
    """
    plain = value.item() if isinstance(value, np.generic) else value
    if not _fits(plain, kind):
        raise InputError(f"{name} must be {_words(kind)}, got {value!r:.100}.")
    if isinstance(plain, int) and not isinstance(plain, bool) and "seed" not in name and abs(plain) > _MOST:
        raise InputError(f"{name} must be at most {_MOST}, got {plain:.6g}.")
    return plain


def checked_seed(seed: Any) -> int:
    """Return a seed.

    Raises
    ------
    InputError
        If it is no whole number of 0 or more.
    """
    plain = seed.item() if isinstance(seed, np.generic) else seed
    if isinstance(plain, bool) or not isinstance(plain, int) or plain < 0:
        raise InputError(f"seed must be a whole number of 0 or more, got {seed!r:.100}.")
    return plain


def _fits(value: Any, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is UnionType:
        return any(_fits(value, one) for one in get_args(kind))
    if origin is Sequence or origin is tuple:
        return isinstance(value, list | tuple) and all(_fits(one, get_args(kind)[0]) for one in value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return kind not in _WORDS or isinstance(value, kind)


def _words(kind: Any) -> str:
    if get_origin(kind) is UnionType:
        return " or ".join(_words(one) for one in get_args(kind))
    if get_origin(kind) is Sequence or get_origin(kind) is tuple:
        return f"a list, each of {_words(get_args(kind)[0])}"
    return _WORDS.get(kind, "another value")
