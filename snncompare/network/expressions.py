"""One expression from a stranger: what may stand in it, checked on its syntax tree, never evaluated."""

import ast
import re
import warnings
from collections.abc import Iterable
from functools import lru_cache

from snncompare.errors import DescriptionError, unknown
from snncompare.network.extent import MAX_DEPTH, check_extents
from snncompare.network.names import FUNCTIONS

__all__ = ["MAX_LENGTH", "check_condition", "check_expression", "check_text", "parsed", "without_comments"]

MAX_LENGTH = 20_000
_MAX_REMEMBERED = 500

_ALLOWED = (
    ast.Name, ast.Load, ast.Compare, ast.BinOp, ast.UnaryOp, ast.BoolOp,
    ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.USub, ast.UAdd, ast.Not, ast.And, ast.Or,
    ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq,
)  # fmt: skip
_WORDS: dict[type[ast.AST], str] = {
    ast.Attribute: "a dot after a name",
    ast.Subscript: "indexing with brackets",
    ast.Lambda: "lambda",
    ast.NamedExpr: "the assignment ':='",
    ast.IfExp: "'if' with 'else'",
    ast.JoinedStr: "text",
    ast.Starred: "a star before an argument",
    ast.keyword: "a named argument",
    ast.ListComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Tuple: "a list of values",
    ast.BitXor: "'^' (write '**' for a power)",
    ast.BitAnd: "'&' (write 'and')",
    ast.BitOr: "'|' (write 'or')",
    ast.Invert: "'~' (write 'not')",
    ast.MatMult: "'@'",
}


def check_text(text: str, what: str) -> None:
    """Refuse text that is too long, or that has characters which two readers could take for different ones.

    Raises
    ------
    DescriptionError
    """
    if len(text) > MAX_LENGTH:
        raise DescriptionError(f"{what} of {len(text)} characters; at most {MAX_LENGTH} are read.")
    strange = re.search(r"[^\x20-\x7e\n\t]", without_comments(text)) or re.search(r"[^\S \n\t]|[\x00-\x08]", text)
    if strange:
        raise DescriptionError(f"{what} hold the character {strange[0]!a}; use ASCII letters, digits and signs.")


def without_comments(text: str) -> str:
    """Return text without what stands between ``#`` and the end of a line."""
    return re.sub(r"#[^\n]*", "", text)


def check_expression(text: str) -> str:
    """Return an expression unchanged if it is plain arithmetic: names, numbers, operators, calls of known functions.

    Raises
    ------
    DescriptionError
        For attribute access, indexing, text, unknown functions, names with double underscores, and exponents that
        multiply up to more than 16.
    """
    tree = parsed(text)
    check_extents({}, {" ".join(text.split())[:80]: tree})
    return text


def check_condition(where: str, text: str, booleans: Iterable[str] = ()) -> None:
    """Refuse an expression that is not true or false; `booleans` are the names of true-or-false variables.

    Raises
    ------
    DescriptionError
    """
    if not _is_condition(parsed(text), frozenset(booleans) | {"not_refractory"}):
        raise DescriptionError(
            f"{where}: '{' '.join(text.split())}' is not true or false; write for example 'v > v_threshold'."
        )


def _is_condition(node: ast.expr, booleans: frozenset[str]) -> bool:
    match node:
        case ast.BoolOp(values=parts):
            return all(_is_condition(part, booleans) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            return _is_condition(inner, booleans)
        case ast.Constant(value=value):
            return isinstance(value, bool)
        case ast.Name(id=name):
            return name in booleans
        case _:
            return isinstance(node, ast.Compare)


def parsed(text: str) -> ast.expr:
    """Return the syntax tree of an expression in which every node is allowed; it is shared, so leave it as it is.

    Raises
    ------
    DescriptionError
    """
    return _remembered(text) if len(text) <= _MAX_REMEMBERED else _tree(text)


@lru_cache(maxsize=512)
def _remembered(text: str) -> ast.expr:
    return _tree(text)


def _tree(text: str) -> ast.expr:
    check_text(text, "expressions")
    plain = " ".join(text.split())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(plain, mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise DescriptionError(f"cannot read the expression '{plain[:80]}'.") from error
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        for node in level:
            _check_node(node, plain[:80])
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return tree
    raise DescriptionError(f"'{plain[:80]}' is nested deeper than {MAX_DEPTH} levels.")


def _check_node(node: ast.AST, text: str) -> None:
    match node:
        case ast.Name(id=name) if "__" in name:
            _refuse(text, f"the name '{name}'")
        case ast.Constant(value=bool()):
            pass
        case ast.Constant(value=int() | float() as value):
            if abs(value) > 1e100:
                _refuse(text, "a number above 1e100")
        case ast.Constant(value=value):
            _refuse(text, "text" if isinstance(value, str | bytes) else f"{value!r}")
        case ast.Call():
            _check_call(node, text)
        case ast.Compare(ops=[_, _, *_]):
            _refuse(text, "a chain of comparisons")
        case ast.BinOp(op=ast.Div() | ast.FloorDiv() | ast.Mod(), right=ast.Constant(value=0)):
            _refuse(text, "a division by zero")
        case _ if not isinstance(node, _ALLOWED):
            _refuse(text, _WORDS.get(type(node), f"'{type(node).__name__.lower()}'"))


def _check_call(node: ast.Call, text: str) -> None:
    if not isinstance(node.func, ast.Name):
        _refuse(text, "calling what is not a name")
    elif node.func.id not in FUNCTIONS:
        raise DescriptionError(f"'{text}': " + unknown("function", node.func.id, sorted(FUNCTIONS)))
    elif len(node.args) != FUNCTIONS[node.func.id]:
        expected = ("no argument", "1 argument", "2 arguments", "3 arguments")[FUNCTIONS[node.func.id]]
        raise DescriptionError(f"'{text}': the function '{node.func.id}' takes {expected}, got {len(node.args)}.")


def _refuse(text: str, what: str) -> None:
    raise DescriptionError(f"'{text}': {what} is not allowed in an equation; only plain arithmetic is.")
