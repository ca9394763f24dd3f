"""Arguments of ready models, read as quantities."""

from snncompare.errors import DescriptionError
from snncompare.units import TIME, Quantity, QuantityLike, quantity

__all__ = ["named_quantities"]


def named_quantities(**given: QuantityLike) -> dict[str, Quantity]:
    """Return the arguments as quantities under their names: the parameters of a model.

    Raises
    ------
    DescriptionError
        For a time constant (``tau`` or ``tau_...``) that is not above zero.
    """
    found = {name: quantity(value) for name, value in given.items()}
    for name, value in found.items():
        if (name == "tau" or name.startswith("tau_")) and value.dimension == TIME and not value.value > 0:
            raise DescriptionError(f"{name}: a time constant must be above zero, got '{value}'; for example '10 ms'.")
    return found
