"""What goes into a run and what comes out of it: spikes on the grid of time steps, and back to a `Recording`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.backends.realisation import Realisation
from snncompare.errors import InputError, unknown
from snncompare.network.composition import compose
from snncompare.network.equations import definitions
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.recording.recording import Recording
from snncompare.recording.time_steps import brian2_step
from snncompare.recording.traces import trace_array
from snncompare.units import Quantity, QuantityLike, base_unit, parse_unit, seconds

__all__ = [
    "MAX_SAMPLES",
    "InputSpikes",
    "Recorded",
    "RunPlan",
    "check_delays_fit",
    "check_record",
    "check_samples",
    "input_spikes",
    "n_steps",
    "output_recording",
    "planned_run",
    "spiking",
    "trials_of",
]

MAX_SAMPLES = 200_000_000
"""Samples that the traces of a run may have: 1.6 GB of float64."""


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
    if not duration > 0:
        raise InputError(f"the duration must be longer than zero, got {duration:g} s.")
    steps = round(duration / dt)
    if steps < 1 or not np.isclose(steps * dt, duration, rtol=1e-9):
        raise InputError(f"the duration {duration:g} s is not a multiple of the time step {dt * 1e3:g} ms.")
    return steps


def check_delays_fit(network: Network, duration: float, realisation: Realisation | None = None) -> None:
    """Refuse a run in which every spike of a projection would arrive after the end.

    Parameters
    ----------
    network : Network
    duration : float
        Seconds.
    realisation : Realisation, optional
        With the delays that were drawn for single synapses.

    Raises
    ------
    InputError
        Naming the projection, its delay and the duration.
    """
    for name, projection in network.projections.items():
        shortest = projection.delay.value if isinstance(projection.delay, Quantity) else 0.0
        drawn = realisation.connections[name].delay if realisation is not None else None
        if drawn is not None and drawn.size:
            shortest = float(drawn.min())
        if shortest >= duration:
            raise InputError(
                f"projection '{name}' never acts: its delay ({shortest * 1e3:g} ms) is not shorter than the run "
                f"({duration * 1e3:g} ms); let the run last longer, or shorten the delay."
            )


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


@dataclass(frozen=True)
class Recorded:
    """What a run keeps: the spikes of populations, and traces of their variables, each in the order asked for."""

    spikes: tuple[str, ...]
    traces: tuple[tuple[str, str], ...]


def check_record(network: Network, record: Sequence[str] | None) -> Recorded:
    """Return what to record: the spikes of all populations that can spike, or what was asked for.

    ``"cells"`` asks for spikes, ``"cells.v"`` for the trace of a variable.

    Raises
    ------
    InputError
        For a population or variable that does not exist, or that cannot be recorded.
    """
    if record is None:
        return Recorded(tuple(spiking(network)), ())
    if isinstance(record, str):
        raise InputError(f"record is a list of names; write record=['{record}'].")
    spikes, traces = [], []
    for name in record:
        population, dot, variable = name.partition(".")
        if not dot:
            if name not in spiking(network):
                raise InputError("record: " + unknown("population that spikes", name, spiking(network)))
            spikes.append(name)
            continue
        described = network.populations.get(population)
        if described is None or not isinstance(described.neuron, NeuronModel):
            known = [n for n, p in network.populations.items() if isinstance(p.neuron, NeuronModel)]
            raise InputError("record: " + unknown("population with variables", population, known))
        held = [
            n for n, line in definitions(compose(network, population).equations).items() if line.kind != "subexpression"
        ]
        if variable not in held:
            raise InputError(f"record: '{population}' has " + unknown("variable", variable, held))
        traces.append((population, variable))
    return Recorded(tuple(dict.fromkeys(spikes)), tuple(dict.fromkeys(traces)))


def check_samples(network: Network, recorded: Recorded, trials: int, steps: int) -> None:
    """Refuse traces that would not fit into memory.

    Raises
    ------
    InputError
    """
    samples = sum(network.populations[population].size for population, _ in recorded.traces) * trials * steps
    if samples > MAX_SAMPLES:
        raise InputError(
            f"the traces asked for have {samples:,} samples ({8e-9 * samples:.3g} GB), {MAX_SAMPLES:,} are allowed; "
            "record fewer variables, smaller populations, fewer trials or a shorter run."
        )


@dataclass(frozen=True)
class RunPlan:
    """A run whose arguments were found to be right.

    Attributes
    ----------
    steps, n_trials : int
    trials : DataFrame or None
        The trials of the inputs; None for a network without spike sources, which runs once.
    recorded : Recorded
    inputs : mapping
        Spike source to its spikes.
    """

    steps: int
    n_trials: int
    trials: pd.DataFrame | None
    recorded: Recorded
    inputs: Mapping[str, InputSpikes]


def planned_run(
    network: Network,
    realisation: Realisation,
    dt: float,
    inputs: Mapping[str, Recording],
    duration: QuantityLike,
    record: Sequence[str] | None,
) -> RunPlan:
    """Return what a run is to do; arguments and refusals are those of `Program.run`.

    Raises
    ------
    InputError
    """
    steps = n_steps(seconds(duration, "duration"), dt)
    trials = trials_of(network, inputs)
    check_delays_fit(network, steps * dt, realisation)
    recorded = check_record(network, record)
    n_trials = 1 if trials is None else len(trials)
    check_samples(network, recorded, n_trials, steps)
    given = {name: input_spikes(network, name, recording, dt, steps) for name, recording in inputs.items()}
    return RunPlan(steps, n_trials, trials, recorded, given)


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
    traces: Mapping[tuple[str, str], NDArray[np.float64]] | None = None,
) -> Recording:
    """Return recorded activity as a `Recording`.

    Parameters
    ----------
    network : Network
    spikes : mapping
        Population to arrays (trial, step, neuron). A spike of step k has the time ``k * dt``, as in Brian2.
    dt : float
    steps : int
    trials : pandas.DataFrame or None
    provenance : dict
    traces : mapping, optional
        (population, variable) to array (trial, neuron, step) of values after the state update of each step.
    """
    traces = traces or {}
    parts, rows, first = [], [], 0
    nothing = np.zeros(0, dtype=np.int64)
    for name in dict.fromkeys([*spikes, *(population for population, _ in traces)]):
        trial, step, neuron = spikes.get(name, (nothing, nothing, nothing))
        size = network.populations[name].size
        rows.append(
            pd.DataFrame({"population": name, "index": np.arange(size)}, index=[f"{name}[{i}]" for i in range(size)])
        )
        parts.append((trial, step, neuron + first))
        first += size
    units = pd.concat(rows) if rows else pd.DataFrame({"population": [], "index": []})
    table = pd.DataFrame(index=["0"]) if trials is None else trials.drop(columns=["start", "stop"])
    table = table.assign(start=0.0, stop=steps * dt)
    trial, step, unit = (np.concatenate([nothing, *(part[k] for part in parts)]) for k in range(3))
    return Recording.from_arrays(
        times=step * dt,
        unit=units.index.to_numpy()[unit],
        trial=table.index.to_numpy()[trial],
        units=units,
        trials=table,
        provenance=provenance,
        traces={
            f"{population}.{variable}": trace_array(
                values,
                trials=table.index,
                units=units.index[units["population"] == population],
                time=np.arange(steps, dtype=np.float64) * dt,
                unit=_unit(network, population, variable),
                dt=dt,
            )
            for (population, variable), values in traces.items()
        },
    )


def _unit(network: Network, population: str, variable: str) -> str:
    unit = definitions(compose(network, population).equations)[variable].unit
    return "1" if unit in ("boolean", "integer") else base_unit(parse_unit(unit)[1])
