"""Kinds of fields that configurations have: times with a unit, selections by label."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from snncompare.errors import InputError
from snncompare.units import Quantity, seconds

__all__ = ["Condition", "Label", "Length", "Selection", "Time", "Units", "joint_name", "not_empty"]

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


def _label_names(given: Any) -> Any:
    names = [given] if isinstance(given, str) else given
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise InputError(f"is a label of the trials, or a list of labels such as [object, position]; got {given!r}.")
    for k, name in enumerate(not_empty(names)):
        if name in names[:k]:
            raise InputError(f"the label '{name}' is given twice; give each once.")
    return given if isinstance(given, str) else tuple(given)


def joint_name(condition: str | tuple[str, ...]) -> str:
    """Return the name of the label that is joined from several."""
    return condition if isinstance(condition, str) else ", ".join(condition)


def not_empty(given: Any) -> Any:
    """Refuse an empty list or mapping."""
    if not given:
        raise InputError("is empty; give at least one.")
    return given


Time = Annotated[Quantity, AfterValidator(_a_time)]
Length = Annotated[Quantity, AfterValidator(_a_length)]
Condition = Annotated[str | tuple[str, ...], BeforeValidator(_label_names)]
Selection = Annotated[dict[str, tuple[Label, ...]], BeforeValidator(_several_values)]
Units = Annotated[dict[str, tuple[Label, ...]] | tuple[str | int, ...] | None, BeforeValidator(_labels_or_names)]
