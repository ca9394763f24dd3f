"""A compiled kernel over all pairs of trials, on all cores."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numba import config
from numba.types import Array, float64, int64
from numpy.typing import NDArray

__all__ = ["FLOATS", "INTEGERS", "PairKernel", "over_pairs"]

FLOATS = Array(float64, 1, "C", readonly=True)
INTEGERS = Array(int64, 1, "C", readonly=True)
"""Compiled types of what kernels only read: a recording's own arrays are locked."""

PairKernel = Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]], None]
"""``kernel(first, second, out)`` fills ``out (n_pairs, n_parameters)`` for the trials ``first`` and ``second``."""

CHUNKS_PER_THREAD = 8


def over_pairs(kernel: PairKernel, rows: range, columns: range, n_parameters: int) -> NDArray[np.float64]:
    """Return a block ``(n_parameters, n_rows, n_columns)`` of symmetric matrices with zero diagonals.

    The kernel must release the interpreter's lock; as many threads run as ``NUMBA_NUM_THREADS`` allows (by default the
    cores this process may use). The result depends neither on their number nor on the block.

    Parameters
    ----------
    kernel : PairKernel
        Called with trials in ascending order only.
    rows, columns : range
        Trials; either the same range, or the columns lie after the rows.
    n_parameters : int
    """
    same = rows == columns
    i, j = np.triu_indices(len(rows), k=1) if same else np.indices((len(rows), len(columns))).reshape(2, -1)
    first, second = i.astype(np.int64) + rows.start, j.astype(np.int64) + columns.start
    values = np.empty((i.size, n_parameters))
    n_threads = int(config.NUMBA_NUM_THREADS)
    edges = np.linspace(0, i.size, n_threads * CHUNKS_PER_THREAD + 1).astype(int)

    def fill(chunk: int) -> None:
        part = slice(edges[chunk], edges[chunk + 1])
        kernel(first[part], second[part], values[part])

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(fill, range(len(edges) - 1)))
    result = np.zeros((n_parameters, len(rows), len(columns)))
    result[:, i, j] = values.T
    if same:
        result[:, j, i] = values.T
    return result
