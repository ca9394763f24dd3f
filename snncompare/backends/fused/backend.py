"""Compile a description to kernels and run it, one trial after the other."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import (
    output_recording,
    planned_run,
)
from snncompare.backends.fused.machine import Machine
from snncompare.backends.fused.refusals import missing_in_kernels
from snncompare.backends.fused.simulation import FusedSimulation
from snncompare.backends.program import Backend, Program
from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

__all__ = ["FusedBackend", "FusedProgram"]


class FusedBackend(Backend):
    """Runs networks in compiled kernels, one core, float64, event-driven. `compile` has no options."""

    name = "fused"

    def missing(self, network: Network) -> tuple[str, ...]:
        """Return, in words, what of this network cannot be run here."""
        return missing_in_kernels(network, 1e-4)

    def compile(
        self, network: Network, *, dt: float, dtype: str, realisation: Realisation, **options: Any
    ) -> "FusedProgram":
        """Return the program; ``dtype`` must be ``"float64"``."""
        if dtype != "float64":
            raise InputError("the backend 'fused' computes in float64; use dtype='float64'.")
        if options:
            raise InputError(unknown("option of the backend 'fused'", next(iter(options)), []))
        return FusedProgram(network, dt, realisation)


class FusedProgram(Program):
    """A network as kernels, run from the same initial state for every trial."""

    def __init__(self, network: Network, dt: float, realisation: Realisation) -> None:
        self.network, self.dt, self.realisation = network, dt, realisation
        self.machine = Machine(network, dt, realisation)

    def run(
        self,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        seed: int = 0,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return what was recorded in a run, see `Program.run`."""
        plan = planned_run(self.network, self.realisation, self.dt, inputs, duration, record)
        spikes: dict[str, list[NDArray[np.int64]]] = {
            name: [np.empty((0, 3), dtype=np.int64)] for name in plan.recorded.spikes
        }
        traces: dict[tuple[str, str], list[NDArray[np.float64]]] = {key: [] for key in plan.recorded.traces}
        for trial in range(plan.n_trials):
            fired, values = self.machine.advance(
                self.machine.start(seed, trial), 0, plan.steps, plan.inputs, trial, plan.recorded
            )
            for name, (step, neuron) in fired.items():
                spikes[name].append(np.stack([np.full_like(step, trial), step, neuron], axis=1))
            for key, trace in values.items():
                traces[key].append(trace)
        found = {name: np.concatenate(parts).T for name, parts in spikes.items()}
        return output_recording(
            self.network,
            {name: (trial, step, neuron) for name, (trial, step, neuron) in found.items()},
            self.dt,
            plan.steps,
            plan.trials,
            self._provenance(),
            {key: np.stack(parts) for key, parts in traces.items()},
        )

    def simulation(self, seed: int = 0) -> FusedSimulation:
        """Return the network at time zero, as something that goes on where it stood, see `Program.simulation`."""
        return FusedSimulation(self.machine, self.realisation, self._provenance(), seed=seed)

    def _provenance(self) -> dict[str, object]:
        return {
            "backend": "fused",
            "dt_seconds": self.dt,
            "dtype": "float64",
            "network": self.network.fingerprint(),
        }
