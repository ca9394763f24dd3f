"""What goes into a run and what comes out of it: spikes on the grid of time steps, and back to a `Recording`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.recording.recording import Recording
from snncompare.recording.time_steps import brian2_step

__all__ = [
    "InputSpikes",
    "check_record",
    "input_spikes",
    "n_steps",
    "output_recording",
    "spiking",
    "trials_of",
]


@dataclass(frozen=True)
class InputSpikes:
    """Spikes of one source on the grid, sorted by trial, then step, then neuron; each of shape (n_spikes,)."""

    trial: NDArray[np.int64]
    step: NDArray[np.int64]
    neuron: NDArray[np.int64]

    def of_trial(self, trial: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return (step, neuron) of one trial."""
        first, last = np.searchsorted(self.trial, [trial, trial + 1])
        return self.step[first:last], self.neuron[first:last]


def n_steps(duration: float, dt: float) -> int:
    """Return how many steps a run has."""
    steps = round(duration / dt)
    if steps < 1 or not np.isclose(steps * dt, duration, rtol=1e-9):
        raise InputError(f"the duration {duration:g} s is not a multiple of the time step {dt * 1e3:g} ms.")
    return steps


def trials_of(network: Network, inputs: Mapping[str, Recording]) -> pd.DataFrame | None:
    """Return the trials table shared by all inputs, or None for a network without spike sources."""
    for name in inputs:
        if name not in network.sources():
            raise InputError("inputs: " + unknown("spike source", name, network.sources()))
    for name in network.sources():
        if name not in inputs:
            raise InputError(f"the spike source '{name}' has no input; give inputs={{'{name}': recording}}.")
    tables = [inputs[name].trials for name in network.sources()]
    if any(not table.index.equals(tables[0].index) for table in tables[1:]):
        raise InputError("the inputs have different trials; give every source the same trials in the same order.")
    return tables[0] if tables else None


def input_spikes(network: Network, source: str, recording: Recording, dt: float, steps: int) -> InputSpikes:
    """Return the spikes of one source on the grid of time steps."""
    size = network.populations[source].size
    if recording.n_units != size:
        raise InputError(f"the spike source '{source}' has {size} neurons, its input has {recording.n_units} units.")
    trial, unit = recording.spike_index()
    step = brian2_step(recording.times, dt)
    outside = (recording.times < 0) | (recording.times > steps * dt)
    if outside.any():
        raise InputError(
            f"input '{source}': {int(outside.sum())} spikes lie outside the run (first at "
            f"{recording.times[outside][0]:g} s); times count from the start of the run, which lasts {steps * dt:g} s."
        )
    order = np.lexsort((unit, step, trial))
    order = order[step[order] < steps]  # Brian2 would emit a spike at the very end in the step after the run
    trial, step, unit = trial[order], step[order], unit[order]
    twice = (np.diff(trial) == 0) & (np.diff(step) == 0) & (np.diff(unit) == 0)
    if twice.any():
        first = int(np.argmax(twice))
        raise InputError(
            f"input '{source}': {int(twice.sum())} times a unit fires twice within one time step of {dt * 1e3:g} ms "
            f"(first: unit {recording.units.index[unit[first]]} at {step[first] * dt:g} s); use a smaller dt."
        )
    return InputSpikes(trial.astype(np.int64), step, unit.astype(np.int64))


def check_record(network: Network, record: Sequence[str] | None) -> list[str]:
    """Return the populations to record: those asked for, or all that can spike."""
    can = spiking(network)
    for name in record or ():
        if name not in can:
            raise InputError("record: " + unknown("population that spikes", name, can))
    return list(record) if record is not None else can


def spiking(network: Network) -> list[str]:
    """Return the populations that can fire by themselves: those with a threshold."""
    return [n for n, p in network.populations.items() if isinstance(p.neuron, NeuronModel) and p.neuron.threshold]


def output_recording(
    network: Network,
    spikes: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]],
    dt: float,
    steps: int,
    trials: pd.DataFrame | None,
    provenance: dict[str, object],
) -> Recording:
    """Return recorded spikes, given per population as arrays (trial, step, neuron), as a `Recording`.

    A spike of step k has the time ``k * dt``, as in Brian2.
    """
    parts, rows, first = [], [], 0
    for name, (trial, step, neuron) in spikes.items():
        size = network.populations[name].size
        rows.append(
            pd.DataFrame({"population": name, "index": np.arange(size)}, index=[f"{name}[{i}]" for i in range(size)])
        )
        parts.append((trial, step, neuron + first))
        first += size
    units = pd.concat(rows)
    table = pd.DataFrame(index=["0"]) if trials is None else trials.drop(columns=["start", "stop"])
    table = table.assign(start=0.0, stop=steps * dt)
    trial, step, unit = (np.concatenate([part[k] for part in parts]) for k in range(3))
    return Recording.from_arrays(
        times=step * dt,
        unit=units.index.to_numpy()[unit],
        trial=table.index.to_numpy()[trial],
        units=units,
        trials=table,
        provenance=provenance,
    )
