"""What follows from network and profile alone: the opened description, what was asked for, grids of digital chips."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.frozen.digital import Grid, WeightGrid, quantiser
from snncompare.backends.analog.frozen.drawing import MeasuredTable, differing_roles, has_weight_factors
from snncompare.backends.analog.frozen.maps import Gradient
from snncompare.backends.analog.frozen.opened import (
    GivenRoles,
    Opened,
    dimension_of_parameter,
    distance,
    membrane_time_constant,
    membrane_unit,
    opened,
    parameter_source,
)
from snncompare.backends.analog.reading.asked import asked_of
from snncompare.backends.analog.reading.lifting import lifted_network
from snncompare.backends.analog.reading.roles import POTENTIALS, Role, reading, roles_of
from snncompare.backends.realisation import Given, Realisation, realise
from snncompare.errors import InputError
from snncompare.network.equations import assigned_names
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import FREQUENCY, TIME, Dimension, parse_unit

if TYPE_CHECKING:
    from snncompare.backends.analog.profiles.profile import ChipProfile

__all__ = ["Plan", "plan"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plan:
    """A network on a profile, before any device is drawn.

    Attributes
    ----------
    profile : ChipProfile
    asked : Network
    opened : Opened
    realised : Realisation
        Of `asked`, complete.
    values : mapping
        Population to parameter to what was asked for, (n_neurons,): all that the chip makes differ.
    distances : mapping
        Population to threshold - leak, (n_neurons,).
    time_constants : mapping
        Population to membrane time constant in seconds, (n_neurons,).
    scales : mapping
        Projection to levels per SI unit of the weight, or None: the largest weight fills the range.
    lsb : mapping
        Population to what one level of its weights adds to the membrane.
    measured : mapping
    dt : float
    seed : int
    gradient : str
    """

    profile: "ChipProfile"
    asked: Network
    opened: Opened
    realised: Realisation
    values: Mapping[str, Mapping[str, Array]]
    distances: Mapping[str, Array]
    time_constants: Mapping[str, Array]
    scales: Mapping[str, float | None]
    lsb: Mapping[str, float]
    measured: MeasuredTable
    dt: float
    seed: int
    gradient: Gradient = "straight_through"

    def on_chip(self, population: str, parameter: str, role: Role) -> Array:
        """Return the nearest that the chip can hold to what was asked for: the same on an analog chip.

        A capacitance and a rate are quantised as the time constants that they stand for.
        """
        values, there = self.values[population][parameter], self.profile.quantisers.get(role)
        if there is None:
            return values
        grid = self._grid(population)
        used = quantiser(there.name, {name: number.value for name, number in there.numbers.items()})
        if role in POTENTIALS:
            return used.quantise(values, grid)
        times = time_of(self.opened.network, population, parameter, role, values, self.time_constants)
        if times is None:
            return values
        got = used.quantise(times, grid)
        match dimension_of_parameter(self.opened.network, population, parameter):
            case dimension if dimension == TIME:
                return got
            case dimension if dimension == FREQUENCY:
                return 1.0 / got
        return values * (got / times)

    def check_grids(self, asked: Realisation) -> None:
        """Refuse values that differ from those for which the grids of a digital chip were chosen.

        Raises
        ------
        InputError
        """
        for population, parameters in self.opened.parameters.items():
            for name, role in parameters.items():
                given = asked.values.get(population, {}).get(name)
                if role not in self.profile.quantisers or given is None:
                    continue
                if not np.array_equal(given, np.broadcast_to(self.values[population][name], given.shape)):
                    raise InputError(
                        f"'{name}' of population '{population}' lies on a grid of the chip '{self.profile.name}' that "
                        "was chosen at deploy for other values; use deploy(network, profile, weights=...) with these."
                    )

    def clipped(self) -> list[str]:
        """Return where potentials lie beyond the levels of the chip, in words."""
        found = []
        for population, parameters in self.opened.parameters.items():
            for name, role in parameters.items():
                there = self.profile.quantisers.get(role)
                if there is None or role not in POTENTIALS:
                    continue
                used = quantiser(there.name, {key: number.value for key, number in there.numbers.items()})
                values = self.values[population][name]
                beyond = isinstance(used, WeightGrid) and int(used.clips(values, self._grid(population)).sum())
                if beyond:
                    found.append(
                        f"population '{population}': the {role} '{name}' of {beyond} of {values.size} neurons lies "
                        "beyond the levels of the chip and is clipped; larger weights make larger levels."
                    )
        return found

    def _grid(self, population: str) -> Grid:
        neuron = self.asked.populations[population].model
        return Grid(self.dt, neuron.method == "euler", self.lsb.get(population), self._leak(population))

    def _leak(self, population: str) -> Array | float:
        named = [name for name, role in self.opened.readings[population].roles.items() if role == Role.LEAK]
        return _asked(self.opened.network, population, named[0], self.realised) if named else 0.0


def time_of(
    network: Network,
    population: str,
    parameter: str,
    role: Role,
    values: Array,
    time_constants: Mapping[str, Array],
) -> Array | None:
    """Return the time constants that a parameter stands for, in seconds; None where it cannot be told."""
    dimension = dimension_of_parameter(network, population, parameter)
    if dimension == TIME:
        return values
    if dimension == FREQUENCY and (values > 0).all():
        return 1.0 / values
    return time_constants.get(population) if role == Role.MEMBRANE_TIME_CONSTANT else None


def plan(
    network: Network,
    profile: "ChipProfile",
    *,
    weights: Given | None,
    dt: float,
    seed: int,
    roles: GivenRoles | None,
    measured: MeasuredTable,
    gradient: Gradient,
) -> Plan:
    """Return what all devices of a profile have in common for a network; arguments as for `deploy`."""
    realised = realise(network, seed, weights, dt=dt)
    cells = [name for name, p in network.populations.items() if isinstance(p.neuron, NeuronModel)]
    differing = {name: differing_roles(profile, measured.get(name, {})) for name in cells}
    neurons = profile.neurons
    mortal = bool(neurons.dead_fraction.value or (neurons.mask_failed and neurons.failed_fraction.value))
    unrolled = [n for n, p in network.projections.items() if has_weight_factors(profile, measured.get(p.target, {}))]
    distances, times = _sizes(network, cells, realised, roles or {})
    notes = []
    for name in cells:
        lost = sorted(differing[name] & POTENTIALS) if name not in distances else []
        if lost and reading(network, name).membranes:
            differing[name] -= POTENTIALS
            notes.append(
                f"population '{name}': mismatch of {', '.join(lost)} is a fraction of threshold - leak; no population "
                "with this unit has a threshold, and it is not emulated."
            )
    found = opened(network, differing, mortal=mortal, unrolled=unrolled, roles=roles)
    values = {
        name: {key: _asked(found.network, name, key, realised) for key in parameters}
        for name, parameters in found.parameters.items()
    }
    scales, left_out = _scales(network, profile, realised, distances)
    lsb = _lsb(network, profile, scales, times, dt)
    notes += [
        f"population '{name}': '{key}' is no time, and the {role} it stands for is not known; it stays as asked."
        for name, parameters in found.parameters.items()
        for key, role in parameters.items()
        if role in profile.quantisers
        and role not in POTENTIALS
        and time_of(found.network, name, key, role, values[name][key], times) is None
    ]
    notes += _times_not_checked(network, profile, realised, cells, roles or {})
    notes = [*notes, *found.left_out, *left_out, *_limits_of(profile, network, realised, lsb, cells)]
    made = Plan(
        profile, network, found, realised, values, distances, times, scales, lsb, measured, dt, seed, gradient
    )  # fmt: skip
    return replace(made, opened=replace(found, left_out=(*notes, *made.clipped())))


def _sizes(
    network: Network, cells: Sequence[str], realised: Realisation, roles: GivenRoles
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Return threshold - leak and membrane time constant of every population that has them.

    A population without threshold is measured by the largest threshold - leak with the same unit: a step of the chip is
    the same voltage everywhere.
    """
    named = lifted_network(network, {name: POTENTIALS | {Role.MEMBRANE_TIME_CONSTANT} for name in cells})
    distances: dict[str, Array] = {}
    times: dict[str, Array] = {}
    units: dict[str, Dimension] = {}
    for name in cells:
        read, there = reading(named, name), realised.values.get(name, {})
        changed = {key: given for key, given in roles.get(name, {}).items() if key in read.roles}
        found = replace(read, roles=roles_of(named, name, changed))
        units |= {name: membrane_unit(named, name, read)} if read.membranes else {}
        apart = distance(named, name, found.roles, there)
        time = membrane_time_constant(named, name, found, there)
        distances |= {} if apart is None else {name: apart}
        times |= {} if time is None else {name: time}
    measured = dict(distances)
    for name in units.keys() - measured.keys():
        largest = max(
            (float(np.abs(apart).max()) for n, apart in measured.items() if units[n] == units[name]), default=0
        )
        distances |= {name: np.full(network.populations[name].size, largest)} if largest else {}
    return distances, times


def _times_not_checked(
    network: Network, profile: "ChipProfile", realised: Realisation, cells: Sequence[str], roles: GivenRoles
) -> list[str]:
    """Return the membrane time constants that the profile limits and the equations do not show, in words."""
    there = profile.parameter(Role.MEMBRANE_TIME_CONSTANT)
    if there.low is None and there.high is None:
        return []
    known = {name: reading(network, name).roles for name in cells}
    given = {name: {k: role for k, role in roles.get(name, {}).items() if k in known[name]} for name in cells}
    return [
        f"population '{name}': '{one.name}' divides the membrane, and no parameter is the conductance g of a leak "
        "g*(E - v); its membrane time constant is not compared with the range of the chip."
        for name in cells
        for one in asked_of(network, name, realised, given[name]).values()
        if one.role == Role.MEMBRANE_TIME_CONSTANT and one.dimension != TIME
    ]


def _asked(network: Network, population: str, parameter: str, realised: Realisation) -> Array:
    there = realised.values.get(population, {})
    if parameter in there:
        return there[parameter]
    projection, own = parameter_source(network, population, parameter)
    described = network.populations[population]
    amount = described.parameter(own) if projection is None else network.projections[projection].synapse.parameters[own]
    return np.full(described.size, amount.value)


def _scales(
    network: Network, profile: "ChipProfile", realised: Realisation, distances: Mapping[str, Array]
) -> tuple[dict[str, float | None], list[str]]:
    """Return levels per SI unit of the weight for every projection, and what could not be read."""
    found: dict[str, float | None] = {}
    left_out = []
    top = profile.weights.top
    for name, projection in network.projections.items():
        found[name] = None
        if top is None:
            continue
        apart = distances.get(projection.target)
        same = _measures_the_membrane(network, name)
        by_threshold = not isinstance(profile.weights.scale, str) and profile.weights.scale.unit == "LSB/threshold"
        if by_threshold and (apart is None or not same):
            left_out.append(
                f"projection '{name}': its weights cannot be compared with threshold - leak of '{projection.target}'; "
                "the largest of them fills the range of the chip."
            )
            continue
        found[name] = profile.weights.scale_of(None if apart is None else float(np.mean(np.abs(apart))))
    if profile.kind == "digital" and top is not None:
        for population in network.populations:
            group = [n for n in network.incoming(population) if found[n] is None and _measures_the_membrane(network, n)]
            largest = max((float(np.abs(realised.connections[n].weight).max(initial=0.0)) for n in group), default=0.0)
            found |= dict.fromkeys(group, top / largest if largest > 0 else None)
    return found, left_out


def _measures_the_membrane(network: Network, projection: str) -> bool:
    """Return whether the weights of a projection have the dimension of its target's membrane."""
    described = network.projections[projection]
    read = reading(network, described.target)
    unit = membrane_unit(network, described.target, read) if read.membranes else None
    return unit == parse_unit(described.synapse.weight_unit)[1]


def _lsb(
    network: Network,
    profile: "ChipProfile",
    scales: Mapping[str, float | None],
    times: Mapping[str, Array],
    dt: float,
) -> dict[str, float]:
    """Return what one level of its weights adds to the membrane of each population of a digital chip.

    A weight that acts on a current reaches the membrane times 1 - a, a being the membrane's decay in a step.
    """
    found = {}
    for name in network.populations if profile.kind == "digital" else ():
        incoming = network.incoming(name)
        known = {n: scale for n in incoming if (scale := scales[n]) is not None}
        if not known:
            continue
        membranes = reading(network, name).membranes
        target = network.populations[name].model
        direct = any(
            f"{membranes[0]}_post" in assigned_names(incoming[n].synapse.with_ends(target).on_pre) for n in known
        )
        level = 1.0 / max(known.values())
        if not direct and name in times:
            level *= 1.0 - float(Grid(dt, target.method == "euler").factor(times[name]).mean())
        found[name] = level
    return found


def _limits_of(
    profile: "ChipProfile", network: Network, realised: Realisation, lsb: Mapping[str, float], cells: Sequence[str]
) -> list[str]:
    """Return what no emulation of this network on this profile has, in words."""
    found = []
    if profile.kind == "digital":
        found.append("the state of neurons is float64; the chip rounds it to integers in every step.")
        found += [
            f"population '{name}': no weights share a grid with its threshold, which stays as asked."
            for name in cells
            if Role.THRESHOLD in profile.quantisers
            and network.populations[name].model.threshold is not None
            and name not in lsb
        ]
    quantised = profile.weights.top is not None or has_weight_factors(profile, {})
    for name, projection in network.projections.items() if quantised else ():
        synapse = projection.synapse.written_out()
        if "w" in assigned_names(synapse.on_pre) | assigned_names(synapse.on_post):
            found.append(
                f"projection '{name}': its weights are the chip's at the start; what plasticity adds is float."
            )
    if profile.weights.polarity_cv.value:
        for name, projection in network.projections.items():
            weight = realised.connections[name].weight
            if projection.sign is None and (weight > 0).any() and (weight < 0).any():
                found.append(f"projection '{name}': a synapse keeps the circuit of the sign that it had when deployed.")
    return found
