"""Equation text from a stranger: what may stand in it, checked before any parser sees it.

Brian2's parser evaluates unit text and hands expressions to sympy, so both are limited here to plain
arithmetic: names, numbers, operators, comparisons and calls of named functions.
"""

import ast
import re

from snncompare.errors import DescriptionError
from snncompare.units import parse_unit

__all__ = ["check_equations", "check_expression", "check_statements", "defined_names"]

MAX_LENGTH = 20_000
MAX_EXPONENT = 16

_EQUATION = re.compile(
    r"(?P<name>d[A-Za-z_]\w*\s*/\s*dt|[A-Za-z_]\w*)\s*(?:=(?P<expression>[^:]+))?:(?P<unit>[^(\n]*)(?:\((?P<flags>[\w\s,]*)\))?"
)
_WORDS_AS_UNIT = {"1", "boolean", "integer"}
_ALLOWED = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.Call, ast.Name, ast.Load, ast.Constant,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip


def _split(text: str) -> list[re.Match[str]]:
    if len(text) > MAX_LENGTH:
        raise DescriptionError(f"equations of {len(text)} characters; at most {MAX_LENGTH} are read.")
    plain = re.sub(r"#.*", "", text)
    found, position = [], 0
    for match in _EQUATION.finditer(plain):
        between = plain[position : match.start()].strip()
        if between:
            raise DescriptionError(
                f"cannot read '{between.splitlines()[0]}'; write for example 'dv/dt = -v/tau : volt'."
            )
        found.append(match)
        position = match.end()
    rest = plain[position:].strip()
    if rest:
        raise DescriptionError(
            f"cannot read the equation '{rest.splitlines()[0]}'; it needs a unit after a colon, for example 'dv/dt = "
            "-v/tau : volt'."
        )
    return found


def check_equations(text: str) -> str:
    """Return equation text unchanged if every line is plain arithmetic with a unit.

    Raises
    ------
    DescriptionError
        Naming the line and what in it is not allowed.
    """
    for match in _split(text):
        if match["expression"] is not None:
            check_expression(match["expression"])
        unit = match["unit"].strip()
        if not unit:
            raise DescriptionError(
                f"'{match['name']}' has no unit after the colon; write for example ': volt' or ': 1'."
            )
        if unit not in _WORDS_AS_UNIT:
            parse_unit(unit)
    return text


def defined_names(text: str) -> dict[str, str]:
    """Return what the equations define, in order: name to `"differential"`, `"subexpression"` or `"parameter"`."""
    names = {}
    for match in _split(text):
        name = re.sub(r"\s", "", match["name"])
        if name.endswith("/dt"):
            names[name[1:-3]] = "differential"
        else:
            names[name] = "parameter" if match["expression"] is None else "subexpression"
    return names


def check_statements(text: str) -> str:
    """Return reset or synaptic statements unchanged if each is an assignment of plain arithmetic to a name."""
    if len(text) > MAX_LENGTH:
        raise DescriptionError(f"statements of {len(text)} characters; at most {MAX_LENGTH} are read.")
    for line in re.split(r"[;\n]", re.sub(r"#.*", "", text)):
        if not line.strip():
            continue
        match = re.fullmatch(r"\s*[A-Za-z_]\w*\s*(?:[-+*/]|\*\*)?=(?!=)(?P<expression>.+)", line)
        if match is None:
            raise DescriptionError(f"cannot read the statement '{line.strip()}'; write for example 'v = v_reset'.")
        check_expression(match["expression"])
    return text


def check_expression(text: str) -> str:
    """Return an expression unchanged if it is plain arithmetic: names, numbers, operators, calls of named functions.

    Raises
    ------
    DescriptionError
        For attribute access, indexing, text, powers of powers, huge exponents, names with double underscores.
    """
    plain = " ".join(text.split())
    if len(plain) > MAX_LENGTH:
        raise DescriptionError(f"an expression of {len(plain)} characters; at most {MAX_LENGTH} are read.")
    try:
        tree = ast.parse(plain, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise DescriptionError(f"cannot read the expression '{plain[:80]}'.") from error
    for node in ast.walk(tree):
        _check_node(node, plain)
    return text


def _check_node(node: ast.AST, text: str) -> None:
    def refuse(what: str) -> None:
        raise DescriptionError(f"'{text[:80]}': {what} is not allowed in an equation; only plain arithmetic is.")

    match node:
        case ast.Name(id=name) if "__" in name:
            refuse(f"the name '{name}'")
        case ast.Constant(value=value) if isinstance(value, bool | int | float):
            if abs(value) > 1e300:
                refuse(f"the number {value:.3g}")
        case ast.Constant(value=value):
            refuse(f"the text {value!r}")
        case ast.Call(func=ast.Name(), keywords=[]):
            pass
        case ast.Call():
            refuse("this kind of call")
        case ast.BinOp(op=ast.Pow(), left=left, right=right):
            powers = [inner for side in (left, right) for inner in ast.walk(side) if isinstance(inner, ast.Pow)]
            if powers:
                refuse("a power of a power")
            if isinstance(right, ast.Constant) and isinstance(right.value, int) and abs(right.value) > MAX_EXPONENT:
                refuse(f"an exponent above {MAX_EXPONENT}")
        case _ if not isinstance(node, _ALLOWED):
            refuse(type(node).__name__.lower())
