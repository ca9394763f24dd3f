"""What training may change beside the weights: a mark on a parameter, an initial state, a weight or a delay."""

from typing import Self

from pydantic import model_validator

from snncompare.errors import DescriptionError
from snncompare.units import Dimension, Quantity
from snncompare.values import Value

__all__ = ["Trainable"]


class Trainable(Value):
    """Training may change this, within bounds.

    Parameters
    ----------
    shared : bool
        One value for the whole population or projection; otherwise one for each neuron or synapse.
    low, high : Quantity, optional
        Bounds that training keeps; ``low="0 ms"`` keeps a time constant positive.
    """

    shared: bool = False
    low: Quantity | None = None
    high: Quantity | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.low, self.high
        if low is not None and high is not None and (low.dimension != high.dimension or low.value >= high.value):
            raise DescriptionError(f"low must lie below high, with the same unit, got '{self.low}' and '{self.high}'.")
        return self

    def check_dimension(self, what: str, dimension: Dimension) -> None:
        """Refuse bounds that are measured in another unit than what they bound.

        Raises
        ------
        DescriptionError
        """
        for side, bound in (("low", self.low), ("high", self.high)):
            if bound is not None and bound.dimension != dimension:
                raise DescriptionError(f"trainable '{what}': {side} has another unit than '{what}', got '{bound}'.")
