"""YAML as configurations use it: plain data, every key once, no tags that make objects."""

from pathlib import Path
from typing import Any

import yaml

from snncompare.errors import FileError

__all__ = ["read_yaml"]

MAX_BYTES = 1_000_000


class _EveryKeyOnce(yaml.SafeLoader):
    """Loads plain data only and refuses a key that stands twice, of which YAML would drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((name for k, name in enumerate(keys) if name in keys[:k]), None)
        if twice is not None:
            raise yaml.constructor.ConstructorError(None, None, f"the key '{twice}' stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_yaml(path: str | Path) -> Any:
    """Return the plain data in a YAML file; nothing in it is executed.

    Raises
    ------
    FileError
        If the file is missing, unreadable, too large, not YAML, asks for Python objects, or holds a key twice.
    """
    source = Path(path)
    if not source.exists():
        raise FileError(f"there is no configuration '{source}'; check the path.")
    try:
        if source.stat().st_size > MAX_BYTES:
            raise FileError(f"'{source}' has more than {MAX_BYTES} bytes; a configuration is a page of text.")
        given = yaml.load(source.read_text(encoding="utf-8"), _EveryKeyOnce)
    except FileError:
        raise
    except OSError as problem:
        raise FileError(f"cannot read the configuration '{source}': {problem.strerror or problem}.") from problem
    except UnicodeDecodeError as problem:
        raise FileError(f"'{source}' is not text in UTF-8; a configuration is a YAML file.") from problem
    except (yaml.YAMLError, RecursionError) as problem:
        raise FileError(f"'{source}' cannot be read as YAML: {_reason(problem)}.") from problem
    if given is None:
        raise FileError(f"the configuration '{source}' is empty; 'snncompare inspect FILE' prints one to begin with.")
    return given


def _reason(problem: Exception) -> str:
    mark = getattr(problem, "problem_mark", None)
    text = getattr(problem, "problem", None) or str(problem) or type(problem).__name__
    if "could not determine a constructor for the tag" in text:
        tag = text.rsplit("'", 2)[-2].replace("tag:yaml.org,2002:", "!!")
        text = f"the tag '{tag}' asks for an object, and only plain values are allowed"
    return " ".join(str(text).split()) + (f" (line {mark.line + 1}, column {mark.column + 1})" if mark else "")
