"""One quantity for all, or a distribution with one draw for each: what parameters, initial states and delays may be."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from snncompare.errors import DescriptionError
from snncompare.network.initialisers import Initialiser
from snncompare.units import TIME, Dimension, Quantity, quantity

__all__ = ["Amount", "check_time", "dimension_of", "is_drawn", "quantities_or_names"]


def _read(given: Any) -> Any:
    return given if isinstance(given, dict) or hasattr(given, "unit_of") else quantity(given)


Amount = Annotated[Initialiser | Quantity, Field(union_mode="left_to_right"), BeforeValidator(_read)]
"""A `Quantity` shared by all, or an initialiser: one draw each."""


def is_drawn(amount: Any) -> bool:
    """Return whether an amount is a distribution, with a draw of its own for each neuron or synapse."""
    return not isinstance(amount, Quantity)


def dimension_of(amount: Any) -> Dimension:
    """Return the dimension of a quantity or of what a distribution draws."""
    dimension: Dimension = amount.unit_of.dimension if is_drawn(amount) else amount.dimension
    return dimension


def check_time(amount: Any, what: str) -> None:
    """Refuse what is not a time, and a time below zero.

    Raises
    ------
    DescriptionError
    """
    given = amount.unit_of if is_drawn(amount) else amount
    if given.dimension != TIME or given.value < 0:
        raise DescriptionError(f"{what} must be a time such as '1 ms', not negative, got '{given}'.")


def quantities_or_names(given: Any) -> Any:
    """Return a mapping in which text that is no name was read as a quantity; anything else is returned unchanged."""
    if not isinstance(given, dict):
        return given
    return {name: _read(v) if not (isinstance(v, str) and v.isidentifier()) else v for name, v in given.items()}
