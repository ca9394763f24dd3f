"""Expression text as sympy expressions and back: for derivatives, never for evaluation.

Names become real symbols. What has no useful derivative (rounding, conditions, time steps, random numbers) is kept as a
function or symbol with derivative zero.
"""
# ruff: noqa: N802, N815 - sympy's printers find their methods by the names of its classes

import ast
from collections.abc import Callable, Mapping
from typing import Any

import sympy
from sympy.printing.str import StrPrinter

from snncompare.errors import UnsupportedError

__all__ = ["as_sympy", "as_text"]


class _Flat(sympy.Function):
    """A function whose derivative is zero wherever it exists."""

    def fdiff(self, argindex: int = 1) -> sympy.Expr:  # noqa: ARG002 - all arguments alike
        return sympy.S.Zero


class _Truncated(_Flat):
    nargs = 1


class _TimeStep(_Flat):
    nargs = 2


class exprel(sympy.Function):  # noqa: N801 - the name it has in equations
    r""":math:`(e^x - 1)/x`, one at zero; its derivative is :math:`(e^x - \text{exprel}(x))/x`, a half at zero."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:  # noqa: ARG002 - one argument
        return exprel_derivative(self.args[0])


class exprel_derivative(sympy.Function):  # noqa: N801 - beside `exprel`
    """Derivative of `exprel`; not differentiated again."""

    nargs = 1


def _clip(value: sympy.Expr, low: sympy.Expr, high: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((low, value < low), (high, value > high), (value, True))


_FUNCTIONS: dict[str, Callable[..., sympy.Basic]] = {
    "abs": sympy.Abs, "arccos": sympy.acos, "arcsin": sympy.asin, "arctan": sympy.atan, "ceil": sympy.ceiling,
    "clip": _clip, "cos": sympy.cos, "cosh": sympy.cosh, "exp": sympy.exp, "expm1": lambda x: sympy.exp(x) - 1,
    "exprel": exprel, "floor": sympy.floor, "int": _Truncated, "log": sympy.log,
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log1p": lambda x: sympy.log(1 + x), "sign": sympy.sign, "sin": sympy.sin, "sinh": sympy.sinh, "sqrt": sympy.sqrt,
    "tan": sympy.tan, "tanh": sympy.tanh, "timestep": _TimeStep,
}  # fmt: skip
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
    ast.FloorDiv: lambda a, b: sympy.floor(a / b),
    ast.Mod: lambda a, b: a - b * sympy.floor(a / b),
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: sympy.Gt,
    ast.GtE: sympy.Ge,
    ast.Lt: sympy.Lt,
    ast.LtE: sympy.Le,
    ast.Eq: sympy.Eq,
    ast.NotEq: sympy.Ne,
}


def as_sympy(expression: str, known: Mapping[str, sympy.Basic]) -> sympy.Basic:
    """Return an expression of a step program as a sympy expression.

    Parameters
    ----------
    expression : str
    known : mapping
        What names stand for; a name that is not in it becomes a symbol.

    Raises
    ------
    UnsupportedError
        For a function that has no symbolic form, such as ``poisson``.
    """
    return _build(ast.parse(expression.strip(), mode="eval").body, known)


def _build(node: ast.expr, known: Mapping[str, sympy.Basic]) -> Any:  # noqa: PLR0912 - one case per kind of node
    match node:
        case ast.Constant(value=bool() as value):
            return sympy.true if value else sympy.false
        case ast.Constant(value=int() as value):
            return sympy.Integer(value)
        case ast.Constant(value=float() as value):
            return sympy.Integer(int(value)) if value.is_integer() else sympy.Float(value, 17)
        case ast.Name(id=name):
            return known.get(name, sympy.Symbol(name, real=True))
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_build(inner, known)
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _build(inner, known)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return sympy.Not(_condition(_build(inner, known)))
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](_build(left, known), _build(right, known))
        case ast.BoolOp(op=op, values=values):
            join = sympy.And if isinstance(op, ast.And) else sympy.Or
            return join(*(_condition(_build(value, known)) for value in values))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _COMPARE[type(op)](_build(left, known), _build(right, known))
        case ast.Call(func=ast.Name(id="rand" | "randn" as name)):
            return sympy.Symbol(f"_{name}_{node.col_offset}", real=True)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in _FUNCTIONS:
            return _FUNCTIONS[name](*(_number(_build(argument, known)) for argument in arguments))
        case _:
            raise UnsupportedError(f"'{ast.unparse(node)}' has no derivative in symbols.")


def _condition(value: sympy.Basic) -> sympy.Basic:
    return sympy.Ne(value, 0) if isinstance(value, sympy.Symbol) else value


def _number(value: sympy.Basic) -> sympy.Basic:
    """Return a condition as one or zero."""
    is_condition = isinstance(value, sympy.logic.boolalg.Boolean) and not isinstance(value, sympy.Symbol)
    return sympy.Piecewise((1, value), (0, True)) if is_condition else value


class _Printer(StrPrinter):
    """Prints what `compile_expression` reads: ``where(condition, a, b)`` for cases."""

    def _print_Piecewise(self, expr: Any) -> str:
        (value, condition), *others = expr.args
        if condition == sympy.true or not others:
            return f"({self._print(value)})"
        rest = (
            self._print_Piecewise(sympy.Piecewise(*others, evaluate=False))
            if len(others) > 1
            else self._print(others[0][0])
        )
        return f"where({self._print(condition)}, {self._print(value)}, {rest})"

    def _print_Relational(self, expr: Any) -> str:
        sign = {"==": "==", "!=": "!="}.get(expr.rel_op, expr.rel_op)
        return f"({self._print(expr.lhs)} {sign} {self._print(expr.rhs)})"

    def _print_And(self, expr: Any) -> str:
        return "(" + " and ".join(self._print(part) for part in expr.args) + ")"

    def _print_Or(self, expr: Any) -> str:
        return "(" + " or ".join(self._print(part) for part in expr.args) + ")"

    def _print_Not(self, expr: Any) -> str:
        return f"(not {self._print(expr.args[0])})"

    def _print_BooleanTrue(self, expr: Any) -> str:  # noqa: ARG002 - the printer's signature
        return "True"

    def _print_BooleanFalse(self, expr: Any) -> str:  # noqa: ARG002
        return "False"

    def _print_Rational(self, expr: Any) -> str:
        return f"({expr.p}/{expr.q})"

    def _print_Float(self, expr: Any) -> str:
        return repr(float(expr))

    def _print_Function(self, expr: Any) -> str:
        names = {"_Truncated": "int", "_TimeStep": "timestep", "Abs": "abs", "acos": "arccos", "asin": "arcsin"}
        names |= {"atan": "arctan", "ceiling": "ceil"}
        name = type(expr).__name__
        return f"{names.get(name, name)}({', '.join(self._print(argument) for argument in expr.args)})"

    _print_Abs = _print_ceiling = _print_Function


def as_text(expression: sympy.Basic) -> str:
    """Return a sympy expression as text for `compile_expression`; cases become ``where(condition, a, b)``."""
    text: str = _Printer().doprint(expression)
    return text
