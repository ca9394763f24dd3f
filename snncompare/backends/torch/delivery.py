"""One run of a linear projection: what arrives in each step, as matrix products that have gradients."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.convolution import ConvolutionProduct
from snncompare.backends.torch.delays import DelayPlan, delayed, spikes_arriving
from snncompare.backends.torch.device_products import DeviceDenseProduct, DeviceOneToOneProduct, DeviceProduct
from snncompare.backends.torch.effects import CompiledEffect
from snncompare.backends.torch.products import DenseProduct, OneToOneProduct, Product
from snncompare.backends.torch.raster import RasterEvents
from snncompare.backends.torch.sparse import SparseProduct
from snncompare.backends.torch.sums import constant

__all__ = ["Delivery", "ProductDelivery", "ProductEffect"]

_MAX_WRITTEN_OUT = 16_777_216
"""Entries of a sparse matrix that may be written out, for the few products with a whole raster."""


class Delivery(ABC):
    """Adds to the target's state what a projection delivers; made by `LinearProjection.start`, once per run.

    Attributes
    ----------
    variables : tuple of str
        Variables of the target that it adds to.
    held : frozenset of str
        Those among them that do not change in a refractory neuron.
    """

    def __init__(self, effects: Sequence[CompiledEffect]) -> None:
        self.variables = tuple(dict.fromkeys(effect.variable for effect in effects))
        self.held = frozenset(effect.variable for effect in effects if effect.held)

    @abstractmethod
    def add(
        self,
        state: dict[str, Tensor],
        past: Sequence[Tensor | None],
        released: Mapping[str, Tensor] | None = None,
        awake: Tensor | None = None,
    ) -> None:
        """Add what arrives in this step.

        Parameters
        ----------
        state : dict
            Variable of the target to tensor (batch, n_target); replaced, never changed in place.
        past : sequence of Tensor or None
            ``past[-1 - k]`` are the spikes k steps ago, shape (batch, n_source); None before the run.
        released : mapping, optional
            What effects read of the source neuron (`SynapticEffect.per_source`), each of shape (batch, n_source).
        awake : bool Tensor (batch, n_target), optional
            Where held variables may change.
        """

    def ahead(self, raster: Tensor | RasterEvents) -> dict[str, Tensor] | None:  # noqa: ARG002 - of the interface
        """Return what a spike source delivers in all steps, or None where that cannot be said before the run.

        Parameters
        ----------
        raster : Tensor or RasterEvents
            Spikes of shape (step, batch, n_source).

        Returns
        -------
        dict
            Variable to tensor (step, batch, n_target), with delays; `held` variables still have to be masked.
        """
        return None

    def _put(self, state: dict[str, Tensor], effect: CompiledEffect, after: Tensor, awake: Tensor | None) -> None:
        if effect.held and awake is not None:
            after = torch.where(awake, after, state[effect.variable])
        state[effect.variable] = after


@dataclass(frozen=True)
class ProductEffect:
    """An effect with the product of each of its terms."""

    effect: CompiledEffect
    products: Sequence[Product | DeviceProduct]
    constants: Mapping[str, Any]


class ProductDelivery(Delivery):
    """Delivers by matrix products, which have gradients."""

    def __init__(self, plan: DelayPlan, effects: Sequence[ProductEffect]) -> None:
        super().__init__([each.effect for each in effects])
        self._plan, self._effects = plan, effects

    @property
    def plan(self) -> DelayPlan:
        """What arrives when."""
        return self._plan

    @property
    def effects(self) -> Sequence[ProductEffect]:
        """What arrives, and through which matrices."""
        return self._effects

    def add(
        self,
        state: dict[str, Tensor],
        past: Sequence[Tensor | None],
        released: Mapping[str, Tensor] | None = None,
        awake: Tensor | None = None,
    ) -> None:
        """Add what arrives in this step."""
        arriving = spikes_arriving(self._plan, past)
        if arriving is None:
            return
        for each in self._effects:
            after = state[each.effect.variable]
            for term, product in enumerate(each.products):
                factor = each.effect.of_source(term, {**each.constants, **(released or {})})
                after = product.add(after, arriving if factor is None else self._scaled(arriving, factor))
            self._put(state, each.effect, after, awake)

    def constant(self) -> "ProductDelivery":
        """Return the same delivery without derivatives of its weights."""
        fraction = self._plan.fraction
        plan = self._plan if fraction is None else replace(self._plan, fraction=fraction.detach())
        return ProductDelivery(
            plan,
            [
                ProductEffect(e.effect, [product.constant() for product in e.products], constant(e.constants))
                for e in self._effects
            ],
        )

    def _scaled(self, arriving: Tensor, factor: Any) -> Tensor:
        if self._plan.n_groups == 1 or not isinstance(factor, Tensor):
            return arriving * factor
        return (arriving.unflatten(1, (self._plan.n_groups, -1)) * factor[:, None]).flatten(1)

    def ahead(self, raster: Tensor | RasterEvents) -> dict[str, Tensor] | None:
        """Return what a spike source delivers in all steps; None where effects read the source neuron's state."""
        if any(each.effect.reads_source for each in self._effects):
            return None
        events = raster if isinstance(raster, RasterEvents) else RasterEvents.of(raster)
        delivered: dict[str, Tensor] = {}
        for each in self._effects:
            for product in each.products:
                arriving = self._all_steps(events, product)
                if arriving is None:
                    return None
                there = delivered.get(each.effect.variable)
                delivered[each.effect.variable] = arriving if there is None else there + arriving
        return delivered

    def _all_steps(self, events: RasterEvents, product: Product | DeviceProduct) -> Tensor | None:
        """Return what arrives through one product in all steps, shape (step, batch, n_target)."""
        n_steps, batch, n_source = events.raster.shape
        match product:
            case DenseProduct() | SparseProduct() if (matrix := _dense(product)) is not None:
                blocks = matrix.unflatten(0, (self._plan.n_groups, n_source))
                sent = [events.times(block, max(n_steps - self._first(k), 0)) for k, block in enumerate(blocks)]
            case OneToOneProduct(diagonal=diagonal):
                sent = [events.raster * diagonal]
            case ConvolutionProduct():
                sent = [product.sent(events.raster.flatten(0, 1)).unflatten(0, (n_steps, batch))]
            case DeviceDenseProduct() | DeviceOneToOneProduct():
                n = self._plan.n_groups
                sent = [product.ahead(events, k, n, max(n_steps - self._first(k), 0)) for k in range(n)]
            case _:
                return None
        if self._plan.fraction is not None:
            late, early = (delayed(sent[0], steps, n_steps) for steps in self._plan.steps)
            return torch.lerp(early, late, self._plan.fraction)
        total = delayed(sent[0], self._plan.steps[0], n_steps)
        for part, steps in zip(sent[1:], self._plan.steps[1:], strict=True):
            total = total + delayed(part, steps, n_steps)
        return total

    def _first(self, group: int) -> int:
        """Return the step before which nothing of a group arrives."""
        return self._plan.steps[-1] if self._plan.fraction is not None else self._plan.steps[group]


def _dense(product: DenseProduct | SparseProduct) -> Tensor | None:
    """Return the matrix of a product, or None if it would be too large to be written out."""
    if isinstance(product, DenseProduct):
        return product.matrix
    return product.dense() if math.prod(product.shape) <= _MAX_WRITTEN_OUT else None
