"""User functions given as known expressions, written out wherever they are called.

``{"sigmoid(x)": "1/(1 + exp(-x))"}`` lets equations call ``sigmoid(v/mV)``. The text of the call is replaced by that of
the expression before anything else reads the equations, so that no backend needs to know of the function.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from snncompare.errors import DescriptionError
from snncompare.network.expressions import MAX_LENGTH, check_expression, check_text, parsed, without_comments
from snncompare.network.extent import names_read
from snncompare.network.names import check_free_names, is_known

__all__ = ["check_functions", "with_functions"]

_HEAD = re.compile(r"\s*(?P<name>[A-Za-z]\w*)\s*\((?P<arguments>[^()]*)\)\s*", re.ASCII)
_CALL = re.compile(r"\b(?P<name>[A-Za-z_]\w*)\s*\(", re.ASCII)
_NAME = re.compile(r"\b[A-Za-z_]\w*", re.ASCII)

_Function = tuple[list[str], str]


def check_functions(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return user functions unchanged if each is plain arithmetic of its arguments and of functions before it.

    Raises
    ------
    DescriptionError
    """
    for _ in _prepared(given):
        pass
    return given


def with_functions(text: str, functions: Mapping[str, str]) -> str:
    """Return equations, statements or an expression with every call of a user function written out.

    Raises
    ------
    DescriptionError
        For a call with another number of arguments, or text that grows beyond `MAX_LENGTH` characters.
    """
    return _written_out(text, tuple(functions.items())) if functions else text


@lru_cache(maxsize=256)
def _written_out(text: str, functions: tuple[tuple[str, str], ...]) -> str:
    check_text(text, "text")
    return _expanded(without_comments(text), dict(_prepared(dict(functions))))


def _prepared(given: Mapping[str, str]) -> Iterator[tuple[str, _Function]]:
    known: dict[str, _Function] = {}
    for head, body in given.items():
        match = _HEAD.fullmatch(head)
        if match is None:
            raise DescriptionError(f"functions: cannot read '{head[:60]}'; write for example 'sigmoid(x)'.")
        name, arguments = match["name"], [part.strip() for part in match["arguments"].split(",")]
        check_free_names([name, *arguments], "function or argument")
        if name in known or len({name, *arguments}) <= len(arguments) or known.keys() & set(arguments):
            raise DescriptionError(f"functions: '{head[:60]}' uses a name twice.")
        check_text(body, "functions")
        plain = _expanded(without_comments(body), known)
        check_expression(plain)
        foreign = [n for n in names_read(parsed(plain)) if n not in arguments and not is_known(n)]
        if foreign:
            raise DescriptionError(
                f"functions: '{head[:60]}' reads '{sorted(foreign)[0]}', which is not one of its arguments; add it."
            )
        known[name] = (arguments, " ".join(plain.split()))
        yield name, known[name]


def _expanded(text: str, functions: Mapping[str, _Function]) -> str:
    parts: list[str] = []
    position = 0
    for match in _CALL.finditer(text):
        if match.start() < position or match["name"] not in functions:
            continue
        given, end = _arguments(text, match.end())
        names, body = functions[match["name"]]
        number = 0 if given == [""] else len(given)
        if number != len(names):
            raise DescriptionError(
                f"the function '{match['name']}' is called with {number} arguments; "
                f"write '{match['name']}({', '.join(names)})'."
            )
        inner = {name: f"({_expanded(part.strip(), functions)})" for name, part in zip(names, given, strict=True)}
        _check_length(len(body) + sum(len(inner.get(found, "")) for found in _NAME.findall(body)))
        parts += [text[position : match.start()], f"({_renamed(body, inner)})"]
        position = end
        _check_length(sum(map(len, parts)))
    return "".join([*parts, text[position:]])


def _renamed(body: str, names: Mapping[str, str]) -> str:
    return _NAME.sub(lambda match: names.get(match[0], match[0]), body)


def _check_length(length: int) -> None:
    if length > MAX_LENGTH:
        raise DescriptionError(f"with its functions written out the text has more than {MAX_LENGTH} characters.")


def _arguments(text: str, start: int) -> tuple[list[str], int]:
    """Return the arguments of a call whose bracket opened before `start`, and where the call ends."""
    depth, begin = 0, start
    found: list[str] = []
    for position in range(start, len(text)):
        match text[position]:
            case "(":
                depth += 1
            case ")" if depth:
                depth -= 1
            case ")":
                return [*found, text[begin:position]], position + 1
            case "," if not depth:
                found.append(text[begin:position])
                begin = position + 1
    raise DescriptionError(f"a bracket is not closed in '{text[max(0, start - 40) : start + 20].strip()}'.")
