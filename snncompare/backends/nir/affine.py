"""Expressions computed as a constant plus multiples of unknowns: whether an equation is linear, and its coefficients.

The arithmetic itself decides, for every neuron at once: sums of such forms, and their products with constants, are such
forms again; anything else is refused. What an equation is called or how it is arranged does not matter.
"""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.special import exprel

from snncompare.backends.nir.cells import Numbers
from snncompare.dynamics.expressions import compile_expression
from snncompare.errors import UnsupportedError
from snncompare.network.unit_names import UNITS
from snncompare.units import parse_unit

__all__ = ["Affine", "Names"]

_CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf}
_UNIT = re.compile(r"([A-Za-z]+)([23]?)")


class Affine:
    """``constant`` plus the sum of ``slopes[name]`` times the unknown ``name``, one value per neuron.

    Parameters
    ----------
    constant : array
    slopes : mapping, optional
        Unknown to array; exact zeros are left out.
    """

    def __init__(self, constant: Any, slopes: Mapping[str, Any] | None = None) -> None:
        self.constant: Numbers = np.asarray(constant, dtype=np.float64)
        arrays = {name: np.asarray(slope, dtype=np.float64) for name, slope in (slopes or {}).items()}
        self.slopes: dict[str, Numbers] = {name: slope for name, slope in arrays.items() if slope.any()}

    @classmethod
    def unknown(cls, name: str) -> "Affine":
        """Return the unknown itself."""
        return cls(0.0, {name: 1.0})

    def number(self) -> Numbers:
        """Return the constant of a form without unknowns.

        Raises
        ------
        UnsupportedError
            If there are unknowns; the message names them.
        """
        if self.slopes:
            raise UnsupportedError(f"depends on {' and '.join(map(repr, self.slopes))} in a non-linear way")
        return self.constant

    def __add__(self, other: Any) -> "Affine":
        other = _form(other)
        names = dict.fromkeys([*self.slopes, *other.slopes])
        slopes = {name: self.slopes.get(name, 0.0) + other.slopes.get(name, 0.0) for name in names}
        return Affine(self.constant + other.constant, slopes)

    def __neg__(self) -> "Affine":
        return Affine(-self.constant, {name: -slope for name, slope in self.slopes.items()})

    def __sub__(self, other: Any) -> "Affine":
        return self + -_form(other)

    def __rsub__(self, other: Any) -> "Affine":
        return _form(other) + -self

    def __mul__(self, other: Any) -> "Affine":
        other = _form(other)
        factor, form = (self, other) if not self.slopes else (other, self)
        number = factor.number()
        return Affine(form.constant * number, {name: slope * number for name, slope in form.slopes.items()})

    def __truediv__(self, other: Any) -> "Affine":
        number = _form(other).number()
        with np.errstate(all="ignore"):
            return Affine(self.constant / number, {name: slope / number for name, slope in self.slopes.items()})

    def __rtruediv__(self, other: Any) -> "Affine":
        return _form(other) / self

    def __pow__(self, other: Any) -> "Affine":
        if self.slopes and (_form(other).number() == 1).all():
            return self
        return _of_numbers(np.power)(self, other)

    def __rpow__(self, other: Any) -> "Affine":
        return _of_numbers(np.power)(other, self)

    def __floordiv__(self, other: Any) -> "Affine":
        return _of_numbers(np.floor_divide)(self, other)

    def __rfloordiv__(self, other: Any) -> "Affine":
        return _of_numbers(np.floor_divide)(other, self)

    def __mod__(self, other: Any) -> "Affine":
        return _of_numbers(np.mod)(self, other)

    def __rmod__(self, other: Any) -> "Affine":
        return _of_numbers(np.mod)(other, self)

    def __eq__(self, other: object) -> bool:
        return bool(_refused())

    def __hash__(self) -> int:
        raise TypeError("a form is no key")

    __radd__, __rmul__ = __add__, __mul__
    __lt__ = __le__ = __gt__ = __ge__ = __eq__


def _form(given: Any) -> Affine:
    return given if isinstance(given, Affine) else Affine(given)


def _of_numbers(function: Callable[..., Any]) -> Callable[..., Affine]:
    """Return the function for forms without unknowns."""

    def applied(*arguments: Any) -> Affine:
        with np.errstate(all="ignore"):
            return Affine(function(*(_form(argument).number() for argument in arguments)))

    return applied


def _refused(*_arguments: Any) -> Any:
    raise UnsupportedError("depends on a condition")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: _of_numbers(getattr(np, name))
    for name in (
        "abs", "arccos", "arcsin", "arctan", "ceil", "clip", "cos", "cosh", "exp", "expm1", "floor", "log", "log10",
        "log1p", "sign", "sin", "sinh", "sqrt", "tan", "tanh",
    )
}  # fmt: skip
_FUNCTIONS |= {"exprel": _of_numbers(exprel), "int": _of_numbers(np.trunc)}
_FUNCTIONS |= dict.fromkeys(("not_", "and_", "or_"), _refused)


class Names(dict[str, Affine]):
    """What expressions may name, as forms; subexpressions are computed when they are first asked for.

    Parameters
    ----------
    known : mapping
        Name to form.
    expressions : mapping
        Name to text of subexpressions.
    """

    def __init__(self, known: Mapping[str, Affine], expressions: Mapping[str, str]) -> None:
        super().__init__(known)
        self._expressions = dict(expressions)

    def __missing__(self, name: str) -> Affine:
        if name in self._expressions:
            self[name] = self.form(self._expressions[name])
        elif name in _CONSTANTS:
            self[name] = Affine(_CONSTANTS[name])
        elif name in UNITS:
            self[name] = Affine(_unit(name))
        else:
            raise UnsupportedError(f"depends on '{name}'")
        return self[name]

    def form(self, expression: str) -> Affine:
        """Return the form of an expression.

        Raises
        ------
        UnsupportedError
            If it is none, or not finite; the message says what it depends on.
        """
        try:
            found = _form(compile_expression(expression, _FUNCTIONS)(self))
        except UnsupportedError as error:
            said = str(error).rstrip(".")
            raise UnsupportedError(said if said.startswith("'") else f"'{expression}' {said}") from error
        except (ArithmeticError, TypeError, ValueError) as error:
            raise UnsupportedError(f"'{expression}' cannot be computed: {error}") from error
        if not all(np.isfinite(part).all() for part in (found.constant, *found.slopes.values())):
            raise UnsupportedError(f"'{expression}' is not finite")
        return found


def _unit(name: str) -> float:
    match = _UNIT.fullmatch(name)
    return parse_unit(match[1])[0] ** int(match[2] or 1) if match else math.nan
