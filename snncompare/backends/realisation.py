"""Everything a description leaves to chance, as arrays: weights, wiring, delays, values of single neurons."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.connections import Connections
from snncompare.backends.draw_values import draw_values, generator
from snncompare.backends.draw_wiring import MAX_SYNAPSES, draw_pairs, expected_synapses
from snncompare.backends.given_parts import at, check_sign, checked_connections, checked_values, ends_of
from snncompare.errors import InputError, unknown
from snncompare.network.amount import is_drawn
from snncompare.network.composition import compose
from snncompare.network.fluctuations import FluctuationDriven
from snncompare.network.initialisers import Initialiser, Normal
from snncompare.network.network import Network, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.wiring import AllToAll, Convolution, check_sizes
from snncompare.units import TIME, Quantity

__all__ = ["Given", "Realisation", "checked", "delay_steps", "realise"]

MAX_DELAY_STEPS = 1_000_000

Values = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Realisation:
    """One draw of a network.

    Attributes
    ----------
    connections : mapping
        Projection name to `Connections`.
    values : mapping
        Population name to mapping from variable name to float64 array (n_neurons,), SI units: parameters and initial
        states that differ from neuron to neuron, or that training may move neuron by neuron. State that a projection
        keeps on its target neurons has the projection's name as a suffix (``x_feed``). A population without any is left
        out.
    """

    connections: Mapping[str, Connections] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, NDArray[np.float64]]] = field(default_factory=dict)

    def dense_weights(self) -> Values:
        """Return the weights of every projection as an array (n_source, n_target), zero where there is no synapse.

        Raises
        ------
        InputError
            If a projection has too many pairs of neurons for a dense array.
        """
        return {name: connections.dense() for name, connections in self.connections.items()}


Given = Realisation | Mapping[str, Any]
"""A `Realisation`, or a mapping: projection name to `Connections` or to a dense array (n_source, n_target) in SI units,
in which an exact zero is no synapse; population name to a mapping from variable name to array (n_neurons,)."""


def realise(network: Network, seed: int, given: Given | None = None, *, dt: float | None = None) -> Realisation:
    """Return one draw of everything that the description leaves to chance.

    Each draw depends on the seed and on the names of what it is for only, not on what else is in the network.

    Parameters
    ----------
    network : Network
    seed : int
    given : Realisation or mapping, optional
        What is known already and need not be drawn, see `Given`.
    dt : float, optional
        Time step in seconds; fluctuation-driven weights depend on it, and whether an exact solution has numbers.

    Raises
    ------
    InputError
        If the network has more than `MAX_SYNAPSES` synapses (nothing is allocated then), what is given does not fit to
        it, a weight has not the sign that its projection asks for, or equal time constants leave an exact solution
        without numbers.
    """
    generator(seed, "")
    known = checked(network, given if given is not None else {})
    _check_extent(network, known)
    connections = {}
    for name, projection in network.projections.items():
        with at(f"projection '{name}'"):
            there = known.connections[name] if name in known.connections else _drawn(network, name, seed, dt)
            connections[name] = _completed(there, projection, name, seed)
            check_sign(connections[name], projection, "drawn")
    values = {name: _values(network, name, seed, known.values.get(name, {})) for name in network.populations}
    values = {name: found for name, found in values.items() if found}
    if dt is not None:
        from snncompare.dynamics.first_step import check_first_step

        check_first_step(network, dt, values)
    return Realisation(connections, values)


def checked(network: Network, given: Given) -> Realisation:
    """Return what is given as a `Realisation`, each part fully checked against the network; nothing is drawn.

    Raises
    ------
    InputError
        For names that are not in the network, wrong shapes, numbers that are not real and finite, synapses between
        neurons that do not exist, delays below zero, or weights of the wrong sign.
    """
    parts = {**given.connections, **given.values} if isinstance(given, Realisation) else given
    connections, values = {}, {}
    for name, part in parts.items():
        if name in network.projections:
            connections[name] = checked_connections(network, name, part)
        elif name in network.populations:
            values[name] = checked_values(network, name, part)
        else:
            raise InputError(
                "weights: " + unknown("projection or population", name, [*network.projections, *network.populations])
            )
    return Realisation(connections, values)


def delay_steps(connections: Connections, projection: Projection, dt: float) -> NDArray[np.int64]:
    """Return delays in time steps, each rounded to the nearest (half a step upwards), as Brian2 does.

    Parameters
    ----------
    connections : Connections
    projection : Projection
        Whose one delay counts where the connections have none of their own.
    dt : float
        Time step in seconds.

    Returns
    -------
    int64 array
        Of shape (n_synapses,), or () if all synapses have the same delay by description.

    Raises
    ------
    InputError
        For a delay of more than a million steps.
    """
    if connections.delay is not None:
        seconds = connections.delay
    elif isinstance(projection.delay, Quantity):
        seconds = np.asarray(projection.delay.value)
    else:
        raise TypeError("the delays of these connections were not drawn")  # our own mistake, never a user's
    longest = float(seconds.max(initial=0.0))
    if longest / dt > MAX_DELAY_STEPS:
        raise InputError(
            f"a delay of {longest:g} s from '{projection.source}' to '{projection.target}' is {longest / dt:,.0f} time "
            f"steps; at most {MAX_DELAY_STEPS:,} are allowed."
        )
    return np.floor(seconds / dt + 0.5).astype(np.int64)


def _check_extent(network: Network, known: Realisation) -> None:
    total = sum(connections.n_synapses for connections in known.connections.values())
    for name, projection in network.projections.items():
        if name in known.connections:
            continue
        ends = ends_of(network, name)
        with at(f"projection '{name}'"):
            check_sizes(projection.wiring, ends.n_source, ends.n_target, within=ends.within)
        more = expected_synapses(projection.wiring, ends)
        total += more
        if total > MAX_SYNAPSES:
            raise InputError(
                f"projection '{name}' joins {ends.n_source:,} to {ends.n_target:,} neurons by {more:,} synapses, which "
                f"makes {total:,} in the network; {MAX_SYNAPSES:,} are allowed; use smaller populations or fewer "
                "synapses."
            )
    for name, population in network.populations.items():
        n_values = population.size * len(_varying(network, name))
        if n_values > MAX_SYNAPSES:
            raise InputError(
                f"population '{name}' has {n_values:,} values of single neurons; {MAX_SYNAPSES:,} are allowed; use "
                "fewer neurons."
            )


def _drawn(network: Network, name: str, seed: int, dt: float | None) -> Connections:
    ends, wiring, rng = ends_of(network, name), network.projections[name].wiring, generator(seed, name)
    distribution = _weight_distribution(network, name, dt)
    (source, target), shared = draw_pairs(wiring, ends, generator(seed, f"{name} wiring"))
    fan_in = wiring.fan_in if isinstance(wiring, Convolution) else ends.n_source
    match wiring:
        case AllToAll():  # every pair has its draw, also those of a neuron with itself
            pairs = draw_values(distribution, ends.n_source * ends.n_target, rng, fan_in=fan_in)
            weight = pairs[source * ends.n_target + target]
        case Convolution():
            kernel = draw_values(distribution, wiring.channels_out * wiring.fan_in, rng, fan_in=fan_in)
            weight = kernel[shared]
        case _:
            weight = draw_values(distribution, source.size, rng, fan_in=fan_in)
    return Connections((ends.n_source, ends.n_target), source, target, weight, shared=shared)


def _weight_distribution(network: Network, name: str, dt: float | None) -> Initialiser:
    """Return what the weights of a projection are drawn from."""
    weight: Any = network.projections[name].weight
    if not isinstance(weight, FluctuationDriven):
        return weight
    if dt is None:
        raise InputError("fluctuation-driven weights depend on the time step; give realise(..., dt=1e-4), in seconds.")
    from snncompare.backends.fluctuations import distribution_for

    return distribution_for(network, name, dt)


def _completed(there: Connections, projection: Projection, name: str, seed: int) -> Connections:
    """Return connections with the delays and initial values that are drawn for each synapse."""
    synapse = projection.synapse
    amounts = {key: synapse.initial_state(key) for key in synapse.initial if key in synapse.synapse_names()}
    values = {
        key: draw_values(amount, there.n_synapses, generator(seed, f"{name}.{key}"))
        for key, amount in amounts.items()
        if is_drawn(amount) and key not in there.values
    }
    delay = there.delay
    if delay is None and is_drawn(projection.delay):
        delay = draw_values(_not_negative(projection.delay), there.n_synapses, generator(seed, f"{name} delay"))
    return replace(there, delay=delay, values={**there.values, **values})


def _not_negative(delay: Any) -> Any:
    """Return a distribution of delays that is cut off at zero."""
    if isinstance(delay, Normal) and (delay.low is None or delay.low.value < 0):
        return delay.model_copy(update={"low": Quantity(0.0, TIME, "0 ms")})
    return delay


def _values(network: Network, population: str, seed: int, known: Mapping[str, NDArray[np.float64]]) -> Values:
    size, found, varying = network.populations[population].size, dict(known), _varying(network, population)
    for name, amount in varying.items():
        if name in found or isinstance(amount, str):
            continue
        if isinstance(amount, Quantity):
            found[name] = np.full(size, amount.value)
        else:
            with at(f"'{name}' of '{population}'"):
                found[name] = draw_values(amount, size, generator(seed, f"{population}.{name}"))
    like = {name: amount for name, amount in varying.items() if isinstance(amount, str) and name not in found}
    return found | {name: found[parameter].copy() for name, parameter in like.items()}


def _varying(network: Network, population: str) -> dict[str, Any]:
    """Return what has one value per neuron: name to distribution, quantity, or name of the parameter it begins at."""
    described = network.populations[population]
    if not isinstance(described.neuron, NeuronModel):
        return {}
    amounts: dict[str, Any] = compose(network, population).initial
    parameters = described.per_neuron()
    single = [*parameters, *(name for name, mark in described.trainable.items() if not mark.shared)]
    single += [f"{key}_{name}" for name, p in network.incoming(population).items() for key in p.per_target()]
    written: dict[str, Any] = {**described.neuron.initial, **described.initial}
    varying = {name: amounts.get(name, Quantity(0.0)) for name in single}
    varying |= {name: amount for name, amount in amounts.items() if is_drawn(amount)}
    return varying | {name: value for name, value in written.items() if isinstance(value, str) and value in parameters}
