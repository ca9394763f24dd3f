"""All synapses of one projection that only add to their targets, as one matrix whose values can be trained."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.connections import Connections
from snncompare.backends.torch.convolution import ConvolutionProduct
from snncompare.backends.torch.delays import DelayPlan
from snncompare.backends.torch.delivery import Delivery, ProductDelivery, ProductEffect
from snncompare.backends.torch.device_products import (
    DeviceDenseProduct,
    DeviceOneToOneProduct,
    DeviceProduct,
    DeviceSparseProduct,
)
from snncompare.backends.torch.effects import CompiledEffect
from snncompare.backends.torch.emulated_values import ChipWeights
from snncompare.backends.torch.event_delivery import EventDelivery, EventEffect
from snncompare.backends.torch.products import MAX_DENSE, DenseProduct, OneToOneProduct, Product, prefers_dense
from snncompare.backends.torch.sparse import SparsePattern, SparseProduct, SynapseRows, sparse_pattern, synapse_rows
from snncompare.backends.torch.synapse_parameters import SynapseParameters
from snncompare.dynamics.linear import SynapticEffect
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import Convolution

__all__ = ["LinearProjection"]


class LinearProjection(SynapseParameters):
    """All synapses of one projection that only add to their targets.

    Parameters
    ----------
    effects : tuple of SynapticEffect
    connections, steps, dtype, trainable, sign, dt, convolution
        See `SynapseParameters`.
    """

    def __init__(
        self,
        effects: tuple[SynapticEffect, ...],
        connections: Connections,
        steps: int | NDArray[np.int64],
        *,
        dtype: torch.dtype,
        trainable: Mapping[str, Trainable],
        sign: str | None,
        dt: float,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__(
            connections, steps, dtype=dtype, trainable=trainable, sign=sign, dt=dt, convolution=convolution
        )
        self._effects = [CompiledEffect(effect) for effect in effects]
        n_source, n_target = connections.shape
        ends = np.arange(connections.n_synapses)
        self._is_one_to_one = (
            n_source == n_target == connections.n_synapses
            and np.array_equal(connections.source, ends)
            and np.array_equal(connections.target, ends)
        )
        self._is_complete = connections.n_synapses == n_source * n_target and np.array_equal(
            connections.source * n_target + connections.target, ends
        )
        self._kept: dict[tuple[str, torch.device], Any] = {}

    def start(
        self,
        *,
        exact: bool,
        values: Mapping[str, Any] | None = None,
        interpolate: bool | None = None,
        chips: ChipWeights | None = None,
        trials: int = 1,
    ) -> Delivery:
        """Return what delivers the spikes of one run, with everything computed that stays the same during the run.

        Parameters
        ----------
        exact : bool
            Spike by spike in Brian2's order, without gradients, instead of products.
        values : mapping, optional
            Constants of the effects that are trained, and what effects read of the target neuron
            (`SynapticEffect.per_target`): name to tensor of shape () or (n_target,), or (n_devices, n_target) where
            that differs between chips.
        interpolate : bool, optional
            Whether trained delays lie between time steps; by default while gradients are computed.
        chips : ChipWeights, optional
            Weights instead of those that are trained.
        trials : int
            Copies of each device, where weights or values differ between devices.
        """
        between = torch.is_grad_enabled() if interpolate is None else interpolate
        plan = self.delay_plan(interpolate=between and not exact)
        if exact:
            effects = [self._event_effect(effect, plan, values, chips) for effect in self._effects]
            return EventDelivery(plan, self._rows(plan), self._source, self._target, effects, trials)
        return ProductDelivery(
            plan,
            [
                ProductEffect(
                    e, [self._product(e, k, plan, values, chips) for k in range(e.n_terms)], e.constants(values)
                )
                for e in self._effects
            ],
        )

    def factor(self, effect: CompiledEffect, term: int, values: Mapping[str, Any] | None = None) -> Tensor:
        """Return the factor of each synapse in one term of an effect, shape (n_synapses,); `values` as in `start`."""
        environment = self._environment(effect, values)
        return effect.of_synapse(term, environment, environment[effect.description.weight])

    @property
    def ends(self) -> tuple[Tensor, Tensor]:
        """Source and target neuron of each synapse, int64, shape (n_synapses,)."""
        return self._source, self._target

    def _environment(
        self, effect: CompiledEffect, values: Mapping[str, Any] | None, chips: ChipWeights | None = None
    ) -> dict[str, Any]:
        """Return what an effect reads: numbers, and tensors (n_synapses,) or (n_devices, n_synapses)."""
        description, environment = effect.description, effect.constants(values)
        for name in description.per_target:
            environment[name] = torch.as_tensor(environment[name]).to(self.weight)[..., self._target]
        suffix = description.weight.removeprefix("w")
        for name, value in description.fixed.items():
            own = self.connections.values.get(name.removesuffix(suffix))
            environment[name] = value if own is None else torch.as_tensor(own).to(self.weight)
        weights = self.synapse_weights() if chips is None else chips.each
        different = [environment[name] for name in description.per_target]
        shape = torch.broadcast_shapes(weights.shape, *(value.shape for value in different))
        return environment | {description.weight: weights.expand(shape)}

    def _event_effect(
        self, effect: CompiledEffect, plan: DelayPlan, values: Mapping[str, Any] | None, chips: ChipWeights | None
    ) -> EventEffect:
        environment = self._environment(effect, values, chips)
        if effect.reads_source:
            return EventEffect(effect, environment, None, None)
        value = effect.whole(environment, environment[effect.description.weight])
        matrix = None
        shape = self.connections.shape
        if plan.n_groups == 1 and not self._multapses and _prefers_dense(value, shape):
            if self._is_complete:
                matrix = value.unflatten(-1, shape)
            else:
                matrix = value.new_zeros((*value.shape[:-1], *shape))
                matrix[..., self._source, self._target] = value
        return EventEffect(effect, environment, value, matrix)

    def _product(
        self,
        effect: CompiledEffect,
        term: int,
        plan: DelayPlan,
        values: Mapping[str, Any] | None,
        chips: ChipWeights | None,
    ) -> Product | DeviceProduct:
        description, weight = effect.description, self.weight if chips is None else chips.shared
        if plan.n_groups == 1 and self._is_matrix and effect.is_weight and weight is not None:
            return DenseProduct(weight if self._connected is None else weight * self._connected)
        plain = not (description.fixed or description.per_target)
        if plan.n_groups == 1 and self._is_kernel and plain and weight is not None:
            assert self._convolution is not None
            environment = effect.constants(values) | {description.weight: weight}
            return ConvolutionProduct(self._convolution, effect.of_synapse(term, environment, weight))
        environment = self._environment(effect, values, chips)
        added = effect.of_synapse(term, environment, environment[description.weight])
        if plan.n_groups == 1 and self._is_one_to_one:
            return OneToOneProduct(added) if added.ndim == 1 else DeviceOneToOneProduct(added)
        if plan.synapse is not None and plan.share is not None:
            added = added[..., torch.from_numpy(plan.synapse).to(added.device)] * plan.share
        shape = (plan.n_groups * self.connections.shape[0], self.connections.shape[1])
        if _prefers_dense(added, shape):
            if plan.n_groups == 1 and plan.synapse is None and self._is_complete:
                matrix = added.unflatten(-1, shape)
            else:
                flat = self._looked_up("place", plan, self._places)
                empty = added.new_zeros((*added.shape[:-1], shape[0] * shape[1]))
                matrix = empty.index_add(-1, flat, added).unflatten(-1, shape)
            return DenseProduct(matrix) if added.ndim == 1 else DeviceDenseProduct(matrix)
        if added.ndim == 1:
            return SparseProduct(self._looked_up("pattern", plan, self._pattern), added)
        devices = added.shape[0]
        pattern = self._looked_up(f"pattern of {devices}", plan, lambda plan: self._pattern(plan, devices))
        return DeviceSparseProduct(pattern, added)

    def _rows(self, plan: DelayPlan) -> SynapseRows:
        return self._looked_up("rows", plan, self._synapse_rows)

    def _looked_up(self, what: str, plan: DelayPlan, make: Callable[[DelayPlan], Any]) -> Any:
        """Return what follows from the delays alone; computed once where they are fixed."""
        if plan is not self._fixed_plan:
            return make(plan)
        key = (what, self.weight.device)
        if key not in self._kept:
            self._kept[key] = make(plan)
        return self._kept[key]

    def _entries(self, plan: DelayPlan) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return row and column of each entry of a plan; rows are source neurons in blocks, one for each delay."""
        source, target = self.connections.source, self.connections.target
        if plan.synapse is not None:
            source, target = source[plan.synapse], target[plan.synapse]
        return source if plan.group is None else plan.group * self.connections.shape[0] + source, target

    def _places(self, plan: DelayPlan) -> Tensor:
        rows, columns = self._entries(plan)
        return torch.from_numpy(rows * self.connections.shape[1] + columns).to(self.weight.device)

    def _pattern(self, plan: DelayPlan, devices: int = 1) -> SparsePattern:
        """Return where the entries are; of several devices in blocks along the diagonal."""
        rows, columns = self._entries(plan)
        shape = (plan.n_groups * self.connections.shape[0], self.connections.shape[1])
        block = np.arange(devices)[:, None]
        rows, columns = (block * shape[0] + rows).ravel(), (block * shape[1] + columns).ravel()
        return sparse_pattern(rows, columns, (devices * shape[0], devices * shape[1]), self.weight.device)

    def _synapse_rows(self, plan: DelayPlan) -> SynapseRows:
        return synapse_rows(self._entries(plan)[0], plan.n_groups * self.connections.shape[0], self.weight.device)


def _prefers_dense(values: Tensor, shape: tuple[int, int]) -> bool:
    """Return whether a matrix is better written out, for values (n_entries,) or (n_devices, n_entries)."""
    devices = values.shape[:-1].numel()
    return devices * shape[0] * shape[1] <= MAX_DENSE and prefers_dense(values.shape[-1], shape)
