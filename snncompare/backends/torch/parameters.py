"""Values of neurons that are trained, or that differ from neuron to neuron, as parameters and buffers of a module."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snncompare.errors import InputError
from snncompare.network.composition import compose
from snncompare.network.equations import definitions
from snncompare.network.network import Network, Population
from snncompare.network.neuron import NeuronModel
from snncompare.network.trainable import Trainable
from snncompare.units import TIME, Dimension, Quantity, parse_unit

__all__ = ["Named", "NeuronValues", "neuron_values", "with_trained_values"]

_SHORTEST = 0.1
"""Time steps below which a trained time does not fall whose lower bound is zero: a time constant stays positive."""


class Named(nn.Module):
    """Modules by name. Unlike in `nn.ModuleDict`, a name may be any: also ``values``, ``train`` or ``half``."""

    def __init__(self, parts: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self._modules.update(parts)

    def __getitem__(self, name: str) -> Any:
        return self._modules[name]

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)


class NeuronValues(nn.Module):
    """What one population has of its own: trained values, and parameters and initial states of single neurons.

    Parameters
    ----------
    arrays : mapping
        Name to array (n_neurons,), or () where one value is trained for all; SI units.
    trained : mapping
        Those of them that are trained, with their bounds.
    begins_at : mapping
        State to the parameter whose value it has before the first step.
    dt : float
        Time step, seconds.
    dtype : torch.dtype

    Attributes
    ----------
    trainable : dict
        What is trained.
    """

    def __init__(
        self,
        arrays: Mapping[str, NDArray[np.float64]],
        trained: Mapping[str, Trainable],
        begins_at: Mapping[str, str],
        *,
        dt: float,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self.trainable, self._begins_at = dict(trained), dict(begins_at)
        self._bounds = {name: _bounds(mark, dt) for name, mark in trained.items()}
        for name, array in arrays.items():
            value = torch.tensor(array, dtype=dtype)
            if name in trained:
                self._parameters[name] = nn.Parameter(value)
            else:
                self._buffers[name] = value

    def __getitem__(self, name: str) -> Tensor:
        found = self._parameters.get(name, self._buffers.get(name))
        if found is None:
            raise KeyError(name)
        return found

    def values(self) -> dict[str, Tensor]:
        """Return all values by name, with those of states that begin at the value of a parameter."""
        there: dict[str, Any] = {**self._buffers, **self._parameters}
        return there | {state: there[parameter] for state, parameter in self._begins_at.items()}

    def begun_by(self, name: str) -> list[str]:
        """Return the states that begin at the value of a parameter."""
        return [state for state, parameter in self._begins_at.items() if parameter == name]

    def arrays(self) -> dict[str, NDArray[np.float64]]:
        """Return all values by name as float64 arrays, shape (n_neurons,) or ()."""
        there: dict[str, Any] = {**self._buffers, **self._parameters}
        return {name: value.detach().cpu().numpy().astype(np.float64) for name, value in there.items()}

    def unit(self, name: str) -> float:
        """Return the size in which a trained value is changed: the root mean square of what it is now.

        Raises
        ------
        InputError
            Where that is zero and bounds do not tell either.
        """
        size = float(self[name].detach().square().mean().sqrt())
        low, high = self.trainable[name].low, self.trainable[name].high
        if size == 0 and low is not None and high is not None:
            size = (high.value - low.value) / 2
        if size == 0:
            raise InputError(
                f"'{name}' starts at zero, which says nothing about its size; give it low and high bounds."
            )
        return size

    @torch.no_grad()
    def constrain_(self) -> None:
        """Move trained values to the nearest allowed ones; to be called after every step of an optimiser."""
        for name, bounds in self._bounds.items():
            if bounds != (None, None):
                self[name].clamp_(*bounds)


def neuron_values(
    network: Network,
    population: str,
    given: Mapping[str, NDArray[np.float64]],
    *,
    dt: float,
    dtype: torch.dtype,
) -> NeuronValues:
    """Return the module for the values of a population.

    Parameters
    ----------
    network : Network
    population : str
    given : mapping
        What a `Realisation` has for it.
    dt : float
    dtype : torch.dtype

    Raises
    ------
    InputError
        For a trained value that starts outside its bounds.
    """
    described = network.populations[population]
    arrays, trained = dict(given), _trained(network, population)
    amounts: Mapping[str, Any] = compose(network, population).initial | _shared_amounts(network, population)
    for name in trained:
        if name not in arrays:
            amount = amounts.get(name)
            arrays[name] = np.asarray(0.0 if amount is None else amount.value)
    for name, mark in trained.items():
        _check_bounds(population, name, arrays[name], mark)
    begins_at = {}
    for state, parameter in _references(network, population, described).items():
        same = state not in arrays or np.array_equal(arrays[state], arrays.get(parameter, np.nan))
        if state not in trained and parameter in arrays and same:
            arrays.pop(state, None)
            begins_at[state] = parameter
    return NeuronValues(arrays, trained, begins_at, dt=dt, dtype=dtype)


def with_trained_values(network: Network, values: Mapping[str, Mapping[str, NDArray[np.float64]]]) -> Network:
    """Return the description with the values that are trained for a whole population or projection.

    Parameters
    ----------
    network : Network
    values : mapping
        Population to name to array, those of shape () count; see `NeuronValues.arrays`.
    """
    populations, projections = dict(network.populations), dict(network.projections)
    for population, described in network.populations.items():
        shared = {name: float(array) for name, array in values.get(population, {}).items() if array.ndim == 0}
        if not isinstance(described.neuron, NeuronModel) or not shared:
            continue
        model = described.neuron
        parameters = {
            name: Quantity(shared[name], model.parameters[name].dimension)
            for name in model.parameters
            if name in shared
        }
        units = {name: _dimension(described, name) for name in model.states() if name in shared}
        initial = {name: Quantity(shared[name], dimension) for name, dimension in units.items()}
        changes = {
            "parameters": {**described.parameters, **parameters},
            "initial": {**described.initial, **initial},
        }
        populations[population] = described.model_copy(update=changes)
        for name, projection in network.incoming(population).items():
            synapse = projection.synapse
            changed = {
                key: Quantity(shared[f"{key}_{name}"], value.dimension)
                for key, value in synapse.parameters.items()
                if f"{key}_{name}" in shared
            }
            if changed:
                model_of = synapse.model_copy(update={"parameters": {**synapse.parameters, **changed}})
                projections[name] = projection.model_copy(update={"synapse": model_of})
    return network.model_copy(update={"populations": populations, "projections": projections})


def _trained(network: Network, population: str) -> dict[str, Trainable]:
    """Return what is trained of a population, parameters of the synapses that end on it included."""
    found = dict(network.populations[population].trainable)
    for name, projection in network.incoming(population).items():
        found |= {
            f"{key}_{name}": mark for key, mark in projection.trainable.items() if key in projection.synapse.parameters
        }
    return found


def _shared_amounts(network: Network, population: str) -> dict[str, Quantity]:
    """Return the quantities of all parameters that have one value for all neurons, those of synapses included."""
    return compose(network, population).parameters | {
        f"{key}_{name}": value
        for name, projection in network.incoming(population).items()
        for key, value in projection.synapse.parameters.items()
        if key not in projection.per_target()
    }


def _references(network: Network, population: str, described: Population) -> dict[str, str]:
    """Return the states that begin at the value of a parameter, and which."""
    initial: dict[str, Any] = {**described.neuron.initial, **described.initial}  # type: ignore[union-attr]
    for name, projection in network.incoming(population).items():
        initial |= {
            f"{key}_{name}": f"{value}_{name}"
            for key, value in projection.synapse.initial.items()
            if isinstance(value, str)
        }
    return {name: value for name, value in initial.items() if isinstance(value, str)}


def _dimension(described: Population, state: str) -> Dimension:
    assert isinstance(described.neuron, NeuronModel)
    return parse_unit(definitions(described.neuron.written_out().equations)[state].unit)[1]


def _bounds(mark: Trainable, dt: float) -> tuple[float | None, float | None]:
    low = None if mark.low is None else mark.low.value
    if mark.low is not None and mark.low.dimension == TIME and mark.low.value <= 0:
        low = _SHORTEST * dt if mark.low.value == 0 else low
    return low, None if mark.high is None else mark.high.value


def _check_bounds(population: str, name: str, array: NDArray[np.float64], mark: Trainable) -> None:
    below = mark.low is not None and bool((array < mark.low.value).any())
    above = mark.high is not None and bool((array > mark.high.value).any())
    if below or above:
        side, bound = ("low", mark.low) if below else ("high", mark.high)
        raise InputError(
            f"population '{population}': the trained '{name}' starts outside its bounds (from {array.min():g} to "
            f"{array.max():g}, {side} is {bound}); change the bound or the initial value."
        )
