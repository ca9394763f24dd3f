"""YAML or JSON text to plain data and back: every key once, no objects, nothing that grows when it is written out."""

import json
import math
from collections.abc import Hashable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from snncompare.errors import FileError, one_line

__all__ = ["MAX_FILE_BYTES", "MAX_YAML_BYTES", "read_description", "read_plain", "write_description"]

MAX_FILE_BYTES = 1_000_000
MAX_YAML_BYTES = 400_000
MAX_NODES = 20_000
"""Keys and values in YAML, whose parser takes seconds for more; JSON may have as many as fit into the file."""
MAX_EXPANDED = 1_000_000
"""Characters of YAML once its aliases (``*name``) are replaced by what they stand for."""
MAX_DEPTH = 100
_MAX_DIGITS = 100
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Readable(yaml.SafeDumper):
    """Writes equations as they were typed, one a line."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def write_description(path: str | Path, plain: Any) -> Path:
    """Write plain data as JSON where the name ends on ``.json``, else as YAML, and return the path.

    Raises
    ------
    FileError
        If the file cannot be written, or would be too large to be read again.
    """
    path = Path(path)
    if path.suffix.lower() == ".json":
        text, limit = f"{json.dumps(plain, indent=2, ensure_ascii=False)}\n", MAX_FILE_BYTES
    else:
        text = yaml.dump(plain, Dumper=_Readable, sort_keys=False, allow_unicode=True)
        limit = MAX_YAML_BYTES if _count(plain) <= MAX_NODES else 0
    if len(text.encode()) > limit:
        instead = "use fewer populations and projections" if limit == MAX_FILE_BYTES else "save it as '.json'"
        raise FileError(f"'{path}' would be too large to be read again; {instead}.")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write '{path}': {error.strerror}.") from error
    return path


def _count(plain: Any) -> int:
    match plain:
        case dict():
            return 1 + sum(1 + _count(value) for value in plain.values())
        case list():
            return 1 + sum(map(_count, plain))
    return 1


def read_description(path: str | Path) -> Any:
    """Return the plain data in the YAML or JSON file of a network; nothing in it is executed.

    Raises
    ------
    FileError
        See `read_plain`.
    """
    return read_plain(path, "network file", "a description is text, weights go into a sidecar")


def read_plain(path: str | Path, what: str, size: str) -> Any:
    """Return the plain data in a YAML or JSON file; nothing in it is executed.

    Parameters
    ----------
    path : path
    what : str
        What the file should be, for the message that it is missing.
    size : str
        What such a file holds, for the message that it is too large.

    Raises
    ------
    FileError
        If the file is missing, unreadable, too large (also once its aliases are written out), neither YAML nor JSON,
        asks for objects, or holds a key twice.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(f"there is no {what} '{path}'; check the path.")
    try:
        too_large = path.stat().st_size > MAX_FILE_BYTES
        text = "" if too_large else path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot read '{path}': {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileError(f"'{path}' is not text in UTF-8; give a YAML or JSON file.") from error
    if too_large:
        raise FileError(f"'{path}' has more than {MAX_FILE_BYTES} bytes; {size}.")
    try:
        return _plain_data(text)
    except RecursionError as error:
        raise FileError(f"'{path}' cannot be read as YAML: it is nested too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise FileError(f"'{path}' cannot be read as YAML: {_reason(error)}.") from error


def _plain_data(text: str) -> Any:
    if text.lstrip()[:1] in ("{", "["):
        try:
            return _json(text)
        except json.JSONDecodeError:
            pass  # YAML has brackets too
    if len(text.encode()) > MAX_YAML_BYTES:
        raise ValueError(f"it has more than {MAX_YAML_BYTES} bytes; write it as JSON")
    return _yaml(text)


def _json(text: str) -> Any:
    data = json.loads(
        text, object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
    )
    json.dumps(data, ensure_ascii=False).encode()  # refuses half of a character
    return data


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key '{key}' stands twice")
        found[key] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"'{name}' is not a number")


def _whole(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number has more than {_MAX_DIGITS} digits")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text[:40]} is too large")
    return number


class _Bounded(yaml.SafeLoader):
    """Loads plain data, and stops where there is too much of it."""

    nodes = depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Count the nodes, and the levels above this one."""
        self.nodes, self.depth = self.nodes + 1, self.depth + 1
        if self.nodes > MAX_NODES:
            raise yaml.YAMLError(f"it has more than {MAX_NODES} keys and values; write it as JSON")
        if self.depth > MAX_DEPTH:
            raise yaml.YAMLError(f"it is nested too deeply, in more than {MAX_DEPTH} levels")
        node: yaml.Node | None = super().compose_node(parent, index)
        self.depth -= 1
        return node


def _yaml(text: str) -> Any:
    loader = _Bounded(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _expanded(node, {})
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _expanded(node: yaml.Node, sizes: dict[int, int | None]) -> int:
    """Return the number of characters below a node with aliases written out, each node visited once."""
    if id(node) in sizes:
        size = sizes[id(node)]
        if size is None:
            raise yaml.YAMLError("an alias stands inside of what it stands for")
        return size
    sizes[id(node)] = None
    match node:
        case yaml.MappingNode(value=pairs):
            _every_key_once(pairs)
            size = 1 + sum(_expanded(part, sizes) for pair in pairs for part in pair)
        case yaml.SequenceNode(value=parts):
            size = 1 + sum(_expanded(part, sizes) for part in parts)
        case _:
            if node.tag in _NUMBERS and len(node.value) > _MAX_DIGITS:
                raise yaml.YAMLError(f"a number has more than {_MAX_DIGITS} digits")
            node.value = _joined(node.value)
            size = 1 + len(node.value)
    if size > MAX_EXPANDED:
        raise yaml.YAMLError(f"with its aliases written out it has more than {MAX_EXPANDED} characters")
    sizes[id(node)] = size
    return size


def _joined(text: str) -> str:
    """Return text in which JSON's two escapes for one character beyond the sixteen-bit plane are that character."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _every_key_once(pairs: list[tuple[yaml.Node, yaml.Node]]) -> None:
    seen: set[Hashable] = set()
    for key, _ in pairs:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise yaml.YAMLError(f"the key '{key.value}' stands twice (line {key.start_mark.line + 1})")
            seen.add(key.value)


def _reason(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    text = " ".join(str(problem or error).split())
    if "could not determine a constructor for the tag" in text:
        tag = text.rsplit("'", 2)[-2].replace("tag:yaml.org,2002:", "!!")
        text = f"the tag '{tag}' asks for an object, and only plain values are allowed"
    return one_line(f"{text} (line {mark.line + 1}, column {mark.column + 1})" if mark else text)
