r"""Influence of the parameters of one layer on the states of many neurons: real-time recurrent learning.

With the Jacobians of `Neurons` the influence :math:`M = ds/d\theta` of all P parameters of a layer on all states,
shape (batch, neuron, P) for each variable, and that on spikes, E, follow

.. math::
    M^u = U M^s + \frac{\partial F}{\partial\theta}, \qquad E = \psi \cdot M^u + \frac{\partial z}{\partial\theta},
    \qquad M^a = M^u + W^T E^{t-d} + \frac{\partial a}{\partial\theta}, \qquad
    M^s = G\,M^a + \frac{\partial s'}{\partial\theta} + (R(a) - a)\,E

(Williams and Zipser 1989, Neural Computation 1:270; Zenke and Neftci 2021, Proceedings of the IEEE 109:935).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from snncompare.backends.torch.passages import Broadcast
from snncompare.learning.gradients.forward.constant_rows import Entry
from snncompare.learning.gradients.forward.groups import Group
from snncompare.learning.gradients.forward.neurons import Neurons
from snncompare.learning.gradients.forward.stepper import Stepper
from snncompare.learning.gradients.forward.synapses import Entries

__all__ = ["Follows", "Influence", "Link", "Network"]


@dataclass(frozen=True)
class Follows:
    """What is followed of the steps of one population.

    Attributes
    ----------
    carry : bool
        From its state to the next one.
    jumps : tuple of str
        Variables whose jump at a spike counts.
    """

    carry: bool
    jumps: tuple[str, ...]


class Network(Protocol):
    """What a link looks up, see `Stepper`."""

    @property
    def dropout(self) -> Mapping[str, Tensor]:
        """Population to what spikes are multiplied by."""

    @property
    def entries(self) -> Sequence[Entries]:
        """What projections deliver."""

    @property
    def broadcast(self) -> Sequence[Broadcast] | None:
        """How errors leave readouts."""


@dataclass(frozen=True)
class Link:
    """A projection that influences pass through: a block of `Stepper.entries`, or an item of `Stepper.broadcast`."""

    source: str
    target: str
    variable: str
    delay: int
    held: bool
    entry: int | None
    block: int = 0
    feedback: int = 0

    def forth(self, stepper: Network, influences: Tensor) -> Tensor:
        """Return what arrives, (batch, n_target, p), from the influences on spikes, (batch, n_source, p)."""
        if self.source in stepper.dropout:
            influences = stepper.dropout[self.source].unsqueeze(-1) * influences
        if self.entry is not None:
            return stepper.entries[self.entry].block(self.block).forth(influences)
        assert stepper.broadcast is not None
        return stepper.broadcast[self.feedback].added[self.variable].detach().t() @ influences


class Influence:
    """The influence of the parameters of one layer.

    Parameters
    ----------
    stepper : Stepper
    layer : int
        Number of the layer, see `snncompare.network.layers`.
    groups : sequence of Group
        The parameters.
    follows : mapping
        Population whose states are influenced to what is followed of its steps.
    links : sequence of Link
        Between these populations.
    masks : mapping
        Population to 1 where the influence (neuron, P) is kept, else 0; others are kept whole.
    """

    def __init__(
        self,
        stepper: Stepper,
        layer: int,
        groups: Sequence[Group],
        follows: Mapping[str, Follows],
        links: Sequence[Link],
        masks: Mapping[str, Tensor],
    ) -> None:
        self.stepper, self.layer, self.groups = stepper, layer, tuple(groups)
        self._follows, self._links = follows, tuple(links)
        self._masks = masks
        sizes = [group.placing.n_entries for group in groups]
        self._firsts = [sum(sizes[:k]) for k in range(len(sizes))]
        self.size = sum(sizes)
        longest = dict.fromkeys(follows, 0)
        for link in links:
            longest[link.source] = max(longest[link.source], link.delay)
        self._longest = longest
        self.states: dict[str, dict[str, Tensor]] = {}
        self.begin()

    def begin(self, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        if of is not None:
            for states in self.states.values():
                states.update({name: value.masked_fill(of[:, None, None], 0.0) for name, value in states.items()})
            for recent in self._recent.values():
                recent.extend([value.masked_fill(of[:, None, None], 0.0) for value in list(recent)])
            self._start(of)
            return
        batch, like = self.stepper.batch, self.stepper.like
        self.states = {
            name: {key: like.new_zeros(batch, each.shape[1], self.size) for key in each.variables}
            for name, each in self._neurons().items()
        }
        self._recent: dict[str, deque[Tensor]] = {name: deque(maxlen=n + 1) for name, n in self._longest.items()}
        self._start(torch.ones(batch, dtype=torch.bool, device=like.device))

    def _neurons(self) -> dict[str, Neurons]:
        return {name: self.stepper.neurons[name] for name in self._follows}

    def _start(self, of: Tensor) -> None:
        """Note which states begin at the value of a parameter."""
        for group, first in zip(self.groups, self._firsts, strict=True):
            for name in group.starts:
                n = group.placing.n_entries
                own = self.states[group.population][name][:, :, first : first + n].diagonal(dim1=1, dim2=2)
                own[of] = 1.0

    def update(self) -> None:
        """Follow the state update."""
        for name, neurons in self._neurons().items():
            before = self.states[name]
            self.states[name] = {key: _product(neurons.updated[key], before) for key in before}
            self._add_direct(name, neurons.updated_by)

    def fire(self) -> None:
        """Follow the thresholds."""
        for name, neurons in self._neurons().items():
            if not neurons.can_fire:
                continue
            self._recent[name].append(_product(neurons.fires, self.states[name]))
            for group, first in zip(self.groups, self._firsts, strict=True):
                direct = neurons.fires_by.get(group.parameter or "") if group.population == name else None
                if isinstance(direct, Tensor):
                    n = group.placing.n_entries
                    self._recent[name][-1][:, :, first : first + n].diagonal(dim1=1, dim2=2).add_(direct)

    def on_spikes(self, population: str, ago: int = 0) -> Tensor | None:
        """Return the influence on spikes some steps ago, (batch, neuron, P)."""
        recent = self._recent[population]
        return recent[-1 - ago] if len(recent) > ago else None

    def deliver(self) -> None:
        """Follow what arrives."""
        stepper = self.stepper
        for name, states in self.states.items():
            if not self._follows[name].carry:
                states.update({key: torch.zeros_like(value) for key, value in states.items()})
        for link in self._links:
            sent = self.on_spikes(link.source, link.delay)
            if sent is not None:
                arriving, states = link.forth(stepper, sent), self.states[link.target]
                awake = stepper.states[link.target].get("not_refractory") if link.held else None
                states[link.variable] += arriving if awake is None else arriving * awake.unsqueeze(-1)
        for group, first in zip(self.groups, self._firsts, strict=True):
            if group.entry is not None:
                self._add_arriving(group, first)

    def _add_arriving(self, group: Group, first: int) -> None:
        """Add the effect of weights on what arrives at their targets."""
        assert group.entry is not None
        entries = self.stepper.entries[group.entry]
        arriving = entries.arriving(self.stepper.past[entries.source])
        if arriving is None:
            return
        rows, targets = entries.placing.ends()
        values = arriving[:, rows]
        awake = self.stepper.states[entries.target].get("not_refractory") if entries.held else None
        if awake is not None:
            values = values * awake[:, targets]
        places = first + torch.arange(rows.numel(), device=rows.device)
        self.states[group.population][entries.variable][:, targets, places] += values

    def reset(self) -> None:
        """Follow the resets."""
        for name, neurons in self._neurons().items():
            if name in self.stepper.fired:
                before = self.states[name]
                self.states[name] = {key: _product(neurons.kept[key], before) for key in before}
                self._add_direct(name, neurons.kept_by)
                spikes = self.on_spikes(name) if neurons.can_fire else None
                for key in self._follows[name].jumps:
                    assert spikes is not None
                    self.states[name][key] = self.states[name][key] + spikes * _wide(neurons.jumps.get(key, 0.0))
            if name in self._masks:
                self.states[name] = {key: value * self._masks[name] for key, value in self.states[name].items()}

    def _add_direct(self, population: str, by: Mapping[str, Mapping[str, Entry]]) -> None:
        """Add the derivatives of a step by the parameters of its neurons."""
        for group, first in zip(self.groups, self._firsts, strict=True):
            if group.population != population or not group.direct:
                continue
            for name, row in by.items():
                direct = row.get(group.parameter or "")
                if isinstance(direct, Tensor):
                    n = group.placing.n_entries
                    own = self.states[population][name][:, :, first : first + n]
                    own.diagonal(dim1=1, dim2=2).add_(direct)

    def split(self, gradient: Tensor) -> list[tuple[Group, Tensor]]:
        """Return what of a gradient (..., P) belongs to each group, (..., *entries)."""
        found = []
        for group, first in zip(self.groups, self._firsts, strict=True):
            own = gradient[..., first : first + group.placing.n_entries]
            found.append((group, own.reshape(*own.shape[:-1], *group.placing.shape)))
        return found


def _wide(value: Entry) -> Entry:
    return value.unsqueeze(-1) if isinstance(value, Tensor) and value.ndim else value


def _product(row: Mapping[str, Entry], values: Mapping[str, Tensor]) -> Tensor:
    """Return a new sum of multiples of influences."""
    total: Tensor | None = None
    for name, factor in row.items():
        if name in values:
            more = values[name] * _wide(factor)
            total = more if total is None else total + more
    return torch.zeros_like(next(iter(values.values()))) if total is None else total
