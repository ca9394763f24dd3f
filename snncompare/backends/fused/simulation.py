"""A network in kernels that goes on where it stood."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import InputSpikes, Recorded
from snncompare.backends.fused.machine import Machine
from snncompare.backends.realisation import Realisation
from snncompare.backends.simulation import WEIGHT, Simulation, Stretch
from snncompare.errors import FileError, InputError
from snncompare.network.composition import weight_name

__all__ = ["FusedSimulation"]

_PARTS = {"variables": "F", "random": "U", "spikes": "R", "counts": "G"}


class FusedSimulation(Simulation):
    """See `Simulation`.

    Parameters
    ----------
    machine : Machine
        The compiled network.
    realisation, provenance
        See `Simulation`.
    seed : int
    """

    def __init__(
        self,
        machine: Machine,
        realisation: Realisation,
        provenance: Mapping[str, object] | None = None,
        *,
        seed: int = 0,
    ) -> None:
        super().__init__(machine.network, realisation, machine.dt, provenance)
        self._machine, self._now = machine, machine.start(seed)

    def _advance(self, steps: int, inputs: Mapping[str, InputSpikes], recorded: Recorded) -> Stretch:
        return self._machine.advance(self._now, self.steps, steps, inputs, 0, recorded)

    def _read(self, name: str, variable: str) -> NDArray[np.float64]:
        place = self._place(name, variable)
        return np.zeros(0) if place is None else self._now.F[place]

    def _write(self, name: str, variable: str, value: NDArray[np.float64]) -> None:
        place = self._place(name, variable)
        if place is None:
            return
        before = self._now.F[place]
        self._now.F[place] = value
        if not np.array_equal(self._now.F[place], value):
            self._now.F[place] = before
            raise InputError(
                f"'{variable}' of '{name}' is kept once for all synapses of a source neuron; give them the same value."
            )

    def _place(self, name: str, variable: str) -> NDArray[np.int64] | None:
        """Return where a variable lies, for each neuron or synapse in the order of the connections."""
        if name in self.network.populations:
            return self._machine.memory.populations[name].place_of(variable)
        return self._machine.synapse_places(name, weight_name(name) if variable == WEIGHT else f"{variable}_{name}")

    def _state(self) -> dict[str, NDArray[Any]]:
        return {name: getattr(self._now, part).copy() for name, part in _PARTS.items()}

    def _restore(self, state: Mapping[str, NDArray[Any]], steps: int) -> None:  # noqa: ARG002 - a run is told its steps
        arrays = {part: state[name] for name, part in _PARTS.items()}
        for name, part in _PARTS.items():
            expected = getattr(self._now, part)
            if state[name].shape != expected.shape or state[name].dtype != expected.dtype:
                raise FileError(
                    f"'{name}' of this state has not the shape {expected.shape} and type {expected.dtype}, but "
                    f"{state[name].shape} and {state[name].dtype}."
                )
        self._machine.memory.check_spikes(arrays["R"], arrays["G"])
        for part, array in arrays.items():
            getattr(self._now, part)[...] = array
