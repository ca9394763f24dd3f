"""Dimensions of expressions, found on their syntax trees with the rules of Brian2's unit checks; nothing is evaluated.

A bare zero has no unit, as in Brian2: ``v + 0`` is refused for a voltage, ``v + 0*mV`` is not.
"""

import ast
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from itertools import product

from snncompare.errors import DescriptionError, UnitError
from snncompare.network.unit_names import UNITS
from snncompare.units import NONE, TIME, parse_unit

__all__ = ["ANY", "Exponents", "Known", "expression_dimension", "is_in", "number_hint", "unit_text"]

Exponents = tuple[int | Fraction, ...]
"""Powers of metre, kilogram, second, ampere, kelvin, mole, candela; white noise has second to the power of -1/2."""

ANY = None
"""The dimension of what is not known yet: it fits everywhere."""

_SAME = frozenset({"abs", "ceil", "floor"})
_NO_ARGUMENT_MATTERS = frozenset({"sign", "rand", "randn"})
_MAX_DENOMINATOR, _MAX_POWER = 1000, 99


@dataclass(frozen=True)
class Known:
    """What the names in an expression stand for.

    Attributes
    ----------
    dimensions : dict
        Name to dimension, or `ANY`.
    numbers : dict
        Value of the constants without unit; a power of a quantity needs one as its exponent.
    open_ended : bool
        Whether names that are not known may come from elsewhere and have any dimension.
    """

    dimensions: Mapping[str, Exponents | None]
    numbers: Mapping[str, float] = field(default_factory=dict)
    open_ended: bool = False

    def changed(self, dimensions: Mapping[str, Exponents | None]) -> "Known":
        """Return the same with other dimensions for some names, and no values for these."""
        numbers = {name: value for name, value in self.numbers.items() if name not in dimensions}
        return Known({**self.dimensions, **dimensions}, numbers, self.open_ended)


def expression_dimension(node: ast.expr, known: Known) -> Exponents | None:
    """Return the dimension of an expression, or `ANY` where names leave it open.

    Raises
    ------
    UnitError
        Naming the smallest part in which units do not fit together.
    DescriptionError
        For a name that does not exist at this place.
    """
    match node:
        case ast.Name(id=name):
            return _dimension_of_name(name, known)
        case ast.BoolOp(values=parts):
            for part in parts:
                expression_dimension(part, known)
        case ast.Compare(left=left, comparators=[right]):
            _same(node, left, right, known)
        case ast.UnaryOp(op=op, operand=inner):
            dimension = expression_dimension(inner, known)
            return NONE if isinstance(op, ast.Not) else dimension
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _dimension_of_call(node, name, arguments, known)
        case ast.BinOp(left=left, op=op, right=right):
            return _dimension_of_operation(node, left, op, right, known)
    return NONE


def _dimension_of_name(name: str, known: Known) -> Exponents | None:
    if name in known.dimensions:
        return known.dimensions[name]
    if name in UNITS:
        return UNITS[name]
    if known.open_ended:
        return ANY
    raise DescriptionError(f"'{name}' has no meaning here{_WHERE.get(name.split('_', maxsplit=1)[0], '')}.")


_WHERE = {
    "xi": "; noise stands in differential equations only",
    "lastspike": "; it needs a refractory rule",
    "not": "; it needs a refractory rule",
    "lastupdate": "; only synapses with event-driven equations have it",
    "j": "; only synapses have it",
}


def _dimension_of_operation(
    node: ast.expr, left: ast.expr, op: ast.operator, right: ast.expr, known: Known
) -> Exponents | None:
    match op:
        case ast.Add() | ast.Sub() | ast.Mod():
            return _same(node, left, right, known)
        case ast.FloorDiv():
            for part in (left, right):
                _without_unit(node, part, known)
            return NONE
        case ast.Pow():
            return _power(node, left, right, known)
    first, second = expression_dimension(left, known), expression_dimension(right, known)
    if first is ANY or second is ANY:
        return ANY
    return _sum(first, second, 1 if isinstance(op, ast.Mult) else -1)


def _sum(first: Exponents, second: Exponents, times: int | Fraction) -> Exponents:
    return tuple(a + times * b for a, b in zip(first, second, strict=True))


def _same(node: ast.expr, left: ast.expr, right: ast.expr, known: Known) -> Exponents | None:
    first, second = expression_dimension(left, known), expression_dimension(right, known)
    if first is ANY or second is ANY or first == second:
        return second if first is ANY else first
    hint = number_hint(left, second) or number_hint(right, first)
    raise UnitError(f"in '{_short(node)}' '{_short(left)}' {is_in(first)} and '{_short(right)}' {is_in(second)}{hint}")


def number_hint(node: ast.expr, dimension: Exponents) -> str:
    """Return how a number would be written that has this dimension; nothing for what is no number."""
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    if not isinstance(number, ast.Constant) or dimension == NONE:
        return ""
    unit = _USUAL.get(unit_text(dimension), f"({unit_text(dimension)})")
    return f"; write for example '{ast.unparse(node)}*{unit}'"


_USUAL = {"second": "ms", "volt": "mV", "amp": "pA", "siemens": "nS", "farad": "pF", "hertz": "Hz", "ohm": "Mohm"}


def _dimension_of_call(node: ast.expr, name: str, arguments: list[ast.expr], known: Known) -> Exponents | None:
    found = [expression_dimension(argument, known) for argument in arguments]
    if name in _SAME:
        return found[0]
    if name == "sqrt":
        return ANY if found[0] is ANY else tuple(Fraction(power) / 2 for power in found[0])
    if name == "clip":
        dimensions = [_same(node, arguments[0], other, known) for other in arguments[1:]]
        return next((dimension for dimension in dimensions if dimension is not ANY), ANY)
    if name == "timestep":
        for argument, dimension in zip(arguments, found, strict=True):
            if dimension not in (ANY, TIME):
                raise UnitError(f"in '{_short(node)}' '{_short(argument)}' must be a time, but {is_in(dimension)}")
    elif name not in _NO_ARGUMENT_MATTERS:
        _without_unit(node, arguments[0], known, name)
    return NONE


def _without_unit(node: ast.expr, part: ast.expr, known: Known, function: str = "") -> None:
    dimension = expression_dimension(part, known)
    if dimension is ANY or dimension == NONE:
        return
    unit, text = _USUAL.get(unit_text(dimension)), _short(part)
    divided = f"{text if isinstance(part, ast.Name) else f'({text})'}/{unit}"
    hint = f"; write for example '{function}({divided})'" if function and unit else ""
    raise UnitError(f"in '{_short(node)}' '{text}' must have no unit, but {is_in(dimension)}{hint}")


def _power(node: ast.expr, base: ast.expr, exponent: ast.expr, known: Known) -> Exponents | None:
    _without_unit(node, exponent, known)
    dimension = expression_dimension(base, known)
    if dimension in (ANY, NONE):
        return dimension
    number = _number(exponent, known)
    power = Fraction(number).limit_denominator(_MAX_DENOMINATOR) if abs(number) <= _MAX_POWER else None
    if power is None or not math.isclose(float(power), number, abs_tol=1e-9):
        raise UnitError(
            f"in '{_short(node)}' the exponent must be a constant number such as 2 or 0.5 without a difference, for "
            f"'{_short(base)}' {is_in(dimension)}"
        )
    return _sum(NONE, dimension, power)


def _number(node: ast.expr, known: Known) -> float:
    """Return the value of a constant exponent, not a number if it is none; Brian2 takes differences there for sums."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return float(value)
        case ast.Name(id=name):
            return known.numbers.get(name, math.nan)
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_number(inner, known)
        case ast.BinOp(left=left, op=op, right=right):
            first, second = _number(left, known), _number(right, known)
            match op:
                case ast.Add():
                    return first + second
                case ast.Mult():
                    return first * second
                case ast.Div() if second:
                    return first / second
    return math.nan


def _short(node: ast.expr) -> str:
    text = ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."


_NAMED = ("second", "volt", "amp", "siemens", "ohm", "farad", "coulomb", "metre", "mole", "molar", "kelvin", "kilogram",
          "joule", "watt", "newton", "pascal", "candela")  # fmt: skip
_POWERS: tuple[int | Fraction, ...] = (1, -1, 2, -2, 3, -3, 4, -4, Fraction(-1, 2), Fraction(1, 2))


@cache
def _units_in_words() -> dict[Exponents, str]:
    """Return the dimensions that have a short unit: a named unit, its powers, and a named unit times or over these."""
    factors = {(name, power): _sum(NONE, parse_unit(name)[1], power) for power in _POWERS for name in _NAMED}
    found = {NONE: "1", parse_unit("hertz")[1]: "hertz"} | {
        dimension: name for (name, power), dimension in factors.items() if power == 1
    }
    for (name, power), dimension in factors.items():
        found.setdefault(dimension, _factor(name, power).removeprefix("*").replace("/", "1/"))
    for power in sorted(_POWERS, key=lambda power: (power > 0, abs(power))):
        for first, second in product(("volt", "amp", "siemens", "farad", "mole", "metre"), _NAMED):
            dimension = _sum(parse_unit(first)[1], factors[second, power], 1)
            found.setdefault(dimension, first + _factor(second, power))
    return found


def _factor(name: str, power: int | Fraction) -> str:
    size = "" if abs(power) == 1 else f"**{abs(float(power)):g}"
    return f"{'*' if power > 0 else '/'}{name}{size}"


def unit_text(dimension: Exponents) -> str:
    """Return a dimension as a unit in words: ``"volt"``, ``"volt/second"``, ``"1/second**0.5"``."""
    if dimension in _units_in_words():
        return _units_in_words()[dimension]
    names = ("metre", "kilogram", "second", "amp", "kelvin", "mole", "candela")
    factors = [_factor(name, power) for name, power in zip(names, dimension, strict=True) if power > 0]
    divisors = [_factor(name, power) for name, power in zip(names, dimension, strict=True) if power < 0]
    return "".join(factors or ["1"]).removeprefix("*") + "".join(divisors)


def is_in(dimension: Exponents | None) -> str:
    """Return what is said of something with this dimension: ``"is in volt"`` or ``"has no unit"``."""
    if dimension is ANY:
        return "has an unknown unit"
    return "has no unit" if dimension == NONE else f"is in {unit_text(dimension)}"
