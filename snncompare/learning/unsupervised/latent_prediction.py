r"""Latent predictive learning with rates: activity that predicts itself, varies, and is not all the same.

For activity :math:`z_i^b` of unit i in sample b, and :math:`\tilde z_i^b` a moment earlier (a constant for the
derivative),

.. math::
    L = \frac{c_1}{MB} \sum_{b,i} (z_i^b - \tilde z_i^b)^2 - \frac{c_2}{M} \sum_i \log(\sigma_i^2 + \xi)
        + \frac{c_3}{M(M-1)} \sum_{i \ne k} C_{ik}^2

with the variance :math:`\sigma_i^2` and covariance :math:`C_{ik}` over the samples, both divided by :math:`B - 1`.
Halvagal and Zenke (2023) Nature Neuroscience 26:1906, whose equation 6 is wrong as printed: the covariance is averaged
over samples before it is squared (erratum of the authors in fmi-basel/latent-predictive-learning).
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.values import check_fields

__all__ = ["LatentPrediction"]


@dataclass(frozen=True, kw_only=True)
class LatentPrediction:
    """Weights of the three terms.

    Parameters
    ----------
    pull : float
        Of the change from moment to moment: prediction.
    push : float
        Of the logarithm of the variance: a Hebbian term, against collapse. With `pull` = 0 the rule is Hebbian only.
    decorrelation : float
        Of the squared covariances: units do not learn the same.
    floor : float
        What is added to variances, in squared units of the activity.
    """

    pull: float = 1.0
    push: float = 1.0
    decorrelation: float = 10.0
    floor: float = 1e-8

    def __post_init__(self) -> None:
        check_fields(self)
        if min(self.pull, self.push, self.decorrelation) < 0 or self.floor <= 0:
            raise InputError("pull, push and decorrelation must not be negative, and floor must be positive.")

    def loss(self, now: Tensor, before: Tensor) -> Tensor:
        """Return the loss of activity now and a moment before, both of shape (sample, unit).

        Raises
        ------
        InputError
            For fewer than two samples, which have no variance.
        """
        _, covariance = _moments(now)
        n_units = now.shape[1]
        pull = (now - before.detach()).square().mean()
        push = -torch.log(covariance.diagonal() + self.floor).mean()
        apart = covariance - torch.diag(covariance.diagonal())
        decorrelation = apart.square().sum() / (n_units * max(n_units - 1, 1))
        return self.pull * pull + self.push * push + self.decorrelation * decorrelation

    def weight_change(self, inputs: Tensor, now: Tensor, before: Tensor, slope: Tensor) -> Tensor:
        r"""Return what the local rule does to the weights of :math:`z = f(a)`, :math:`a = x W`, for a rate of one.

        .. math::
            \Delta W_{ji} = 2 \sum_b x_j^b f'(a_i^b) \left[ \frac{c_1}{MB} (\tilde z_i^b - z_i^b)
            + \frac{c_2}{M(B-1)} \frac{z_i^b - \bar z_i}{\sigma_i^2 + \xi}
            - \frac{2 c_3}{M(M-1)(B-1)} \sum_{k \ne i} C_{ik} (z_k^b - \bar z_k) \right]

        which is the negative gradient of `loss`.

        Parameters
        ----------
        inputs : Tensor (sample, input)
        now, before : Tensor (sample, unit)
        slope : Tensor (sample, unit)
            :math:`f'(a)`.
        """
        centred, covariance = _moments(now)
        n_samples, n_units = now.shape
        apart = covariance - torch.diag(covariance.diagonal())
        signal = self.pull / (n_units * n_samples) * (before - now)
        signal = signal + self.push / (n_units * (n_samples - 1)) * centred / (covariance.diagonal() + self.floor)
        others = centred @ apart / (n_units * max(n_units - 1, 1) * (n_samples - 1))
        return 2 * inputs.T @ (slope * (signal - 2 * self.decorrelation * others))


def _moments(activity: Tensor) -> tuple[Tensor, Tensor]:
    """Return activity without its mean, and its covariance (unit, unit)."""
    if activity.dim() != 2 or activity.shape[0] < 2:
        raise InputError(f"activity must have the shape (sample, unit) with two samples, got {tuple(activity.shape)}.")
    centred = activity - activity.mean(dim=0)
    return centred, centred.T @ centred / (activity.shape[0] - 1)
