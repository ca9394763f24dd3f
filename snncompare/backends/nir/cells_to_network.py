"""Cells and the spikes that reach them as a description and its arrays.

Graphs of NIR have no units; time is read in seconds, and every state variable, whatever it is, in volt.
"""

import itertools
import re
from typing import Any

import numpy as np
from scipy import sparse

from snncompare.backends.connections import Connections
from snncompare.backends.nir.cells import Cell, Numbers, Stage
from snncompare.backends.nir.graph_to_cells import Arrival, Imported
from snncompare.backends.nir.signals import Term
from snncompare.backends.realisation import Realisation
from snncompare.errors import DescriptionError, UnsupportedError
from snncompare.network.initialisers import Constant, Normal, Uniform
from snncompare.network.names import check_free_names, check_names
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel, SpikeSource
from snncompare.network.synapses.currents import delta
from snncompare.network.wiring import AllToAll, FixedProbability, OneToOne
from snncompare.units import Dimension, Quantity, parse_unit

__all__ = ["described"]

_APART = 1e-6


def described(found: Imported, name: str) -> tuple[Network, Realisation]:
    """Return what was found in a graph as a network and its realisation.

    Raises
    ------
    InputError, UnsupportedError
        If no description can say it.
    """
    taken: set[str] = set()
    names = {node: _free_name(node, "population", taken) for node in (*found.inputs, *found.cells)}
    populations = {
        names[node]: Population(size=int(np.prod(shape)), neuron=SpikeSource()) for node, shape in found.inputs.items()
    }
    values: dict[str, dict[str, Numbers]] = {}
    variables: dict[tuple[str, str], str] = {}
    for node, cell in found.cells.items():
        writer = _Writer(cell)
        populations[names[node]] = writer.population()
        variables |= {(node, stage): variable for stage, variable in writer.variables.items()}
        values[names[node]] = writer.values
    projections, connections = {}, {}
    for arrival in found.arrivals:
        for source in dict.fromkeys(term.source for term in arrival.terms):
            terms = [term for term in arrival.terms if term.source == source]
            joined, delay, kernel = _connections(arrival, terms)
            if not joined.n_synapses:
                continue
            label = next((term.label for term in terms if term.label), f"{source}.to.{arrival.cell}")
            projection = _free_name(label, "projection", taken)
            into = variables[arrival.cell, arrival.stage]
            projections[projection] = _projection((names[source], names[arrival.cell]), into, joined, delay, kernel)
            connections[projection] = joined
    network = Network(name=name, populations=populations, projections=projections)
    return network, Realisation(connections, {population: there for population, there in values.items() if there})


def _free_name(node: str, what: str, taken: set[str]) -> str:
    """Return the name of a node as descriptions allow it: letters, digits and single underscores, and no other's."""
    plain = re.sub(r"_+", "_", re.sub(r"[^A-Za-z0-9]", "_", node))[:60].strip("_") or what
    plain = plain if plain[0].isalpha() else f"n{plain}"
    try:
        check_names([plain], what)
    except DescriptionError:
        plain += "_node"
    numbered = (plain if k == 1 else f"{plain}_{k}" for k in range(1, len(taken) + 2))
    found = next(name for name in numbered if name not in taken)
    taken.add(found)
    return found


def _connections(arrival: Arrival, terms: list[Term]) -> tuple[Connections, Any, Any]:
    """Return the synapses from one node to one stage, their delay as described, and the convolution or None."""
    rows, columns, weights, delays, kernel = [], [], [], [], None
    for term in terms:
        matrix = sparse.coo_array(term.matrix)
        weight = matrix.data * arrival.gain[matrix.row]
        alone = term.kernel is not None and len(terms) == 1 and np.unique(arrival.gain).size == 1
        kernel = term.kernel if alone else None
        there = np.ones(weight.size, dtype=bool) if kernel is not None else weight != 0
        rows.append(matrix.row[there])
        columns.append(matrix.col[there])
        weights.append(weight[there])
        delays.append(np.full(int(there.sum()), term.delay))
    shape = terms[0].matrix.shape
    delay = np.concatenate(delays)
    alike = delay.size == 0 or np.ptp(delay) == 0
    found = Connections(
        (shape[1], shape[0]),
        np.concatenate(columns).astype(np.int64),
        np.concatenate(rows).astype(np.int64),
        np.concatenate(weights),
        None if alike else delay,
        kernel.entry if kernel is not None else None,
    ).checked()
    same = _quantity(terms[0].delay if delay.size == 0 else delay[0], "second")
    return found, same if alike else _between(delay, "second"), kernel.wiring if kernel is not None else None


def _projection(ends: tuple[str, str], variable: str, found: Connections, delay: Any, wiring: Any) -> Projection:
    if wiring is None:
        diagonal = found.shape[0] == found.shape[1] == found.n_synapses and np.array_equal(found.source, found.target)
        density = min(1.0, found.n_synapses / (found.shape[0] * found.shape[1]))
        wiring = AllToAll(autapses=True) if density == 1 else FixedProbability(p=density, autapses=True)
        wiring = OneToOne() if diagonal else wiring
    spread, mean = _quantity(found.weight.std(), "volt"), _quantity(found.weight.mean(), "volt")
    return Projection(
        source=ends[0],
        target=ends[1],
        synapse=delta(unit="volt", variable=variable),
        wiring=wiring,
        weight=Normal(mean=mean, sd=spread) if spread.value > 0 else Constant(value=mean),
        delay=delay,
    )


def _quantity(value: Any, unit: str) -> Quantity:
    dimension: Dimension = parse_unit(unit)[1]
    return Quantity(float(value), dimension)


def _between(numbers: Numbers, unit: str) -> Uniform:
    return Uniform(low=_quantity(numbers.min(), unit), high=_quantity(numbers.max(), unit))


class _Writer:
    """Writes the equations of a cell; parameters that all neurons share are quantities, others arrays in `values`."""

    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        self.values: dict[str, Numbers] = {}
        self._shared: dict[str, Quantity] = {}
        self._drawn: dict[str, Uniform] = {}
        self._times: dict[bytes, str] = {}
        self.variables = self._variables()

    def _variables(self) -> dict[str, str]:
        """Return the name of the variable of each stage."""
        cell = self._cell
        found = {cell.membrane.name: "v"}
        for k, stage in enumerate(cell.stages[:-1], 1):
            tail = stage.name.removeprefix(f"{cell.name}.")
            plain = re.sub(r"[^A-Za-z0-9]+", "_", tail).strip("_")
            try:
                check_free_names([plain, f"tau_{plain}"], "variable")
                free = plain not in found.values() and len(plain) < 40 and not plain.startswith(("tau_", "v_"))
            except DescriptionError:
                free = False
            found[stage.name] = plain if free else f"x_{k}"
        return found

    def population(self) -> Population:
        """Return the population."""
        cell = self._cell
        lines = [self._equation(stage) for stage in cell.stages]
        fires = cell.threshold is not None and cell.reset is not None
        if cell.threshold is not None and cell.reset is not None:
            self._parameter("v_threshold", cell.threshold, "volt")
            self._parameter("v_reset", cell.reset, "volt")
        states = {self.variables[stage.name]: stage.initial for stage in cell.stages if stage.initial.any()}
        same = {name: _quantity(array[0], "volt") for name, array in states.items() if np.ptp(array) == 0}
        drawn = {name: _between(array, "volt") for name, array in states.items() if name not in same}
        self.values |= {name: np.array(states[name]) for name in drawn}
        neuron = NeuronModel(
            equations="\n".join(lines),
            threshold="v > v_threshold" if fires else None,
            reset="v = v_reset" if fires else "",
            method=self._method(),
            parameters=self._shared,
            initial=same,
        )
        return Population(size=cell.size, neuron=neuron, parameters=self._drawn, initial=drawn)

    def _parameter(self, name: str, numbers: Numbers, unit: str) -> str:
        self._shared[name] = _quantity(numbers[0], unit)
        if np.ptp(numbers) > 0:
            self._drawn[name] = _between(numbers, unit)
            self.values[name] = np.array(numbers)
        return name

    def _equation(self, stage: Stage) -> str:
        variable, parts = self.variables[stage.name], []
        leaky = stage.tau is not None
        if stage.rest.any():
            parts.append(self._parameter(f"{variable}_leak", stage.rest, "volt"))
        if leaky:
            parts.append(f"-{variable}" if not parts else f"- {variable}")
        if stage.bias.any():
            parts.append("+ " + self._parameter(f"{variable}_bias", stage.bias, "volt" if leaky else "volt/second"))
        for other, factor in stage.inputs.items():
            read = self.variables[other]
            if leaky and (factor == 1).all():
                parts.append(f"+ {read}")
            else:
                name = self._parameter(f"r_{read}_{variable}", factor, "1" if leaky else "hertz")
                parts.append(f"+ {name}*{read}")
        total = " ".join(parts).removeprefix("+ ") or "0*volt/second"
        if stage.tau is None:
            return f"d{variable}/dt = {total} : volt"
        return f"d{variable}/dt = ({total})/{self._time(variable, stage.tau)} : volt"

    def _time(self, variable: str, tau: Numbers) -> str:
        """Return the name of a time constant; variables that have the same have one in common."""
        key = tau.tobytes()
        if key not in self._times:
            self._times[key] = self._parameter(f"tau_{variable}", tau, "second")
        return self._times[key]

    def _method(self) -> Any:
        """Return the integration method: exact where Brian2 can, unless another was asked for."""
        cell = self._cell
        constants = {stage.tau.tobytes(): stage.tau for stage in cell.stages if stage.tau is not None}
        arrays = list(constants.values())
        pairs = itertools.combinations(arrays, 2)
        close = any((np.abs(one - other) <= _APART * one).any() for one, other in pairs)
        integrates = any(stage.tau is None for stage in cell.stages)
        if cell.method is None:
            if len(cell.stages) == 1:
                return "euler" if integrates else "exact"
            return "rk4" if close or integrates else "exact"
        if cell.method in ("exact", "auto") and close:
            raise UnsupportedError(
                f"node {cell.name!r:.80} has time constants that are nearly the same in some neurons, by whose "
                f"difference the method '{cell.method}' divides; choose method='rk4'."
            )
        return cell.method
