"""Spikes as projections see them, and neurons that are carried out a second time to see the first effect of a spike."""

from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from snncompare.backends.torch.delivery import Delivery
from snncompare.backends.torch.passages import Broadcast, Passage, Passages
from snncompare.backends.torch.population import PopulationRun
from snncompare.backends.torch.sums import State, constant

__all__ = ["Past", "Probes", "Sent", "broadcast"]

Past = dict[str, list[Tensor | None]]
"""Population to its spikes in the latest steps, the latest one last; None before the run."""


class Sent:
    """Spikes that populations sent in the latest steps.

    Parameters
    ----------
    own : dict
        As the population's own layer sees them; replaced in every step.
    onwards : mapping
        As other layers see them, of populations where that differs.
    passages : Passages
    sources : mapping
        Projection to the population it starts at.
    """

    def __init__(
        self, own: Past, onwards: Mapping[str, Sequence[Tensor | None]], passages: Passages, sources: Mapping[str, str]
    ) -> None:
        self.own, self._passages = own, passages
        self.different = {name: list(spikes) for name, spikes in onwards.items()}
        cut = {sources[name] for name, passage in passages.of.items() if passage is not Passage.OPEN}
        self._constant = {name: [None if z is None else z.detach() for z in own[name]] for name in cut}
        self._onwards = own | self.different

    def append(self, name: str, own: Tensor | None, onwards: Tensor | None) -> None:
        """Note the spikes that a population sends now."""
        different = self.different.get(name)
        _push(self.own[name], own)
        if different is not None:
            _push(different, onwards)
        if name in self._constant:
            _push(self._constant[name], None if own is None else own.detach())

    @property
    def onwards(self) -> Past:
        """The spikes as other layers see them."""
        return self._onwards

    def seen_by(self, projection: str) -> Past:
        """Return the spikes as a projection sees them, for what it adds to the target itself."""
        if self._passages.of.get(projection, Passage.OPEN) is not Passage.OPEN:
            return self._constant
        return self.own if projection in self._passages.inside else self._onwards


def _push(latest: list[Tensor | None], spikes: Tensor | None) -> None:
    latest.append(spikes)
    del latest[0]


class Probes:
    """The probes of a run.

    Parameters
    ----------
    populations : mapping
        Those that have a probe.
    constants : mapping
        What stays during the run, without derivatives (`PopulationRun.begin`).
    deliveries : mapping
        Projection with `Passage.ONCE` to its target and what it delivers, without derivatives of its weights.
    states : mapping
        Probes that were made in an earlier run.
    """

    def __init__(
        self,
        populations: Mapping[str, PopulationRun],
        constants: Mapping[str, State],
        deliveries: Mapping[str, tuple[str, str, Delivery]],
        states: Mapping[str, State],
    ) -> None:
        self._populations, self._constants, self._deliveries = populations, constants, deliveries
        self.states = {name: {**constants[name], **state} for name, state in states.items() if name in populations}

    @property
    def names(self) -> Collection[str]:
        """The populations that have a probe."""
        return self._populations.keys()

    def update(self, t: Tensor, number: Tensor) -> None:
        """Carry out the state update of all probes at the time t, the step of some number."""
        for name, state in self.states.items():
            state["t"], state["t_in_timesteps"] = t, number
            self._populations[name].update(state)

    def seen(self, name: str, variable: str, own: Tensor) -> Tensor:
        """Return a variable of a population with what its probe adds to its derivative."""
        there = self.states[name].get(variable) if name in self.states else None
        return own if there is None or not there.requires_grad else own + (there - there.detach())

    def fire(self, fired: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return spikes with what probes add to their derivatives, of the populations that fire."""
        shown = dict(fired)
        for name, state in self.states.items():
            if name in fired:
                spikes = self._populations[name].threshold(state)
                shown[name] = fired[name] + (spikes - spikes.detach())
        return shown

    def arrivals(self, populations: Mapping[str, State], sent: Sent) -> dict[str, State]:
        """Return what arrives now at populations with probes, through projections whose first effect counts."""
        arriving: dict[str, State] = {name: {} for name in self._populations}
        for source, target, delivery in self._deliveries.values():
            there, own = arriving[target], populations[target]
            for variable in delivery.variables:
                there.setdefault(variable, torch.zeros_like(own[variable]))
            delivery.add(there, sent.onwards[source], None, own.get("not_refractory"))
        return arriving

    def renew(
        self, populations: Mapping[str, State], arriving: Mapping[str, State], fired: Mapping[str, Tensor]
    ) -> None:
        """Make the probes anew from the state after all arrivals, and carry out their resets."""
        self.states = {}
        for name, run in self._populations.items():
            state = {**constant(populations[name]), **self._constants[name]}
            for variable, value in arriving[name].items():
                state[variable] = state[variable] + (value - value.detach())
            if name in fired:
                run.reset(state, fired[name].detach())
            self.states[name] = state


def broadcast(
    each: Sequence[Broadcast],
    passage: Passage,
    populations: Mapping[str, State],
    arriving: Mapping[str, State],
    sent: Sent,
) -> None:
    """Add zeros to readouts that carry the derivatives of errors that are broadcast."""
    for one in each:
        own, once = one.through(sent.onwards[one.population], passage)
        state = populations[one.readout]
        for variable, value in own.items():
            state[variable] = state[variable] + value
        for variable, value in once.items():
            there = arriving[one.readout]
            there[variable] = there[variable] + value if variable in there else value
