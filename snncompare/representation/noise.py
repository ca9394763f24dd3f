"""The covariance of spike counts between repeats of a condition, shrunk so that it can be inverted."""

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import one_of
from snncompare.recording.recording import Recording
from snncompare.representation.conditions import Conditions
from snncompare.representation.distances import aligned_trains
from snncompare.representation.metrics.bins import binned_counts, checked_width
from snncompare.representation.metrics.whitened import Precision
from snncompare.units import QuantityLike

__all__ = ["noise_precision"]

SHRINKAGES = ("diagonal", "identity", "complete", "none")

CONDITION_NUMBER = 1e12
"""Above it, the inverse of a covariance in double precision has lost all but a few digits."""


def noise_precision(
    recording: Recording, by: str, width: QuantityLike | None = None, shrinkage: str = "diagonal"
) -> Precision:
    r"""Return the inverse covariance of the spike counts between repeats of the same condition.

    .. math::

        S = \frac{1}{n - C} \sum_i x_i x_i^T, \qquad \Sigma = (1 - \lambda) S + \lambda \, \text{target}

    with the residuals :math:`x_i` of :math:`n` trials from the means of their :math:`C` conditions. The weight
    :math:`\lambda` of the target is estimated from the residuals themselves, as in rsatoolbox:

    - ``"diagonal"``: the variances (Schäfer & Strimmer), over pairs of counts :math:`f \neq g` with standardised
      residuals :math:`z`,
      :math:`\lambda = \frac{n}{(n-C)^2} \sum \left[ \overline{z_f^2 z_g^2} - \overline{z_f z_g}^2 \right] /
      \sum \overline{z_f z_g}^2`, bars are sums over :math:`n - 1`;
    - ``"identity"``: the mean variance for every count (Ledoit & Wolf);
    - ``"complete"``: only the variances, :math:`\lambda = 1`;
    - ``"none"``: no shrinkage, which needs more trials than counts.

    Parameters
    ----------
    recording : Recording
        With trials of one common window.
    by : str
        Column of the trials table that names the condition.
    width : quantity, s, optional
        Of a bin; the bins must fill the window. By default one bin, the window.
    shrinkage : {"diagonal", "identity", "complete", "none"}

    Raises
    ------
    InputError
        If no condition is repeated, if a count never varies within a condition (the units are named), or if the
        covariance cannot be inverted.

    References
    ----------
    Schäfer & Strimmer 2005, Stat. Appl. Genet. Mol. Biol. 4:32. Ledoit & Wolf 2004, J. Multivar. Anal. 88:365.
    """
    one_of("shrinkage", shrinkage, SHRINKAGES)
    conditions = Conditions.of(recording, by)
    counts = binned_counts(aligned_trains(recording), checked_width(width, "width"))
    freedom = len(counts) - conditions.n_conditions
    if freedom < 1:
        raise InputError(f"the noise is what differs between repeats, but no condition in '{by}' has two trials.")
    means = np.stack([counts[conditions.index == c].mean(axis=0) for c in range(conditions.n_conditions)])
    residuals = counts - means[conditions.index]
    _refuse_constant(residuals, recording, counts.shape[1] // recording.n_units)
    covariance = _shrunk(residuals, freedom, shrinkage)
    if np.linalg.cond(covariance) > CONDITION_NUMBER:
        raise InputError(
            f"the covariance of {counts.shape[1]} counts from {len(counts)} trials in {conditions.n_conditions} "
            f"conditions cannot be inverted with shrinkage='{shrinkage}'; use 'diagonal', wider bins or more trials."
        )
    return Precision(np.asarray(np.linalg.inv(covariance), dtype=np.float64))


def _refuse_constant(residuals: NDArray[np.float64], recording: Recording, n_bins: int) -> None:
    """Refuse counts that never vary: their noise is unknown, not zero."""
    constant = np.abs(residuals).max(axis=0) < 1e-12  # residuals of whole numbers are 0 or at least 1 / n
    if constant.any():
        named = list(dict.fromkeys(recording.units.index[np.flatnonzero(constant) // n_bins].tolist()))
        shown = ", ".join(repr(name) for name in named[:5]) + (" ..." if len(named) > 5 else "")
        raise InputError(
            f"{int(constant.sum())} of {constant.size} counts never vary within a condition, so that their noise is "
            f"unknown; units {shown}. Leave these units out, or take wider bins."
        )


def _shrunk(residuals: NDArray[np.float64], freedom: int, shrinkage: str) -> NDArray[np.float64]:
    """Return the covariance of residuals ``(n_trials, n_features)`` after shrinkage."""
    n, n_features = residuals.shape
    sample = residuals.T @ residuals / freedom
    variances = np.diag(np.diag(sample))
    match shrinkage:
        case "none":
            return sample
        case "complete":
            return variances
        case "diagonal":
            z = residuals / np.sqrt(np.diag(sample))
            product, square = z.T @ z / (n - 1), (z**2).T @ z**2 / (n - 1)
            apart = ~np.eye(n_features, dtype=bool)
            spread = n / freedom**2 * (square - product**2)[apart].sum()
            weight = spread / (product[apart] ** 2).sum() if n_features > 1 and product[apart].any() else 1.0
            weight = min(max(weight, 0.0), 1.0)
            return (1 - weight) * sample + weight * variances
        case _:
            return _towards_identity(residuals) * (n / freedom)


def _towards_identity(residuals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the estimate of Ledoit & Wolf 2004, section 3, of the covariance with divisor n."""
    n, n_features = residuals.shape
    sample = residuals.T @ residuals / n
    target = np.trace(sample) / n_features * np.eye(n_features)
    distance = ((sample - target) ** 2).sum()
    if distance == 0:
        return sample
    noise = ((residuals**2).T @ residuals**2 / n - sample**2).sum() / n
    weight = min(noise / distance, 1.0)
    return weight * target + (1 - weight) * sample
