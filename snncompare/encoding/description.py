"""Frozen dataclasses as plain data and back, by a table of kinds: what a card or a file may name."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any

import numpy as np

from snncompare.errors import InputError, unknown
from snncompare.units import Quantity

__all__ = ["described", "made"]


def described(value: Any) -> Any:
    """Return a value as plain data: ``{"kind": name of the class, field: ...}`` for dataclasses, text for quantities.

    Raises
    ------
    InputError
        For a value that has no such form.
    """
    if isinstance(value, Quantity):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        given = {part.name: described(getattr(value, part.name)) for part in fields(value)}
        return {"kind": type(value).__name__} | given
    if isinstance(value, Mapping):
        return {str(key): described(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [described(entry) for entry in value]
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise InputError(f"{type(value).__name__} cannot be written as plain data.")


def made(data: Any, kinds: Mapping[str, str], what: str) -> Any:
    """Return the value that plain data describe; the reverse of `described`.

    Parameters
    ----------
    data : mapping, list, text or number
        Mappings with ``kind`` become dataclasses, lists become tuples.
    kinds : mapping of str to str
        Name of a class to the module it stands in: nothing else is ever imported.
    what : str
        What is made, for messages.

    Raises
    ------
    InputError
        For a kind or a field that does not exist, or what the class itself refuses.
    """
    if isinstance(data, list | tuple):
        return tuple(made(entry, kinds, what) for entry in data)
    if not isinstance(data, Mapping):
        return data
    if "kind" not in data:
        return {key: made(entry, kinds, what) for key, entry in data.items()}
    name = data["kind"]
    if not isinstance(name, str) or name not in kinds:
        raise InputError(unknown(f"{what} of kind", name, kinds))
    kind = getattr(import_module(kinds[name]), name)
    allowed = [part.name for part in fields(kind)]
    given = {key: made(entry, kinds, what) for key, entry in data.items() if key != "kind"}
    for key in given:
        if key not in allowed:
            raise InputError(unknown(f"parameter of {name}", key, allowed))
    try:
        return kind(**given)
    except TypeError as problem:
        raise InputError(f"{what} {name}: {problem}.") from problem
