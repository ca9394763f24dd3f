"""Where a verb computes distances between trials: the options ``--workers`` and ``--cache``."""

from pathlib import Path
from typing import TYPE_CHECKING

from snncompare.errors import FileError

if TYPE_CHECKING:
    from snncompare.representation.blocks.execution import Execution

__all__ = ["execution_of"]


def execution_of(workers: int | None, cache: Path | None) -> "Execution | None":
    """Return where distances between trials are computed, and kept; None if neither option was given.

    Raises
    ------
    FileError
        If the cache lies below a file, or is one.
    """
    from snncompare.representation.blocks.execution import Execution

    if workers is None and cache is None:
        return None
    if cache is not None:
        above = next(path for path in (cache, *cache.parents) if path.exists())
        if not above.is_dir():
            raise FileError(f"--cache: '{above}' is a file; give a folder for finished blocks.")
    return Execution(workers=workers, folder=cache)
