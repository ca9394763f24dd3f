"""The worst mismatch in a box around the parameters, found by gradient ascent."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from snncompare.learning.losses.loss import Loss
from snncompare.learning.on_chip.settings import AdversarialMismatch

__all__ = ["attacked", "divergence", "worst"]


def worst(
    chosen: AdversarialMismatch,
    parameters: Mapping[str, Tensor],
    robustness: Callable[[Mapping[str, Tensor]], Tensor],
    seed: int,
) -> dict[str, Tensor]:
    r"""Return the attack :math:`\delta`, :math:`|\delta| \le \zeta`, that gradient ascent finds, see `attacked`.

    Parameters
    ----------
    chosen : AdversarialMismatch
    parameters : mapping
        Name to :math:`\theta`.
    robustness : function
        From attacked parameters to :math:`L_{rob}`.
    seed : int
        Of where the attack begins.
    """
    generator = torch.Generator().manual_seed(seed)
    theta = {name: parameter.detach() for name, parameter in parameters.items()}
    delta = {
        name: (chosen.start * torch.randn(value.shape, generator=generator, dtype=torch.float64)).to(value)
        for name, value in theta.items()
    }
    for _ in range(chosen.steps):
        leaves = {name: value.requires_grad_() for name, value in attacked(theta, delta).items()}
        rises = torch.autograd.grad(robustness(leaves), list(leaves.values()), allow_unused=True)
        for name, rise in zip(leaves, rises, strict=True):
            if rise is not None:
                moved = delta[name] + chosen.zeta / chosen.steps * rise.sign()
                delta[name] = moved.clamp(-chosen.zeta, chosen.zeta)
    return {name: value.clamp(-chosen.zeta, chosen.zeta) for name, value in delta.items()}


def attacked(parameters: Mapping[str, Tensor], delta: Mapping[str, Tensor]) -> dict[str, Tensor]:
    r"""Return :math:`\theta^* = \theta + |\theta|\,\delta`."""
    return {name: value + value.abs() * delta[name] for name, value in parameters.items()}


def divergence(loss: Loss, clean: Tensor, attacked_values: Tensor) -> Tensor:
    """Return how much of what a loss reads an attack changes, see `AdversarialMismatch`.

    Parameters
    ----------
    loss : Loss
    clean, attacked_values : Tensor, shape (step, batch, neuron)
        What it reads without and with the attack.
    """
    one, other = loss.evidence(clean), loss.evidence(attacked_values)
    if one is None or other is None:
        return (attacked_values - clean).square().mean() / clean.detach().square().mean()
    said, changed = log_softmax(one, dim=1), log_softmax(other, dim=1)
    return (said.exp() * (said - changed)).sum(dim=1).mean()
