"""Layers of a network: populations that reach each other through projections, in the order in which signals flow."""

from collections.abc import Mapping, Sequence

from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel

__all__ = ["layers", "readouts"]


def layers(network: Network) -> tuple[tuple[str, ...], ...]:
    """Return the layers of a network: the strongly connected components of its projections.

    Spike sources and readouts are layers of their own. A projection is recurrent if both of its ends are in one layer.

    Returns
    -------
    tuple of tuple of str
        The populations of each layer, in the order of the description; a layer comes after all layers that project to
        it (Kosaraju's algorithm; Sharir 1981, Computers and Mathematics with Applications 7:67).
    """
    onwards: dict[str, list[str]] = {name: [] for name in network.populations}
    backwards: dict[str, list[str]] = {name: [] for name in network.populations}
    for projection in network.projections.values():
        onwards[projection.source].append(projection.target)
        backwards[projection.target].append(projection.source)
    found: list[tuple[str, ...]] = []
    seen: set[str] = set()
    for name in reversed(_finished(onwards)):
        if name not in seen:
            there = set(_reached(name, backwards, seen))
            found.append(tuple(each for each in network.populations if each in there))
    return tuple(found)


def readouts(network: Network) -> tuple[str, ...]:
    """Return the readouts of a network: populations that never fire, in the order of the description."""
    return tuple(
        name
        for name, population in network.populations.items()
        if isinstance(population.neuron, NeuronModel) and population.neuron.threshold is None
    )


def _finished(onwards: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the names in the order in which a depth-first search leaves them."""
    seen: set[str] = set()
    order: list[str] = []
    for name in onwards:
        order += _reached(name, onwards, seen)
    return order


def _reached(start: str, edges: Mapping[str, Sequence[str]], seen: set[str]) -> list[str]:
    """Return what is reached from a name and was not seen before, in the order of leaving; note it as seen."""
    if start in seen:
        return []
    order, stack = [], [(start, iter(edges[start]))]
    seen.add(start)
    while stack:
        name, ahead = stack[-1]
        following = next((each for each in ahead if each not in seen), None)
        if following is None:
            order.append(name)
            stack.pop()
        else:
            seen.add(following)
            stack.append((following, iter(edges[following])))
    return order
