"""Linear operators of dynamics: how delay-embedded trajectories go from one sample to the next."""

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError

__all__ = ["delay_embedding", "dynamics_operator", "eigenvalue_distance"]

Array = NDArray[np.float64]

SINGULAR = 1e-12
"""A singular value below this part of the largest belongs to no direction of the data."""


def delay_embedding(trajectories: Array, delays: int) -> Array:
    """Return trajectories with their own past: row t holds samples t, t - 1, ..., t - delays + 1.

    Parameters
    ----------
    trajectories : array (n_trajectories, n_samples, n_units)
    delays : int
        Number of samples in a row.

    Returns
    -------
    array (n_trajectories, n_samples - delays + 1, n_units * delays)
    """
    n = trajectories.shape[1] - delays + 1
    return np.concatenate([trajectories[:, delays - 1 - d : delays - 1 - d + n] for d in range(delays)], axis=2)


def dynamics_operator(trajectories: Array, delays: int, rank: int) -> Array:
    r"""Return the operator of dynamic mode decomposition (DMD) in delay coordinates.

    With the singular value decomposition :math:`H = V S U^T` of the delay-embedded trajectories (all samples in rows)
    and :math:`V` cut to its first ``rank`` columns, the least-squares solution of

    .. math:: v_{t + 1} \approx A \, v_t

    over all pairs of successive samples of one trajectory. The coordinates are fixed up to the signs of singular
    vectors, so operators are compared up to rotation and reflection.

    Parameters
    ----------
    trajectories : array (n_trajectories, n_samples, n_units)
    delays, rank : int

    Returns
    -------
    array (rank, rank)

    Raises
    ------
    InputError
        If the trajectories are too short for the delays, or have fewer independent directions than ``rank``.

    References
    ----------
    Ostrow, Eisen, Kozachkov & Fiete 2023, arXiv 2306.10168, section 2 (HAVOK-DMD: Brunton et al. 2017, Nature
    Communications 8:19).
    """
    n_samples = trajectories.shape[1] - delays + 1
    if n_samples < 2:
        raise InputError(f"{trajectories.shape[1]} samples are too few for {delays} delays; use fewer delays.")
    embedded = delay_embedding(trajectories, delays)
    coordinates, singular, _ = np.linalg.svd(embedded.reshape(-1, embedded.shape[2]), full_matrices=False)
    found = int((singular > SINGULAR * singular[0]).sum())
    if rank > found:
        raise InputError(f"the trajectories have {found} independent directions, fewer than the rank {rank}; lower it.")
    paths = coordinates[:, :rank].reshape(len(trajectories), n_samples, rank)
    before, after = (part.reshape(-1, rank) for part in (paths[:, :-1], paths[:, 1:]))
    if len(before) < rank:
        raise InputError(f"{len(before)} steps are too few to fit an operator of rank {rank}; lower it.")
    return np.linalg.lstsq(before, after, rcond=None)[0].T


def eigenvalue_distance(a: Array, b: Array) -> float:
    r"""Return the Wasserstein distance between the eigenvalues of two operators of the same size.

    .. math:: \Big( \min_\pi \frac{1}{n} \sum_k |\lambda_k - \mu_{\pi(k)}|^2 \Big)^{1/2}

    Redman et al. 2024, arXiv 2302.07234 (spectra of Koopman operators). It does not see non-normal dynamics.
    """
    from scipy.optimize import linear_sum_assignment

    cost = np.abs(np.subtract.outer(np.linalg.eigvals(a), np.linalg.eigvals(b))) ** 2
    return float(np.sqrt(cost[linear_sum_assignment(cost)].mean()))
