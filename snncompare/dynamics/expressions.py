"""Expression text to a Python function of named values, by walking its syntax tree: nothing is ever evaluated as code.

The operations happen in the order in which the tree has them, which is the order in which Brian2's generated code has
them; with the same arithmetic underneath, the results are the same to the last bit.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

from snncompare.errors import UnsupportedError, unknown

__all__ = ["Environment", "Evaluate", "compile_expression", "names_in"]

Environment = Mapping[str, Any]
Evaluate = Callable[[Environment], Any]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def names_in(expression: str) -> set[str]:
    """Return the names of values (not of functions) that an expression reads."""
    tree = ast.parse(expression, mode="eval")
    functions = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in functions}


def compile_expression(expression: str, functions: Mapping[str, Callable[..., Any]]) -> Evaluate:
    """Return a function of an environment (name to value) that computes the expression.

    Parameters
    ----------
    expression : str
        Arithmetic, comparison and boolean operators, numbers, names, calls of functions.
    functions : mapping
        Name to implementation, for the array library in use; ``not_``, ``and_`` and ``or_`` included.

    Raises
    ------
    UnsupportedError
        For a function that `functions` lacks.
    """
    return _build(ast.parse(expression.strip(), mode="eval").body, functions)


def _build(node: ast.expr, functions: Mapping[str, Callable[..., Any]]) -> Evaluate:
    match node:
        case ast.Constant(value=value):
            return lambda _env: value
        case ast.Name(id=name):
            return lambda env: env[name]
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return _unary(operator.neg, _build(inner, functions))
        case ast.UnaryOp(op=ast.UAdd(), operand=inner):
            return _build(inner, functions)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _unary(functions["not_"], _build(inner, functions))
        case ast.BinOp(left=left, op=op, right=right):
            return _binary(_BINARY[type(op)], _build(left, functions), _build(right, functions))
        case ast.BoolOp(op=op, values=values):
            return _fold(
                functions["and_" if isinstance(op, ast.And) else "or_"], [_build(v, functions) for v in values]
            )
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return _binary(_COMPARE[type(op)], _build(left, functions), _build(right, functions))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]):
            if name not in functions:
                raise UnsupportedError(unknown("function", name, sorted(n for n in functions if not n.endswith("_"))))
            return _call(functions[name], [_build(a, functions) for a in arguments])
        case _:
            raise UnsupportedError(f"'{ast.unparse(node)}' cannot be computed here; write it with plain arithmetic.")


def _unary(function: Callable[[Any], Any], inner: Evaluate) -> Evaluate:
    return lambda env: function(inner(env))


def _binary(function: Callable[[Any, Any], Any], left: Evaluate, right: Evaluate) -> Evaluate:
    return lambda env: function(left(env), right(env))


def _fold(function: Callable[[Any, Any], Any], parts: list[Evaluate]) -> Evaluate:
    def folded(env: Environment) -> Any:
        result = parts[0](env)
        for part in parts[1:]:
            result = function(result, part(env))
        return result

    return folded


def _call(function: Callable[..., Any], arguments: list[Evaluate]) -> Evaluate:
    return lambda env: function(*(argument(env) for argument in arguments))
