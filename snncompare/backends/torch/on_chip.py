"""One run on emulated chips, on tensors: their values and weights, noise, events that are lost or late, limits.

The emulation says in numpy what happens (`snncompare.backends.emulation`); derivatives pass through what it leaves of
values: noise adds a constant, a lost spike has no derivative at its targets, a limit that is reached has none either,
and what a read-out shows has the derivative of what was read.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.emulation import Arrivals, EmulatedRun
from snncompare.backends.torch.emulated_values import ChipWeights, emulated_parameter, injected
from snncompare.backends.torch.network_state import Activity, NetworkState
from snncompare.backends.torch.parameters import Named
from snncompare.backends.torch.passages import Passage, Passages
from snncompare.backends.torch.population import PopulationStep
from snncompare.backends.torch.routes import LinearRoute, Route
from snncompare.backends.torch.sums import State
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.network import Network

__all__ = ["Due", "TorchChips", "check_emulated"]

_AT_ONCE = 2_000_000
"""Numbers of noise that are drawn at once."""

Due = dict[str, list[Tensor | None]]
"""Population to spikes that are held back, those that set out in the next step first."""


class TorchChips:
    """A run on emulated chips.

    Parameters
    ----------
    emulated : EmulatedRun
    neurons, synapses : Named
        The values and weights that are asked for.
    steps, routes : mapping
        What populations and projections do.
    sizes : mapping
        Population, spike sources included, to number of neurons.
    like : Tensor
        Whose data type and device everything has.

    Attributes
    ----------
    values : dict
        Population to name to tensor (), (n_neurons,) or (copy, n_neurons): instead of `NeuronValues.values`.
    weights : dict
        Projection to `ChipWeights`, where that is not what is asked for.

    Raises
    ------
    InputError
        For names that the network does not have, or parameters that have no values of single neurons.
    UnsupportedError
        For values that differ between trials where synapses read them.
    """

    def __init__(
        self,
        emulated: EmulatedRun,
        neurons: Named,
        synapses: Named,
        *,
        steps: Mapping[str, PopulationStep],
        routes: Mapping[str, Route],
        sizes: Mapping[str, int],
        like: Tensor,
    ) -> None:
        self._emulated, self._steps, self._sizes, self._like = emulated, steps, sizes, like
        self.devices, self.trials, self.copies = emulated.devices.n_devices, emulated.n_trials, emulated.n_copies
        devices = emulated.devices
        _check_names("parameter_maps", "population", devices.parameter_maps, steps)
        _check_names("weight_maps", "projection", devices.weight_maps, routes)
        _check_names("transmits", "population that fires", emulated.transmits, [n for n in sizes if self._sends(n)])
        self.values = {name: self._values_of(name, neurons[name], routes) for name in steps}
        self.weights: dict[str, ChipWeights] = {
            name: synapses[name].on_chips(transform) for name, transform in devices.weight_maps.items()
        }
        self._limits = {name: found for name in steps if (found := self._limits_of(name))}
        self._noisy: list[str] = list(steps)
        self._noise: dict[str, tuple[int, dict[str, Tensor]]] = {}
        self._asked: dict[tuple[str, int], Arrivals | None] = {}
        self._last = 0

    def _sends(self, name: str) -> bool:
        return name not in self._steps or self._steps[name].program.threshold is not None

    def repeated(self, values: Tensor, axis: int = 1) -> Tensor:
        """Return values of trials or of copies as values of copies."""
        if values.shape[axis] == self.copies:
            return values
        return torch.cat([values] * self.devices, axis)

    def inputs(
        self, state: NetworkState, inputs: Mapping[str, Tensor], *, last: int
    ) -> tuple[NetworkState, dict[str, Tensor]]:
        """Return the state with what spike sources hold back, and what they send in some steps, for all copies.

        Parameters
        ----------
        state : NetworkState
        inputs : mapping
            Spike source to raster, (step, trial, neuron) or (step, copy, neuron).
        last : int
            The step before which the run ends; no noise is drawn beyond it.
        """
        self._last = last
        found, due = {name: self.repeated(raster) for name, raster in inputs.items()}, dict(state.due)
        for name in self._emulated.transmits & inputs.keys():
            held = list(due.get(name, ()))
            raster = found[name].to(self._like)
            if raster.numel() and float(raster.max()) > 1:
                raise InputError(
                    f"inputs: several spikes of '{name}' share a step, so that it cannot be said which of them are "
                    "lost or late; take a smaller dt."
                )
            sent = [self._sent(name, state.step + k, spikes, held) for k, spikes in enumerate(raster.unbind(0))]
            found[name], due[name] = torch.stack(sent), tuple(held)
        return replace(state, due=due), found

    @torch.compiler.disable
    def disturb(self, populations: Mapping[str, State], step: int) -> None:
        """Add the noise of a step to the state; what is held in refractory neurons stays there."""
        for name in self._noisy:
            state, held = populations[name], self._steps[name].program.held
            for variable, noise in self._noise_at(name, step).items():
                after = state[variable] + noise
                if variable in held and "not_refractory" in state:
                    after = torch.where(state["not_refractory"], after, state[variable])
                state[variable] = after

    @torch.compiler.disable
    def transmitted(self, fired: Mapping[str, Tensor], due: Due, step: int) -> dict[str, Tensor]:
        """Return the spikes that set out now, of populations that fired."""
        found = dict(fired)
        for name in self._emulated.transmits & self._steps.keys():
            found[name] = self._sent(name, step, fired[name], due.setdefault(name, []))
        return found

    def on_post(
        self, past: Mapping[str, Sequence[Tensor | None]], fired: Mapping[str, Tensor]
    ) -> Mapping[str, Sequence[Tensor | None]]:
        """Return the spikes as synapses on the neurons that fire them see them: the true ones."""
        true = self._emulated.transmits & fired.keys()
        return {**past, **{name: [fired[name]] for name in true}} if true else past

    @torch.compiler.disable
    def limit(self, populations: Mapping[str, State]) -> None:
        """Clip the state."""
        for name, limits in self._limits.items():
            state = populations[name]
            for variable, (low, high) in limits.items():
                state[variable] = torch.minimum(torch.maximum(state[variable], low), high)

    def shown(self, activity: Activity, inputs: Mapping[str, Tensor], first: int) -> Activity:
        """Return a run as an experimenter sees it: traces as they are read out, of sources the spikes they were given.

        Parameters
        ----------
        activity : Activity
        inputs : mapping
        first : int
            Number of the first step.
        """
        own = self._emulated.transmits & inputs.keys() & activity.spikes.keys()
        true = {name: self.repeated(inputs[name]).to(self._like) for name in own}
        traces = {key: self._read(key, values, first) for key, values in activity.traces.items()}
        return replace(activity, spikes={**activity.spikes, **true}, traces=traces)

    def _read(self, key: tuple[str, str], values: Tensor, first: int) -> Tensor:
        given = values.detach().cpu().double().numpy()
        read = self._emulated.read(*key, given, first)
        return values if read is given else injected(values, self._tensor(read))

    def _values_of(self, name: str, neurons: Any, routes: Mapping[str, Route]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = neurons.values()
        maps, offsets = self._emulated.devices.parameter_maps.get(name, {}), self._emulated.offsets(name)
        for key in {**maps, **offsets}:
            if key not in found:
                raise InputError(
                    f"emulation: '{key}' of '{name}' is one number for all neurons, so that chips cannot change it; "
                    "name it in the population's `individual`, or let `deploy` open the description."
                )
        for key, transform in maps.items():
            got = emulated_parameter(found[key], transform)
            self._check_shape(f"parameter_maps: '{key}' of '{name}'", got, name)
            of_copies = got.repeat_interleave(self.trials, 0) if got.ndim == 2 else got
            found |= dict.fromkeys([key, *neurons.begun_by(key)], of_copies)
        for key, array in offsets.items():
            added = self._of_copies(f"offsets: '{key}'", name, array)
            self._check_synapses(name, key, added, routes)
            found[key] = found[key] + added
        return found

    def _limits_of(self, name: str) -> dict[str, tuple[Tensor, Tensor]]:
        limits = self._emulated.limits(name)
        _check_names("limits", f"variable of '{name}' that changes", limits, self._steps[name].changing)
        return {
            variable: (self._of_copies("limits", name, low), self._of_copies("limits", name, high))
            for variable, (low, high) in limits.items()
        }

    def _noise_at(self, name: str, step: int) -> dict[str, Tensor]:
        """Return the noise of a population in one step, variable to tensor (copy, neuron)."""
        first, drawn = self._noise.get(name, (0, {}))
        if not drawn or not first <= step < first + len(next(iter(drawn.values()))):
            first, drawn = step, self._drawn(name, step)
            self._noise[name] = first, drawn
        return {variable: each[step - first] for variable, each in drawn.items()}

    def _drawn(self, name: str, step: int) -> dict[str, Tensor]:
        """Return the noise of some steps, variable to tensor (step, copy, neuron); forget populations without any."""
        size = self._sizes[name]
        n_steps = max(1, min(self._last - step, _AT_ONCE // (self.copies * size)))
        noise = self._emulated.noise(name, step, n_steps)
        _check_names("noise", f"variable of '{name}' that changes", noise, self._steps[name].changing)
        if not noise:
            self._noisy = [other for other in self._noisy if other != name]
        shape = (n_steps, self.copies, size)
        return {variable: self._tensor(array).broadcast_to(shape) for variable, array in noise.items()}

    def _sent(self, name: str, step: int, fired: Tensor, due: list[Tensor | None]) -> Tensor:
        """Return the spikes that set out now, and note in `due` those that do so later."""
        arrivals = self._arrivals(name, step, fired)
        now = fired
        if arrivals is not None:
            parts = [(delay, torch.as_tensor(who, device=fired.device)) for delay, who in arrivals]
            gone = fired.detach() > 0.5
            for _, who in (part for part in parts if part[0] == 0):
                gone = gone & ~who
            now = torch.where(gone, 0.0, fired)
            for delay, who in parts:
                if delay > 0:
                    _hold(due, delay, torch.where(who, fired, 0.0))
        waited = due.pop(0) if due else None
        return now if waited is None else _merged(now, waited)

    def _arrivals(self, name: str, step: int, fired: Tensor) -> Arrivals | None:
        """Return what the emulation says of the events of a step; it is asked once, also where steps are repeated."""
        key = (name, step)
        if key not in self._asked:
            found = self._emulated.events(name, step, fired.detach().cpu().numpy() > 0.5)
            if not torch.is_grad_enabled():
                return found
            self._asked[key] = found
        return self._asked[key]

    def _tensor(self, array: NDArray[np.float64]) -> Tensor:
        return torch.as_tensor(array, dtype=self._like.dtype, device=self._like.device)

    def _of_copies(self, what: str, name: str, array: NDArray[np.float64]) -> Tensor:
        """Return an array that broadcasts with (copy, neuron) as a tensor of that shape."""
        shape = (self.copies, self._sizes[name])
        try:
            return self._tensor(np.broadcast_to(array, shape).copy())
        except ValueError:
            raise InputError(
                f"emulation, {what} of '{name}': the shape {np.shape(array)} does not fit to {shape} (copy, neuron)."
            ) from None

    def _check_shape(self, what: str, values: Tensor, name: str) -> None:
        allowed = ((self._sizes[name],), (self.devices, self._sizes[name]))
        if tuple(values.shape) not in allowed:
            raise InputError(
                f"emulation, {what}: the values have the shape {tuple(values.shape)}, they must have {allowed[0]} or "
                f"{allowed[1]} (device, neuron)."
            )

    def _check_synapses(self, name: str, key: str, added: Tensor, routes: Mapping[str, Route]) -> None:
        """Refuse what differs between the trials of a device where it is part of a projection's matrix."""
        if bool((added.unflatten(0, (self.devices, -1)) == added[:: self.trials, None]).all()):
            return
        for projection, route in routes.items():
            if route.target.program is not self._steps[name].program or not isinstance(route, LinearRoute):
                continue
            read = {n.removesuffix("_post") for effect in route.effects for n in effect.per_target} | {*route.trained}
            if key in read:
                raise UnsupportedError(
                    f"emulation: '{key}' of '{name}' differs between the trials of a device, but is part of what the "
                    f"synapses of '{projection}' add at a spike; let it differ between devices or runs only."
                )


def check_emulated(
    emulated: EmulatedRun, network: Network, through: Passages, steps: Mapping[str, PopulationStep], *, broadcast: bool
) -> None:
    """Refuse what cannot be emulated.

    Raises
    ------
    InputError
        If the module runs another description than the chips carry.
    UnsupportedError
        Where derivatives need populations that are carried out a second time, or spikes are not 0 or 1.
    """
    carried = emulated.devices.network
    if carried is not network and carried != network:
        raise InputError(
            "emulation: the chips carry another description than this module; make the module of the opened "
            "description, TorchNetwork(devices.network, ...)."
        )
    if broadcast or Passage.ONCE in through.of.values():
        raise UnsupportedError(
            "emulation: errors that are broadcast, and first effects of spikes on other layers (CrossLayer.INSTANT), "
            "cannot be followed on chips; use derivatives through all synapses, or train without chips."
        )
    smooth = [name for name, step in steps.items() if step.surrogate is not None and step.surrogate.smooth]
    if smooth and emulated.transmits:
        raise UnsupportedError(
            f"emulation: the spikes of '{smooth[0]}' are numbers between 0 and 1, so that none can be lost or late; "
            "take a surrogate whose spikes are 0 or 1."
        )


def _hold(due: list[Tensor | None], delay: int, spikes: Tensor) -> None:
    """Note spikes that set out some steps after this one."""
    due += [None] * (delay + 1 - len(due))
    there = due[delay]
    due[delay] = spikes if there is None else _merged(there, spikes)


def _merged(a: Tensor, b: Tensor) -> Tensor:
    """Return spikes that set out together: one of each neuron at most."""
    total = a + b
    return total / total.detach().clamp(min=1.0)


def _check_names(what: str, kind: str, given: Collection[str], allowed: Collection[str]) -> None:
    for name in given:
        if name not in allowed:
            raise InputError(f"emulation, {what}: " + unknown(kind, name, allowed))
