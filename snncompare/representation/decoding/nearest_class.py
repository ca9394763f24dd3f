"""Decoding from distances alone, for metrics that are not those of a Euclidean space."""

import numpy as np
from numpy.typing import NDArray

from snncompare.representation.decoding.folds import Folds

__all__ = ["nearest_class_decoding"]

EXPONENT = -2.0
"""z of Victor & Purpura: near trials weigh more."""


def nearest_class_decoding(
    distances: NDArray[np.float64], labels: NDArray[np.int64], folds: Folds
) -> NDArray[np.int64]:
    r"""Return the class that is nearest to each trial when it is left out.

    .. math:: d(x, c) = \left( \frac{1}{n_c} \sum_{j \in c} D(x, j)^z \right)^{1 / z}, \qquad z = -2

    A trial at distance 0 counts as one a thousand times nearer than the nearest that is not.

    Parameters
    ----------
    distances : array (n_trials, n_trials)
    labels : array (n_labellings, n_trials)
        Numbers of classes from 0.
    folds : Folds

    Returns
    -------
    array (n_labellings, n_trials)

    References
    ----------
    Victor & Purpura 1996, J. Neurophysiol. 76:1310, eq. 4 (left-out trials, z = -2).
    """
    positive = distances[distances > 0]
    least = positive.min() / 1e3 if positive.size else 1.0
    nearness = np.maximum(distances, least) ** EXPONENT
    n_classes = int(labels.max()) + 1
    decoded = np.empty_like(labels)
    for train, test in folds:
        members = (labels[:, train, None] == np.arange(n_classes)).astype(np.float64)
        flat = members.transpose(1, 0, 2).reshape(train.size, -1)
        total = (nearness[np.ix_(test, train)] @ flat).reshape(test.size, len(labels), n_classes)
        decoded[:, test] = (total / members.sum(axis=1)).argmax(axis=-1).T
    return decoded
