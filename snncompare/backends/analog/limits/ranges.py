"""Refuse what a chip cannot hold: parameters, potentials, refractory times, delays, weights, time step.

A value is legal if it lies in the range of the chip to within one part in a million. Times that the simulation rounds
to whole steps (refractory times, delays) are legal if they are the same number of steps as a legal value.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.analog.limits.computable import check_computable
from snncompare.backends.analog.limits.resources import check_resources
from snncompare.backends.analog.profiles.measured import Measured
from snncompare.backends.analog.profiles.profile import ChipProfile
from snncompare.backends.analog.reading.asked import Asked, asked_of, potentials_of, shown
from snncompare.backends.analog.reading.roles import POTENTIALS, Role
from snncompare.backends.realisation import Realisation, delay_steps
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import TIME, Quantity, QuantityLike, seconds

__all__ = ["check_limits", "check_measured", "check_weights"]

_SLACK = 1e-6

Roles = Mapping[str, Mapping[str, Role | str | None]]


def check_limits(
    network: Network,
    realisation: Realisation,
    profile: ChipProfile,
    dt: float | QuantityLike,
    roles: Roles | None = None,
) -> None:
    """Refuse a network that the chip cannot hold.

    Looks at resources (`resources.check_resources`), equations (`computable.check_computable`), the ranges of
    parameters, refractory times, delays, the signs of weights, and the measured table. Weights that are too large are
    not refused: the chip clips them, see `mapping`.

    Parameters
    ----------
    network : Network
        What is asked for.
    realisation : Realisation
        Its weights and values of single neurons.
    profile : ChipProfile
    dt : float or time
        Time step; a float is in seconds.
    roles : mapping, optional
        Population to parameter to role, instead of what is read from the equations.

    Raises
    ------
    InputError
        With the value, the legal range, the nearest legal value and what to do.
    """
    step = float(dt) if isinstance(dt, float) else seconds(dt, "dt")
    _check_step(profile, step)
    check_resources(network, profile, realisation)
    check_computable(network, profile)
    for name, population in network.populations.items():
        if isinstance(population.neuron, NeuronModel):
            asked = asked_of(network, name, realisation, (roles or {}).get(name))
            _check_parameters(name, asked, profile, step)
            _check_potentials(name, asked, profile)
            if isinstance(population.neuron.refractory, Quantity) or population.neuron.threshold is not None:
                _check_refractory(name, population.neuron, profile, step)
    for name in network.projections:
        _check_delays(network, name, realisation, profile, step)
    check_weights(network, realisation, profile)
    check_measured(network, profile)


def check_weights(network: Network, realisation: Realisation, profile: ChipProfile) -> None:
    """Refuse weights whose sign the chip cannot hold, or that are not of the sign that their projection declares.

    Raises
    ------
    InputError
    """
    held, on = profile.weights, f"'{profile.name}'"
    for name, connections in realisation.connections.items():
        weight, sign = connections.weight, network.projections[name].sign
        wrong = weight < 0 if sign == "positive" else weight > 0 if sign == "negative" else np.zeros(0, dtype=bool)
        if wrong.any():
            raise InputError(
                f"projection '{name}': {int(wrong.sum()):,} of {weight.size:,} weights are not {sign}, first "
                f"{weight[wrong][0]:.4g}; Dale's law: its sign is '{sign}'; nearest legal weight 0, or remove the sign."
            )
        negative = weight < 0
        if negative.any() and (not held.signed or held.bottom == 0):
            legal = "0 and above" if held.top is None else f"0 to {held.top} LSB"
            raise InputError(
                f"projection '{name}': {int(negative.sum()):,} of {weight.size:,} weights are negative, the lowest "
                f"{weight.min():.4g}; {on} holds unsigned weights, {legal}; nearest legal weight 0; for inhibition use "
                "a chip with row pairs (weights.signed: true, sign_by: row_pair)."
            )
    if held.signed and held.sign_by == "row_pair" and not profile.resources.signed_rows and held.top is not None:
        _check_rows(network, realisation, profile)


def _check_rows(network: Network, realisation: Realisation, profile: ChipProfile) -> None:
    """Refuse source neurons with weights of both signs onto one population: a row has one sign."""
    for name, connections in realisation.connections.items():
        n_source = network.populations[network.projections[name].source].size
        excites = np.bincount(connections.source[connections.weight > 0], minlength=n_source) > 0
        inhibits = np.bincount(connections.source[connections.weight < 0], minlength=n_source) > 0
        both = np.flatnonzero(excites & inhibits)
        if both.size:
            raise InputError(
                f"projection '{name}': {both.size:,} of {n_source:,} source neurons have weights of both signs, first "
                f"neuron {both[0]}; in '{profile.name}' the sign belongs to the row (Dale's law); give every source "
                "neuron one sign, or two rows per input (resources.signed_rows: true)."
            )


def check_measured(network: Network, profile: ChipProfile) -> None:
    """Refuse a measured table of populations that are not there, or of another number of neurons.

    Raises
    ------
    InputError
    """
    for population, by in profile.measured.items():
        if population not in network.populations:
            raise InputError(f"measured table: {unknown('population', population, network.populations)}")
        size = network.populations[population].size
        for parameter, measured in by.items():
            _check_size(f"measured table: '{parameter}' of '{population}'", measured, size)


def _check_size(what: str, measured: Measured, size: int) -> None:
    if measured.values.size != size:
        raise InputError(
            f"{what} has {measured.values.size:,} neurons, the population {size:,}; give one row for each of neurons 0 "
            f"to {size - 1:,}."
        )


def _check_step(profile: ChipProfile, dt: float) -> None:
    if not np.isfinite(dt) or dt <= 0:
        raise InputError(f"dt must be a time above zero such as '0.1 ms', got {dt:g} s.")
    if profile.dt is None:
        return
    legal = profile.biological(profile.dt, dt)
    if abs(dt - legal) > _SLACK * legal:
        raise InputError(
            f"dt is {shown(dt, TIME)}; '{profile.name}' computes in steps of {shown(legal, TIME)}; use dt='"
            f"{shown(legal, TIME)}'."
        )


def _check_parameters(population: str, asked: Mapping[str, Asked], profile: ChipProfile, dt: float) -> None:
    for one in asked.values():
        if one.role in POTENTIALS or (one.role.endswith(("time_constant", "time")) and one.dimension != TIME):
            continue
        _check_range(population, one, profile.bounds(one.role, dt=dt), profile)


def _check_potentials(population: str, asked: Mapping[str, Asked], profile: ChipProfile) -> None:
    there = potentials_of(asked)
    if there is None:
        return
    leak, threshold = there
    if threshold <= leak and any(role in profile.parameters for role in POTENTIALS):
        unit = next(one.dimension for one in asked.values() if one.role is Role.THRESHOLD)
        raise InputError(
            f"population '{population}': the threshold {shown(threshold, unit)} is not above the leak "
            f"{shown(leak, unit)}; '{profile.name}' measures potentials in threshold - leak; raise the threshold."
        )
    for one in asked.values():
        if one.role in POTENTIALS:
            _check_range(population, one, profile.bounds(one.role, leak=leak, threshold=threshold), profile)


def _check_range(population: str, one: Asked, bounds: tuple[float | None, float | None], profile: ChipProfile) -> None:
    lowest, highest = one.extremes
    low, high = bounds
    slack = _SLACK * max(abs(edge) for edge in (low or 0.0, high or 0.0))
    below, above = low is not None and lowest < low - slack, high is not None and highest > high + slack
    if not (below or above):
        return
    value, nearest = (lowest, low) if below else (highest, high)
    outside = _outside(one.values, low, high, slack)
    count = f" ({outside:,} of {one.values.size:,} neurons)" if one.values.size > 1 else ""
    faster = "; or scale all times of the network" if one.dimension == TIME and one.role != Role.REFRACTORY else ""
    what = f"{one.role.replace('_', ' ')} '{one.name}'"
    raise InputError(
        f"population '{population}': {what} is {shown(value, one.dimension)}{count}; "
        f"'{profile.name}' has {_legal(low, high, one.dimension)}; nearest {shown(_number(nearest), one.dimension)}"
        f"{faster}."
    )


def _outside(values: NDArray[np.float64], low: float | None, high: float | None, slack: float) -> int:
    below = values < (-np.inf if low is None else low - slack)
    return int((below | (values > (np.inf if high is None else high + slack))).sum())


def _legal(low: float | None, high: float | None, dimension: Any) -> str:
    if low is None or high is None:
        return f"at least {shown(low, dimension)}" if low is not None else f"at most {shown(_number(high), dimension)}"
    return f"{shown(low, dimension)} to {shown(high, dimension)}"


def _number(given: float | None) -> float:
    return 0.0 if given is None else given


def _check_refractory(population: str, neuron: NeuronModel, profile: ChipProfile, dt: float) -> None:
    given = neuron.refractory
    if isinstance(given, str):
        return  # a parameter with the role of a refractory time, or a condition
    low, high = profile.bounds(Role.REFRACTORY, dt=dt)
    asked = 0.0 if given is None else given.value
    steps = round(asked / dt)
    too_short = low is not None and asked < low * (1 - _SLACK) and max(steps, 1) < round(low / dt)
    too_long = high is not None and asked > high * (1 + _SLACK) and steps > round(high / dt)
    if too_short or too_long:
        raise InputError(
            f"population '{population}': the refractory time is {shown(asked, TIME)}; '{profile.name}' has "
            f"{_legal(low, high, TIME)}; nearest {shown(_number(low if too_short else high), TIME)}."
        )


def _check_delays(network: Network, name: str, realisation: Realisation, profile: ChipProfile, dt: float) -> None:
    low, high = (None if t is None else profile.biological(t, dt) for t in (profile.delays.low, profile.delays.high))
    if low is None and high is None:
        return
    connections = realisation.connections.get(name)
    if connections is None or not connections.n_synapses:
        return
    steps = delay_steps(connections, network.projections[name], dt)
    shortest, longest = int(steps.min()), int(steps.max())
    too_long = high is not None and longest > round(high / dt)
    too_short = low is not None and shortest < round(low / dt)
    if not (too_long or too_short):
        return
    asked, nearest = (longest * dt, _number(high)) if too_long else (shortest * dt, _number(low))
    legal = "no delays that can be set" if high == 0 else f"delays of {_legal(low, high, TIME)}"
    advice = "give delay='0 ms'" if high == 0 else "shorten it" if too_long else "lengthen it"
    raise InputError(
        f"projection '{name}': a delay of {shown(asked, TIME)}; '{profile.name}' has {legal}; nearest "
        f"{shown(nearest, TIME)}; {advice}."
    )
