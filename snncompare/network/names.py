"""Names a description may give, and those that equations know without being told: functions, constants, units."""

import re
from collections.abc import Iterable
from keyword import iskeyword

from snncompare.errors import DescriptionError
from snncompare.network.unit_names import UNITS

__all__ = ["FUNCTIONS", "MAX_NAME", "check_free_names", "check_names", "is_known"]

FUNCTIONS = {
    "abs": 1, "arccos": 1, "arcsin": 1, "arctan": 1, "ceil": 1, "clip": 3, "cos": 1, "cosh": 1, "exp": 1, "expm1": 1,
    "exprel": 1, "floor": 1, "int": 1, "log": 1, "log10": 1, "log1p": 1, "poisson": 1, "rand": 0, "randn": 0, "sign": 1,
    "sin": 1, "sinh": 1, "sqrt": 1, "tan": 1, "tanh": 1, "timestep": 2,
}  # fmt: skip
"""Functions that equations may call, those of Brian2, with their numbers of arguments."""

_CONSTANTS = frozenset({"pi", "e", "inf"})
_SPECIAL = frozenset({
    "t", "dt", "t_in_timesteps", "i", "j", "N", "xi", "lastspike", "not_refractory", "lastupdate", "N_pre", "N_post",
})  # fmt: skip
_BRIAN2_KEEPS = frozenset({
    "active", "add_attribute", "add_dependency", "add_to_magic_network", "after_run", "assign_id", "before_run",
    "check_variable_write", "clock", "code_objects", "codeobj_class", "contained_objects", "custom_operation",
    "equations",
    "event_codes", "events", "get_states", "id", "indices", "invalidates_magic_network", "method_choice", "name",
    "namespace", "order", "resetter", "resolve_all", "run", "run_on_event", "run_regularly", "runner",
    "set_event_schedule", "set_states", "spikes", "start", "state", "state_updater", "stop", "subexpression_updater",
    "thresholder", "updaters", "user_equations", "variables", "when", "not_refractory", "refractory",
    "refractory_until",
})  # fmt: skip
_CPP_KEEPS = frozenset({
    "alignas", "alignof", "and_eq", "asm", "auto", "bitand", "bitor", "bool", "case", "catch", "char", "compl",
    "concept", "const", "const_cast", "constexpr", "decltype", "default", "delete", "do", "double",
    "dynamic_cast", "enum", "explicit", "export", "extern", "false", "float", "friend", "goto", "inline",
    "long", "main", "mutable", "namespace", "new", "noexcept", "not_eq", "NULL", "nullptr", "operator", "or_eq",
    "private", "protected", "public", "register", "reinterpret_cast", "requires", "short", "signed", "sizeof",
    "static", "static_assert", "static_cast", "struct", "switch", "template", "this", "thread_local", "throw",
    "true", "typedef", "typeid", "typename", "union", "unsigned", "using", "virtual", "void", "volatile", "xor",
    "xor_eq",
})  # fmt: skip
MAX_NAME = 60
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)


def check_names(names: Iterable[str], what: str) -> None:
    """Refuse names that are not ASCII letters, digits and single underscores, or that mean an end of a synapse.

    Raises
    ------
    DescriptionError
    """
    for name in names:
        if not _PLAIN.fullmatch(name) or "__" in name or len(name) > MAX_NAME:
            shown = name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}..."
            raise DescriptionError(
                f"'{shown}' cannot name a {what}; use letters, digits and single underscores, {MAX_NAME} at most."
            )
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
        if name in FUNCTIONS or is_known(name) or iskeyword(name):
            raise DescriptionError(f"'{name}' cannot name a {what}; it has a meaning of its own in equations.")
        if name in _BRIAN2_KEEPS:
            raise DescriptionError(f"'{name}' cannot name a {what}; Brian2's groups have an attribute of that name.")
        if name in _CPP_KEEPS:
            raise DescriptionError(f"'{name}' cannot name a {what}; it is a word of C++, into which Brian2 translates.")


def is_known(name: str) -> bool:
    """Return whether equations know a value of this name: a constant, the time, the step, a unit."""
    return name in _CONSTANTS or name in _SPECIAL or name.startswith("xi_") or name in UNITS
