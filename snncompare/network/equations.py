"""Equation text from a stranger: what may stand in it, checked before any parser sees it.

Brian2's parser evaluates unit text and hands expressions to sympy, so both are limited here to plain
arithmetic: names, numbers, operators, comparisons and calls of known functions.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from snncompare.errors import DescriptionError, UnitError, unknown
from snncompare.network.expressions import check_expression, check_text, parsed, without_comments
from snncompare.network.extent import check_extents, names_read
from snncompare.network.names import check_free_names
from snncompare.units import parse_unit

__all__ = [
    "NEURON_FLAGS",
    "SYNAPSE_FLAGS",
    "Definition",
    "Flags",
    "assigned_names",
    "assignments",
    "check_current",
    "check_equations",
    "check_statements",
    "check_unit",
    "defined_names",
    "definitions",
    "flags_of",
    "names_in_equations",
    "names_in_expression",
    "names_in_statements",
    "renamed_equations",
    "renamed_expression",
]

_EQUATION = re.compile(
    r"(?P<name>d[A-Za-z_]\w*\s*/\s*dt|[A-Za-z_]\w*)\s*(?:=(?P<expression>[^:]+))?:(?P<unit>[^(\n]*)(?:\((?P<flags>[^)]*)\))?",
    re.ASCII,
)
_STATEMENT = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*(?P<operator>[-+*/]?)=(?!=)(?P<expression>.+)", re.ASCII)
_NAME = re.compile(r"\b[A-Za-z_]\w*", re.ASCII)
Flags = Mapping[str, Sequence[str]]
NEURON_FLAGS: Flags = {
    "differential": ("unless refractory",),
    "subexpression": ("shared", "constant over dt"),
    "parameter": ("constant", "shared"),
}
SYNAPSE_FLAGS: Flags = {
    "differential": ("event-driven", "clock-driven"),
    "subexpression": ("summed", "shared", "constant over dt"),
    "parameter": NEURON_FLAGS["parameter"],
}
_EXCLUDE_EACH_OTHER = (("event-driven", "clock-driven"), ("summed", "shared"), ("summed", "constant over dt"))
_STATEFUL = ("rand", "randn", "poisson")
_BASE_UNITS = (
    "volt", "amp", "ampere", "second", "hertz", "Hz", "siemens", "ohm", "farad", "coulomb", "metre", "meter",
    "kilogram", "newton", "pascal", "joule", "watt", "mole", "kelvin",
)  # fmt: skip
_FACTOR = rf"(?:{'|'.join(_BASE_UNITS)})(?:\*\*-?[0-9])?"
_UNIT = re.compile(rf"1|(?:1/)?{_FACTOR}(?:[*/]{_FACTOR})*")


class Definition(NamedTuple):
    """One line of equations: `"differential"`, `"subexpression"` or `"parameter"`, and what stands in it."""

    kind: str
    expression: str | None
    unit: str
    flags: tuple[str, ...]


def _split(text: str) -> list[re.Match[str]]:
    check_text(text, "equations")
    plain = without_comments(text)
    found, position = [], 0
    for match in _EQUATION.finditer(plain):
        _refuse_unread(plain[position : match.start()])
        found.append(match)
        position = match.end()
    _refuse_unread(plain[position:])
    return found


def _refuse_unread(between: str) -> None:
    if between.strip():
        raise DescriptionError(
            f"cannot read the equation '{between.strip().splitlines()[0][:80]}'; "
            "it needs a name and a unit after a colon, for example 'dv/dt = -v/tau : volt'."
        )


def _name_and_kind(match: re.Match[str]) -> tuple[str, str]:
    name = re.sub(r"\s", "", match["name"])
    if name.endswith("/dt"):
        return name[1:-3], "differential"
    return name, "parameter" if match["expression"] is None else "subexpression"


def check_unit(text: str) -> str:
    """Return the unit of a variable unchanged: base units without prefix, by their full names.

    Raises
    ------
    UnitError
    """
    plain = re.sub(r"\s", "", text)
    if _UNIT.fullmatch(plain):
        return text
    wrong = next((word for word in _NAME.findall(plain) if word not in _BASE_UNITS), None)
    if wrong is None:
        raise UnitError(f"cannot read the unit '{text.strip()[:60]}'; write for example 'volt' or 'siemens/metre**2'.")
    instead = [name for name in _BASE_UNITS if _same_dimension(name, wrong)]
    if not instead:
        raise UnitError(unknown("unit", wrong[:60], _BASE_UNITS))
    raise UnitError(f"variables have units without prefix, by their full names: '{instead[0]}' instead of '{wrong}'.")


def _same_dimension(unit: str, other: str) -> bool:
    try:
        return parse_unit(unit)[1] == parse_unit(other)[1]
    except UnitError:
        return False


def check_equations(text: str, flags: Flags = NEURON_FLAGS) -> str:
    """Return equation text unchanged if every line is plain arithmetic with a unit and with `flags` only.

    Raises
    ------
    DescriptionError
        Naming the line and what in it is not allowed.
    """
    trees: dict[str, dict[str, ast.expr]] = {"differential": {}, "subexpression": {}}
    names: set[str] = set()
    for match in _split(text):
        name, kind = _name_and_kind(match)
        summed = "summed" in flags_of(match["flags"])
        check_free_names([name.removesuffix("_post") if summed else name], "variable")
        if name in names:
            raise DescriptionError(f"'{name}' is defined twice.")
        names.add(name)
        _check_unit(name, match["unit"].strip(), kind)
        _check_flags(name, flags_of(match["flags"]), kind, flags[kind])
        if match["expression"] is not None:
            trees[kind][name] = _parsed(name, match["expression"])
            if kind == "subexpression" and "constant over dt" not in flags_of(match["flags"]):
                _check_stateless(f"'{name}'", trees[kind][name], "write '(constant over dt)' behind its unit.")
    check_extents(trees["subexpression"], trees["differential"])
    return text


def _parsed(name: str, expression: str) -> ast.expr:
    try:
        return parsed(expression)
    except DescriptionError as error:
        raise DescriptionError(f"equation of '{name}': {error}") from error


def check_current(text: str) -> str:
    """Return the expression of a current unchanged; read several times in a step, it draws no random numbers.

    Raises
    ------
    DescriptionError
    """
    check_expression(text)
    _check_stateless("the current", parsed(text), "draw it in a line of equations with '(constant over dt)'.")
    return text


def _check_stateless(what: str, tree: ast.expr, instead: str) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _STATEFUL:
            raise DescriptionError(f"{what} calls '{node.func.id}', with another result each time; {instead}")


def _check_unit(name: str, unit: str, kind: str) -> None:
    if not unit:
        raise DescriptionError(f"'{name}' has no unit after the colon; write for example ': volt' or ': 1'.")
    if unit in ("boolean", "integer"):
        if kind == "differential":
            raise DescriptionError(f"'{name}' is {unit} and has a differential equation; give it a unit, or ': 1'.")
        return
    try:
        check_unit(unit)
    except UnitError as error:
        raise UnitError(f"'{name}': {error}") from error


def _check_flags(name: str, given: Sequence[str], kind: str, allowed: Sequence[str]) -> None:
    what = "flag of a differential equation" if kind == "differential" else f"flag of a {kind}"
    for flag in given:
        if flag not in allowed:
            raise DescriptionError(f"'{name}': " + unknown(what, flag, allowed))
    for first, second in _EXCLUDE_EACH_OTHER:
        if first in given and second in given:
            raise DescriptionError(f"'{name}' is both '{first}' and '{second}'; keep one of the two.")


def flags_of(text: str | None) -> tuple[str, ...]:
    """Return the flags in the brackets after a unit, with single spaces."""
    return () if text is None else tuple(" ".join(flag.split()) for flag in text.split(","))


def defined_names(text: str) -> dict[str, str]:
    """Return what the equations define, in order: name to `"differential"`, `"subexpression"` or `"parameter"`."""
    return {name: line.kind for name, line in _definitions(text)}


def definitions(text: str) -> dict[str, Definition]:
    """Return what the equations define, in order, with kind, right-hand side, unit and flags."""
    return dict(_definitions(text))


@lru_cache(maxsize=256)
def _definitions(text: str) -> tuple[tuple[str, Definition], ...]:
    found = []
    for match in _split(text):
        name, kind = _name_and_kind(match)
        right = None if match["expression"] is None else match["expression"].strip()
        found.append((name, Definition(kind, right, match["unit"].strip(), flags_of(match["flags"]))))
    return tuple(found)


def names_in_equations(text: str) -> set[str]:
    """Return the names of values that the right-hand sides read."""
    expressions = [line.expression for _, line in _definitions(text) if line.expression is not None]
    return {name for expression in expressions for name in names_in_expression(expression)}


def names_in_expression(text: str) -> set[str]:
    """Return the names of values that an expression reads."""
    return names_read(parsed(text))


def _statements(text: str) -> Iterator[re.Match[str]]:
    check_text(text, "statements")
    for line in re.split(r"[;\n]", without_comments(text)):
        if not line.strip():
            continue
        match = _STATEMENT.fullmatch(line)
        if match is None:
            raise DescriptionError(f"cannot read the statement '{line.strip()[:80]}'; write for example 'v = v_reset'.")
        yield match


def check_statements(text: str) -> str:
    """Return reset or synaptic statements unchanged if each is an assignment of plain arithmetic to a name.

    Raises
    ------
    DescriptionError
    """
    for match in _statements(text):
        check_expression(match["name"])
        check_expression(match["expression"])
    return text


def assignments(text: str) -> list[tuple[str, str, str]]:
    """Return statements as name, operator (``"+"`` of ``+=``, ``""`` of ``=``) and right-hand side."""
    return [(match["name"], match["operator"], match["expression"].strip()) for match in _statements(text)]


def assigned_names(text: str) -> set[str]:
    """Return the names that statements change."""
    return {match["name"] for match in _statements(text)}


def names_in_statements(text: str) -> set[str]:
    """Return the names of values that statements read or change."""
    return assigned_names(text).union(*(names_in_expression(match["expression"]) for match in _statements(text)))


def renamed_expression(text: str, names: Mapping[str, str]) -> str:
    """Return an expression or statements with whole names replaced, all at once."""
    return _NAME.sub(lambda match: names.get(match[0], match[0]), text)


def renamed_equations(text: str, names: Mapping[str, str]) -> str:
    """Return equations with whole names replaced on both sides; units and flags stay as they are."""
    lines = []
    for match in _split(text):
        name, kind = _name_and_kind(match)
        left = f"d{names.get(name, name)}/dt" if kind == "differential" else names.get(name, name)
        right = "" if match["expression"] is None else f" = {renamed_expression(match['expression'].strip(), names)}"
        flags = "" if match["flags"] is None else f" ({match['flags']})"
        lines.append(f"{left}{right} : {match['unit'].strip()}{flags}")
    return "\n".join(lines)
