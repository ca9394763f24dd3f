"""Arguments of ready models, read as quantities."""

from snncompare.units import Quantity, QuantityLike, quantity

__all__ = ["named_quantities"]


def named_quantities(**given: QuantityLike) -> dict[str, Quantity]:
    """Return the arguments as quantities under their names: the parameters of a model."""
    return {name: quantity(value) for name, value in given.items()}
