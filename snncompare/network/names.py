"""Names a description may give, and those that equations know without being told: functions, constants, units."""

import re
from collections.abc import Iterable
from keyword import iskeyword

from snncompare.errors import DescriptionError

__all__ = ["FUNCTIONS", "check_free_names", "check_names", "is_known"]

FUNCTIONS = frozenset({
    "abs", "arccos", "arcsin", "arctan", "ceil", "clip", "cos", "cosh", "exp", "expm1", "exprel", "floor", "int", "log",
    "log10", "log1p", "poisson", "rand", "randn", "sign", "sin", "sinh", "sqrt", "tan", "tanh", "timestep",
})  # fmt: skip
"""Functions that equations may call: those of Brian2."""

_CONSTANTS = frozenset({"pi", "e", "inf"})
_SPECIAL = frozenset({"t", "dt", "t_in_timesteps", "i", "j", "N", "xi", "lastspike", "not_refractory"})
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_UNIT = re.compile(
    r"(da|[yzafpnumcdhkMGTPEZY])?"
    r"(amp|ampere|becquerel|candle|coulomb|farad|gram|gramme|gray|henry|hertz|joule|katal|kelvin|lit[er]{2}|lumen|lux|met[er]{2}"
    r"|mol|molar|mole|newton|ohm|pascal|radian|second|siemens|sievert|steradian|tesla|volt|watt|weber)[23]?"
    r"|kilogramm?e?[23]?|[kM]?Hz[23]?|[unpm]?[AFSMV][23]|m[AMV]|[nu][AFMS]|p[AF]|[mu][ms][23]?|cm[23]?|nS[23]?"
)


def check_names(names: Iterable[str], what: str) -> None:
    """Refuse names that are not ASCII letters, digits and single underscores, or that mean an end of a synapse.

    Raises
    ------
    DescriptionError
    """
    for name in names:
        if not _PLAIN.fullmatch(name) or "__" in name:
            raise DescriptionError(f"'{name}' cannot name a {what}; use letters, digits and single underscores.")
        if name in ("pre", "post") or name.endswith(("_pre", "_post")):
            raise DescriptionError(f"'{name}' cannot name a {what}; '_pre' and '_post' mean the two ends of a synapse.")


def check_free_names(names: Iterable[str], what: str) -> None:
    """Refuse names that are not plain, or that equations know already, so that they would silently mean something else.

    Raises
    ------
    DescriptionError
    """
    for name in names:
        check_names([name], what)
        if name in FUNCTIONS or is_known(name) or iskeyword(name) or name.startswith("xi_"):
            raise DescriptionError(f"'{name}' cannot name a {what}; it has a meaning of its own in equations.")


def is_known(name: str) -> bool:
    """Return whether equations know a value of this name: a constant, the time, the step, a unit."""
    return name in _CONSTANTS or name in _SPECIAL or _UNIT.fullmatch(name) is not None
