"""Independent pieces of work on as many threads as this process may use."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from numba import config

__all__ = ["in_threads", "n_threads"]

Piece = TypeVar("Piece")


def n_threads() -> int:
    """Return how many threads ``NUMBA_NUM_THREADS`` allows: by default the cores that this process may use."""
    return int(config.NUMBA_NUM_THREADS)


def in_threads(work: Callable[[Piece], None], pieces: Iterable[Piece]) -> None:
    """Call ``work`` on every piece; it must release the interpreter's lock and write where no other piece does."""
    several = list(pieces)
    if n_threads() == 1 or len(several) < 2:
        for piece in several:
            work(piece)
        return
    with ThreadPoolExecutor(n_threads()) as pool:
        list(pool.map(work, several))
