"""What the synapses of a projection deliver, entry by entry, and how a gradient of entries becomes one of weights."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from snncompare.backends.torch.delays import DelayPlan, spikes_arriving
from snncompare.backends.torch.delivery import ProductDelivery
from snncompare.backends.torch.linear import LinearProjection
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.passages import Broadcast
from snncompare.backends.torch.products import DenseProduct
from snncompare.backends.torch.routes import DELIVERY, RouteRun
from snncompare.backends.torch.sums import State
from snncompare.learning.gradients.forward.placing import Dense, Edges, Placing

__all__ = ["Block", "Entries", "entries_of", "learnt_feedback"]


@dataclass(frozen=True)
class Entries:
    """One effect of a projection's spikes: ``variable += factor`` on the target of each entry.

    Attributes
    ----------
    projection, source, target : str
        The projection is "" for feedback weights.
    variable : str
        Of the target.
    held : bool
        Whether it does not change in a neuron that pauses.
    placing : Placing
        Where entries begin and end. Rows are source neurons, in blocks, one for each delay.
    factor : Tensor
        With its history back to the weights; of the placing's shape.
    plan : DelayPlan
        The delay of each block.
    weights : nn.Parameter
    """

    projection: str
    source: str
    target: str
    variable: str
    held: bool
    placing: Placing
    factor: Tensor
    plan: DelayPlan
    weights: nn.Parameter

    def arriving(self, past: Sequence[Tensor | None]) -> Tensor | None:
        """Return the spikes that arrive now, shape (batch, row)."""
        return spikes_arriving(self.plan, past)

    def block(self, k: int) -> "Block":
        """Return the entries with the k-th delay."""
        n = self.placing.n_rows // len(self.plan.steps)
        return Block(self, k * n, n)

    def each_trial(self, gradient: Tensor) -> Tensor:
        """Return the gradient of the weights from that of the entries, for each trial: shape (batch, *weights)."""
        if self.factor is self.weights:
            return gradient
        with torch.enable_grad():
            each = [torch.autograd.grad(self.factor, self.weights, one, retain_graph=True)[0] for one in gradient]
        return torch.stack(each)

    def connected(self) -> "Entries":
        """Return the same with ones for weights."""
        return replace(self, factor=torch.ones_like(self.factor, requires_grad=False))

    def fold(self, gradient: Tensor) -> None:
        """Add the gradient of the entries to that of the weights."""
        with torch.enable_grad():
            self.factor.backward(gradient, retain_graph=True)


@dataclass(frozen=True)
class Block:
    """The entries of one delay."""

    entries: Entries
    first: int
    n: int

    def back(self, signals: Tensor) -> Tensor:
        """Return what targets are worth to sources: `signals` (..., n_target, k) to (..., n_source, k)."""
        worth = self.entries.placing.back(self.entries.factor.detach(), signals)
        return worth[..., self.first : self.first + self.n, :]

    def forth(self, influences: Tensor) -> Tensor:
        """Return what arrives at targets of what sources send: (batch, n_source, p) to (batch, n_target, p)."""
        return self.entries.placing.forth(self.entries.factor.detach(), influences, self.first)


def entries_of(name: str, module: TorchNetwork, route: RouteRun, there: State) -> list[Entries]:
    """Return what a projection delivers; `there` is what its run begins with, with the history of its weights."""
    projection: LinearProjection = module.synapses[name]
    delivery: ProductDelivery = there[DELIVERY]
    plan, (source, target) = delivery.plan, projection.ends
    n_source, n_target = projection.connections.shape
    found = []
    for each in delivery.effects:
        for term, product in enumerate(each.products):
            placing: Placing
            if (
                plan.n_groups == 1
                and each.effect.is_weight
                and isinstance(product, DenseProduct)
                and _is_matrix(projection)
            ):
                placing, factor = Dense(n_source, n_target), product.matrix
            else:
                rows = source if plan.group is None else torch.from_numpy(plan.group).to(source) * n_source + source
                placing = Edges(rows, target, plan.n_groups * n_source, n_target)
                factor = projection.factor(each.effect, term, each.constants)
            end = each.effect.variable, each.effect.held
            found.append(Entries(name, route.source, route.target, *end, placing, factor, plan, projection.weight))
    return found


def learnt_feedback(broadcast: Broadcast, weights: Tensor) -> list[Entries]:
    """Return what learnt feedback weights would deliver to a readout if they were those of a projection."""
    plan = DelayPlan((broadcast.steps,))
    return [
        Entries(
            "", broadcast.population, broadcast.readout, variable, False, Dense(*factor.shape), factor, plan, weights
        )
        for variable, factor in broadcast.added.items()
        if isinstance(weights, nn.Parameter)
    ]


def _is_matrix(projection: LinearProjection) -> bool:
    return tuple(projection.weight.shape) == projection.connections.shape
