"""The description of a network on a chip: what differs has a value for each neuron, and neurons can be dead.

The opened description says the same as the one it was made of as long as all values are those that were asked for. It
follows from the network and from what the chip makes differ, never from a draw.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.reading.lifting import equations_with, lifted_network
from snncompare.backends.analog.reading.roles import Reading, Role, StateKind, reading, roles_of
from snncompare.backends.analog.reading.scales import leak_conductances, potential_names
from snncompare.errors import InputError
from snncompare.network.amount import is_drawn
from snncompare.network.composition import compose
from snncompare.network.equations import (
    definitions,
    names_in_equations,
    names_in_expression,
    names_in_statements,
)
from snncompare.network.network import Network, Population, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.time_constants import divisors
from snncompare.network.wiring import AllToAll, Convolution
from snncompare.units import TIME, Dimension, Quantity, parse_unit

__all__ = [
    "ALIVE",
    "GivenRoles",
    "Opened",
    "dimension_of_parameter",
    "distance",
    "membrane_time_constant",
    "membrane_unit",
    "opened",
    "parameter_source",
]

ALIVE = "alive"
"""The parameter that is 1 in a neuron that fires and 0 in a dead one."""

GivenRoles = Mapping[str, Mapping[str, Role | str | None]]

_HAS_NONE: Mapping[Role, str] = {
    Role.MEMBRANE_TIME_CONSTANT: "a membrane time constant",
    Role.THRESHOLD: "a threshold potential",
    Role.LEAK: "a leak potential",
    Role.RESET: "a reset potential",
    Role.REFRACTORY: "a refractory time",
}


_SLOW: Mapping[StateKind, Role] = {
    "synaptic": Role.SYNAPTIC_TIME_CONSTANT,
    "adaptation": Role.ADAPTATION_TIME_CONSTANT,
}


@dataclass(frozen=True)
class Opened:
    """An opened description and what was found in it.

    Attributes
    ----------
    network : Network
    readings : mapping
        Population to `Reading` of the opened description, with the user's roles.
    parameters : mapping
        Population to the parameters that the chip makes differ, with their roles.
    mortal : tuple of str
        Populations whose neurons can be dead.
    left_out : tuple of str
        What cannot be emulated, one sentence each.
    """

    network: Network
    readings: Mapping[str, Reading] = field(default_factory=dict)
    parameters: Mapping[str, Mapping[str, Role]] = field(default_factory=dict)
    mortal: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def opened(
    network: Network,
    differing: Mapping[str, AbstractSet[Role]],
    *,
    mortal: bool = False,
    unrolled: Iterable[str] = (),
    roles: GivenRoles | None = None,
) -> Opened:
    """Return the opened description.

    Parameters
    ----------
    network : Network
    differing : mapping
        Population to the roles in which its neurons differ.
    mortal : bool
        Whether neurons can be dead.
    unrolled : iterable of str
        Projections whose synapses differ each for itself; a convolution among them loses its common kernel.
    roles : mapping, optional
        Population to parameter to role, instead of what is read.
    """
    given = roles or {}
    changed, left_out = lifted_network(network, differing), []
    populations, projections = dict(changed.populations), dict(changed.projections)
    parameters: dict[str, dict[str, Role]] = {}
    for name, wanted in differing.items():
        if not wanted or not isinstance(network.populations[name].neuron, NeuronModel):
            continue
        found = roles_of(changed, name, given.get(name))
        there = {parameter: role for parameter, role in found.items() if role in wanted}
        for parameter, role in dict(there).items():
            reason = _refused(changed, name, parameter)
            if reason:
                del there[parameter]
                left_out.append(f"population '{name}': {role} '{parameter}' is what was asked for: {reason}.")
        left_out += _missing(changed, name, found, wanted)
        parameters[name] = there
        _open(changed, name, there, populations, projections)
    firing = [n for n, p in populations.items() if isinstance(p.neuron, NeuronModel) and p.neuron.threshold is not None]
    for name in firing if mortal else ():
        populations[name] = _mortal(populations[name], reading(changed, name).membranes)
    for name in unrolled:
        if isinstance(projections[name].wiring, Convolution):
            projections[name] = projections[name].model_copy(update={"wiring": AllToAll()})
    same = populations == dict(network.populations) and projections == dict(network.projections)
    whole = network if same else network.model_copy(update={"populations": populations, "projections": projections})
    readings = {name: _read(whole, name, given.get(name)) for name in whole.populations}
    return Opened(whole, readings, parameters, tuple(firing) if mortal else (), tuple(left_out))


def _read(network: Network, population: str, given: Mapping[str, Role | str | None] | None) -> Reading:
    found = reading(network, population)
    return Reading(found.membranes, found.states, roles_of(network, population, given))


def parameter_source(network: Network, population: str, parameter: str) -> tuple[str | None, str]:
    """Return the projection that a parameter of `compose` belongs to, None for the neuron's own, and its name there."""
    if parameter in network.populations[population].model.parameters:
        return None, parameter
    for name, projection in network.incoming(population).items():
        own = parameter.removesuffix(f"_{name}")
        if own != parameter and own in projection.synapse.parameters:
            return name, own
    raise KeyError(parameter)


def dimension_of_parameter(network: Network, population: str, parameter: str) -> Dimension:
    """Return the dimension of a parameter of `compose`."""
    projection, own = parameter_source(network, population, parameter)
    if projection is None:
        return network.populations[population].model.parameters[own].dimension
    return network.projections[projection].synapse.parameters[own].dimension


def _refused(network: Network, population: str, parameter: str) -> str | None:
    """Return why a parameter cannot have a value for each neuron, or None."""
    projection, own = parameter_source(network, population, parameter)
    if projection is None:
        lines = definitions(network.populations[population].model.written_out().equations)
        shared = [n for n, line in lines.items() if "shared" in line.flags and own in (line.expression or "")]
        return f"'{shared[0]}' is one number for all neurons" if shared else None
    synapse = network.projections[projection].synapse.written_out()
    used = names_in_statements(synapse.on_pre) | names_in_statements(synapse.on_post)
    if synapse.synapse_equations:
        used |= names_in_equations(synapse.synapse_equations)
    return "it belongs to state that each synapse has for itself" if own in used else None


def _missing(network: Network, name: str, found: Mapping[str, Role], wanted: AbstractSet[Role]) -> list[str]:
    """Return what the neurons have without a parameter for it, in words."""
    model = network.populations[name].model
    if not reading(network, name).membranes:
        return [f"population '{name}' has no membrane potential; the mismatch of one is not emulated."]
    there = {
        Role.MEMBRANE_TIME_CONSTANT: True,
        Role.THRESHOLD: model.threshold is not None,
        Role.LEAK: True,
        Role.RESET: bool(model.reset),
        Role.REFRACTORY: model.refractory is not None and not _is_zero(model.refractory),
    }
    lost = [role for role, has in there.items() if has and role in wanted and role not in found.values()]
    text = model.written_out().reset
    shared = sorted(n for n in names_in_statements(text) if found.get(n) == Role.LEAK) if text else []
    slow = [
        f"population '{name}': no parameter is a time constant of '{state}'; its mismatch is not emulated."
        for state, kind in reading(network, name).states.items()
        if kind in _SLOW and _SLOW[kind] in wanted and not _is_timed(network, name, state, found)
    ]
    return slow + [
        f"population '{name}': the reset goes to the leak potential '{shared[0]}' and has the mismatch of it."
        if role == Role.RESET and shared
        else f"population '{name}': no parameter of its equations is {_HAS_NONE[role]}; its mismatch is not emulated."
        for role in lost
    ]


def _is_timed(network: Network, population: str, state: str, roles: Mapping[str, Role]) -> bool:
    """Return whether a parameter is the time constant of a state of a population or of one of its projections."""
    lines = definitions(compose(network, population).equations)
    text = lines[state].expression or ""
    return any(roles.get(name) in _SLOW.values() for name in divisors(text, lines) | names_in_expression(text))


def _is_zero(time: Quantity | str) -> bool:
    return isinstance(time, Quantity) and time.value == 0


def _open(
    network: Network,
    population: str,
    parameters: Mapping[str, Role],
    populations: dict[str, Population],
    projections: dict[str, Projection],
) -> None:
    """Give the parameters a value for each neuron, in `populations` and `projections`."""
    own: dict[str | None, list[str]] = {}
    for parameter in parameters:
        projection, name = parameter_source(network, population, parameter)
        own.setdefault(projection, []).append(name)
    for projection, names in own.items():
        if projection is None:
            there: Any = populations[population]
            new = [name for name in names if name not in there.per_neuron()]
            target: Any = populations
        else:
            there, target = projections[projection], projections
            new = [name for name in names if name not in there.per_target()]
        if new:
            changed = there.model_copy(update={"individual": (*there.individual, *new)})
            target[population if projection is None else projection] = changed


_EXPLICIT = frozenset({"euler", "heun", "milstein", "rk2", "rk4"})
"""Methods for any equations; those of the others are linear in the membrane, which stays finite without a reset."""


def _mortal(population: Population, membranes: Iterable[str]) -> Population:
    """Return a population whose neurons can be dead: they do not fire, and where nothing limits it, v stays put."""
    model = population.model.written_out()
    if ALIVE in model.names():
        raise InputError(f"neurons with '{ALIVE}' among their names cannot be put on a chip with dead ones; rename it.")
    lines = definitions(model.equations)
    still = {n: f"{ALIVE}*({lines[n].expression})" for n in membranes if model.method in _EXPLICIT}
    neuron = model.model_copy(
        update={
            "equations": equations_with(model.equations, still) if still else model.equations,
            "threshold": f"({model.threshold}) and {ALIVE} > 0.5",
            "parameters": {**model.parameters, ALIVE: Quantity(1.0)},
        }
    )
    return population.model_copy(update={"neuron": neuron, "individual": (*population.individual, ALIVE)})


def distance(
    network: Network, population: str, roles: Mapping[str, Role], values: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    r"""Return threshold - leak of every neuron, :math:`\theta - E_L`, (n_neurons,) in SI units; None without threshold.

    The leak is zero where no parameter is one, and the reset potential where the membrane does not decay to zero.

    Parameters
    ----------
    network : Network
        Opened.
    population : str
    roles : mapping
        Parameter to `Role`.
    values : mapping
        Values of single neurons, as a realisation has them.
    """
    described = network.populations[population]
    names = potential_names(network, population, roles)
    if names is None:
        return None
    high, low = (0.0 if name is None else _value(described, name, values) for name in names)
    return np.broadcast_to(np.asarray(high - low, dtype=np.float64), (described.size,)).copy()


def membrane_unit(network: Network, population: str, found: Reading) -> Dimension:
    """Return the dimension of the first membrane variable of a population that has one."""
    lines = definitions(network.populations[population].model.written_out().equations)
    return parse_unit(lines[found.membranes[0]].unit)[1]


def membrane_time_constant(
    network: Network, population: str, found: Reading, values: Mapping[str, NDArray[np.float64]]
) -> NDArray[np.float64] | None:
    """Return the membrane time constant of every neuron in seconds, (n_neurons,); None where there is none.

    Of several membranes that of the first. A capacitance is divided by the conductances of the leak,
    `scales.leak_conductances`.
    """
    described = network.populations[population]
    if not found.membranes:
        return None
    lines = definitions(described.model.written_out().equations)
    named = divisors(lines[found.membranes[0]].expression or "", lines)
    names = [n for n in described.model.parameters if n in named]
    names = [n for n in names if found.roles.get(n) == Role.MEMBRANE_TIME_CONSTANT]
    if not names:
        return None
    value = _value(described, names[0], values)
    if described.model.parameters[names[0]].dimension != TIME:
        leaks = leak_conductances(lines, found.membranes[0], names[0], described.model.parameters)
        if not leaks:
            return None
        value = value / sum(_value(described, name, values) for name in leaks)
    return np.broadcast_to(np.asarray(value, dtype=np.float64), (described.size,)).copy()


def _value(population: Population, name: str, values: Mapping[str, NDArray[np.float64]]) -> Any:
    if name in values:
        return values[name]
    amount = population.parameter(name)
    if is_drawn(amount):
        raise TypeError(f"'{name}' is drawn, and the realisation has no values of it")  # our own mistake
    return amount.value
