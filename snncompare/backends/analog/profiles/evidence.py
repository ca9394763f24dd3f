"""A number of a chip profile: its value, its unit, how well it is known, and where it was found."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from snncompare.errors import DescriptionError, UnitError, unknown
from snncompare.units import TIME, Quantity, parse_unit
from snncompare.values import Value

__all__ = [
    "EVIDENCE",
    "PERFECT",
    "Amount",
    "Bits",
    "Count",
    "Evidence",
    "Fraction",
    "NoiseSteps",
    "Size",
    "Stated",
    "Steps",
    "TimeLength",
    "Widening",
    "is_time",
    "stated",
]

Evidence = Literal["code", "data", "abstract", "assumption", "user"]
"""How well a number is known: read in published code, computed from published data, read in an abstract, assumed
without a source, or set by the user."""

EVIDENCE = ("code", "data", "abstract", "assumption", "user")
OTHER_UNITS = ("", "1", "LSB", "LSB/threshold", "threshold", "tau_syn", "step")
"""Units of a chip that are no physical units: digital steps, steps per distance of threshold and leak, fractions of
that distance, fractions of the synaptic time constant, time steps."""

_EXAMPLE = "{value: 0.07, evidence: data, source: 'paper or file, table'}"


class Stated(Value):
    """A number with its unit, its evidence and its source.

    Parameters
    ----------
    value : float
    unit : str
        Empty for a plain number, a unit such as ``"us"``, or one of `OTHER_UNITS`.
    evidence : str
        One of `EVIDENCE`.
    source : str
        Paper, repository and file, or the reasoning behind an assumption.
    """

    value: Annotated[float, Field(allow_inf_nan=False)]
    unit: Annotated[str, Field(max_length=40)] = ""
    evidence: Evidence
    source: Annotated[str, Field(min_length=3, max_length=600)]

    @model_validator(mode="before")
    @classmethod
    def _is_backed(cls, given: Any) -> Any:
        if isinstance(given, cls):
            return given
        if not isinstance(given, dict):
            raise DescriptionError(
                f"{given!r:.60} is a bare number; every number needs its evidence and source, for example {_EXAMPLE}."
            )
        for needed in ("evidence", "source"):
            if not given.get(needed):
                raise DescriptionError(
                    f"the number {given.get('value')!r:.40} has no {needed}; add evidence ({', '.join(EVIDENCE)}) and "
                    f"source, for example {_EXAMPLE}; what nobody measured is evidence: assumption."
                )
        if isinstance(given.get("value"), bool):
            raise DescriptionError(f"a number is needed, got {given['value']}.")
        return given

    @model_validator(mode="after")
    def _unit_is_known(self) -> Self:
        if self.unit not in OTHER_UNITS:
            try:
                parse_unit(self.unit)
            except UnitError as error:
                raise DescriptionError(
                    unknown("unit", self.unit, [unit for unit in OTHER_UNITS if unit] + ["us", "ms", "kHz", "pF"])
                ) from error
        return self

    @property
    def si(self) -> float:
        """The value in SI base units; in its own unit where that is one of a chip (LSB, fractions)."""
        if self.unit in OTHER_UNITS:
            return self.value
        return Quantity(self.value * parse_unit(self.unit)[0]).value

    def __float__(self) -> float:
        return self.si

    def __str__(self) -> str:
        return f"{self.value:g} {self.unit}".strip()


def stated(value: float, source: str, *, unit: str = "", evidence: Evidence = "user") -> Stated:
    """Return a number with its evidence, by default one that the user stands for."""
    return Stated(value=value, unit=unit, evidence=evidence, source=source)


PERFECT = stated(0.0, "not in the profile: this imperfection is not emulated", evidence="assumption")
"""What is taken where a profile says nothing: no imperfection."""


def _plain_number(given: Stated, what: str, units: tuple[str, ...] = ("", "1")) -> None:
    if given.unit not in units:
        allowed = " or ".join(f"'{unit}'" for unit in units if unit not in ("", "1"))
        raise DescriptionError(f"{what} is measured in {allowed or 'plain numbers'}; change the unit '{given.unit}'.")


def _within(low: float, high: float, what: str, units: tuple[str, ...] = ("", "1")) -> Any:
    def check(given: Stated) -> Stated:
        _plain_number(given, what, units)
        if not low <= given.value <= high:
            nearest = min(max(given.value, low), high)
            raise DescriptionError(f"{what} lies from {low:g} to {high:g}, got {given.value:g}; nearest {nearest:g}.")
        return given

    return AfterValidator(check)


def _whole(low: int, high: int, what: str) -> Any:
    def check(given: Stated) -> Stated:
        _plain_number(given, what)
        if not (low <= given.value <= high and given.value == round(given.value)):
            nearest = min(max(round(given.value), low), high)
            raise DescriptionError(
                f"{what} is a whole number from {low} to {high}, got {given.value:g}; nearest {nearest}."
            )
        return given

    return AfterValidator(check)


def is_time(given: Stated) -> bool:
    """Return whether a number is a time: in seconds, or in time steps."""
    return given.unit == "step" or (given.unit not in OTHER_UNITS and parse_unit(given.unit)[1] == TIME)


def _time(given: Stated) -> Stated:
    if not is_time(given):
        raise DescriptionError(f"a time such as value: 10, unit: us is needed, got '{given}'.")
    if given.value < 0:
        raise DescriptionError(f"a time is not negative, got '{given}'; nearest 0.")
    return given


Fraction = Annotated[Stated, _within(0.0, 1.0, "a fraction")]
Size = Annotated[Stated, _within(0.0, 10.0, "a coefficient of variation or standard deviation")]
Widening = Annotated[Stated, _within(1.0, 1e6, "a factor of widening")]
Amount = Annotated[Stated, _within(-1e6, 1e6, "the number")]
Steps = Annotated[Stated, _within(-1e6, 1e6, "a number of digital steps", ("", "LSB"))]
NoiseSteps = Annotated[Stated, _within(0.0, 1e6, "a standard deviation in digital steps", ("", "LSB"))]
Count = Annotated[Stated, _whole(0, 100_000_000, "a number of things")]
Bits = Annotated[Stated, _whole(1, 24, "a number of bits")]
TimeLength = Annotated[Stated, AfterValidator(_time)]
