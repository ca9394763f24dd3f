"""What a user gives instead of a draw, part by part: checked against the network before anything uses it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.connections import Connections, finite_numbers
from snncompare.backends.draw_values import generator
from snncompare.backends.draw_wiring import Ends, draw_pairs
from snncompare.errors import InputError, unknown
from snncompare.network.composition import compose
from snncompare.network.equations import defined_names
from snncompare.network.network import Network, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.network.wiring import Convolution

__all__ = ["at", "check_sign", "checked_connections", "checked_values", "ends_of"]


@contextmanager
def at(place: str) -> Iterator[None]:
    """Say where something is wrong, in front of what is wrong."""
    try:
        yield
    except InputError as error:
        raise type(error)(f"{place}: {error}") from error


def ends_of(network: Network, name: str) -> Ends:
    """Return the sizes of the two populations of a projection."""
    projection = network.projections[name]
    n_source, n_target = (network.populations[end].size for end in (projection.source, projection.target))
    return Ends(n_source, n_target, within=projection.source == projection.target)


def checked_connections(network: Network, name: str, given: Any) -> Connections:
    """Return the synapses of a projection, given as `Connections` or as a dense array, after a full check.

    Raises
    ------
    InputError
    """
    projection, ends = network.projections[name], ends_of(network, name)
    shape = (ends.n_source, ends.n_target)
    if isinstance(given, Connections):
        with at(f"connections of '{name}'"):
            found = given.checked()
        if found.shape != shape:
            raise InputError(
                f"connections of '{name}' must have the shape {shape} (source, target), got {found.shape}."
            )
        states = _states(projection.synapse.written_out().synapse_equations)
        for key in found.values:
            if key not in states:
                raise InputError(f"connections of '{name}': " + unknown("variable of the synapse", key, states))
    else:
        array = finite_numbers(given, f"weights of '{name}'")
        if array.shape != shape:
            raise InputError(f"weights of '{name}' must have the shape {shape} (source, target), got {array.shape}.")
        found = Connections.from_dense(array)
    with at(f"weights of '{name}'"):
        if isinstance(projection.wiring, Convolution) and found.shared is None:
            found = _as_convolution(found, projection.wiring, ends)
        check_sign(found, projection, "given")
    return found


def checked_values(network: Network, population: str, given: Any) -> dict[str, NDArray[np.float64]]:
    """Return the values of single neurons of a population, given as arrays by name, after a full check.

    Raises
    ------
    InputError
    """
    if not isinstance(given, Mapping):
        raise InputError(f"weights: '{population}' is a population; give a mapping from variables to arrays.")
    described = network.populations[population]
    allowed = _states(compose(network, population).equations) if isinstance(described.neuron, NeuronModel) else []
    found = {}
    for name, part in given.items():
        what = f"values of '{population}'"
        if name not in allowed:
            raise InputError(f"{what}: " + unknown("variable or parameter with one value per neuron", name, allowed))
        array = finite_numbers(part, f"{what}: '{name}'")
        if array.shape != (described.size,):
            raise InputError(f"{what}: '{name}' must have the shape ({described.size},), got {array.shape}.")
        found[name] = array
    return found


def check_sign(connections: Connections, projection: Projection, how: str) -> None:
    """Refuse weights of the wrong sign where the projection follows Dale's law.

    Raises
    ------
    InputError
        With their number and the first of them.
    """
    if projection.sign is None:
        return
    negative = projection.sign == "negative"
    wrong = np.flatnonzero(connections.weight > 0 if negative else connections.weight < 0)
    if wrong.size:
        first, bound = wrong[0], f"{'high' if negative else 'low'}='0 {projection.synapse.weight_unit}'"
        raise InputError(
            f"{wrong.size} of {connections.n_synapses} {how} weights are not {projection.sign}, the first from neuron "
            f"{connections.source[first]} to neuron {connections.target[first]} ({connections.weight[first]:g}); "
            f"change the sign, or draw from Exponential, LogNormal or Normal with {bound}."
        )


def _as_convolution(given: Connections, wiring: Convolution, ends: Ends) -> Connections:
    """Return the connections of a convolution with given weights, those that are zero included."""
    (source, target), shared = draw_pairs(wiring, ends, generator(0, ""))
    key = source * ends.n_target + target
    place = np.searchsorted(key, given.source * ends.n_target + given.target)
    inside = key[np.minimum(place, key.size - 1)] == given.source * ends.n_target + given.target
    if not inside.all() or np.unique(place).size < place.size:
        raise InputError("there are synapses that do not belong to the convolution; remove them.")
    weight = np.zeros(key.size)
    weight[place] = given.weight
    return Connections(given.shape, source, target, weight, given.delay, shared, given.values).checked()


def _states(equations: str) -> list[str]:
    return [name for name, kind in defined_names(equations).items() if kind != "subexpression"]
