r"""What a parameter is for, read from the equations: what divides dv/dt, what the threshold compares v with, ...

The membrane variables come first: the state in the threshold condition that input reaches, and, where that state has an
input of its own, every other state that has one (a dendrite). Then

* a time that divides a differential equation is the time constant of its state; a capacitance that does is the membrane
  time constant where no time does, because both scale the whole right-hand side. States are those of the membrane, of
  adaptation (they act on the membrane or on the threshold, and the reset moves them or they follow the membrane), of
  synapses (they act on the membrane in another way, or stand in the equations of a synapse), or others;
* what the threshold condition compares the membrane with is the threshold: a parameter, what a moving threshold decays
  to, or the potential of an exponential upstroke or hazard, :math:`e^{(v - v_T)/\Delta}`;
* what the membrane decays to, :math:`E - v`, is the leak; what the reset gives to it, the reset potential;
* jumps and couplings of adaptation are its strength.

Everything else is ``other_time`` or ``other``. Synapse parameters have the projection's name as a suffix.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snncompare.backends.analog.reading.neuron_reading import Cell
from snncompare.backends.analog.reading.role_names import POTENTIALS as _POTENTIALS
from snncompare.backends.analog.reading.role_names import Role as _Role
from snncompare.backends.analog.reading.role_names import StateKind as _StateKind
from snncompare.backends.analog.reading.trees import decay_times
from snncompare.errors import InputError, unknown
from snncompare.network.equations import Definition, assigned_names, definitions, names_in_expression
from snncompare.network.expressions import parsed
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.network.time_constants import divisors
from snncompare.units import TIME

__all__ = ["POTENTIALS", "Reading", "Role", "StateKind", "reading", "roles_of"]


Role = _Role
StateKind = _StateKind
POTENTIALS = _POTENTIALS
"""Roles of potentials, whose mismatch is additive, in fractions of threshold - leak."""


@dataclass(frozen=True)
class Reading:
    """What the equations of a population say.

    Attributes
    ----------
    membranes : tuple of str
        Membrane variables, the one in the threshold first; empty for a neuron without state.
    states : mapping
        State with a differential equation to ``"membrane"``, ``"synaptic"``, ``"adaptation"`` or ``"other"``; those of
        incoming synapses have the projection's suffix.
    roles : mapping
        Parameter to `Role`, those of incoming synapses included.
    """

    membranes: tuple[str, ...] = ()
    states: Mapping[str, StateKind] = field(default_factory=dict)
    roles: Mapping[str, Role] = field(default_factory=dict)


def roles_of(
    network: Network, population: str, given: Mapping[str, Role | str | None] | None = None
) -> dict[str, Role]:
    """Return parameter -> role of a population, its incoming synapses included, read from the equations.

    Parameters
    ----------
    network : Network
    population : str
    given : mapping, optional
        Parameter to role, instead of what is read; None leaves a parameter alone: it is not in what is returned.

    Raises
    ------
    InputError
        For a parameter or role that does not exist.
    """
    found = dict(reading(network, population).roles)
    for name, role in (given or {}).items():
        if name not in found:
            raise InputError(f"roles of '{population}': " + unknown("parameter", name, found))
        if role is None:
            del found[name]
        elif role in list(Role):
            found[name] = Role(role)
        else:
            raise InputError(f"role of '{name}': " + unknown("role", str(role), list(Role)))
    return found


def reading(network: Network, population: str) -> Reading:
    """Return membrane variables, kinds of states and roles of parameters; empty for a spike source."""
    neuron = network.populations[population].neuron
    if not isinstance(neuron, NeuronModel):
        return Reading()
    model = neuron.written_out()
    written = {
        name.removesuffix("_post")
        for projection in network.incoming(population).values()
        for name in assigned_names(projection.synapse.with_ends(model).on_pre)
    }
    cell = Cell(model, written)
    states, roles = dict(cell.kinds), dict(cell.roles)
    for name, projection in network.incoming(population).items():
        synapse = projection.synapse.written_out()
        lines = definitions(synapse.equations) | definitions(synapse.synapse_equations)
        times = {key: value for key, value in synapse.parameters.items() if value.dimension == TIME}
        on_target = definitions(synapse.equations)
        conducting = names_in_expression(synapse.current) if synapse.current else set()
        for key, value in synapse.parameters.items():
            roles[f"{key}_{name}"] = Role.OTHER_TIME if value.dimension == TIME else Role.OTHER
        for state, line in lines.items():
            if line.kind != "differential":
                continue
            acts = state in on_target or state in _reached(conducting | set(on_target), lines)
            if state in on_target:
                states[f"{state}_{name}"] = "synaptic"
            text = line.expression or ""
            named = divisors(text, lines) | decay_times(parsed(text))
            for key in named & times.keys() if acts else ():
                roles[f"{key}_{name}"] = Role.SYNAPTIC_TIME_CONSTANT
    return Reading(cell.membranes, states, roles)


def _reached(begin: set[str], lines: Mapping[str, Definition]) -> set[str]:
    """Return the names that some names depend on, over the lines that define them."""
    found, waiting = set(begin), [name for name in begin if name in lines]
    waiting += [name for name in lines if name.endswith("_post") and name.removesuffix("_post") in begin]
    while waiting:
        for name in names_in_expression(lines[waiting.pop()].expression or "True") - found:
            found.add(name)
            waiting += [name] if name in lines else []
    return found
