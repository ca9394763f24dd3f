"""What neurons that learnt without labels are worth as a classifier: each stands for the class it prefers."""

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError

__all__ = ["assigned_classes", "voted_classes"]


def assigned_classes(counts: NDArray[np.float64], labels: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Return the class to which each neuron fired most on average; -1 for neurons that never fired.

    Parameters
    ----------
    counts : array, shape (n_trials, n_neurons)
        Spike counts in trials that are not those the network is tested on.
    labels : array of int, shape (n_trials,)
    n_classes : int

    Raises
    ------
    InputError
        If a class has no trial, or the shapes do not fit.
    """
    if counts.ndim != 2 or labels.shape != counts.shape[:1]:
        raise InputError(f"counts (trial, neuron) and labels (trial) do not fit: {counts.shape} and {labels.shape}.")
    missing = sorted(set(range(n_classes)) - set(labels.tolist()))
    if missing:
        raise InputError(f"class {missing[0]} has no trial from which neurons could be assigned to it.")
    response = np.stack([counts[labels == k].mean(axis=0) for k in range(n_classes)])
    return np.where(response.max(axis=0) > 0, response.argmax(axis=0), -1)


def voted_classes(counts: NDArray[np.float64], assigned: NDArray[np.int64], n_classes: int) -> NDArray[np.int64]:
    """Return for each trial the class whose neurons fired most on average; -1 for trials without spikes of any.

    Diehl and Cook (2015) Frontiers in Computational Neuroscience 9:99, section 2.6.

    Parameters
    ----------
    counts : array, shape (n_trials, n_neurons)
    assigned : array of int, shape (n_neurons,)
        Of `assigned_classes`.
    n_classes : int
    """
    members = assigned[:, None] == np.arange(n_classes)
    mean = counts @ members / np.maximum(members.sum(axis=0), 1)
    return np.where(mean.max(axis=1) > 0, mean.argmax(axis=1), -1)
