"""A graph of NIR without subgraphs: nodes by name, who sends to whom, and the shape of every signal."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from snncompare.backends.connections import finite_numbers
from snncompare.backends.nir.linear_nodes import LINEAR, numbers_of, shape_behind, through
from snncompare.backends.nir.signals import Signal, summed
from snncompare.errors import InputError, UnsupportedError
from snncompare.network.network import MAX_SIZE

__all__ = ["STATEFUL", "FlatGraph", "at_node", "flattened"]

STATEFUL = {
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak", "w_in"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in"),
    "I": ("r",),
    "IF": ("r", "v_threshold", "v_reset"),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold", "v_reset"),
}
"""Nodes with state, and their parameters."""
_MAX_NODES = 2_000
_MAX_DEPTH = 8


@contextmanager
def at_node(name: str, node: Any) -> Iterator[None]:
    """Say of which node an error is."""
    try:
        yield
    except (InputError, UnsupportedError) as error:
        kind = UnsupportedError if isinstance(error, UnsupportedError) else InputError
        raise kind(f"node {name!r:.80} ({type(node).__name__}) {str(error).rstrip('.')}.") from error


@dataclass(frozen=True, eq=False)
class FlatGraph:
    """Nodes by name, and for each the nodes that send to it.

    The nodes of a subgraph have its name before their own (``"layer.lif"``); its inputs and outputs pass on what they
    get.

    Attributes
    ----------
    nodes : dict
        Name to node of the `nir` package.
    senders : dict
        Name to names.
    inputs : tuple of str
        Nodes at which spikes enter.
    """

    nodes: dict[str, Any]
    senders: dict[str, list[str]]
    inputs: tuple[str, ...]

    def stateful(self) -> list[str]:
        """Return the nodes with state, in the order in which the graph has them."""
        return [name for name, node in self.nodes.items() if type(node).__name__ in STATEFUL]

    def outputs(self) -> list[str]:
        """Return the nodes at which signals leave the graph."""
        sending = {sender for senders in self.senders.values() for sender in senders}
        return [n for n, node in self.nodes.items() if type(node).__name__ == "Output" and n not in sending]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of what each node sends.

        Neurons whose parameters are single numbers are as many as the signals they get have values.

        Raises
        ------
        InputError
            If the shape of a node does not follow from the graph.
        """
        found = {name: _own_shape(node) for name, node in self.nodes.items()}
        while True:
            unknown = [name for name, shape in found.items() if shape is None]
            for name in unknown:
                given = next((s for sender in self.senders[name] if (s := found[sender]) is not None), None)
                with at_node(name, self.nodes[name]):
                    linear = type(self.nodes[name]).__name__ in LINEAR
                    found[name] = _checked(shape_behind(self.nodes[name], given) if linear else given)
            left = [name for name, shape in found.items() if shape is None]
            if len(left) == len(unknown):
                break
        total = sum(math.prod(shape) for shape in found.values() if shape is not None)
        if total > 2 * MAX_SIZE:
            raise InputError(f"the signals of the graph have {total:,} values in all; {2 * MAX_SIZE:,} are read.")
        for name in left:
            if type(self.nodes[name]).__name__ in STATEFUL:
                if not self.nodes[name].r.shape:
                    raise InputError(
                        f"node {name!r:.80} does not say how many neurons it has, and nothing is sent to it."
                    )
                found[name] = self.nodes[name].r.shape
        return {name: shape for name, shape in found.items() if shape is not None}

    def arriving(self) -> dict[str, Signal]:
        """Return the signal that arrives at each node with state.

        Raises
        ------
        InputError, UnsupportedError
            If a linear node cannot take what it gets, or linear nodes form a circle.
        """
        shapes, sent = self.shapes(), dict[str, Signal]()
        sources = {*self.inputs, *self.stateful()}
        unused = [name for name in self.outputs() if not self.senders[name]]
        behind = {name: self.senders[name] if name not in sources else [] for name in self.nodes}
        try:
            order = list(TopologicalSorter(behind).static_order())
        except CycleError as error:
            circle = ", ".join(repr(name) for name in dict.fromkeys(error.args[1]))
            raise UnsupportedError(f"the nodes {circle:.200} form a circle without neurons.") from error
        for name in order:
            if name in sources:
                sent[name] = Signal.of(name, shapes[name])
            elif name in unused:
                continue
            elif name in shapes and self.senders[name]:
                with at_node(name, self.nodes[name]):
                    there = [sent[sender] for sender in self.senders[name]]
                    sent[name] = through(self.nodes[name], name, summed(there, there[0].shape))
            else:
                raise InputError(f"nothing is sent to node {name!r:.80} ({type(self.nodes[name]).__name__}).")
        arriving = {}
        for name in self.stateful():
            with at_node(name, self.nodes[name]):
                arriving[name] = summed([sent[sender] for sender in self.senders[name]], shapes[name])
        return arriving


def flattened(graph: Any) -> FlatGraph:
    """Return a `nir.NIRGraph` without its subgraphs.

    Raises
    ------
    InputError
        If edges end at nodes that do not exist, an edge is there twice, or the graph has no input.
    UnsupportedError
        If a node is of a kind that our descriptions cannot say.
    """
    nodes: dict[str, Any] = {}
    edges: list[tuple[str, str]] = []
    _collect(graph, "", nodes, edges, 0)
    if len(set(edges)) < len(edges):
        twice = next(edge for k, edge in enumerate(edges) if edge in edges[:k])
        raise InputError(f"the edge from {twice[0]!r:.80} to {twice[1]!r:.80} is there twice; keep one of the two.")
    senders: dict[str, list[str]] = {name: [] for name in nodes}
    for source, target in edges:
        senders[target].append(source)
    for name, node in nodes.items():
        kind = type(node).__name__
        if kind not in STATEFUL and kind not in LINEAR:
            raise UnsupportedError(
                f"node {name!r:.80} is of the kind {kind}, which has no counterpart in a description."
            )
    inputs = tuple(name for name in graph.nodes if name in nodes and type(nodes[name]).__name__ == "Input")
    for name in inputs:
        if senders[name]:
            raise InputError(f"the input {name!r:.80} of the graph gets signals from other nodes.")
    if not inputs:
        raise InputError("the graph has no node of the kind Input, where spikes enter.")
    return FlatGraph(nodes, senders, inputs)


def _collect(graph: Any, prefix: str, nodes: dict[str, Any], edges: list[tuple[str, str]], depth: int) -> None:
    if depth > _MAX_DEPTH:
        raise InputError(f"subgraphs are nested deeper than {_MAX_DEPTH} levels.")
    inner = {}
    for name, node in graph.nodes.items():
        if type(node).__name__ == "NIRGraph":
            inner[name] = node
            _collect(node, f"{prefix}{name}.", nodes, edges, depth + 1)
            continue
        if f"{prefix}{name}" in nodes:
            raise InputError(f"the node {prefix + name!r:.80} is there twice.")
        nodes[f"{prefix}{name}"] = node
        if len(nodes) > _MAX_NODES:
            raise InputError(f"the graph has more than {_MAX_NODES:,} nodes.")
    for source, target in graph.edges:
        for end in (source, target):
            if end not in graph.nodes:
                raise InputError(f"an edge names the node {prefix + str(end)!r:.80}, which does not exist.")
        edges.append((_port(inner, prefix, source, "Output"), _port(inner, prefix, target, "Input")))


def _port(inner: dict[str, Any], prefix: str, name: str, kind: str) -> str:
    """Return the node at which an edge begins or ends, inside a subgraph if `name` is one."""
    full = f"{prefix}{name}"
    if name not in inner:
        return full
    ports = [key for key, node in inner[name].nodes.items() if type(node).__name__ == kind]
    if len(ports) != 1:
        raise InputError(f"the subgraph {full!r:.80} needs one node of the kind {kind}, it has {len(ports)}.")
    return f"{full}.{ports[0]}"


def _own_shape(node: Any) -> tuple[int, ...] | None:
    """Return the shape that a node has by itself."""
    kind = type(node).__name__
    if kind == "Input":
        given = np.atleast_1d(finite_numbers(node.input_type["input"], "shape"))
        return _checked(tuple(int(n) for n in given))
    if kind in STATEFUL:
        shapes = {numbers_of(node, name).shape for name in STATEFUL[kind]}
        large = {shape for shape in shapes if math.prod(shape) != 1}
        if len(large) > 1:
            raise InputError(f"a node of the kind {kind} has parameters of different shapes {sorted(large)}.")
        return _checked(large.pop()) if large else None
    return None


def _checked(shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    if shape is not None and not (0 < math.prod(shape) <= MAX_SIZE and len(shape) <= 8 and min(shape, default=1) > 0):
        raise InputError(f"the shape {shape} is not that of 1 to {MAX_SIZE:,} neurons")
    return shape
