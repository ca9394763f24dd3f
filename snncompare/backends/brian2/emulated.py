"""What an emulated chip adds to a run of Brian2: noise, losses and delays of events, limits, as network operations."""

from collections.abc import Mapping
from typing import Any

import brian2
import numpy as np
from numpy.typing import NDArray

from snncompare.backends.emulation import Devices, EmulatedRun, as_on_device
from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError
from snncompare.network.composition import compose
from snncompare.network.equations import definitions
from snncompare.network.network import Network

__all__ = ["EmulatedSteps", "on_device"]

_NOISE_AT_ONCE = 1 << 20
"""Random numbers that are drawn ahead for a population."""


def on_device(realisation: Realisation, devices: Devices) -> Realisation:
    """Return what one device makes of the values and weights that were asked for.

    Parameters
    ----------
    realisation : Realisation
        Of the opened network, complete.
    devices : Devices
        One device.

    Raises
    ------
    InputError
        For several devices, or for a parameter that has no values of single neurons.
    """
    if devices.n_devices != 1:
        raise InputError(
            f"the backend 'brian2' emulates one device at a time, got {devices.n_devices}; compile it for each of "
            "them, or take the backend 'torch', which runs them side by side."
        )
    return as_on_device(realisation, devices.network, devices.parameter_maps, devices.weight_maps)


class EmulatedSteps:
    """Consults an `EmulatedRun` in every step of the copies of a network that Brian2 runs side by side.

    Noise is added after the state update, before traces and thresholds. Between thresholds and synapses the spikes that
    a population fired are replaced by those that set out; before synapses that react to spikes of their target, and
    before resets, the true ones are put back. Limits follow the synapses.

    Parameters
    ----------
    network : Network
    groups : mapping
        Population to the Brian2 group of its copies.
    dt : float
        Seconds.
    copies : int
    """

    def __init__(self, network: Network, groups: Mapping[str, Any], dt: float, copies: int) -> None:
        self._groups, self._copies, self._dt = groups, copies, dt
        self._sizes = {name: population.size for name, population in network.populations.items()}
        self._spiking = [name for name, group in groups.items() if "_spikespace" in group.variables]
        self._held = {name: _held(network, name) for name in groups if name not in network.sources()}
        self._run: EmulatedRun | None = None

    def operations(self) -> list[brian2.NetworkOperation]:
        """Return what a Brian2 network of the groups must hold in addition."""
        steps = [
            (self._add_noise, "after_groups", -1),  # traces are kept in this slot, with order 0
            (self._send, "after_thresholds", 0),
            (self._see_own, "synapses", 0),  # Brian2 gives on_pre the order -1 and on_post the order 1
            (self._limit, "after_synapses", 0),
        ]
        return [
            brian2.NetworkOperation(
                step, dt=self._dt * brian2.second, when=when, order=order, name=f"emulated{step.__name__}"
            )
            for step, when, order in steps
        ]

    def begin(self, run: EmulatedRun) -> None:
        """Take up a run; the groups are in the state in which it begins."""
        self._run, self._step = run, 0
        self._limits = {name: run.limits(name) for name in self._held}
        self._under_way: dict[str, dict[int, NDArray[np.bool_]]] = {name: {} for name in run.transmits}
        self._fired: dict[str, NDArray[np.int32]] = {}
        self._ahead: dict[str, tuple[int, Mapping[str, NDArray[np.float64]]]] = {}
        for name in self._held:
            for parameter, offset in run.offsets(name).items():
                values = self._array(name, parameter)
                values += np.broadcast_to(offset, values.shape)

    def read(self, population: str, variable: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the read-out of the chip shows of a trace of the whole run, both (copy, neuron, step)."""
        assert self._run is not None
        return np.moveaxis(self._run.read(population, variable, np.moveaxis(values, 2, 0), 0), 0, 2)

    def _array(self, population: str, variable: str) -> NDArray[Any]:
        """Return a variable itself, shape (copy, neuron)."""
        array: NDArray[Any] = self._groups[population].variables[variable].get_value()
        return array.reshape(self._copies, self._sizes[population])

    def _add_noise(self) -> None:
        for name, held in self._held.items():
            for variable, noise in self._noise(name).items():
                values = self._array(name, variable)
                if variable in held:
                    np.add(values, noise, out=values, where=self._array(name, "not_refractory").astype(bool))
                else:
                    values += noise

    def _noise(self, population: str) -> dict[str, NDArray[np.float64]]:
        """Return the noise of this step, drawn for some steps at once."""
        assert self._run is not None
        first, noise = self._ahead.get(population, (0, {}))
        n_steps = max(1, _NOISE_AT_ONCE // (self._copies * self._sizes[population]))
        if population not in self._ahead or self._step >= first + n_steps:
            first, noise = self._step, self._run.noise(population, self._step, n_steps)
            self._ahead[population] = first, noise
        return {variable: values[self._step - first] for variable, values in noise.items()}

    def _send(self) -> None:
        """Replace the spikes that were fired by those that set out now."""
        assert self._run is not None
        for name, under_way in self._under_way.items():
            space = self._space(name)
            self._fired[name] = space[: space[-1]].copy()
            fired = np.zeros((self._copies, self._sizes[name]), dtype=np.bool_)
            fired.reshape(-1)[self._fired[name]] = True
            arrivals = self._run.events(name, self._step, fired)
            now = under_way.pop(self._step, np.zeros_like(fired))
            for delay, who in [(0, fired)] if arrivals is None else arrivals:
                if delay == 0:
                    now = now | who
                else:
                    later = self._step + delay
                    under_way[later] = under_way.get(later, False) | who
            self._write(name, np.flatnonzero(now))

    def _see_own(self) -> None:
        """Put the true spikes back."""
        for name, neurons in self._fired.items():
            self._write(name, neurons)

    def _limit(self) -> None:
        for name, limits in self._limits.items():
            for variable, (low, high) in limits.items():
                values = self._array(name, variable)
                np.minimum(np.maximum(values, low), high, out=values)
        self._step += 1

    def _space(self, population: str) -> NDArray[np.int32]:
        """Return where Brian2 keeps who fired in this step: their numbers, and at the end how many they are."""
        space: NDArray[np.int32] = self._groups[population].variables["_spikespace"].get_value()
        return space

    def _write(self, population: str, neurons: NDArray[Any]) -> None:
        space = self._space(population)
        space[: neurons.size] = neurons
        space[-1] = neurons.size


def _held(network: Network, population: str) -> set[str]:
    """Return the variables that refractory neurons keep."""
    lines = definitions(compose(network, population).equations)
    return {name for name, line in lines.items() if "unless refractory" in line.flags}
