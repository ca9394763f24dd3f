"""A network in PyTorch that goes on where it stood."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.activity import InputSpikes, Recorded
from snncompare.backends.realisation import Realisation
from snncompare.backends.simulation import WEIGHT, Simulation, Stretch, neuron_variables
from snncompare.backends.torch.module import STRETCH, TorchNetwork
from snncompare.backends.torch.network_state import NetworkState
from snncompare.backends.torch.parameters import Named, NeuronValues
from snncompare.backends.torch.synapses import SynapseProjection
from snncompare.backends.torch.threads import threads_for
from snncompare.dynamics.step_program import network_program
from snncompare.errors import FileError, InputError
from snncompare.network.amount import is_drawn
from snncompare.network.composition import compose, compose_synapse, weight_name
from snncompare.network.network import Network

__all__ = ["TorchSimulation"]


class TorchSimulation(Simulation):
    """See `Simulation`.

    Parameters
    ----------
    network, realisation, dt, provenance
        See `Simulation`.
    dtype : torch.dtype
    device : torch.device or str
    seed : int
    """

    def __init__(
        self,
        network: Network,
        realisation: Realisation,
        dt: float,
        provenance: Mapping[str, object] | None = None,
        *,
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        super().__init__(network, realisation, dt, provenance)
        self._module = TorchNetwork(network, dt, _all_values(network, realisation, dt), dtype=dtype).to(device)
        self._module.neurons = Named({name: _own(self._module.neurons[name], dt) for name in self._module.neurons})
        self._device = torch.device(device)
        with torch.no_grad():
            rest = self._module(self._rasters({}, 0, 0), shape=(0, 1), seed=seed).state
        self._now: NetworkState = replace(rest, populations=_copied(rest.populations), synapses=_copied(rest.synapses))

    def _advance(self, steps: int, inputs: Mapping[str, InputSpikes], recorded: Recorded) -> Stretch:
        sizes = [population.size for population in self.network.populations.values()]
        each = max(1, STRETCH // sum(sizes))
        spikes: dict[str, list[tuple[NDArray[np.int64], NDArray[np.int64]]]] = {name: [] for name in recorded.spikes}
        traces: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in recorded.traces}
        with torch.no_grad(), threads_for(max(sizes)):
            for first in range(0, steps, each):
                last = min(first + each, steps)
                activity = self._module(
                    self._rasters(inputs, first, last),
                    record=recorded.spikes,
                    traces=recorded.traces,
                    shape=(last - first, 1),
                    state=self._now,
                )
                self._now = activity.state
                for name, raster in activity.spikes.items():
                    step, neuron = (index.cpu().numpy() for index in raster[:, 0].nonzero(as_tuple=True))
                    spikes[name].append((step + first, neuron))
                for key, values in activity.traces.items():
                    traces[key].append(values[:, 0].T.cpu().double().numpy())
        joined = {name: tuple(map(np.concatenate, zip(*parts, strict=True))) for name, parts in spikes.items()}
        return joined, {key: np.concatenate(parts, axis=1) for key, parts in traces.items()}  # type: ignore[return-value]

    def _rasters(self, inputs: Mapping[str, InputSpikes], first: int, last: int) -> dict[str, Tensor]:
        rasters = {}
        for name in self.network.sources():
            raster = np.zeros((last - first, 1, self.network.populations[name].size), dtype=np.bool_)
            if name in inputs:
                now = (inputs[name].step >= first) & (inputs[name].step < last)
                raster[inputs[name].step[now] - first, 0, inputs[name].neuron[now]] = True
            rasters[name] = torch.from_numpy(raster).to(self._device)
        return rasters

    def _read(self, name: str, variable: str) -> NDArray[np.float64]:
        if self._weighs(name, variable):
            found = self._module.synapses[name].synapse_weights().detach()
        else:
            found = self._held(name, self._key(name, variable))
            if self._is_of_source(name, variable):
                found = found[self._module.synapses[name].ends[0]]
        return found.cpu().double().numpy()

    @torch.no_grad()
    def _write(self, name: str, variable: str, value: NDArray[np.float64]) -> None:
        if self._weighs(name, variable):
            self._write_weight(name, value)
            return
        given = torch.from_numpy(value)
        if self._is_of_source(name, variable):
            given = self._by_source(name, variable, given)
        self._put(name, self._key(name, variable), given)

    def _write_weight(self, name: str, value: NDArray[np.float64]) -> None:
        synapses = self._module.synapses[name]
        given = torch.from_numpy(value).to(synapses.weight)
        if synapses._entry is None:
            synapses.weight.copy_(given)
            return
        flat = synapses.weight.reshape(-1).clone()
        flat[synapses._entry] = given
        if not torch.equal(flat[synapses._entry], given):
            raise InputError(f"synapses of '{name}' share weights; give those that do the same value.")
        synapses.weight.copy_(flat.view_as(synapses.weight))

    def _by_source(self, name: str, variable: str, given: Tensor) -> Tensor:
        """Return what source neurons keep for their synapses."""
        source, key = self._module.synapses[name].ends[0].cpu(), self._key(name, variable)
        each = self._now.synapses[name][key][0].cpu().to(given.dtype).clone()
        each[source] = given
        if not torch.equal(each[source], given):
            raise InputError(
                f"'{variable}' of '{name}' is kept once for all synapses of a source neuron; give them the same value."
            )
        return each

    def _is_static_weight(self, name: str, variable: str) -> bool:
        return variable == WEIGHT and weight_name(name) not in self._now.synapses.get(name, {})

    def _is_of_source(self, name: str, variable: str) -> bool:
        """Return whether a source neuron keeps the variable for all its synapses."""
        if name in self.network.populations or isinstance(self._module.synapses[name], SynapseProjection):
            return False
        return self._key(name, variable) in self._now.synapses.get(name, {})

    def _key(self, name: str, variable: str) -> str:
        if name in self.network.populations:
            return variable
        return weight_name(name) if variable == WEIGHT else f"{variable}_{name}"

    def _held(self, name: str, key: str) -> Tensor:
        """Return the variable of a population or projection, one number for each neuron or synapse."""
        changing = self._changing(name)
        if key in changing:
            found: Tensor = changing[key][0]
            return found
        if name in self.network.populations:
            return self._module.neurons[name][key]
        array: NDArray[np.float64] = self._module.synapses[name].connections.values[key.removesuffix(f"_{name}")]
        return torch.from_numpy(array)

    def _put(self, name: str, key: str, given: Tensor) -> None:
        """Set what `_held` returns."""
        changing = self._changing(name)
        if key in changing:
            changing[key] = given.to(changing[key])[None].clone()
        else:
            self._held(name, key).copy_(given)

    def _changing(self, name: str) -> dict[str, Tensor]:
        states = self._now.populations if name in self.network.populations else self._now.synapses
        return states.get(name, {})

    def _state(self) -> dict[str, NDArray[Any]]:
        arrays: dict[str, NDArray[Any]] = {"random": self._now.random.cpu().numpy()}
        for name, key in self._keys():
            arrays[f"{name} {key}"] = self._held(name, key).detach().cpu().numpy().copy()
        for name in self._module.synapses:
            if self._is_static_weight(name, WEIGHT):
                arrays[f"{name} {WEIGHT}"] = self._read(name, WEIGHT)
        for name, past in self._now.past.items():
            arrays[f"past {name}"] = self._past(name, past)
        return arrays

    def _past(self, name: str, past: tuple[Tensor | None, ...]) -> NDArray[np.bool_]:
        size = self.network.populations[name].size
        rows = [np.zeros(size, np.bool_) if z is None else z[0].cpu().numpy() > 0.5 for z in past]
        return np.array(rows, dtype=np.bool_).reshape(len(rows), size)

    def _keys(self) -> list[tuple[str, str]]:
        """Return the population or projection and the name of everything that `_held` returns."""
        return [
            (name, key)
            for name, names in self.variables.items()
            for key in dict.fromkeys(
                [
                    *self._changing(name),
                    *(self._key(name, variable) for variable in names if not self._weighs(name, variable)),
                ]
            )
        ]

    def _weighs(self, name: str, variable: str) -> bool:
        return name in self.network.projections and self._is_static_weight(name, variable)

    @torch.no_grad()
    def _restore(self, state: Mapping[str, NDArray[Any]], steps: int) -> None:
        arrays = self._state()
        for name, array in arrays.items():
            if not name.startswith("past ") and state[name].shape != array.shape:
                raise FileError(f"'{name}' of this state has not the shape {array.shape}, but {state[name].shape}.")
        past = {name: self._remembered(name, state[f"past {name}"]) for name in self._now.past}
        for name, key in self._keys():
            self._put(name, key, torch.from_numpy(np.array(state[f"{name} {key}"])))
        for name in self._module.synapses:
            if self._is_static_weight(name, WEIGHT):
                self._write_weight(name, state[f"{name} {WEIGHT}"])
        random = torch.from_numpy(state["random"].astype(np.uint8))
        self._now = replace(self._now, step=steps, past=past, random=random)

    def _remembered(self, name: str, past: NDArray[Any]) -> tuple[Tensor | None, ...]:
        if past.ndim != 2 or past.shape[1] != self.network.populations[name].size:
            raise FileError(f"the latest spikes of '{name}' in this state are not those of this network.")
        like = self._module.get_buffer("_like")
        return tuple(torch.from_numpy(np.array(row)).to(like)[None] for row in past)


def _all_values(network: Network, realisation: Realisation, dt: float) -> Realisation:
    """Return a realisation that holds whatever stays by itself in a run, so that it can be changed from outside."""
    program = network_program(network, dt)
    values = {name: dict(arrays) for name, arrays in realisation.values.items()}
    for name in program.populations:
        size, initial = network.populations[name].size, compose(network, name).initial
        for key in neuron_variables(network, name):
            amount = initial.get(key)
            if key not in values.get(name, {}) and (amount is None or not is_drawn(amount)):
                values.setdefault(name, {})[key] = np.full(size, 0.0 if amount is None else amount.value)
    connections = dict(realisation.connections)
    for name, described in program.projections.items():
        there, suffix = connections[name], f"_{name}"
        initial = compose_synapse(network, name).initial
        own = [key for key in described.fixed if key != described.weight]
        fixed = {key.removesuffix(suffix): initial.get(key) for key in own}
        more = {
            key: np.full(there.n_synapses, 0.0 if amount is None else amount.value)
            for key, amount in fixed.items()
            if key not in there.values
        }
        connections[name] = replace(there, values={**there.values, **more})
    return Realisation(connections, values)


def _own(values: NeuronValues, dt: float) -> NeuronValues:
    """Return values of which no state refers to a parameter any more."""
    each = {name: value.detach().cpu().numpy().astype(np.float64) for name, value in values.values().items()}
    dtype = next(iter(values.values().values())).dtype if each else torch.float64
    return NeuronValues(each, {}, {}, dt=dt, dtype=dtype)


def _copied(states: Mapping[str, Mapping[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    """Return states with memory of their own."""
    return {name: {key: tensor.clone() for key, tensor in state.items()} for name, state in states.items()}
