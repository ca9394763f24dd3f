"""The exact gradient of a network of ensembles, and how far a rule's changes are from it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.burstprop.rule import Signals

__all__ = ["angle", "exact_signals", "weight_changes"]


def exact_signals(network: BurstNetwork, inputs: Tensor, targets: Tensor) -> list[Tensor]:
    """Return -dL/dv of each layer, (batch, *shape), by automatic differentiation; L is summed over the batch."""
    zeros = [
        torch.zeros((len(inputs), *wiring.shape_out), dtype=network.torch_dtype, requires_grad=True)
        for wiring in network.wirings
    ]
    with torch.enable_grad():
        output = network.rate_of(network.n_layers - 1, network.drives(inputs, added=zeros)[-1])
        slopes = torch.autograd.grad(network.loss(output, targets).sum(), zeros)
    return [-slope for slope in slopes]


def weight_changes(network: BurstNetwork, signals: Signals | Sequence[Tensor], rates: Sequence[Tensor]) -> list[Tensor]:
    """Return what learning signals do to the weights of each layer: the sum over the batch of delta x e."""
    deltas = signals.changes if isinstance(signals, Signals) else signals
    found = []
    for wiring, delta, pre in zip(network.wirings, deltas, rates, strict=False):
        change = torch.zeros(wiring.weight_shape, dtype=network.torch_dtype)
        wiring.add_product(change, delta, pre, keep=0.0, rate=1.0)
        found.append(change)
    return found


def angle(one: Tensor, other: Tensor) -> float:
    """Return the angle between two tensors, in degrees; 90 where one is zero."""
    a, b = one.double().flatten(), other.double().flatten()
    norm = float(a.norm() * b.norm())
    if norm == 0.0:
        return 90.0
    a, b = a / a.norm(), b / b.norm()
    return float(torch.rad2deg(2 * torch.atan2((a - b).norm(), (a + b).norm())))
