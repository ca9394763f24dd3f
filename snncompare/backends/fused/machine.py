"""A network as kernels, memory, and the order in which the kernels are called in a step."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.activity import InputSpikes, Recorded
from snncompare.backends.fused.compiling import address_of
from snncompare.backends.fused.kernel_text import Kernel
from snncompare.backends.fused.memory import Memory, Mutable
from snncompare.backends.fused.population_kernels import CHUNK, Rows, reset_kernel, update_kernel
from snncompare.backends.fused.random_numbers import WORDS, seeded_words
from snncompare.backends.fused.source_state import simplified, sized_synapses
from snncompare.backends.fused.synapse_kernels import (
    Ends,
    clocked_kernel,
    pathway_kernel,
    sum_kernel,
    synapse_variables,
)
from snncompare.backends.fused.time_loop import advance
from snncompare.backends.fused.wiring import wiring_of
from snncompare.backends.realisation import Realisation, delay_steps
from snncompare.dynamics.program import NetworkProgram
from snncompare.dynamics.step_program import network_program
from snncompare.network.network import Network

__all__ = ["Machine"]

_PHASES = ("sums", "updates", "clocked", "on_pre", "on_post", "resets")
_BEFORE_RECORDING = 3
_ROOM = 1 << 16
"""Spikes for which there is room in one stretch."""
_STRETCH = 50_000
"""Steps after which a run can be interrupted."""

_Spikes = dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]]
_Traces = dict[tuple[str, str], NDArray[np.float64]]


class Machine:
    """Runs a network; what changes is in a `Mutable` that `start` makes and `advance` carries on.

    Parameters
    ----------
    network : Network
    dt : float
        Seconds.
    realisation : Realisation

    Attributes
    ----------
    program : NetworkProgram
    memory : Memory
    order : dict
        Projection to the synapses of its connections, in the order in which they lie in memory.
    """

    def __init__(self, network: Network, dt: float, realisation: Realisation) -> None:
        self.network, self.dt = network, dt
        self.program: NetworkProgram = network_program(network, dt)
        self.memory, self.order = Memory(), dict[str, NDArray[np.int64]]()
        self._phases: dict[str, list[tuple[int, int]]] = {phase: [] for phase in _PHASES}
        steps = {
            name: delay_steps(connections, network.projections[name], dt)
            for name, connections in realisation.connections.items()
            if connections.n_synapses
        }
        longest = dict.fromkeys(network.populations, 0)
        for name, delays in steps.items():
            source = network.projections[name].source
            longest[source] = max(longest[source], int(delays.max(initial=0)))
        for name, population in network.populations.items():
            self._add_population(name, population.size, realisation.values.get(name, {}), longest[name] + 1)
        for name in sorted(steps, key=lambda name: f"{name}_pre"):  # Brian2 sorts the pathways by their names
            self._add_projection(name, realisation, steps[name])
        self._static, self._initial = self.memory.finished()
        layout = self._static["L"]
        addresses = [
            (address, layout.ctypes.data + row * layout.strides[0])
            for phase in _PHASES
            for address, row in self._phases[phase]
        ]
        self._plan = np.array(addresses, dtype=np.int64).reshape(-1, 2)
        self._before = sum(len(self._phases[phase]) for phase in _PHASES[:_BEFORE_RECORDING])

    def start(self, seed: int, trial: int = 0) -> Mutable:
        """Return the state before the first step of a trial."""
        state = self._initial.copy()
        for name, place in self.memory.generators.items():
            state.U[place : place + WORDS] = seeded_words(seed, trial, name)
        return state

    def advance(
        self,
        state: Mutable,
        first: int,
        n_steps: int,
        inputs: Mapping[str, InputSpikes],
        trial: int,
        recorded: Recorded,
    ) -> tuple[_Spikes, _Traces]:
        """Carry out steps, changing `state`, and return what was recorded; steps count from `first`.

        Parameters
        ----------
        state : Mutable
        first, n_steps : int
        inputs : mapping
            Spike source to its spikes, steps counted from `first`.
        trial : int
            Which trial of the inputs.
        recorded : Recorded
        """
        given, sources = self._given(inputs, trial, first)
        kept = np.array([self._ring(name) for name in recorded.spikes], dtype=np.int64).reshape(-1, 4)
        traced = np.array([self._traced(*key) for key in recorded.traces], dtype=np.int64).reshape(-1, 4)
        traces = np.empty((n_steps if len(traced) else 0, int(traced[:, 2].sum())))
        static = self._static
        arrays = (state.F, static["C"], state.U, static["J"], static["Q"], state.R, state.G)
        pointers = tuple(array.ctypes.data for array in arrays)
        room = np.empty((_ROOM + int(kept[:, 3].sum()), 3), dtype=np.int64)
        parts, done = [np.empty((0, 3), dtype=np.int64)], 0
        while done < n_steps:
            more, found = advance(
                first + done, min(n_steps - done, _STRETCH), self.dt, pointers, self._plan, self._before,
                state.F, state.R, state.G, sources, given, kept, room, traced, traces, first,
            )  # fmt: skip
            parts.append(room[:found].copy())
            done += more
        spikes = np.concatenate(parts)
        each = {name: spikes[spikes[:, 0] == k] for k, name in enumerate(recorded.spikes)}
        ends = np.cumsum(traced[:, 2])[:-1]
        columns = np.split(traces, ends, axis=1) if len(traced) else []
        return (
            {name: (rows[:, 1], rows[:, 2]) for name, rows in each.items()},
            dict(zip(recorded.traces, (column.T for column in columns), strict=True)),
        )

    def synapse_places(self, projection: str, variable: str) -> NDArray[np.int64] | None:
        """Return where a variable of each synapse lies in F, in the order of the connections; None without synapses."""
        if projection not in self.order:
            return None
        places = np.empty(self.order[projection].size, dtype=np.int64)
        places[self.order[projection]] = self.memory.synapses_place(projection, variable)
        return places

    def _add_population(self, name: str, size: int, given: Mapping[str, NDArray[np.float64]], ring_length: int) -> None:
        program = self.program.populations.get(name)
        if program is None:
            self.memory.add_population(name, size, Rows(()), {}, {}, ring_length)
            return
        kernel, rows = update_kernel(program, size)
        first = {"lastspike": -1e4, "not_refractory": 1.0} | dict(program.initial) | dict(given)
        values = {variable: first.get(variable, 0.0) for variable in rows.variables}
        shared = {variable: program.initial.get(variable, 0.0) for variable in program.shared}
        self.memory.add_population(name, size, rows, values, shared, ring_length)
        self._add_kernel("updates", kernel, name, {"own": name})
        reset = reset_kernel(program, rows, size)
        if reset is not None:
            self._add_kernel("resets", reset, name, {"own": name})

    def _add_projection(self, name: str, realisation: Realisation, steps: NDArray[np.int64]) -> None:
        program, connections = self.program.projections[name], realisation.connections[name]
        populations = self.program.populations
        suffix = program.weight.removeprefix("w")
        given = {f"{key}{suffix}": array for key, array in connections.values.items()}
        n_source, n_target = connections.shape
        program = sized_synapses(program, N_pre=n_source, N_post=n_target, N=connections.n_synapses)
        program, source = simplified(program, steps, list(given), populations[program.target])
        wiring = wiring_of(connections, steps, by_target=program.on_post is not None)
        self.order[name] = wiring.order
        first: dict[str, Any] = {**program.initial, **given, program.weight: connections.weight}
        every = {key: np.asarray(first.get(key, 0.0)) for key in synapse_variables(program)}
        values = {key: value[wiring.order] if value.ndim else value for key, value in every.items()}
        self.memory.add_projection(name, wiring, values, {} if source is None else source.initial, n_source)
        ends = Ends(populations.get(program.source), populations[program.target], program.source == program.target)
        places = {"projection": name, "pre": program.source, "post": program.target}
        for described in program.sums:
            self._add_kernel("sums", sum_kernel(program, described, ends), name, places)
        if program.update is not None:
            self._add_kernel("clocked", clocked_kernel(program, program.update, ends), name, places)
        for block, end in ((program.on_pre, "pre"), (program.on_post, "post")):
            if block is not None:
                self._add_kernel(f"on_{end}", pathway_kernel(program, block, end, ends, source), name, places)

    def _add_kernel(self, phase: str, kernel: Kernel, owner: str, ends: Mapping[str, str]) -> None:
        self._phases[phase].append((address_of(kernel), self.memory.add_kernel(kernel, owner, ends)))

    def _ring(self, population: str) -> tuple[int, int, int, int]:
        there = self.memory.populations[population]
        return there.ring, there.counts, there.ring_length, there.size

    def _traced(self, population: str, variable: str) -> tuple[int, int, int, int]:
        there = self.memory.populations[population]
        if variable in there.shared:
            return there.shared[variable], 0, there.size, there.size
        return there.chunks + there.rows.row(variable) * CHUNK, there.stride, there.size, CHUNK

    def _given(
        self, inputs: Mapping[str, InputSpikes], trial: int, first: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the spikes of sources, step and neuron, and for each source where its spikes lie and go to."""
        parts, rows, begin = [np.empty((0, 2), dtype=np.int64)], [], 0
        for name, spikes in inputs.items():
            step, neuron = spikes.of_trial(trial)
            parts.append(np.stack([step + first, neuron], axis=1))
            rows.append((*self._ring(name), begin, begin + step.size))
            begin += step.size
        return np.concatenate(parts), np.array(rows, dtype=np.int64).reshape(-1, 6)
