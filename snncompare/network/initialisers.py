"""How weights begin: distributions as values with units, drawn into arrays only when a network is compiled."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from snncompare.errors import DescriptionError
from snncompare.units import Quantity
from snncompare.values import Value

__all__ = ["Constant", "Initialiser", "Normal", "Uniform"]


class Constant(Value):
    """Every weight equal to ``value``."""

    type: Literal["Constant"] = "Constant"
    value: Quantity

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the weights."""
        return self.value


class Normal(Value):
    r"""Weights from a normal distribution, :math:`w \sim N(\text{mean}, \text{sd}^2)`.

    With ``scale_by_sources`` the standard deviation is divided by :math:`\sqrt{n}`, where n is the number of source
    neurons, so that the summed input does not grow with the size of the source population.
    """

    type: Literal["Normal"] = "Normal"
    mean: Quantity
    sd: Quantity
    scale_by_sources: bool = False

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the weights."""
        return self.mean

    @model_validator(mode="after")
    def _positive_sd(self) -> Self:
        if self.mean.dimension != self.sd.dimension or self.sd.value < 0:
            raise DescriptionError(
                f"sd must have the unit of the mean ('{self.mean}') and not be negative, got '{self.sd}'."
            )
        return self


class Uniform(Value):
    """Weights drawn evenly between ``low`` and ``high``."""

    type: Literal["Uniform"] = "Uniform"
    low: Quantity
    high: Quantity

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the weights."""
        return self.low

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low.dimension != self.high.dimension or self.high.value < self.low.value:
            raise DescriptionError(
                f"high must have the unit of low ('{self.low}') and not lie below it, got '{self.high}'."
            )
        return self


Initialiser = Annotated[Constant | Normal | Uniform, Field(discriminator="type")]
