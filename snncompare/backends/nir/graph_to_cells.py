"""A graph of NIR as cells and the spikes that reach them."""

import math
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np

from snncompare.backends.nir.cells import Cell, Numbers, Stage, one_where_close, ordered
from snncompare.backends.nir.flat_graph import FlatGraph, at_node, flattened
from snncompare.backends.nir.linear_nodes import numbers_of
from snncompare.backends.nir.signals import Signal, Term
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.neuron import Method

__all__ = ["Arrival", "Imported", "imported"]

_SPIKING = ("CubaLIF", "IF", "LIF")


@dataclass(frozen=True, eq=False)
class Arrival:
    """Spikes of a node that reach a stage of a cell: `gain` (n_target,) times what the terms say is the jump."""

    cell: str
    stage: str
    gain: Numbers
    terms: tuple[Term, ...]


@dataclass(frozen=True, eq=False)
class Imported:
    """What is in a graph: inputs with their shapes, cells by the name of their last node, and spikes that arrive."""

    inputs: dict[str, tuple[int, ...]]
    cells: dict[str, Cell]
    arrivals: tuple[Arrival, ...]


def imported(graph: Any, area: float, method: str | None, *, notes: bool) -> Imported:
    """Return what is in a `nir.NIRGraph`.

    Parameters
    ----------
    graph : nir.NIRGraph
    area : float
        Area of a spike, seconds.
    method : str or None
        How the equations are integrated; None: what our notes say.
    notes : bool
        Whether the metadata of the nodes are our notes.

    Raises
    ------
    InputError
        If the graph contradicts itself.
    UnsupportedError
        If it has what our descriptions cannot say; the message names the node.
    """
    flat = flattened(graph)
    shapes, arriving = flat.shapes(), flat.arriving()
    graded = {name for name in flat.stateful() if type(flat.nodes[name]).__name__ not in _SPIKING}
    owner = _owners(flat, arriving, graded)
    cells, arrivals = {}, []
    for name in flat.stateful():
        if owner[name] != name:
            continue
        members = [member for member in flat.stateful() if owner[member] == name]
        stages: dict[str, Stage] = {}
        for member in members:
            with at_node(member, flat.nodes[member]):
                noted = flat.nodes[member].metadata if notes else {}
                found = _Node(member, flat.nodes[member], shapes[member], arriving[member], graded, noted)
                stages |= found.stages()
                spikes = tuple(term for term in arriving[member].terms if term.source not in graded)
                if spikes:
                    arrivals.append(Arrival(name, found.entry, found.gain(area), spikes))
        chosen = method if method is not None or not notes else _noted_method(flat.nodes[name])
        with at_node(name, flat.nodes[name]):
            cells[name] = _cell(name, flat.nodes[name], shapes[name], stages, chosen)
    return Imported({name: shapes[name] for name in flat.inputs}, cells, tuple(arrivals))


def _owners(flat: FlatGraph, arriving: dict[str, Signal], graded: set[str]) -> dict[str, str]:
    """Return for each node with state the node whose neurons it belongs to: itself, or the one its values flow into."""
    takers: dict[str, set[str]] = {name: set() for name in graded}
    for name, signal in arriving.items():
        for term in signal.terms:
            if term.source in graded:
                takers[term.source].add(name)
    owner = {}
    for name in flat.stateful():
        last, passed = name, {name}
        while last in graded and takers[last]:
            with at_node(last, flat.nodes[last]):
                if len(takers[last]) > 1:
                    raise UnsupportedError("sends its values, which are no spikes, to several neurons")
                if any(last in flat.senders[output] for output in flat.outputs()):
                    raise UnsupportedError("is an output and drives other neurons with values that are no spikes")
                (last,) = takers[last]
                if last in passed:
                    raise UnsupportedError("drives itself with values that are no spikes")
            passed.add(last)
        owner[name] = last
    return owner


class _Node:
    """A node with state as one stage, or two for those with a synaptic current I, of which R I is kept."""

    def __init__(
        self, name: str, node: Any, shape: tuple[int, ...], signal: Signal, graded: set[str], notes: Any
    ) -> None:
        self._notes = notes if isinstance(notes, dict) else {}
        self._name, self._node, self._size = name, node, math.prod(shape)
        self._constant = signal.constant
        self._values: dict[str, Numbers] = {}
        for term in signal.terms:
            if term.source in graded:
                self._values[term.source] = self._values.get(term.source, 0.0) + _one_to_one(term, self._size)
        self._current = hasattr(node, "tau_syn")

    @property
    def entry(self) -> str:
        """The stage at which signals arrive."""
        return f"{self._name}.current" if self._current else self._name

    def gain(self, area: float) -> Numbers:
        """Return the jump that an impulse of weight 1 makes in the stage at which it arrives."""
        if self._current:
            return one_where_close(area * (self._number("w_in") / self._time("tau_syn")) * self._number("r"))
        r = self._number("r")
        return one_where_close(area * (r / self._time("tau") if hasattr(self._node, "tau") else r))

    def stages(self) -> dict[str, Stage]:
        """Return the stages by name."""
        nothing = np.zeros(self._size)
        factor = self._number("r") * (self._number("w_in") if self._current else 1.0)
        inputs = {other: one_where_close(factor * value) for other, value in self._values.items()}
        bias = factor * self._constant
        rest = self._number("v_leak") if hasattr(self._node, "v_leak") else nothing
        initial = self._initial("initial", rest)
        if not self._current:
            tau = self._time("tau") if hasattr(self._node, "tau") else None
            return {self._name: Stage(self._name, tau, rest, bias, inputs, initial)}
        current = self._number("r") * self._initial("initial_current", nothing)
        acts = {self.entry: np.ones(self._size)}
        return {
            self.entry: Stage(self.entry, self._time("tau_syn"), nothing, bias, inputs, current),
            self._name: Stage(self._name, self._time("tau_mem"), rest, nothing, acts, initial),
        }

    def _number(self, name: str) -> Numbers:
        return np.broadcast_to(numbers_of(self._node, name).ravel(), (self._size,))

    def _time(self, name: str) -> Numbers:
        found = self._number(name)
        if not (found > 0).all():
            raise InputError(f"{name} must be positive, got {found.min():g} s")
        return found

    def _initial(self, name: str, otherwise: Numbers) -> Numbers:
        if name not in self._notes:
            return otherwise
        found = np.asarray(self._notes[name])
        if found.dtype.kind not in "fiu" or found.size not in (1, self._size) or not np.isfinite(found).all():
            raise InputError(f"{name} in the metadata must be {self._size} numbers")
        return np.broadcast_to(found.astype(np.float64).ravel(), (self._size,))


def _one_to_one(term: Term, size: int) -> Numbers:
    """Return the factor of each neuron, for values that go from each neuron to the same neuron of the next node."""
    matrix = term.matrix.tocoo()
    there = matrix.data != 0
    if term.delay != 0 or matrix.shape != (size, size) or (matrix.row[there] != matrix.col[there]).any():
        raise UnsupportedError(f"gets values that are no spikes from {term.source!r:.80} through weights or delays")
    return np.asarray(term.matrix.diagonal())


def _noted_method(node: Any) -> str | None:
    said = node.metadata.get("method") if isinstance(node.metadata, dict) else None
    return said if said in get_args(Method) else None


def _cell(name: str, node: Any, shape: tuple[int, ...], stages: dict[str, Stage], method: str | None) -> Cell:
    fires = type(node).__name__ in _SPIKING
    threshold, reset = (
        np.broadcast_to(numbers_of(node, key).ravel(), (math.prod(shape),)) if fires else None
        for key in ("v_threshold", "v_reset")
    )
    return Cell(name, shape, ordered(stages), threshold, reset, method)
