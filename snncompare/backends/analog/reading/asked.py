"""What a network asks of a chip: the value of every parameter with its role, potentials, effective time constants."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.reading.lifting import lifted_network
from snncompare.backends.analog.reading.roles import POTENTIALS, Role, reading, roles_of
from snncompare.backends.analog.reading.scales import leak_conductances, potential_names
from snncompare.backends.realisation import Realisation
from snncompare.network.composition import compose
from snncompare.network.equations import definitions
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.time_constants import divisors
from snncompare.units import FREQUENCY, NONE, TIME, Dimension, base_unit, parse_unit

__all__ = ["Asked", "asked_of", "potentials_of", "shown"]

_SHOWN = {TIME: ("s", "ms", "us", "ns"), parse_unit("volt")[1]: ("V", "mV", "uV")}


@dataclass(frozen=True)
class Asked:
    """One parameter of a population: its role, and its values in SI units, one for all neurons or one each.

    `raw` is what stands in the description; `values` the same, but rates and capacitances that stand for a time
    constant are turned into it.
    """

    name: str
    role: Role
    raw: NDArray[np.float64]
    raw_dimension: Dimension
    values: NDArray[np.float64]
    dimension: Dimension
    reference: float = 0.0

    @property
    def mean(self) -> float:
        """Mean over neurons."""
        return float(self.values.mean())

    @property
    def extremes(self) -> tuple[float, float]:
        """The lowest and the highest value."""
        return float(self.values.min()), float(self.values.max())


def asked_of(
    network: Network, population: str, realisation: Realisation, roles: Mapping[str, Role | str | None] | None = None
) -> dict[str, Asked]:
    r"""Return the parameters of a population and of its synapses that have a role.

    Rates and capacitances that stand for a membrane time constant are turned into it, :math:`\tau = 1/r` and
    :math:`\tau = C/g_L`, where the equations show the leak conductance.

    Parameters
    ----------
    network : Network
    population : str
    realisation : Realisation
        Values of single neurons.
    roles : mapping, optional
        Instead of what is read from the equations, see `roles_of`.
    """
    if not isinstance(network.populations[population].neuron, NeuronModel):
        return {}
    composed, each = compose(network, population), realisation.values.get(population, {})
    found: dict[str, Asked] = {}
    for name, role in roles_of(network, population, roles).items():
        if name in each:
            values, dimension = np.asarray(each[name], dtype=np.float64), _dimension(network, population, name)
        elif name in composed.parameters:
            quantity = composed.parameters[name]
            values, dimension = np.full(1, quantity.value), quantity.dimension
        else:
            continue
        found[name] = _as_time(Asked(name, role, values, dimension, values, dimension))
    found = _with_conductance(found, network, population, each)
    return _with_reference(found, network, population, each, roles)


def potentials_of(asked: Mapping[str, Asked]) -> tuple[float, float] | None:
    """Return what the threshold is counted from (see `Asked`) and the threshold, means over neurons, or None."""
    threshold = next((one for one in asked.values() if one.role is Role.THRESHOLD), None)
    return None if threshold is None else (threshold.reference, threshold.mean)


def shown(value: float, dimension: Dimension) -> str:
    """Return a number of SI units as text with a readable unit."""
    units = _SHOWN.get(dimension)
    if units is None:
        return f"{value:.4g}" if dimension == NONE else f"{value:.4g} {base_unit(dimension)}"
    if value == 0:
        return f"0 {units[min(1, len(units) - 1)]}"
    sizes = [(parse_unit(unit)[0], unit) for unit in units]
    size, unit = next(((size, unit) for size, unit in sizes if abs(value) >= 0.999 * size), sizes[-1])
    return f"{value / size:.4g} {unit}"


def _dimension(network: Network, population: str, name: str) -> Dimension:
    own = network.populations[population].model.parameters
    if name in own:
        return own[name].dimension
    for projection, described in network.incoming(population).items():
        key = name.removesuffix(f"_{projection}")
        if key != name and key in described.synapse.parameters:
            return described.synapse.parameters[key].dimension
    return NONE


def _as_time(one: Asked) -> Asked:
    """Return a rate of a membrane or synapse as a time constant."""
    if one.role.endswith("_time_constant") and one.dimension == FREQUENCY and (one.values > 0).all():
        return replace(one, values=1 / one.values, dimension=TIME)
    return one


def _with_conductance(
    found: dict[str, Asked], network: Network, population: str, each: Mapping[str, NDArray[np.float64]]
) -> dict[str, Asked]:
    """Return what divides a membrane, a capacitance, as a time constant where the leak conductance is seen."""
    model = network.populations[population].model.written_out()
    lines, changed = definitions(model.equations), dict(found)
    for membrane in reading(network, population).membranes:
        for name in divisors(lines[membrane].expression or "", lines) & found.keys():
            one = found[name]
            if one.role is not Role.MEMBRANE_TIME_CONSTANT or one.dimension == TIME:
                continue
            leaks = leak_conductances(lines, membrane, name, model.parameters)
            if leaks:
                total = sum(_values(network, population, leak, each) for leak in leaks)
                changed[name] = replace(one, values=one.raw / total, dimension=TIME)
    return changed


def _with_reference(
    found: dict[str, Asked],
    network: Network,
    population: str,
    each: Mapping[str, NDArray[np.float64]],
    roles: Mapping[str, Role | str | None] | None,
) -> dict[str, Asked]:
    """Return the threshold with what it is counted from, numbers without a name included."""
    lifted = lifted_network(network, {population: POTENTIALS})
    names = potential_names(lifted, population, roles_of(lifted, population, roles))
    if names is None:
        return found
    threshold, low = names
    if threshold not in found or low is None:
        return found
    reference = float(_values(lifted, population, low, each).mean())
    return found | {threshold: replace(found[threshold], reference=reference)}


def _values(
    network: Network, population: str, name: str, each: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64]:
    if name in each:
        return np.asarray(each[name], dtype=np.float64)
    return np.full(1, compose(network, population).parameters[name].value)
