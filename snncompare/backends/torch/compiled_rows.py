"""Rows of matrices added to the state of the neurons that spikes reach, in the order of source neurons.

For each copy the rows of the source neurons that fired are added one after the other, as Brian2 adds them: with the
same state before, the same sums to the last bit. Compiled at the first call.
"""

import numba
import numpy as np
from numpy.typing import NDArray

__all__ = ["add_rows"]


@numba.njit(cache=True)
def add_rows(
    state: NDArray[np.floating], spikes: NDArray[np.floating], matrices: NDArray[np.floating], trials: int
) -> None:
    """Add to the state of each copy, in place, the rows of the source neurons that fired.

    Parameters
    ----------
    state : array (copy, n_target)
    spikes : array (copy, n_source)
        Not zero where a neuron fired.
    matrices : array (device, n_source, n_target)
    trials : int
        Copies of each device.
    """
    n_copies, n_source = spikes.shape
    n_target = state.shape[1]
    for copy in range(n_copies):
        device = copy // trials
        for source in range(n_source):
            if spikes[copy, source] != 0:
                for target in range(n_target):
                    state[copy, target] += matrices[device, source, target]
