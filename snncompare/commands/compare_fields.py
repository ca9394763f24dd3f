"""Kinds of fields that configurations have: times with a unit, selections by label."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from snncompare.errors import InputError
from snncompare.units import Quantity, seconds

__all__ = ["Label", "Length", "Lengths", "Selection", "Time", "Units", "not_empty"]

Label = str | int | float | bool


def _a_time(given: Quantity) -> Quantity:
    seconds(given)
    return given


def _a_length(given: Quantity) -> Quantity:
    if seconds(given) <= 0:
        raise InputError(f"must be longer than zero, got '{given}'.")
    return given


def _several_values(given: Any) -> Any:
    """Let a selection name one value or a list of them."""
    if not isinstance(given, Mapping):
        raise InputError(
            f"is a mapping of label to value or list of values, for example {{quality: good}}; got {given!r}."
        )
    return {key: value if isinstance(value, list | tuple) else [value] for key, value in given.items()}


def _labels_or_names(given: Any) -> Any:
    return given if given is None or isinstance(given, list | tuple) else _several_values(given)


def not_empty(given: Any) -> Any:
    """Refuse an empty list or mapping."""
    if not given:
        raise InputError("is empty; give at least one.")
    return given


Time = Annotated[Quantity, AfterValidator(_a_time)]
Length = Annotated[Quantity, AfterValidator(_a_length)]
Lengths = Annotated[tuple[Length, ...], AfterValidator(not_empty)]
Selection = Annotated[dict[str, tuple[Label, ...]], BeforeValidator(_several_values)]
Units = Annotated[dict[str, tuple[Label, ...]] | tuple[str | int, ...] | None, BeforeValidator(_labels_or_names)]
