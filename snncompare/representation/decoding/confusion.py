"""What a confusion matrix says: balanced accuracy, and mutual information of true and decoded label, unbiased."""

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "accuracy_interval",
    "balanced_accuracy",
    "confusion_matrices",
    "corrected_information",
    "grouped_accuracy_interval",
    "information_error",
    "least_information",
    "plugin_information",
]

Array = NDArray[np.float64]
Z95 = 1.959963984540054
"""97.5 % point of the normal distribution."""


def confusion_matrices(true: NDArray[np.int64], decoded: NDArray[np.int64], n_classes: int) -> Array:
    """Return how many trials of each true class (rows) were decoded as each class (columns).

    Parameters
    ----------
    true, decoded : arrays (..., n_trials)
        Numbers of classes, from 0.
    n_classes : int

    Returns
    -------
    array (..., n_classes, n_classes)
    """
    cells = true * n_classes + decoded
    flat = cells.reshape(-1, cells.shape[-1])
    size = n_classes**2
    found = np.bincount((flat + size * np.arange(len(flat))[:, None]).ravel(), minlength=size * len(flat))
    return found.reshape(*cells.shape[:-1], n_classes, n_classes).astype(np.float64)


def balanced_accuracy(confusion: Array) -> Array:
    """Return the share of trials decoded as what they are, averaged over classes: chance is one over their number."""
    hits = np.diagonal(confusion, axis1=-2, axis2=-1)
    return (hits / confusion.sum(axis=-1)).mean(axis=-1)


def accuracy_interval(confusion: Array) -> tuple[float, float]:
    r"""Return Wilson's 95 % interval of the balanced accuracy of independent trials.

    The number of trials is :math:`C^2 / \sum_c 1 / n_c`, which for classes of one size is all of them.

    References
    ----------
    Wilson 1927, J. Am. Stat. Assoc. 22:209.
    """
    sizes = confusion.sum(axis=-1)
    n = sizes.size**2 / (1 / sizes).sum()
    share = float(balanced_accuracy(confusion))
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 / (1 + Z95**2 / n) * np.sqrt(share * (1 - share) / n + Z95**2 / (4 * n**2))
    return min(max(float(centre - half), 0.0), share), max(min(float(centre + half), 1.0), share)


def plugin_information(confusion: Array) -> Array:
    r"""Return the mutual information of true and decoded label, in bits, with frequencies for probabilities.

    .. math:: I = \sum_{s,r} p(s, r) \log_2 \frac{p(s, r)}{p(s) \, p(r)}

    It is a lower bound of what the responses tell (data processing), and with few trials biased upwards.

    References
    ----------
    Quian Quiroga & Panzeri 2009, Nat. Rev. Neurosci. 10:173, box 3.
    """
    joint = confusion / confusion.sum(axis=(-2, -1), keepdims=True)
    product = joint.sum(axis=-1, keepdims=True) * joint.sum(axis=-2, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(joint > 0, joint * np.log2(joint / product), 0.0)
    return terms.sum(axis=(-2, -1))


def corrected_information(confusion: Array) -> Array:
    r"""Return the mutual information in bits with the bias of finite sampling subtracted, to first order.

    .. math:: \text{bias} = \frac{1}{2 N \ln 2} \left( \sum_s (R_s - 1) - (R - 1) \right)

    with :math:`N` trials, :math:`R_s` labels that trials of class s can be decoded as, and :math:`R` that any trial
    can. :math:`R_s` is at least the number that occurred; it is taken to be the one at which so many are expected to
    occur if each label that can has by Laplace's rule the probability :math:`(n + 1) / (N_s + R_s)`. The estimate can
    be negative; it never exceeds the entropy of the true labels.

    References
    ----------
    Panzeri & Treves 1996, Network 7:87 (the bias, and a Bayesian count of the labels that can occur). Panzeri,
    Senatore, Montemurro & Petersen 2007, J. Neurophysiol. 98:1064 (its use).
    """
    total = confusion.sum(axis=(-2, -1))
    possible = _possible(confusion).sum(axis=-1) - confusion.shape[-1]
    anywhere = _possible(confusion.sum(axis=-2)) - 1
    information = plugin_information(confusion) - (possible - anywhere) / (2 * np.log(2) * total)
    share = confusion.sum(axis=-1) / total[..., None]
    return np.minimum(information, -(share * np.log2(share)).sum(axis=-1))


def least_information(accuracy: Array | float, n_classes: int) -> Array:
    r"""Return the least mutual information, in bits, that a balanced accuracy implies; 0 up to chance.

    .. math:: I \ge \log_2 C + a \log_2 a + (1 - a) \log_2 \frac{1 - a}{C - 1}

    for accuracy a among C equally frequent classes: Fano's inequality. Unlike a confusion matrix it does not count what
    errors tell.

    References
    ----------
    Cover & Thomas 2006, Elements of Information Theory, 2nd ed., theorem 2.10.1.
    """
    right = np.clip(accuracy, 1 / n_classes, 1.0)
    wrong = 1 - right
    spread = np.where(wrong > 0, wrong * np.log2(np.where(wrong > 0, wrong, 1) / (n_classes - 1)), 0.0)
    return np.asarray(np.maximum(np.log2(n_classes) + right * np.log2(right) + spread, 0.0))


def _possible(counts: Array) -> Array:
    """Return for each row of counts how many of its cells can occur, by the rule of `corrected_information`."""
    n_cells = counts.shape[-1]
    n = counts.sum(axis=-1, keepdims=True)
    occurred = (counts > 0).sum(axis=-1, keepdims=True)
    tried = np.arange(1, n_cells + 1.0)
    of_seen = (counts[..., None, :] + 1) / (n + tried)[..., None]
    seen = np.where(counts[..., None, :] > 0, 1 - (1 - np.minimum(of_seen, 1)) ** n[..., None], 0.0).sum(axis=-1)
    unseen = (tried - occurred) * (1 - (1 - 1 / (n + tried)) ** n)
    miss = np.where(tried < occurred, np.inf, np.abs(seen + unseen - occurred))
    return tried[miss.argmin(axis=-1)]


def information_error(true: NDArray[np.int64], decoded: NDArray[np.int64], block: NDArray[np.int64], n: int) -> float:
    r"""Return the jackknife standard error of the corrected information, leaving out one block of trials at a time.

    .. math:: s^2 = \frac{B - 1}{B} \sum_b (I_{-b} - \bar I)^2

    Parameters
    ----------
    true, decoded : arrays (n_trials,)
    block : array (n_trials,)
        Numbers from 0 of independent blocks: the trials themselves, or their groups. Two blocks or more.
    n : int
        Number of classes.

    References
    ----------
    Efron & Stein 1981, Ann. Stat. 9:586.
    """
    without, where = _left_out(true, decoded, block, n)
    each = corrected_information(np.maximum(without, 0))[where]
    each = each[np.isfinite(each)]
    return _jackknife_error(each)


def grouped_accuracy_interval(
    true: NDArray[np.int64], decoded: NDArray[np.int64], block: NDArray[np.int64], n: int
) -> tuple[float, float]:
    """Return the 95 % interval of the balanced accuracy over groups of trials: jackknife, Student's t.

    Parameters
    ----------
    true, decoded, block, n
        As in `information_error`.
    """
    from scipy.stats import t

    without, where = _left_out(true, decoded, block, n)
    each = balanced_accuracy(without)[where]
    share = float(balanced_accuracy(confusion_matrices(true, decoded, n)))
    half = float(t.ppf(0.975, each.size - 1)) * _jackknife_error(each)
    return max(share - half, 0.0), min(share + half, 1.0)


def _jackknife_error(each: Array) -> float:
    return float(np.sqrt((each.size - 1) / each.size * ((each - each.mean()) ** 2).sum()))


def _left_out(
    true: NDArray[np.int64], decoded: NDArray[np.int64], block: NDArray[np.int64], n: int
) -> tuple[Array, NDArray[np.int64]]:
    """Return different confusion matrices without one block, and which of them each block leads to."""
    whole = confusion_matrices(true, decoded, n)
    n_blocks = int(block.max()) + 1
    if n_blocks < true.size:
        parts = [confusion_matrices(true[block == b], decoded[block == b], n) for b in range(n_blocks)]
        return whole - np.stack(parts), np.arange(n_blocks)
    cells, where = np.unique(true * n + decoded, return_inverse=True)
    parts_of_cells = np.zeros((cells.size, n * n))
    parts_of_cells[np.arange(cells.size), cells] = 1
    return whole - parts_of_cells.reshape(-1, n, n), where
