"""How far similarities vary over resamples: samples, variances, degrees of freedom."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Spread", "bootstrap_spread", "corrected_spread"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Spread:
    """How far similarities vary over resamples.

    Attributes
    ----------
    samples : array (n_metrics, n_models, n_resamples)
    variance : array (n_metrics, n_models)
        Of each similarity.
    difference_variance : array (n_metrics, n_models * (n_models - 1) / 2)
        Of the difference of each pair of models (0, 1), (0, 2), ..., (1, 2), ...
    degrees_of_freedom : float or array (n_metrics, n_models)
        Of the t distribution that the intervals use.
    difference_degrees_of_freedom : float or array, shape of ``difference_variance``
    bounded : bool
        Whether intervals are taken on Fisher's z scale, as few animals with the same stimuli ask for.
    """

    samples: Array
    variance: Array
    difference_variance: Array
    degrees_of_freedom: float | Array
    difference_degrees_of_freedom: float | Array
    bounded: bool = False


def bootstrap_spread(samples: list[Array], *, degrees_of_freedom: float, **sizes: int) -> Spread:
    """Return the spread from one bootstrap, or from three: over both factors, subjects, conditions.

    Parameters
    ----------
    samples : list of arrays (n_metrics, n_models, n_resamples)
        nan where a resample cannot be used.
    degrees_of_freedom : float
    n_rdm, n_pattern : int
        Number of subjects and of conditions, of those that were resampled.
    """
    usable = np.isfinite(samples[0][0, 0])
    covariances = []
    for metric in zip(*samples, strict=True):
        each = np.stack([np.atleast_2d(np.cov(bootstrap[:, usable])) for bootstrap in metric])
        covariances.append(each if len(samples) > 1 else each[0])
    return corrected_spread(samples[0][..., usable], covariances, degrees_of_freedom=degrees_of_freedom, **sizes)


def corrected_spread(samples: Array, covariances: list[Array], *, degrees_of_freedom: float, **sizes: int) -> Spread:
    """Return the spread with rsatoolbox's corrections for the given numbers of subjects and conditions."""
    from rsatoolbox.util.inference_util import extract_variances

    found = [extract_variances(covariance, nc_included=False, **sizes) for covariance in covariances]
    variance, difference, _ = zip(*found, strict=True)
    degrees = float(degrees_of_freedom)
    return Spread(samples, np.array(variance), np.array(difference), degrees, degrees)
