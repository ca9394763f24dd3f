"""Where everything of a network lies: a few long arrays, and for each kernel the row that tells it what is where."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.fused.kernel_text import Kernel, Request
from snncompare.backends.fused.population_kernels import CHUNK, Rows
from snncompare.backends.fused.synapse_kernels import AHEAD
from snncompare.backends.fused.wiring import Wiring
from snncompare.errors import FileError, InputError

__all__ = ["MAX_RING", "Memory", "Mutable", "PopulationPlace"]

_LINE = 8
"""Numbers in a cache line."""
MAX_RING = 1 << 29
"""Spikes that the latest steps may hold, all populations together: 2 GiB."""


@dataclass(frozen=True)
class Mutable:
    """What changes during a run: variables F, random generators U, spikes of the latest steps R, counts G."""

    F: NDArray[np.float64]
    U: NDArray[np.uint64]
    R: NDArray[np.int32]
    G: NDArray[np.int64]

    def copy(self) -> "Mutable":
        """Return a copy that changes on its own."""
        F = _aligned(self.F.size)
        F[:] = self.F
        return Mutable(F, self.U.copy(), self.R.copy(), self.G.copy())


@dataclass(frozen=True)
class PopulationPlace:
    """Where a population lies.

    Attributes
    ----------
    size : int
    rows : Rows
    chunks : int
        Its first chunk in F.
    shared : mapping
        Variable that all neurons share to its place in F.
    ring, ring_length, counts : int
        Spikes of the latest steps in R, how many steps, and the numbers of spikes in G.
    """

    size: int
    rows: Rows
    chunks: int
    shared: Mapping[str, int]
    ring: int
    ring_length: int
    counts: int

    @property
    def stride(self) -> int:
        """Distance between chunks."""
        return self.rows.number * CHUNK

    def place_of(self, variable: str) -> NDArray[np.int64]:
        """Return where a variable of each neuron lies in F."""
        neuron = np.arange(self.size)
        return self.chunks + neuron // CHUNK * self.stride + neuron % CHUNK + self.rows.row(variable) * CHUNK


@dataclass(frozen=True)
class _ProjectionPlace:
    first: int
    variables: tuple[str, ...]
    wiring: Mapping[str, int]
    sources: NDArray[Any]
    groups: int
    shared_first: int
    shared_variables: tuple[str, ...]

    @property
    def number(self) -> int:
        """How many synapses there are."""
        return self.sources.size


class Memory:
    """Lays out populations and projections, and answers what kernels ask.

    Attributes
    ----------
    populations : dict
        Name to `PopulationPlace`.
    """

    def __init__(self) -> None:
        self.populations: dict[str, PopulationPlace] = {}
        self._projections: dict[str, _ProjectionPlace] = {}
        self._sizes = {"F": 0, "U": 0, "R": 0, "G": 0, "C": 0, "J": 0, "Q": 0}
        self._parts: dict[str, list[NDArray[Any]]] = {"C": [], "J": [], "Q": []}
        self._initial: list[tuple[Any, Any]] = []
        self._generators: dict[str, int] = {}
        self._gaps: list[int] = []
        self._rows: list[list[int]] = []

    def add_population(
        self, name: str, size: int, rows: Rows, values: Mapping[str, Any], shared: Mapping[str, float], ring_length: int
    ) -> None:
        """Make room for a population; `values` has a number or an array for each variable."""
        chunks = self._room("F", -(-size // CHUNK) * rows.number * CHUNK)
        places = {variable: self._room("F", 1) for variable in shared}
        ring, counts = self._room("R", ring_length * size), self._room("G", ring_length)
        if self._sizes["R"] > MAX_RING:
            raise InputError(
                f"the spikes of {ring_length:,} time steps of '{name}' need {4e-9 * ring_length * size:.3g} GB for its "
                f"longest delay; {4e-9 * MAX_RING:.3g} GB are allowed, use shorter delays or a longer time step."
            )
        self._initial += [(places[variable], value) for variable, value in shared.items()]
        self.populations[name] = place = PopulationPlace(size, rows, chunks, places, ring, ring_length, counts)
        self._initial += [(place.place_of(variable), value) for variable, value in values.items()]

    def add_projection(
        self, name: str, wiring: Wiring, values: Mapping[str, Any], shared: Mapping[str, float], n_source: int
    ) -> None:
        """Make room for the synapses of a projection.

        Parameters
        ----------
        name : str
        wiring : Wiring
        values : mapping
            An array for each variable of the synapses.
        shared : mapping
            A number for each variable that all synapses of a source neuron have in common.
        n_source : int
            Number of source neurons.
        """
        first, variables = self._room("F", len(values) * wiring.number), tuple(values)
        places = {key: self._stored("J", array) for key, array in wiring.short.items()}
        places |= {key: self._stored("Q", array) for key, array in wiring.long.items()}
        common = self._room("F", len(shared) * n_source)
        self._initial.append((slice(common, common + len(shared) * n_source), np.tile(list(shared.values()), n_source)))
        self._projections[name] = _ProjectionPlace(
            first, variables, places, wiring.short["sources"], wiring.groups, common, tuple(shared)
        )
        end = first + len(variables) * wiring.number
        self._initial += [(slice(first + k, end, len(variables)), value) for k, value in enumerate(values.values())]

    def add_kernel(self, kernel: Kernel, owner: str, ends: Mapping[str, str]) -> int:
        """Return the number of the row of the layout for a kernel of a population or projection.

        Parameters
        ----------
        kernel : Kernel
        owner : str
            Whose random generator it uses.
        ends : mapping
            ``"own"``, or ``"pre"`` and ``"post"``, to populations; ``"projection"`` to the projection.
        """
        constants = self._stored("C", np.array(kernel.constants, dtype=np.float64))
        self._rows.append([self._place(request, owner, ends, constants) for request in kernel.requests])
        return len(self._rows) - 1

    def finished(self) -> tuple[dict[str, NDArray[Any]], Mutable]:
        """Return what stays (C, J, Q and the layout L) and what a run begins with; generators are not seeded yet."""
        kinds = {"C": np.float64, "J": np.int32, "Q": np.int64}
        static: dict[str, NDArray[Any]] = {
            key: np.concatenate([np.zeros(0, kind), *self._parts[key]]).astype(kind) for key, kind in kinds.items()
        }
        static["J"] = np.pad(static["J"], (0, AHEAD))  # kernels look that far ahead
        width = max([1, *map(len, self._rows)])
        static["L"] = np.array([row + [0] * (width - len(row)) for row in self._rows], dtype=np.int64)
        F = _aligned(self._sizes["F"])
        for place, value in self._initial:
            F[place] = value
        G = np.zeros(self._sizes["G"], dtype=np.int64)
        G[self._gaps] = -1
        U = np.zeros(self._sizes["U"], dtype=np.uint64)
        return static, Mutable(F, U, np.zeros(self._sizes["R"], dtype=np.int32), G)

    @property
    def generators(self) -> Mapping[str, int]:
        """Owner to the place of its random generator in U."""
        return self._generators

    def synapses_place(self, projection: str, variable: str) -> NDArray[np.int64]:
        """Return where a variable of each synapse lies in F."""
        there = self._projections[projection]
        if variable in there.shared_variables:
            place = there.shared_first + there.shared_variables.index(variable)
            return place + there.sources.astype(np.int64) * len(there.shared_variables)
        return there.first + np.arange(there.number) * len(there.variables) + there.variables.index(variable)

    def is_shared(self, projection: str, variable: str) -> bool:
        """Return whether all synapses of a source neuron have a variable in common."""
        return variable in self._projections[projection].shared_variables

    def check_spikes(self, R: NDArray[np.int32], G: NDArray[np.int64]) -> None:
        """Refuse spikes of latest steps and counts that point outside the memory.

        Raises
        ------
        FileError
        """
        for name, there in self.populations.items():
            counts = G[there.counts : there.counts + there.ring_length]
            spikes = R[there.ring : there.ring + there.ring_length * there.size]
            if ((counts < 0) | (counts > there.size)).any() or ((spikes < 0) | (spikes >= there.size)).any():
                raise FileError(f"the latest spikes of '{name}' in this state are not those of this network.")
        if (G[self._gaps] < -1).any():
            raise FileError("the random numbers of this state are not those of this network.")

    def _room(self, array: str, size: int) -> int:
        """Return the place of a new part, at the beginning of a cache line."""
        first = self._sizes[array]
        self._sizes[array] += -(-size // _LINE) * _LINE if array == "F" else size
        return first

    def _stored(self, array: str, values: NDArray[Any]) -> int:
        self._parts[array].append(values)
        return self._room(array, values.size)

    def _place(self, request: Request, owner: str, ends: Mapping[str, str], constants: int) -> int:
        match request:
            case ("constants",):
                return constants
            case ("generator", _):
                if owner not in self._generators:
                    self._generators[owner] = self._room("U", 4)
                return self._generators[owner]
            case ("gap", _, _):
                self._gaps.append(self._room("G", 1))
                return self._gaps[-1]
            case ("synapse",):
                return self._projections[ends["projection"]].first
            case ("source state",):
                return self._projections[ends["projection"]].shared_first
            case ("number",):
                return self._projections[ends["projection"]].number
            case ("delay groups",):
                return self._projections[ends["projection"]].groups
            case (("sources" | "targets" | "delays") as key,):
                return self._projections[ends["projection"]].wiring[key]
            case (("first synapse" | "synapses") as key, end):
                return self._projections[ends["projection"]].wiring[f"{key} {end}"]
        return self._place_in_population(request, self.populations[ends[request[1]]])

    @staticmethod
    def _place_in_population(request: Request, there: PopulationPlace) -> int:
        match request:
            case ("shared", _, variable):
                return there.shared[variable]
            case ("row", _, variable):
                return there.rows.row(variable) * CHUNK
            case ("size", _):
                return there.size
            case ("chunks", _):
                return there.chunks
            case ("stride", _):
                return there.stride
            case ("ring", _):
                return there.ring
            case ("ring length", _):
                return there.ring_length
            case ("counts", _):
                return there.counts
        raise TypeError(f"no kernel asks for {request}")  # our own mistake, never a user's


def _aligned(size: int) -> NDArray[np.float64]:
    """Return zeros that begin at the beginning of a cache line."""
    whole = np.zeros(size + _LINE)
    first = -(whole.ctypes.data // whole.itemsize) % _LINE
    return whole[first : first + size]
