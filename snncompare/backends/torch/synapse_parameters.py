"""Weights and delays of one projection as parameters of a module, with the constraints that training keeps."""

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snncompare.backends.connections import Connections
from snncompare.backends.emulation import WeightTransform
from snncompare.backends.torch.delays import DelayPlan, fixed_plan, interpolated_plan, rounded_steps
from snncompare.backends.torch.emulated_values import ChipWeights, emulated_weights, with_factors
from snncompare.backends.torch.products import MAX_DENSE
from snncompare.errors import InputError
from snncompare.network.trainable import Trainable
from snncompare.network.wiring import Convolution

__all__ = ["SynapseParameters"]

_NEARLY_ALL = 0.5
"""Share of connected pairs above which the weights are kept as a matrix."""


class SynapseParameters(nn.Module):
    """Weights and delays of a projection.

    Parameters
    ----------
    connections : Connections
        Where they have no delays of their own, trained delays start from `steps`.
    steps : int or int64 array (n_synapses,)
        Delays in time steps, see `delay_steps`.
    dtype : torch.dtype
    trainable : mapping
        ``"weight"``, ``"delay"`` to `Trainable`; other names are not the concern of this class.
    sign : str or None
        ``"positive"`` or ``"negative"``: Dale's law.
    dt : float
        Time step, seconds.
    convolution : Convolution, optional
        The wiring, where it is one.

    Attributes
    ----------
    weight : nn.Parameter
        Of shape (n_source, n_target) where at least half of all pairs have a synapse; the kernel (channels_out,
        channels_in, ...) of a convolution; (1,) where training keeps all weights equal; otherwise (n_synapses,) in the
        order of the connections.
    delay : nn.Parameter or None
        Seconds, (n_synapses,) or, for one value, (); None where delays are not trained.

    Raises
    ------
    InputError
        If weights or delays that are trained start outside their bounds, or differ where they are trained as one value.
    """

    _source: Tensor
    _target: Tensor
    _entry: Tensor | None
    _connected: Tensor | None

    def __init__(
        self,
        connections: Connections,
        steps: int | NDArray[np.int64],
        *,
        dtype: torch.dtype,
        trainable: Mapping[str, Trainable],
        sign: str | None,
        dt: float,
        convolution: Convolution | None = None,
    ) -> None:
        super().__init__()
        self.connections, self.dt = connections, dt
        self._trainable, self._sign = dict(trainable), sign
        self._convolution = None if connections.shared is None else convolution
        self.register_buffer("_source", torch.from_numpy(connections.source), persistent=False)
        self.register_buffer("_target", torch.from_numpy(connections.target), persistent=False)
        _check_bounds("weights", connections.weight, self._trainable.get("weight"))
        first, entry = self._first_weights()
        trains = "weight" in self._trainable
        self.weight = nn.Parameter(torch.tensor(first, dtype=dtype), requires_grad=trains)
        self.register_buffer("_entry", None if entry is None else torch.from_numpy(entry), persistent=False)
        self.register_buffer("_connected", self._mask(), persistent=False)
        self._fixed_plan = fixed_plan(steps)
        delays = self._first_delays(steps)
        self.delay = None if delays is None else nn.Parameter(torch.tensor(delays, dtype=dtype))

    def _first_weights(self) -> tuple[NDArray[np.float64], NDArray[np.int64] | None]:
        """Return the initial value of the parameter, and which of its entries each synapse has (None: its own)."""
        connections, trained = self.connections, self._trainable.get("weight")
        n_source, n_target = connections.shape
        pair = connections.source * n_target + connections.target
        self._multapses = bool((pair[1:] == pair[:-1]).any())
        many = connections.n_synapses >= _NEARLY_ALL * n_source * n_target and n_source * n_target <= MAX_DENSE
        self._is_matrix = self._is_kernel = False
        if trained is not None and trained.shared:
            return _one_value(connections.weight, "weights"), np.zeros_like(connections.source)
        if connections.shared is not None:
            return self._first_kernel(), connections.shared
        if many and not self._multapses:
            self._is_matrix = True
            return connections.dense(), pair
        return connections.weight, None

    def _first_kernel(self) -> NDArray[np.float64]:
        kernel, wiring = self.connections.kernel, self._convolution
        if wiring is None:
            return kernel
        self._is_kernel = True
        shape = (wiring.channels_out, wiring.channels_in, *wiring.kernel)
        return np.pad(kernel, (0, math.prod(shape) - kernel.size)).reshape(shape)

    def _mask(self) -> Tensor | None:
        """Return 1 where a matrix of weights has a synapse, else 0; None if it has one everywhere."""
        if not self._is_matrix or self.connections.n_synapses == self.weight.numel():
            return None
        mask = torch.zeros_like(self.weight, requires_grad=False)
        mask[self._source, self._target] = 1.0
        return mask

    def _first_delays(self, steps: int | NDArray[np.int64]) -> NDArray[np.float64] | None:
        trained, given = self._trainable.get("delay"), self.connections.delay
        if trained is None:
            return None
        each = np.broadcast_to(np.asarray(steps) * self.dt if given is None else given, self.connections.source.shape)
        _check_bounds("delays", each, trained)
        return _one_value(each, "delays").reshape(()) if trained.shared else each

    @property
    def longest(self) -> int:
        """Steps that a spike must be remembered, with the delays as they are now."""
        if self.delay is None:
            return self._fixed_plan.steps[0]
        return math.floor(float(self.delay.detach().max()) / self.dt) + 1 if self.delay.numel() else 0

    def synapse_weights(self) -> Tensor:
        """Return the weight of each synapse, shape (n_synapses,), in the order of the connections."""
        return self._of_synapses(self.weight)

    def on_chips(self, transform: WeightTransform) -> ChipWeights:
        """Return the weights as chips hold them."""
        held = emulated_weights(self.weight, transform)
        if transform.factor is None:
            return ChipWeights(self._of_synapses(held), held)
        return ChipWeights(with_factors(self._of_synapses(held), transform), None)

    def _of_synapses(self, weight: Tensor) -> Tensor:
        return weight if self._entry is None else weight.reshape(-1)[self._entry]

    def realised(self) -> Connections:
        """Return the connections with weights and delays as they are now."""
        weight = self.synapse_weights().detach().cpu().numpy().astype(np.float64)
        if self.delay is None:
            return replace(self.connections, weight=weight)
        delay = self.delay.detach().cpu().numpy().astype(np.float64)
        return replace(self.connections, weight=weight, delay=np.broadcast_to(delay, weight.shape).copy())

    @torch.no_grad()
    def constrain_(self) -> None:
        """Move weights and delays to the nearest allowed values; to be called after every step of an optimiser.

        Weights keep their sign and their bounds; delays keep their bounds and never fall below zero; a pair of neurons
        without a synapse gets none.
        """
        low, high = _bounds(self._trainable.get("weight"))
        low = max(low, 0.0) if self._sign == "positive" else low
        high = min(high, 0.0) if self._sign == "negative" else high
        self.weight.clamp_(low, high)
        if self._connected is not None:
            self.weight.mul_(self._connected)
        if self.delay is not None:
            low, high = _bounds(self._trainable["delay"])
            self.delay.clamp_(max(low, 0.0), high)

    def delay_plan(self, *, interpolate: bool) -> DelayPlan:
        """Return what arrives when; trained delays lie between time steps if `interpolate`, else on the nearest."""
        if self.delay is None:
            return self._fixed_plan
        return interpolated_plan(self.delay, self.dt) if interpolate else fixed_plan(rounded_steps(self.delay, self.dt))


def _one_value(given: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    different = np.unique(given)
    if different.size > 1:
        raise InputError(
            f"{what} that are trained as one value must be equal at first, got {different.size} different ones from "
            f"{different[0]:g} to {different[-1]:g}; give one value, or train them with shared: false."
        )
    return different if different.size else np.zeros(1)


def _check_bounds(what: str, given: NDArray[np.float64], trained: Trainable | None) -> None:
    low, high = _bounds(trained)
    outside = given[(given < low) | (given > high)]
    if outside.size and trained is not None:
        raise InputError(
            f"{outside.size} of {given.size} {what} start outside the bounds of training, the first at {outside[0]:g}; "
            f"the bounds are {trained.low or 'none'} and {trained.high or 'none'}."
        )


def _bounds(trained: Trainable | None) -> tuple[float, float]:
    low = -math.inf if trained is None or trained.low is None else trained.low.value
    return low, math.inf if trained is None or trained.high is None else trained.high.value
