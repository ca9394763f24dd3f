"""YAML or JSON text to plain data and back: every key once, no objects, nothing that grows when it is written out."""

from pathlib import Path
from typing import Any

import yaml

from snncompare.errors import FileError

__all__ = ["MAX_FILE_BYTES", "read_description", "write_description"]

MAX_FILE_BYTES = 1_000_000
MAX_EXPANDED = 5_000_000
"""Characters of a file once its aliases (``*name``) are replaced by what they stand for."""


class _Readable(yaml.SafeDumper):
    """Writes equations as they were typed, one a line."""


_Readable.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def write_description(path: str | Path, plain: Any) -> Path:
    """Write plain data as YAML and return the path.

    Raises
    ------
    FileError
        If the file cannot be written.
    """
    path = Path(path)
    text = yaml.dump(plain, Dumper=_Readable, sort_keys=False, allow_unicode=True)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise FileError(f"cannot write '{path}': {error.strerror}.") from error
    return path


def read_description(path: str | Path) -> Any:
    """Return the plain data in a YAML or JSON file; nothing in it is executed.

    Raises
    ------
    FileError
        If the file is missing, unreadable, too large (also once its aliases are written out), not YAML, asks for
        objects, or holds a key twice.
    """
    path = Path(path)
    if not path.is_file():
        raise FileError(f"no network file '{path}'.")
    if path.stat().st_size > MAX_FILE_BYTES:
        raise FileError(
            f"'{path}' has more than {MAX_FILE_BYTES} bytes; a description is text, weights go into a sidecar."
        )
    try:
        return _plain_data(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"cannot read '{path}': {error.strerror}.") from error
    except RecursionError as error:
        raise FileError(f"'{path}' is nested too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise FileError(f"'{path}' is not YAML of plain values: {_reason(error)}.") from error


def _plain_data(text: str) -> Any:
    loader = yaml.SafeLoader(text)
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
    seen: set[str] = set()
    for key, _ in pairs:
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                raise yaml.YAMLError(f"the key '{key.value}' stands twice (line {key.start_mark.line + 1})")
            seen.add(key.value)


def _reason(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    text = " ".join(str(problem or error).split())
    if "could not determine a constructor for the tag" in text:
        text = f"the tag {text.rsplit(' ', 1)[-1]} asks for an object"
    return f"{text} (line {mark.line + 1}, column {mark.column + 1})" if mark else text
