"""A network that goes on where it stood: run in stretches, read and changed in between, kept as numbers."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from snncompare.backends.activity import (
    InputSpikes,
    Recorded,
    check_record,
    check_samples,
    input_spikes,
    n_steps,
    output_recording,
    trials_of,
)
from snncompare.backends.realisation import Realisation
from snncompare.errors import FileError, InputError, unknown
from snncompare.network.composition import compose, compose_synapse, weight_name
from snncompare.network.equations import Definition, definitions
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, seconds

__all__ = ["WEIGHT", "Simulation", "Stretch", "neuron_variables", "synapse_variables"]

WEIGHT = "weight"
"""What `Simulation.get` and `Simulation.set` call the weight of a projection."""

NOTHING = Recorded((), ())

Stretch = tuple[
    dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]],
    dict[tuple[str, str], NDArray[np.float64]],
]
"""Population to (step, neuron) of its spikes, sorted by step; (population, variable) to values (n_neurons, n_steps)."""


class Simulation(ABC):
    """One network, one trial, as many stretches of time as are asked for.

    A run in pieces is the run in one piece: the same spikes, weights and random numbers however it is cut.

    Parameters
    ----------
    network : Network
    realisation : Realisation
        What it begins with.
    dt : float
        Time step, seconds.
    provenance : mapping
        What its recordings say of where they come from.

    Attributes
    ----------
    network : Network
    dt : float
    steps : int
        Time steps that are over.
    variables : mapping
        Population or projection to the names that `get` and `set` know.
    """

    def __init__(
        self, network: Network, realisation: Realisation, dt: float, provenance: Mapping[str, object] | None = None
    ) -> None:
        self.network, self.dt, self.steps = network, dt, 0
        defined = {
            name: neuron_variables(network, name)
            for name, population in network.populations.items()
            if isinstance(population.neuron, NeuronModel)
        }
        defined |= {name: synapse_variables(network, name) for name in network.projections}
        self._units = {(name, key): line.unit for name, lines in defined.items() for key, line in lines.items()}
        self.variables: dict[str, tuple[str, ...]] = {name: tuple(lines) for name, lines in defined.items()}
        self.variables |= {name: (WEIGHT, *self.variables[name]) for name in network.projections}
        self._sizes = {name: network.populations[name].size for name in self.variables if name in network.populations}
        self._sizes |= {name: realisation.connections[name].n_synapses for name in network.projections}
        self._signs = {name: projection.sign for name, projection in network.projections.items()}
        self._provenance = dict(provenance or {})

    @property
    def time(self) -> float:
        """Seconds that are over."""
        return self.steps * self.dt

    def run(
        self,
        duration: QuantityLike,
        inputs: Mapping[str, Recording] | None = None,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Go on for a stretch of time and return what happened in it.

        Parameters
        ----------
        duration : quantity
            A multiple of the time step.
        inputs : mapping, optional
            Spike source to a recording of one trial with one unit per neuron. Times count from the start of this
            stretch.
        record : sequence of str, optional
            As in `Program.run`: ``"cells"`` for spikes, ``"cells.v"`` for traces; default: the spikes of all
            populations that can fire.

        Returns
        -------
        Recording
            One trial; times count from the start of this stretch.

        Raises
        ------
        InputError
            For a missing input, more than one trial, units that do not match the population, spikes outside the
            stretch, or nothing to record (that is `advance`).
        """
        recorded = check_record(self.network, record)
        if not recorded.spikes and not recorded.traces:
            raise InputError("record names nothing; write advance(duration) instead of run to record nothing.")
        return self._stretch(duration, inputs or {}, recorded)

    def advance(self, duration: QuantityLike, inputs: Mapping[str, Recording] | None = None) -> None:
        """Go on for a stretch of time without recording anything, see `run`."""
        steps, given, _ = self._checked(duration, inputs or {}, NOTHING)
        self._advance(steps, given, NOTHING)
        self.steps += steps

    def _stretch(self, duration: QuantityLike, inputs: Mapping[str, Recording], recorded: Recorded) -> Recording:
        steps, given, trials = self._checked(duration, inputs, recorded)
        spikes, traces = self._advance(steps, given, recorded)
        self.steps += steps
        return output_recording(
            self.network,
            {name: (np.zeros_like(step), step, neuron) for name, (step, neuron) in spikes.items()},
            self.dt,
            steps,
            trials,
            {**self._provenance, "begins_at_seconds": (self.steps - steps) * self.dt},
            {key: values[None] for key, values in traces.items()},
        )

    def _checked(
        self, duration: QuantityLike, inputs: Mapping[str, Recording], recorded: Recorded
    ) -> tuple[int, dict[str, InputSpikes], pd.DataFrame | None]:
        """Return the number of steps, the input on their grid, and the table of the trial."""
        steps = n_steps(seconds(duration, "duration"), self.dt)
        trials = trials_of(self.network, inputs)
        if trials is not None and len(trials) != 1:
            raise InputError(f"a simulation is one trial; its inputs have {len(trials)}, select one of them.")
        check_samples(self.network, recorded, 1, steps)
        given = {n: input_spikes(self.network, n, recording, self.dt, steps) for n, recording in inputs.items()}
        return steps, given, trials

    def get(self, name: str, variable: str) -> NDArray[np.float64]:
        """Return a copy of a variable as it is now, in SI units.

        Parameters
        ----------
        name : str
            A population or projection.
        variable : str
            A state or per-neuron parameter of the population, a state of the projection's synapses (as its synapse
            model calls it), or ``"weight"``. Event-driven state of a synapse is as old as its latest event.

        Returns
        -------
        array, shape (n_neurons,) or (n_synapses,)
            Synapses in the order of the connections of the program's realisation.

        Raises
        ------
        InputError
            For a name or variable that does not exist.
        """
        self._check_name(name, variable)
        return np.array(np.broadcast_to(self._read(name, variable), self._sizes[name]), dtype=np.float64)

    def set(self, name: str, variable: str, value: ArrayLike) -> None:
        """Change a variable from now on.

        Parameters
        ----------
        name, variable : str
            As in `get`.
        value : number or array
            In SI units; one for all, or of shape (n_neurons,) or (n_synapses,).

        Raises
        ------
        InputError
            For a name or variable that does not exist, a wrong shape, numbers that are not real and finite, or weights
            of the wrong sign.
        """
        self._check_name(name, variable)
        size, where = self._sizes[name], f"'{variable}' of '{name}'"
        try:
            given = np.asarray(value, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"{where} is set to numbers in SI units, got {value!r:.60}.") from error
        if given.shape not in ((), (size,)):
            raise InputError(f"{where} is one number or has the shape ({size},), got {given.shape}.")
        if not np.isfinite(given).all():
            raise InputError(f"{where} is set to finite numbers, got {given[~np.isfinite(given)].ravel()[0]}.")
        _check_kind(where, self._units.get((name, variable), "1"), given)
        sign = self._signs.get(name) if variable == WEIGHT else None
        if sign is not None and (given < 0 if sign == "positive" else given > 0).any():
            raise InputError(f"{where} is {sign} by description, got {given.min():g} to {given.max():g}.")
        self._write(name, variable, np.array(np.broadcast_to(given, size)))

    def state(self) -> dict[str, NDArray[Any]]:
        """Return everything that decides how it goes on, as arrays of numbers by name, for a file.

        See Also
        --------
        snncompare.number_archive.write_arrays
        """
        return {"steps": np.array([self.steps]), **self._state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from where a simulation of the same program stood when `state` was called.

        Raises
        ------
        FileError
            If the state is that of another network or backend.
        """
        own = self.state()
        for name in own:
            if name not in state:
                raise FileError(f"this is no state of '{self.network.name}' on this backend: '{name}' is missing.")
        for name in state:
            if name not in own:
                raise FileError("this is no state of this network: " + unknown("entry", name, own))
        for name, now in own.items():
            given = np.asarray(state[name])
            if given.ndim != now.ndim or given.dtype.kind != now.dtype.kind:
                raise FileError(f"this is no state of '{self.network.name}': '{name}' has not the shape {now.shape}.")
        steps = int(state["steps"][0]) if state["steps"].size == 1 else -1
        if steps < 0:
            raise FileError(f"a state counts its steps from zero, got {state['steps']!r:.60}.")
        self._restore({name: np.array(array) for name, array in state.items() if name != "steps"}, steps)
        self.steps = steps

    def _check_name(self, name: str, variable: str) -> None:
        if name not in self.variables:
            raise InputError(unknown("population with state, or projection,", name, self.variables))
        if variable not in self.variables[name]:
            raise InputError(f"'{name}' has " + unknown("state", variable, self.variables[name]))

    @abstractmethod
    def _advance(self, steps: int, inputs: Mapping[str, InputSpikes], recorded: Recorded) -> Stretch:
        """Carry out steps and return what was recorded in them; step numbers count from the start of the stretch."""

    @abstractmethod
    def _read(self, name: str, variable: str) -> NDArray[np.float64]:
        """Return a variable that exists."""

    @abstractmethod
    def _write(self, name: str, variable: str, value: NDArray[np.float64]) -> None:
        """Set a variable that exists to finite values, one for each neuron or synapse."""

    @abstractmethod
    def _state(self) -> dict[str, NDArray[Any]]:
        """Return what decides how it goes on, the number of steps left out."""

    @abstractmethod
    def _restore(self, state: Mapping[str, NDArray[Any]], steps: int) -> None:
        """Take up a state with the right names; refuse wrong sizes with a FileError."""


def neuron_variables(network: Network, population: str) -> dict[str, Definition]:
    """Return the states and per-neuron parameters of a population, those that synapses keep on it included."""
    lines = definitions(compose(network, population).equations)
    return {name: line for name, line in lines.items() if _one_each(line)}


def synapse_variables(network: Network, projection: str) -> dict[str, Definition]:
    """Return the states of a projection's synapses but for the weight, as their model calls them."""
    lines = definitions(compose_synapse(network, projection).equations)
    weight, suffix = weight_name(projection), f"_{projection}"
    return {name.removesuffix(suffix): line for name, line in lines.items() if _one_each(line) and name != weight}


def _one_each(line: Definition) -> bool:
    return line.kind != "subexpression" and "shared" not in line.flags


def _check_kind(where: str, unit: str, given: NDArray[np.float64]) -> None:
    """Refuse numbers that a variable cannot hold."""
    if unit == "boolean" and not np.isin(given, (0.0, 1.0)).all():
        raise InputError(f"{where} is 0 or 1, got {given[~np.isin(given, (0.0, 1.0))].ravel()[0]:g}.")
    if unit == "integer" and (given != np.trunc(given)).any():
        raise InputError(f"{where} is a whole number, got {given[given != np.trunc(given)].ravel()[0]:g}.")
