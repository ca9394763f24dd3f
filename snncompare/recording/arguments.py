"""Arguments as a caller gives them: what is of another kind is refused in words, before any work."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.recording import Recording

__all__ = [
    "a_recording",
    "column_name",
    "given_path",
    "instance",
    "number_array",
    "one_of",
    "two_times",
    "whole_number",
]

Kind = TypeVar("Kind")


def instance(value: object, kind: type[Kind], name: str, example: str) -> Kind:
    """Return a value of the kind; refuse others, with an example of how to make one.

    Raises
    ------
    InputError
    """
    if not isinstance(value, kind):
        raise InputError(f"{name} must be {example}, got {_words(value)}.")
    return value


def a_recording(value: object, name: str = "recording") -> Recording:
    """Return a recording; refuse anything else, a dataset with the word how its recording is had.

    Raises
    ------
    InputError
    """
    if not isinstance(value, Recording | type) and hasattr(value, "spikes") and hasattr(value, "recording"):
        raise InputError(
            f"{name} must be a Recording, got {_words(value)}; take dataset.spikes, or dataset.recording(indices) for "
            "some of its trials."
        )
    return instance(value, Recording, name, "a Recording, such as sc.read(path) returns")


def whole_number(name: str, value: object, least: int) -> int:
    """Return a whole number of at least ``least``; refuse anything else, also 3.0 and True.

    Raises
    ------
    InputError
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise InputError(f"{name} must be a whole number of at least {least}, got {_words(value)}.")
    return int(value)


def number_array(value: Any, name: str) -> NDArray[np.float64]:
    """Return an array of numbers, possibly not finite; refuse text, tables and rows of unlike lengths.

    Raises
    ------
    InputError
    """
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} must be an array of numbers, got {_words(value)}.")
    return array.astype(np.float64)


def one_of(what: str, value: object, allowed: Iterable[str | None]) -> None:
    """Refuse what is none of the names.

    Raises
    ------
    InputError
        With the nearest name.
    """
    names = list(allowed)
    if not (value is None or isinstance(value, str)) or value not in names:
        raise InputError(unknown(what, value if isinstance(value, str) else _words(value), names))


def column_name(value: object, what: str) -> str:
    """Return the name of a column; refuse what is no text.

    Raises
    ------
    InputError
    """
    return instance(value, str, what, "the name of one column, as text")


def two_times(value: Any, what: str) -> tuple[Any, Any]:
    """Return begin and end of a window; refuse what is no pair.

    Raises
    ------
    InputError
    """
    if isinstance(value, str) or not hasattr(value, "__len__") or len(value) != 2 or hasattr(value, "keys"):
        raise InputError(f"{what} must be two times such as ('0 s', '1 s'), got {_words(value)}.")
    begin, end = value
    return begin, end


def given_path(value: Any) -> Path:
    """Return a path; refuse what is neither text nor a path.

    Raises
    ------
    InputError
    """
    return Path(instance(value, str | Path, "path", "text or a pathlib.Path"))  # type: ignore[arg-type]


def _words(value: object) -> str:
    """Return small values as they are written, and the kind of others."""
    if value is None or isinstance(value, str | bool | int | float | np.generic):
        return repr(value)
    if isinstance(value, type):
        return f"the class {value.__name__} itself"
    return f"{'an' if type(value).__name__[:1] in 'AEIOUaeiou' else 'a'} {type(value).__name__}"
