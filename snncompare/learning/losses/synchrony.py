"""A penalty on populations that fire in volleys."""

from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.losses.loss import Penalty
from snncompare.values import check_fields

__all__ = ["Synchrony"]


@dataclass(frozen=True)
class Synchrony(Penalty):
    r"""Penalty for population counts that vary more from step to step than those of independent Poisson neurons.

    .. math::
        L = \lambda \left\langle \left[ \max\left(0,
        \frac{\mathrm{var}_t\,N_b(t)}{\langle N_b(t) \rangle_t} - 1 \right) \right]^2 \right\rangle_b,
        \qquad N_b(t) = \sum_i z_{bi}(t)

    The ratio is the Fano factor of the population count in trial b: 1 for independent Poisson neurons of steady rates,
    n if all n neurons fire together in few steps. Rates that follow the stimulus raise it, too. A trial without spikes
    costs nothing. It looks at single steps, so it is differentiated backwards only.

    Parameters
    ----------
    strength : float
        :math:`\lambda`.
    populations : tuple of str, optional
        All that spike by default.
    """

    strength: float = 1.0
    populations: tuple[str, ...] | None = None
    needs_steps = True

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.strength > 0:
            raise InputError(f"strength must be positive, got {self.strength}.")

    def of_counts(self, counts: Tensor, duration: float) -> Tensor:  # noqa: ARG002 - of the interface
        """Refuse counts, which say nothing of synchrony.

        Raises
        ------
        InputError
        """
        raise InputError("Synchrony needs the spikes of every step; train backwards, or leave this penalty out.")

    def of_spikes(self, spikes: Tensor, dt: float) -> Tensor:  # noqa: ARG002 - of the interface
        """Return the penalty for spikes (step, batch, neuron)."""
        counts = spikes.sum(dim=2)
        mean = counts.mean(dim=0).clamp_min(1.0 / counts.shape[0])  # at least the mean of a single spike
        fano = counts.var(dim=0, unbiased=False) / mean
        return self.strength * torch.relu(fano - 1.0).square().mean()
