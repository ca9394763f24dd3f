"""Quantities with a dimension, read from text such as ``"20 ms"`` and checked at the door.

Inside the package every number is a float in SI base units; this module is where a unit becomes such a
float, and where a number without a unit is refused.
"""

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Real
from typing import Any

from snncompare.errors import UnitError, unknown

__all__ = ["Dimension", "Quantity", "QuantityLike", "base_unit", "hertz", "parse_unit", "quantity", "seconds"]

Dimension = tuple[int, int, int, int, int, int, int]
"""Exponents of metre, kilogram, second, ampere, kelvin, mole, candela."""

NONE: Dimension = (0, 0, 0, 0, 0, 0, 0)
TIME: Dimension = (0, 0, 1, 0, 0, 0, 0)
FREQUENCY: Dimension = (0, 0, -1, 0, 0, 0, 0)

CANONICAL = "canonical"
"""Serialisation context of pydantic in which equal quantities are written as equal texts."""

_BASE: dict[str, tuple[float, Dimension]] = {
    "1": (1.0, NONE),
    "metre": (1.0, (1, 0, 0, 0, 0, 0, 0)),
    "gram": (1e-3, (0, 1, 0, 0, 0, 0, 0)),
    "kilogram": (1.0, (0, 1, 0, 0, 0, 0, 0)),
    "second": (1.0, TIME),
    "amp": (1.0, (0, 0, 0, 1, 0, 0, 0)),
    "kelvin": (1.0, (0, 0, 0, 0, 1, 0, 0)),
    "mole": (1.0, (0, 0, 0, 0, 0, 1, 0)),
    "candela": (1.0, (0, 0, 0, 0, 0, 0, 1)),
    "hertz": (1.0, FREQUENCY),
    "volt": (1.0, (2, 1, -3, -1, 0, 0, 0)),
    "ohm": (1.0, (2, 1, -3, -2, 0, 0, 0)),
    "siemens": (1.0, (-2, -1, 3, 2, 0, 0, 0)),
    "farad": (1.0, (-2, -1, 4, 2, 0, 0, 0)),
    "coulomb": (1.0, (0, 0, 1, 1, 0, 0, 0)),
    "newton": (1.0, (1, 1, -2, 0, 0, 0, 0)),
    "pascal": (1.0, (-1, 1, -2, 0, 0, 0, 0)),
    "joule": (1.0, (2, 1, -2, 0, 0, 0, 0)),
    "watt": (1.0, (2, 1, -3, 0, 0, 0, 0)),
    "molar": (1e3, (-3, 0, 0, 0, 0, 1, 0)),
}
_SYMBOL = {
    "m": "metre",
    "meter": "metre",
    "g": "gram",
    "s": "second",
    "sec": "second",
    "A": "amp",
    "ampere": "amp",
    "K": "kelvin",
    "mol": "mole",
    "cd": "candela",
    "Hz": "hertz",
    "V": "volt",
    "S": "siemens",
    "F": "farad",
    "C": "coulomb",
    "N": "newton",
    "Pa": "pascal",
    "J": "joule",
    "W": "watt",
    "M": "molar",
}
_PREFIX = {"": 0, "f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "m": -3, "c": -2, "k": 3, "M": 6, "G": 9}
_FACTOR = re.compile(r"(?P<name>[A-Za-zµμ]+|1)(?:(?:\*\*|\^)(?P<power>-?[0-9]{1,2}))?")
_NUMBER = re.compile(
    r"(?P<digits>[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE](?P<exponent>[-+]?[0-9]+))?[ ]?[*]?(?P<unit>.*)"
)
_MAX_LENGTH = 200


def _one_unit(name: str) -> tuple[float, Dimension]:
    candidates = [(name, "")] + [(name[len(p) :], p) for p in _PREFIX if p and name.startswith(p)]
    for stem, prefix in candidates:
        known = _SYMBOL.get(stem, stem)
        if known in _BASE and (known != "1" or not prefix):
            scale, dimension = _BASE[known]
            return (scale * 10.0 ** _PREFIX[prefix] if scale != 1.0 else float(f"1e{_PREFIX[prefix]}")), dimension
    common = ["s", "ms", "us", "Hz", "kHz", "V", "mV", "A", "nA", "pA", "ohm", "S", "nS", "F", "pF"]
    raise UnitError(unknown("unit", name, common))


@lru_cache(maxsize=512)
def parse_unit(text: str) -> tuple[float, Dimension]:
    """Return the size in SI base units, and the dimension, of a unit such as ``"mV"`` or ``"nS/cm**2"``.

    Raises
    ------
    UnitError
        For a unit that does not exist; the message names near ones.
    """
    unreadable = UnitError(f"cannot read the unit '{_short(text)}'; write for example 'ms', 'mV' or 'nS/cm**2'.")
    if len(text) > _MAX_LENGTH:
        raise unreadable
    remaining, scale, powers, sign = re.sub(r"\s*(\*\*|\^)\s*", r"\1", text).strip(), 1.0, list(NONE), 1
    while remaining:
        match = _FACTOR.match(remaining)
        if match is None:
            raise unreadable
        power = sign * int(match["power"] or 1)
        size, dimension = _one_unit(match["name"])
        scale *= math.pow(size, power) if abs(math.log10(size) * power) < 200 else math.inf
        powers = [p + power * d for p, d in zip(powers, dimension, strict=True)]
        remaining = remaining[match.end() :].strip()
        if remaining:
            if remaining[0] not in "*/" or remaining.startswith("**"):
                raise unreadable
            sign = -1 if remaining[0] == "/" else 1
            remaining = remaining[1:].strip() or "?"
    if not 1e-200 < scale < 1e200 or any(abs(p) > 99 for p in powers):
        raise UnitError(f"the unit '{text}' is too large or too small to compute with.")
    return scale, tuple(powers)  # type: ignore[return-value]


@dataclass(frozen=True)
class Quantity:
    """A number with a dimension: the SI value, the dimension, and the text it was written as.

    Two quantities are equal when value and dimension are; how they were written does not matter.
    As text a quantity is written as it was typed; `canonical` is the same text for equal quantities.
    """

    value: float
    dimension: Dimension = NONE
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return self.text or self.canonical

    def __float__(self) -> float:
        return self.value

    @property
    def canonical(self) -> str:
        """The value in SI base units: the same text for equal quantities, however they were written."""
        return f"{float(self.value) + 0.0!r} {_si_unit(self.dimension)}".strip()

    def _written(self, info: Any) -> str:
        return self.canonical if info.context == CANONICAL else str(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Let a description hold quantities: read from text, written back as text."""
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            quantity,
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls._written, info_arg=True, return_schema=core_schema.str_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        """Tell editors that a quantity is text, or a number where it has no unit."""
        return {"type": ["string", "number"], "examples": ["20 ms", "-70 mV", "0.5"]}


QuantityLike = Any
"""What the public functions take: text with a unit, a `Quantity`, or one of the `quantities` package or of Brian2."""


def quantity(given: QuantityLike) -> Quantity:
    """Return ``given`` as a `Quantity`; a bare number is read as dimensionless.

    Parameters
    ----------
    given : str, Quantity, float, quantities.Quantity or brian2.Quantity

    Raises
    ------
    UnitError
        If the text is not a finite number followed by a unit.
    """
    if isinstance(given, Quantity):
        return given
    if isinstance(given, str):
        return _from_text(given)
    if getattr(given, "shape", ()) != ():
        raise UnitError(f"expected one quantity such as '20 ms', got an array of shape {given.shape}.")
    if hasattr(given, "dimensionality"):  # the quantities package (Neo, Elephant)
        return _from_text(f"{float(given.magnitude)!r} {given.dimensionality.string.replace('dimensionless', '')}")
    if hasattr(given, "dim") and hasattr(given, "has_same_dimensions"):  # Brian2
        return _finite(Quantity(float(given), _exponents(given)), repr(given))
    if isinstance(given, bool) or not isinstance(given, Real):
        raise UnitError(f"expected a quantity such as '20 ms', got {_short(repr(given))}.")
    try:
        return _finite(Quantity(float(given), NONE, str(given)), str(given))
    except OverflowError as error:  # a whole number with hundreds of digits
        raise UnitError("expected a finite quantity, got a number above 1e308.") from error


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= 60 else f"{plain[:57]}..."


def _exponents(given: Any) -> Dimension:
    powers = [given.dim.get_dimension(name) for name in ("m", "kg", "s", "A", "K", "mol", "cd")]
    if any(int(power) != power for power in powers):
        raise UnitError(f"expected whole powers of units, got {given!r}.")
    m, kg, s, A, K, mol, cd = (int(power) for power in powers)
    return m, kg, s, A, K, mol, cd


def _from_text(text: str) -> Quantity:
    match = _NUMBER.fullmatch(text.strip()) if len(text) <= _MAX_LENGTH else None
    if match is None:
        raise UnitError(f"cannot read the quantity '{_short(text)}'; write a number and a unit, for example '20 ms'.")
    scale, dimension = parse_unit(match["unit"])
    power, digits, exponent = round(math.log10(scale)), match["digits"], int(match["exponent"] or 0)
    # A power of ten goes into the decimal literal, so that "20 ms" is the float 0.02 and not 20 * 0.001.
    plain = math.isclose(scale, float(f"1e{power}"), rel_tol=1e-12)
    value = float(f"{digits}e{exponent + power}") if plain else float(f"{digits}e{exponent}") * scale
    if value == 0 and re.search("[1-9]", digits):
        raise UnitError(f"'{text.strip()}' is smaller than the smallest floating-point number.")
    return _finite(Quantity(value, dimension, text.strip()), text.strip())


def _finite(result: Quantity, given: str) -> Quantity:
    if not math.isfinite(result.value):
        raise UnitError(f"expected a finite quantity, got {given}.")
    return result


def _si_unit(dimension: Dimension) -> str:
    names = ("metre", "kg", "second", "amp", "kelvin", "mole", "candela")
    return "*".join(n if p == 1 else f"{n}**{p}" for n, p in zip(names, dimension, strict=True) if p)


def base_unit(dimension: Dimension) -> str:
    """Return the unit of a dimension in SI base units, as equations write it: ``"1"``, ``"second"``, ``"volt"``."""
    return next((n for n, known in _BASE.items() if known == (1.0, dimension)), _si_unit(dimension)).replace(
        "kg", "kilogram"
    )


def _unit_name(dimension: Dimension) -> str:
    return next((name for name, known in _BASE.items() if known == (1.0, dimension)), _si_unit(dimension))


def _of(given: QuantityLike, dimension: Dimension, what: str, kind: str, example: str) -> float:
    number = quantity(given)
    if number.dimension != dimension:
        fault = "has no unit" if number.dimension == NONE else f"is measured in {_unit_name(number.dimension)}"
        raise UnitError(f"{what} must be a {kind}; '{given}' {fault}. Write for example '{example}'.")
    return number.value


def seconds(given: QuantityLike, what: str = "this value") -> float:
    """Return a time as a float in seconds; a number without a unit is refused.

    Examples
    --------
    >>> seconds("20 ms")
    0.02
    """
    return _of(given, TIME, what, "time", "20 ms")


def hertz(given: QuantityLike, what: str = "this value") -> float:
    """Return a frequency as a float in hertz; a number without a unit is refused."""
    return _of(given, FREQUENCY, what, "frequency", "100 Hz")
