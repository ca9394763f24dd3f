"""Configurations as they stand in files: plain data, every key once, no tags that make objects."""

from pathlib import Path
from typing import Any

from snncompare.description_file import read_plain
from snncompare.errors import FileError

__all__ = ["read_yaml"]


def read_yaml(path: str | Path) -> Any:
    """Return the plain data in a configuration; nothing in it is executed.

    Raises
    ------
    FileError
        If the file is missing, empty, unreadable, too large (also once its aliases are written out), not YAML, asks for
        objects, or holds a key twice.
    """
    given = read_plain(path, "configuration", "a configuration is a page of text")
    if given is None:
        raise FileError(f"the configuration '{path}' is empty; 'snncompare inspect FILE' prints one to begin with.")
    return given
