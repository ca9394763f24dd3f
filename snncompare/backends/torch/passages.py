r"""How derivatives pass through the projections of a network, and what a probe of its neurons adds to them.

Where only the first effect of a spike on its target is followed (`Passage.ONCE`), the target population is carried out
twice. Its own state :math:`s` receives what arrives, :math:`A`, as a constant; its *probe* is :math:`s` as a constant
with :math:`A` as a variable, and lives for one step:

.. math::
    u = F(s), \quad \hat u = F(\hat s), \quad \hat s = \mathrm{reset}_{z}(\mathrm{sg}(u) + A), \quad
    s = \mathrm{reset}_{z}(u + \mathrm{sg}(A))

Parameters of the population have their derivatives through :math:`s`, what lies below has them through :math:`\hat s`.
Spikes that the population sends onwards, and what is recorded of it, are
:math:`H(u) + H(\hat u) - \mathrm{sg}(H(\hat u))`; its own layer and its reset see :math:`H(u)`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

import torch
from torch import Tensor

from snncompare.backends.torch.effects import CompiledEffect
from snncompare.backends.torch.parameters import Named
from snncompare.backends.torch.routes import LinearRoute, Route
from snncompare.backends.torch.sums import State
from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.errors import InputError, UnsupportedError, unknown
from snncompare.network.layers import layers, readouts
from snncompare.network.network import Network
from snncompare.network.neuron import SpikeSource

__all__ = ["Broadcast", "Passage", "Passages", "broadcasts", "check_passages", "checked_feedback", "passages"]


class Passage(Enum):
    """What is followed from the spikes that a projection delivers."""

    OPEN = "open"
    ONCE = "once"
    """Their effect in the first update of the target after they arrive."""
    CUT = "cut"


@dataclass(frozen=True)
class Passages:
    """How derivatives pass through each projection.

    Attributes
    ----------
    of : mapping
        Projection to `Passage`.
    inside : frozenset of str
        Projections inside a layer.
    feedback : Passage
        Of what a readout receives, for errors that are broadcast.
    forgetful : frozenset of str
        Populations from whose state no derivative passes into the next step.
    """

    of: Mapping[str, Passage] = field(default_factory=dict)
    inside: frozenset[str] = frozenset()
    feedback: Passage = Passage.OPEN
    forgetful: frozenset[str] = frozenset()


def passages(network: Network, paths: Paths, *, broadcast: bool) -> Passages:
    """Return how derivatives pass through projections.

    Parameters
    ----------
    network : Network
    paths : Paths
    broadcast : bool
        Whether errors leave readouts by other ways than the projections that lead there.
    """
    layer = {name: k for k, members in enumerate(layers(network)) for name in members}
    last = readouts(network)
    sources = {name for name, population in network.populations.items() if isinstance(population.neuron, SpikeSource)}
    across = {
        CrossLayer.FULL: Passage.OPEN,
        CrossLayer.INSTANT: Passage.ONCE,
        CrossLayer.NONE: Passage.CUT,
    }[paths.cross_layer]
    response = Passage.OPEN if paths.readout else Passage.ONCE
    found, inside = {}, set()
    for name, projection in network.projections.items():
        if projection.source in sources:
            found[name] = Passage.OPEN
        elif layer[projection.source] == layer[projection.target]:
            inside.add(name)
            found[name] = Passage.OPEN if paths.recurrent else Passage.CUT
        elif projection.target in last:
            found[name] = Passage.CUT if broadcast else response
        else:
            found[name] = across
    forgetful = frozenset(() if paths.carry else set(network.populations) - sources - set(last))
    return Passages(found, frozenset(inside), response, forgetful)


def check_passages(routes: Mapping[str, Route], found: Passages) -> None:
    """Refuse what a projection cannot do.

    Raises
    ------
    UnsupportedError
        For paths that are left out behind synapses that do more than add to their target.
    """
    for name, passage in found.of.items():
        route = routes[name]
        adds = isinstance(route, LinearRoute) and not any(effect.per_source for effect in route.effects)
        if passage is not Passage.OPEN and not adds:
            raise UnsupportedError(
                f"the gradient's paths leave out what passes through '{name}', whose synapses have state of their own; "
                "follow all paths (recurrent=True, cross_layer=FULL, readout=True), or take synapses that only add."
            )


@dataclass(frozen=True)
class Broadcast:
    """Errors that go from a readout straight to a population.

    Attributes
    ----------
    population, readout : str
    steps : int
        Delay.
    added : mapping
        Variable of the readout to what each spike would add to it, shape (population, readout).
    """

    population: str
    readout: str
    steps: int
    added: Mapping[str, Tensor]

    def through(self, past: Sequence[Tensor | None], passage: Passage) -> tuple[State, State]:
        """Return zeros with the derivative of what would arrive now, for the readout itself and for its probe."""
        spikes = past[-1 - self.steps]
        if spikes is None:
            return {}, {}
        if passage is Passage.OPEN:
            return {name: _zero(spikes @ matrix) for name, matrix in self.added.items()}, {}
        own = {name: _zero(spikes.detach() @ matrix) for name, matrix in self.added.items() if matrix.requires_grad}
        return own, {name: spikes @ matrix.detach() for name, matrix in self.added.items()}


def checked_feedback(
    feedback: Mapping[tuple[str, str], Tensor] | None, network: Network, firing: Sequence[str]
) -> None:
    """Refuse feedback weights that do not fit the network.

    Raises
    ------
    InputError
    """
    last = [name for name in readouts(network) if network.incoming(name)]
    for (population, readout), weights in (feedback or {}).items():
        if population not in firing:
            raise InputError("feedback: " + unknown("population that spikes", population, firing))
        if readout not in last:
            raise InputError("feedback: " + unknown("readout with a projection to it", readout, last))
        shape = (network.populations[population].size, network.populations[readout].size)
        if tuple(weights.shape) != shape:
            raise InputError(
                f"feedback: the weights from '{readout}' to '{population}' must have the shape {shape}, got "
                f"{tuple(weights.shape)}."
            )


def broadcasts(
    feedback: Mapping[tuple[str, str], Tensor],
    network: Network,
    routes: Mapping[str, Route],
    projections: Named,
    values: Mapping[str, Mapping[str, Tensor]],
) -> list[Broadcast]:
    """Return how errors are broadcast: as through a projection that is like the one that leads to the readout.

    Parameters
    ----------
    feedback : mapping
        Population and readout to weights (population, readout).
    network : Network
    routes, projections : mapping
        Of the network, by projection.
    values : mapping
        Population to the values of its neurons.

    Raises
    ------
    UnsupportedError
        If the synapses at the readout do more than add to it, or have several delays.
    """
    found = []
    for (population, readout), weights in feedback.items():
        incoming = network.incoming(readout)
        name = next((name for name, each in incoming.items() if each.source == population), next(iter(incoming)))
        route, projection = routes[name], projections[name]
        plan = projection.delay_plan(interpolate=False)
        alike = isinstance(route, LinearRoute) and route.of_source is None
        if not alike or len(plan.steps) > 1 or any(e.per_source or e.per_target for e in route.effects):  # type: ignore[attr-defined]
            raise UnsupportedError(
                f"errors cannot be broadcast from '{readout}': the synapses of '{name}' have several delays, or an "
                "effect that depends on the neurons; take synapses that only add their weight."
            )
        assert isinstance(route, LinearRoute)
        trained = {key: values[readout][key] for key in route.trained}
        added: dict[str, Tensor] = {}
        for effect in map(CompiledEffect, route.effects):
            known = {**effect.constants(trained), **effect.description.fixed, effect.description.weight: weights}
            for term in range(effect.n_terms):
                more = effect.of_synapse(term, known, weights)
                added[effect.variable] = added[effect.variable] + more if effect.variable in added else more
        found.append(Broadcast(population, readout, plan.steps[0], added))
    return found


def _zero(value: Tensor) -> Tensor:
    """Return zeros with the derivative of a value."""
    return torch.sub(value, value.detach())
