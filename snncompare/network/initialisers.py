r"""How weights, delays, parameters and states begin: distributions as values with units, drawn only when compiled.

Every distribution gives independent draws, one for each synapse or neuron. ``mean`` and ``sd`` are those of the value
itself. A negative mean of a distribution over positive numbers mirrors it, for inhibitory weights.
"""

import math
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from snncompare.errors import DescriptionError
from snncompare.units import Quantity
from snncompare.values import Value

__all__ = ["Constant", "Exponential", "Gamma", "Initialiser", "LogNormal", "Normal", "Uniform"]

_LEAST_INSIDE = 0.01
"""Share of a normal distribution that must lie within its bounds: redrawing what lies outside has to come to an end."""


class Constant(Value):
    """Every one equal to ``value``."""

    type: Literal["Constant"] = "Constant"
    value: Quantity

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the draws."""
        return self.value


class Normal(Value):
    r"""Draws from a normal distribution, :math:`x \sim N(\text{mean}, \text{sd}^2)`.

    With ``scale_by_sources`` (weights only) the standard deviation is divided by :math:`\sqrt{n}`, where n is the
    number of source neurons (for a convolution, of kernel entries behind one target neuron), so that the summed input
    does not grow with the size of the source population.

    With ``low`` or ``high`` the distribution is cut off there: what lies outside is drawn again until it lies inside,
    so that for example no weight changes its sign. Mean and standard deviation are those before cutting.
    """

    type: Literal["Normal"] = "Normal"
    mean: Quantity
    sd: Quantity
    scale_by_sources: bool = False
    low: Quantity | None = None
    high: Quantity | None = None

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the draws."""
        return self.mean

    @model_validator(mode="after")
    def _positive_sd(self) -> Self:
        if self.mean.dimension != self.sd.dimension or self.sd.value < 0:
            raise DescriptionError(
                f"sd must have the unit of the mean ('{self.mean}') and not be negative, got '{self.sd}'."
            )
        return self

    @model_validator(mode="after")
    def _bounds_around_the_mean(self) -> Self:
        for side, bound in (("low", self.low), ("high", self.high)):
            if bound is None:
                continue
            sign = 1 if side == "low" else -1
            if bound.dimension != self.mean.dimension or sign * bound.value > sign * self.mean.value:
                where = "above" if side == "low" else "below"
                raise DescriptionError(
                    f"{side} must have the unit of the mean ('{self.mean}') and not lie {where} it, got '{bound}'."
                )
        if self.sd.value > 0 and self._share_inside() < _LEAST_INSIDE:
            raise DescriptionError(
                f"low '{self.low}' and high '{self.high}' leave less than {_LEAST_INSIDE:.0%} of the normal "
                f"distribution with sd '{self.sd}'; use Uniform instead."
            )
        return self

    def _share_inside(self) -> float:
        below, above = (
            0.5 if bound is None else math.erf(abs(bound.value - self.mean.value) / self.sd.value / math.sqrt(2)) / 2
            for bound in (self.low, self.high)
        )
        return below + above


class Uniform(Value):
    """Draws spread evenly between ``low`` and ``high``."""

    type: Literal["Uniform"] = "Uniform"
    low: Quantity
    high: Quantity

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the draws."""
        return self.low

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low.dimension != self.high.dimension or self.high.value < self.low.value:
            raise DescriptionError(
                f"high must have the unit of low ('{self.low}') and not lie below it, got '{self.high}'."
            )
        return self


class Exponential(Value):
    r"""Draws from an exponential distribution, :math:`p(x) = e^{-x/\mu}/\mu`, with mean :math:`\mu`.

    All draws have the sign of the mean. Weights under Dale's law: Rossbroich, Gygax & Zenke (2022) Neuromorph. Comput.
    Eng. 2:044016, sec. 2.
    """

    type: Literal["Exponential"] = "Exponential"
    mean: Quantity

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the draws."""
        return self.mean

    @model_validator(mode="after")
    def _mean_is_not_zero(self) -> Self:
        _refuse_zero(self.mean)
        return self


class LogNormal(Value):
    r"""Draws whose logarithm is normal, :math:`\ln |x| \sim N(m, s^2)`.

    .. math::
        s^2 = \ln(1 + \text{sd}^2/\text{mean}^2), \qquad m = \ln |\text{mean}| - s^2/2

    so that :math:`x` itself has this ``mean`` and ``sd``. All draws have the sign of the mean. Cortical weights: Song
    et al. (2005) PLoS Biol. 3:e68.
    """

    type: Literal["LogNormal"] = "LogNormal"
    mean: Quantity
    sd: Quantity

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the draws."""
        return self.mean

    @model_validator(mode="after")
    def _moments_exist(self) -> Self:
        _refuse_zero(self.mean)
        _check_spread(self.mean, self.sd)
        return self


class Gamma(Value):
    r"""Draws from a gamma distribution with shape :math:`k = \text{mean}^2/\text{sd}^2`, scale sd^2/mean.

    .. math::
        p(x) \propto x^{k-1} e^{-x k/\text{mean}}

    All draws have the sign of the mean. Time constants of neurons: Perez-Nieves et al. (2021) Nat. Commun. 12:5791,
    Methods (k = 3).
    """

    type: Literal["Gamma"] = "Gamma"
    mean: Quantity
    sd: Quantity

    @property
    def unit_of(self) -> Quantity:
        """A quantity that carries the dimension of the draws."""
        return self.mean

    @model_validator(mode="after")
    def _moments_exist(self) -> Self:
        _refuse_zero(self.mean)
        _check_spread(self.mean, self.sd)
        return self


def _refuse_zero(mean: Quantity) -> None:
    if mean.value == 0:
        raise DescriptionError(f"mean must not be zero, got '{mean}'; all draws have its sign.")


def _check_spread(mean: Quantity, sd: Quantity) -> None:
    if sd.dimension != mean.dimension or not 0 < sd.value <= 1000 * abs(mean.value):
        raise DescriptionError(
            f"sd must have the unit of the mean ('{mean}'), be larger than zero and at most 1000 times the mean, "
            f"got '{sd}'."
        )


Initialiser = Annotated[
    Constant | Normal | Uniform | Exponential | LogNormal | Gamma,
    Field(discriminator="type"),
]
"""A distribution that a description may name."""
