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


def over_pairs(kernel: PairKernel, n_trials: int, n_parameters: int) -> NDArray[np.float64]:
    """Return symmetric matrices ``(n_parameters, n_trials, n_trials)`` with zero diagonals, filled by ``kernel``.

    The kernel must release the interpreter's lock; as many threads run as ``NUMBA_NUM_THREADS`` allows (by default the
    cores this process may use). The result does not depend on their number.
    """
    first, second = np.triu_indices(n_trials, k=1)
    values = np.empty((first.size, n_parameters))
    n_threads = int(config.NUMBA_NUM_THREADS)
    edges = np.linspace(0, first.size, n_threads * CHUNKS_PER_THREAD + 1).astype(int)

    def fill(chunk: int) -> None:
        part = slice(edges[chunk], edges[chunk + 1])
        kernel(first[part], second[part], values[part])

    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(fill, range(len(edges) - 1)))
    result = np.zeros((n_parameters, n_trials, n_trials))
    result[:, first, second] = values.T
    result[:, second, first] = values.T
    return result
