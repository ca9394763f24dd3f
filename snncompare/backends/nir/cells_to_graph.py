r"""Cells and synapses as a graph of NIR.

A signal of NIR is a current; a spike is an impulse in it, of area A: the time step where a spike is the number 1 for
one step, and 1 where it is a Dirac impulse. A stage with resistance r turns an input w s(t) into a jump of r A w / tau,
so r is tau / A wherever spikes arrive, and the weights of the graph are those of the network. A membrane with a
synaptic current has r = tau / A as well (snnTorch reads no other), and its w_in makes up for it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from snncompare.backends.draw_wiring import Ends
from snncompare.backends.nir.cells import MAX_NUMBERS, Cell, Jump, Numbers, Stage
from snncompare.backends.nir.weights_to_nodes import Branch, branches, convolution_node, is_convolution
from snncompare.backends.realisation import Realisation, delay_steps
from snncompare.errors import UnsupportedError
from snncompare.network.network import Network
from snncompare.network.neuron import SpikeSource
from snncompare.network.wiring import Convolution

__all__ = ["graph_of"]


def graph_of(
    network: Network,
    realisation: Realisation,
    cells: Mapping[str, Cell],
    jumps: Mapping[str, tuple[Jump, ...]],
    dt: float,
    area: float,
) -> Any:
    """Return a `nir.NIRGraph`.

    Parameters
    ----------
    network : Network
    realisation : Realisation
        Complete.
    cells : mapping
        Population to `Cell`, for all but spike sources.
    jumps : mapping
        Projection to what its spikes do.
    dt : float
        Time step in seconds, to which delays are rounded.
    area : float
        Area of a spike, seconds.

    Raises
    ------
    UnsupportedError
        If the graph would be too large or its shapes do not fit; the message names the projection.
    """
    import nir

    writer = _Writer(network, realisation, dt, area)
    for name in network.sources():
        writer.add(name, nir.Input({"input": np.array(writer.shapes[name])}))
    for name, cell in cells.items():
        ends_here = network.incoming(name)
        writer.add_cell(cell, {jump.stage for projection in ends_here for jump in jumps[projection]})
    for name in network.projections:
        for jump in jumps[name]:
            try:
                writer.add_projection(name, jump, alone=len(jumps[name]) == 1)
            except UnsupportedError as error:
                raise UnsupportedError(f"projection '{name}' cannot be written as NIR: {error}.") from error
    for name in _outputs(network):
        writer.edges.append((name, writer.add(f"{name}.output", nir.Output({"output": np.array(writer.shapes[name])}))))
    graph = nir.NIRGraph(writer.nodes, writer.edges, type_check=False)
    graph.check_types()
    return graph


def _outputs(network: Network) -> list[str]:
    """Return the populations that send to no other; all of them if there is none."""
    cells = [name for name, population in network.populations.items() if not isinstance(population.neuron, SpikeSource)]
    sending = {
        projection.source for projection in network.projections.values() if projection.source != projection.target
    }
    return [name for name in cells if name not in sending] or cells


def _shapes(network: Network, realisation: Realisation) -> dict[str, tuple[int, ...]]:
    """Return the shape of every population: channels and places where a convolution begins or ends, else a row."""
    found: dict[str, tuple[int, ...]] = {}
    for name, projection in network.projections.items():
        wiring = projection.wiring
        if not isinstance(wiring, Convolution) or not _convolves(network, realisation, name):
            continue
        ends = (
            (projection.source, (wiring.channels_in, *wiring.input_shape)),
            (projection.target, (wiring.channels_out, *wiring.output_shape)),
        )
        for population, shape in ends:
            if found.setdefault(population, shape) != shape:
                raise UnsupportedError(
                    f"projection '{name}' cannot be written as NIR: '{population}' is arranged as {found[population]} "
                    f"for another convolution and as {shape} for this one."
                )
    return {name: found.get(name, (population.size,)) for name, population in network.populations.items()}


def _convolves(network: Network, realisation: Realisation, name: str) -> bool:
    projection = network.projections[name]
    n_source, n_target = (network.populations[end].size for end in (projection.source, projection.target))
    ends = Ends(n_source, n_target, within=projection.source == projection.target)
    return is_convolution(realisation.connections[name], projection.wiring, ends)


class _Writer:
    """Collects the nodes and edges of a graph."""

    def __init__(self, network: Network, realisation: Realisation, dt: float, area: float) -> None:
        self._network, self._realisation, self._dt, self._area = network, realisation, dt, area
        self.shapes = _shapes(network, realisation)
        self.nodes: dict[str, Any] = {}
        self.edges: list[tuple[str, str]] = []
        self._stages: dict[tuple[str, str], str] = {}
        self._numbers = 0

    def add(self, name: str, node: Any) -> str:
        """Add a node under its name, or one like it that is free, and return that."""
        while name in self.nodes:
            name += "_"
        self.nodes[name] = node
        return name

    def add_cell(self, cell: Cell, hit: set[str]) -> None:
        """Add the nodes of a population; spikes arrive at the stages that are `hit`."""
        import nir

        shape, membrane = self.shapes[cell.name], cell.membrane
        if (
            len(cell.stages) == 2
            and _is_current(cell.stages[0])
            and membrane.tau is not None
            and membrane.name not in hit
        ):
            current = cell.stages[0]
            assert current.tau is not None
            r = membrane.tau / self._area
            scale = membrane.inputs[current.name] / r
            parameters = {"tau_syn": current.tau, "tau_mem": membrane.tau, "w_in": scale * current.tau / self._area}
            parameters |= {"r": r, "v_leak": membrane.rest} | _firing(cell)
            kind = nir.CubaLI if cell.threshold is None else nir.CubaLIF
            stages = (replace(current, initial=scale * current.initial), membrane)
            node = kind(**_shaped(parameters, shape))
            self._stages[cell.name, current.name] = self._add(cell.name, node, cell, stages)
            return
        for stage in cell.stages:
            name = cell.name if stage is membrane else f"{cell.name}.{stage.name}"
            r = self._resistance(stage, stage.name in hit)
            parameters = {"r": r} | (_firing(cell) if stage is membrane else {})
            if stage.tau is not None:
                parameters |= {"tau": stage.tau, "v_leak": stage.rest}
            elif stage.bias.any():
                raise UnsupportedError(
                    f"population '{cell.name}' cannot be written as NIR: '{stage.name}' has a constant input and no "
                    "leak."
                )
            fires = stage is membrane and cell.threshold is not None
            kinds = (nir.IF, nir.LIF) if fires else (nir.I, nir.LI)
            node = kinds[stage.tau is not None](**_shaped(parameters, shape))
            name = self._stages[cell.name, stage.name] = self._add(name, node, cell, (stage,))
            for other, factor in stage.inputs.items():
                self._connect(self._stages[cell.name, other], name, factor / r, shape)

    def _resistance(self, stage: Stage, hit: bool) -> Numbers:
        if hit:
            return (np.ones_like(stage.rest) if stage.tau is None else stage.tau) / self._area
        alone = list(stage.inputs.values())
        return alone[0] if len(alone) == 1 and alone[0].all() else np.ones_like(stage.rest)

    def _add(self, name: str, node: Any, cell: Cell, stages: tuple[Stage, ...]) -> str:
        kinds = ("initial",) if len(stages) == 1 else ("initial_current", "initial")
        initial = {kind: stage.initial for kind, stage in zip(kinds, stages, strict=True)}
        node.metadata = {"method": cell.method} if cell.membrane in stages and cell.method else {}
        node.metadata |= _shaped(initial, self.shapes[cell.name])
        self._count(8 * cell.size)
        return self.add(name, node)

    def _connect(self, source: str, target: str, factor: Numbers, shape: tuple[int, ...]) -> None:
        import nir

        if (factor == 1).all():
            self.edges.append((source, target))
            return
        between = self.add(f"{source}.to.{target}", nir.Scale(factor.reshape(shape)))
        self.edges += [(source, between), (between, target)]

    def add_projection(self, name: str, jump: Jump, *, alone: bool) -> None:
        """Add the nodes of a projection, as far as they act on one stage."""
        described, connections = self._network.projections[name], self._realisation.connections[name]
        shapes = (self.shapes[described.source], self.shapes[described.target])
        steps, label = delay_steps(connections, described, self._dt), name if alone else f"{name}.{jump.stage}"
        target = self._stages[described.target, jump.stage]
        if isinstance(described.wiring, Convolution) and _convolves(self._network, self._realisation, name):
            if np.unique(steps).size > 1:
                raise UnsupportedError("the synapses of its convolution have different delays")
            same = (jump.factor == jump.factor[0]).all()
            node = convolution_node(connections, described.wiring, jump.factor[0] if same else 1.0)
            before = np.full(shapes[0], steps.flat[0] * self._dt) if steps.any() else None
            rows = [Branch(before, node)]
            scale = None if same else jump.factor.reshape(shapes[1])
        else:
            rows, scale = branches(connections, steps, self._dt, jump.factor, shapes), None
        for k, row in enumerate(rows):
            self._add_row(label if k == 0 else f"{label}.{k}", row, described.source, target, scale)

    def _add_row(self, label: str, row: Branch, source: str, target: str, scale: Numbers | None) -> None:
        import nir

        shape = self.shapes[source]
        names, nodes = [], []
        if row.before is not None:
            names, nodes = [f"{label}.delay"], [nir.Delay(row.before)]
        if isinstance(row.weights, nir.Linear) and len(shape) > 1:
            names.append(f"{label}.flatten")
            nodes.append(nir.Flatten({"input": np.array(shape)}, start_dim=0, end_dim=-1))
        names.append(label)
        nodes.append(row.weights)
        if row.after is not None:
            names.append(f"{label}.delay")
            nodes.append(nir.Delay(row.after))
        if scale is not None:
            names.append(f"{label}.scale")
            nodes.append(nir.Scale(scale))
        weights = row.weights.scale if isinstance(row.weights, nir.Scale) else row.weights.weight
        self._count(weights.size)
        names = [self.add(name, node) for name, node in zip(names, nodes, strict=True)]
        self.edges += list(zip([source, *names], [*names, target], strict=True))

    def _count(self, numbers: int) -> None:
        self._numbers += numbers
        if self._numbers > MAX_NUMBERS:
            raise UnsupportedError(
                f"with it the graph has {self._numbers:,} numbers, and {MAX_NUMBERS:,} are allowed; NIR has no sparse "
                "weights"
            )


def _is_current(stage: Stage) -> bool:
    """Return whether a stage is the synaptic current of NIR's current-based neurons: it decays to zero by itself."""
    return stage.tau is not None and not stage.inputs and not stage.rest.any()


def _firing(cell: Cell) -> dict[str, Numbers]:
    if cell.threshold is None or cell.reset is None:
        return {}
    return {"v_threshold": cell.threshold, "v_reset": cell.reset}


def _shaped(arrays: Mapping[str, Numbers], shape: tuple[int, ...]) -> dict[str, Numbers]:
    return {name: np.array(array, dtype=np.float64).reshape(shape) for name, array in arrays.items()}
