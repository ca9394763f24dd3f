"""Expressions of a step program as the text of scalar code: a parser and a list of what may be written.

Every name, number and operator of the result is ours; a name of a description only says which variable is meant. What
the list does not have is refused, so text from a stranger never becomes code.
"""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from snncompare.errors import UnsupportedError, unknown
from snncompare.network.names import FUNCTIONS

__all__ = ["RANDOM", "Text", "draws_in", "literal", "names_of", "parsed", "written"]

RANDOM = ("rand", "randn", "poisson")

_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_BY_CALL: dict[type[ast.operator], str] = {ast.FloorDiv: "floor_division", ast.Mod: "remainder"}
_OPERATORS = {*_ARITHMETIC, *_BY_CALL, ast.Pow}
_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}


@dataclass(frozen=True)
class Text:
    """Code of a value: a float64, or true or false."""

    code: str
    boolean: bool = False

    @property
    def number(self) -> str:
        """Code of the value as a number."""
        return f"(1.0 if {self.code} else 0.0)" if self.boolean else self.code

    @property
    def condition(self) -> str:
        """Code of the value as true or false."""
        return self.code if self.boolean else f"({self.code} != 0.0)"


Draw = Callable[[str, ast.expr | None], Text | None]
"""From the name of a random function and its argument to the code of a draw. It is also asked for ``"hit"``, a uniform
number below the argument, and may answer None: then the number is drawn and compared."""


def written(expression: str | ast.expr, names: Mapping[str, Text], draw: Draw) -> Text:
    """Return the code of an expression; its operations stand in the order that the syntax tree has.

    Parameters
    ----------
    expression : str or ast.expr
    names : mapping
        What each name means.
    draw : callable
        Writes the call of a random function, given its name and argument.

    Raises
    ------
    UnsupportedError
        For a name that `names` lacks, and for anything but names, numbers, arithmetic, comparisons, logic and the
        functions of equations.
    """
    return _written(parsed(expression) if isinstance(expression, str) else expression, names, draw)


@lru_cache(maxsize=4096)
def parsed(expression: str) -> ast.expr:
    """Return the syntax tree of an expression; it is shared, so leave it as it is."""
    return ast.parse(expression.strip(), mode="eval").body


@lru_cache(maxsize=4096)
def names_of(expression: str) -> tuple[str, ...]:
    """Return the names of values that an expression reads, in the order in which they first stand there."""
    tree = parsed(expression)
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions]
    return tuple(dict.fromkeys(node.id for node in found))


def draws_in(expression: str) -> bool:
    """Return whether an expression calls a random function."""
    calls = (node.func for node in ast.walk(parsed(expression)) if isinstance(node, ast.Call))
    return any(isinstance(function, ast.Name) and function.id in RANDOM for function in calls)


def literal(value: float) -> str:
    """Return the code of a number."""
    return f"({value!r})" if value < 0 else repr(float(value))


def _written(node: ast.expr, names: Mapping[str, Text], draw: Draw) -> Text:
    def inner(child: ast.expr) -> Text:
        return _written(child, names, draw)

    match node:
        case ast.Constant(value=bool() as value):
            return Text("True" if value else "False", boolean=True)
        case ast.Constant(value=int() | float() as number):
            return Text(literal(float(number)))
        case ast.Name(id=name):
            if name not in names:
                raise UnsupportedError(f"'{name}' cannot be read here.")
            return names[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return Text(f"(-{inner(operand).number})")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return inner(operand)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return Text(f"(not {inner(operand).condition})", boolean=True)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return Text(_arithmetic(op, inner(left).number, inner(right).number, right))
        case ast.BoolOp(op=op, values=values):
            sign = " & " if isinstance(op, ast.And) else " | "
            return Text(f"({sign.join(inner(value).condition for value in values)})", boolean=True)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARISONS:
            hit = _hit(left, op, right, draw)
            if hit is not None:
                return hit
            return Text(f"({inner(left).number} {_COMPARISONS[type(op)]} {inner(right).number})", boolean=True)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            return _call(name, arguments, names, draw)
    raise UnsupportedError(f"'{ast.unparse(node)}' cannot be computed here; write it with plain arithmetic.")


def _hit(left: ast.expr, op: ast.cmpop, right: ast.expr, draw: Draw) -> Text | None:
    """Return the code of ``rand() < right`` (or ``left > rand()``) if draws have one of their own for it."""
    if isinstance(op, ast.Gt | ast.GtE):
        left, right = right, left
    elif not isinstance(op, ast.Lt | ast.LtE):
        return None
    match left:
        case ast.Call(func=ast.Name(id="rand")):
            return draw("hit", right)
    return None


def _arithmetic(op: ast.operator, left: str, right: str, exponent: ast.expr) -> str:
    if isinstance(op, ast.Pow):
        return _power(left, exponent, right)
    if type(op) in _BY_CALL:
        return f"{_BY_CALL[type(op)]}({left}, {right})"
    return f"({left} {_ARITHMETIC[type(op)]} {right})"


def _power(base: str, exponent: ast.expr, code: str) -> str:
    """Return the code of a power, as products for small whole exponents."""
    match exponent:
        case ast.Constant(value=1):
            return base
        case ast.Constant(value=2 | 3 | 4 as number):
            return f"power_{number}({base})"
        case ast.Constant(value=0.5):
            return f"sqrt({base})"
    return f"power({base}, {code})"


def _call(name: str, arguments: list[ast.expr], names: Mapping[str, Text], draw: Draw) -> Text:
    if name not in FUNCTIONS or len(arguments) != FUNCTIONS[name]:
        raise UnsupportedError(unknown("function", name, sorted(FUNCTIONS)))
    if name in RANDOM:
        drawn = draw(name, arguments[0] if arguments else None)
        assert drawn is not None
        return drawn
    given = [_written(argument, names, draw) for argument in arguments]
    match name:
        case "int" if given[0].boolean:
            return Text(given[0].number)
        case "int":
            return Text(f"truncated({given[0].number})")
        case "abs":
            return Text(f"fabs({given[0].number})")
        case "timestep":
            t, dt = (part.number for part in given)
            return Text(f"truncated(({t} + 0.001 * {dt}) / {dt})")
    return Text(f"{name}({', '.join(part.number for part in given)})")
