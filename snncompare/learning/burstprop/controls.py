"""What burst-dependent learning is compared with, in the same network and the same loop."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.burstprop.gradient import exact_signals
from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.burstprop.rule import EnsembleRule, Kept, Signals, random_feedback
from snncompare.values import check_fields

__all__ = ["Backprop", "FeedbackAlignment", "NodePerturbation"]


@dataclass(frozen=True)
class Backprop(EnsembleRule):
    """The exact gradient, by automatic differentiation."""

    def prepare(self, network: BurstNetwork, seed: int) -> Kept:
        """Return nothing."""
        del network, seed
        return {}

    def signals(
        self, network: BurstNetwork, kept: Kept, rates: Sequence[Tensor], targets: Tensor, random: torch.Generator
    ) -> Signals:
        """Return -dL/dv."""
        del kept, random
        return Signals(exact_signals(network, rates[0], targets))


@dataclass(frozen=True)
class FeedbackAlignment(EnsembleRule):
    r"""Errors go back through fixed random weights: :math:`\delta_l = f'(v_l) \odot (Y_l^\top \delta_{l+1})`.

    Lillicrap et al. (2016), Nat Commun 7:13276.

    Parameters
    ----------
    feedback_scale : float
        Standard deviation of Y.
    """

    feedback_scale: float = 0.05

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.feedback_scale > 0:
            raise InputError(f"feedback_scale must be above 0, got {self.feedback_scale}.")

    def prepare(self, network: BurstNetwork, seed: int) -> Kept:
        """Return Y."""
        return {"feedback": random_feedback(network, self.feedback_scale, torch.Generator().manual_seed(seed))}

    def signals(
        self, network: BurstNetwork, kept: Kept, rates: Sequence[Tensor], targets: Tensor, random: torch.Generator
    ) -> Signals:
        """Return the errors that arrive."""
        del random
        output = rates[-1]
        deltas = [(targets - output) * network.relative_slope(network.n_layers - 1, output) * output]
        for k in range(network.n_layers - 2, -1, -1):
            back = network.wirings[k + 1].back(deltas[0], kept["feedback"][k])
            deltas.insert(0, back * network.slope(rates[k + 1]))
        return Signals(deltas)


@dataclass(frozen=True)
class NodePerturbation(EnsembleRule):
    r"""Noise :math:`\xi` on all drives at once, correlated with what it does to the loss.

    :math:`\delta = -\xi\,[L(v + \xi) - L(v)]/\sigma^2` of each example, on average the gradient for small
    :math:`\sigma`, with a variance that grows with the number of ensembles. Werfel, Xie and Seung (2005), Neural
    Comput 17:2699-2718.

    Parameters
    ----------
    noise : float
        :math:`\sigma`.
    """

    noise: float = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.noise > 0:
            raise InputError(f"noise must be above 0, got {self.noise}.")

    def prepare(self, network: BurstNetwork, seed: int) -> Kept:
        """Return nothing."""
        del network, seed
        return {}

    def signals(
        self, network: BurstNetwork, kept: Kept, rates: Sequence[Tensor], targets: Tensor, random: torch.Generator
    ) -> Signals:
        """Return the noise, weighted by the loss that it saved."""
        del kept
        added = [self.noise * torch.randn(e.shape, generator=random, dtype=e.dtype) for e in rates[1:]]
        perturbed = network.rate_of(network.n_layers - 1, network.drives(rates[0], added)[-1])
        saved = (network.loss(rates[-1], targets) - network.loss(perturbed, targets)) / self.noise**2
        return Signals([saved.reshape(-1, *[1] * (xi.ndim - 1)) * xi for xi in added])
