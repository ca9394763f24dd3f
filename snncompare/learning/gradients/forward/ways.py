r"""Ways from the spikes of a population to what a loss reads.

A way with the gain :math:`B` and the delay d says that a spike of neuron j at step t adds :math:`B_{jk}` to neuron k of
a readout at step t + d. Ways through layers in between follow one update of the neurons there: their gain is
:math:`W \mathrm{diag}(q) B'`, with :math:`q = \psi\,U\,G` the effect of what arrives on the spike one step later, and
B' the gain from there onwards.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.forward.neurons import Neurons
from snncompare.learning.gradients.forward.stepper import Stepper
from snncompare.network.layers import layers

__all__ = ["FirstEffects", "Way", "ways_from_spikes", "ways_to_readout"]


@dataclass(frozen=True)
class Way:
    """A way from the spikes of a population.

    Attributes
    ----------
    population : str
    delay : int
        Steps from the spike to its arrival.
    variable : str or None
        Of the readout, that changes there; None where spikes themselves are read.
    entry : int or None
        Place in `Stepper.entries` of the first projection on the way.
    block : int
        Which of its delays.
    weights : Tensor or None
        Instead of a projection: gain (n_population, n_read).
    feedback : int or None
        Instead of a projection: place in `Stepper.broadcast`.
    through : Way or None
        How it goes on behind the population that the projection ends at.
    """

    population: str
    delay: int
    variable: str | None
    entry: int | None = None
    block: int = 0
    weights: Tensor | None = None
    feedback: int | None = None
    through: "Way | None" = None

    def gain(self, stepper: Stepper, effects: "FirstEffects") -> Tensor | None:
        """Return the gain of what arrives now; None where nothing is there yet."""
        if self.feedback is not None:
            assert stepper.broadcast is not None
            assert self.variable is not None
            gain = stepper.broadcast[self.feedback].added[self.variable].detach()
        elif self.entry is None:
            assert self.weights is not None
            gain = self.weights
        else:
            entries = stepper.entries[self.entry]
            if self.through is None:
                gain = effects.direct(self)
            else:
                further, first = self.through.gain(stepper, effects), effects.of(self, entries.target, entries.variable)
                if further is None or first is None:
                    return None
                gain = entries.block(self.block).back(first.unsqueeze(-1) * further)
        if self.population in stepper.dropout and self.variable is not None:
            gain = stepper.dropout[self.population].unsqueeze(-1) * gain
        return gain

    @property
    def stays(self) -> bool:
        """Whether the gain is the same in all steps."""
        return self.through is None


class FirstEffects:
    """What arriving spikes do to the spikes of the next step, for some latest steps.

    Parameters
    ----------
    stepper : Stepper
    ways : sequence of Way
    """

    def __init__(self, stepper: Stepper, ways: Sequence[Way]) -> None:
        self._stepper = stepper
        self._held: dict[str, dict[str, bool]] = {}
        self._gains: dict[int, tuple[int, Tensor]] = {}
        longest: dict[str, int] = {}
        for way in ways:
            if way.through is not None and way.entry is not None:
                entries = stepper.entries[way.entry]
                self._held.setdefault(entries.target, {})[entries.variable] = entries.held
                longest[entries.target] = max(longest.get(entries.target, 0), way.through.delay)
        self._kept: dict[str, deque[dict[str, Tensor]]] = {name: deque(maxlen=n + 1) for name, n in longest.items()}
        self._awake: dict[str, Tensor | None] = {}

    def direct(self, way: Way) -> Tensor:
        """Return the weights of a way that a projection is, (n_population, n_read)."""
        stepper = self._stepper
        version, gain = self._gains.get(id(way), (-1, stepper.like))
        if version != stepper.version:
            assert way.entry is not None
            entries = stepper.entries[way.entry]
            n = stepper.module.network.populations[entries.target].size
            gain = entries.block(way.block).back(torch.eye(n, dtype=stepper.like.dtype, device=stepper.like.device))
            self._gains[id(way)] = stepper.version, gain
        return gain

    def begin(self, of: Tensor | None = None) -> None:
        """Forget everything, or only in the trials `of` (batch,)."""
        for kept in self._kept.values():
            for each in kept:
                for name, value in each.items():
                    each[name] = torch.zeros_like(value) if of is None else value.masked_fill(of[:, None], 0.0)
            if of is None:
                kept.clear()
        if of is None:
            self._awake = {}

    def fired(self) -> None:
        """Note the effects of what arrived in the step before."""
        for name, kept in self._kept.items():
            neurons = self._stepper.neurons[name]
            found = {}
            for variable, held in self._held[name].items():
                effect = _first_effect(neurons, variable) if name in self._awake else None
                if effect is not None:
                    awake = self._awake[name]
                    found[variable] = effect * awake if held and awake is not None else effect
            kept.append(found)

    def delivered(self) -> None:
        """Note who is awake when spikes arrive."""
        for name in self._kept:
            self._awake[name] = self._stepper.states[name].get("not_refractory")

    def of(self, way: Way, population: str, variable: str) -> Tensor | None:
        """Return the effect of what arrived long enough ago to be at the end of a way now, (batch, neuron)."""
        assert way.through is not None
        kept, ago = self._kept[population], way.through.delay
        return kept[-1 - ago].get(variable) if len(kept) > ago else None


def ways_to_readout(stepper: Stepper, readout: str, paths: Paths) -> list[Way]:
    """Return the ways to a population that never fires.

    Raises
    ------
    UnsupportedError
        For paths that traces per synapse cannot follow.
    """
    if stepper.broadcast is not None:
        direct = [
            Way(each.population, each.steps, variable, feedback=k)
            for k, each in enumerate(stepper.broadcast)
            if each.readout == readout
            for variable in each.added
        ]
        return _with_layers_below(stepper, direct, paths)
    direct = [
        Way(entries.source, delay, entries.variable, entry=k, block=block)
        for k, entries in enumerate(stepper.entries)
        if entries.target == readout and entries.source in stepper.neurons
        for block, delay in enumerate(entries.plan.steps)
    ]
    return _with_layers_below(stepper, direct, paths)


def ways_from_spikes(stepper: Stepper, population: str, weights: Tensor, paths: Paths) -> list[Way]:
    """Return the ways to what reads the spikes of a population by weights (n_population, n_read)."""
    return _with_layers_below(stepper, [Way(population, 0, None, weights=weights)], paths)


def _with_layers_below(stepper: Stepper, ways: list[Way], paths: Paths) -> list[Way]:
    layer = {name: k for k, members in enumerate(layers(stepper.module.network)) for name in members}
    found, ahead = list(ways), list(ways)
    if paths.cross_layer is CrossLayer.NONE:
        return found
    while ahead:
        way = ahead.pop()
        for k, entries in enumerate(stepper.entries):
            across = entries.source in stepper.neurons and layer[entries.source] != layer[entries.target]
            if entries.target != way.population or not across:
                continue
            if paths.cross_layer is CrossLayer.FULL:
                raise UnsupportedError(
                    f"traces per synapse cannot follow everything that '{entries.source}' does through "
                    f"'{entries.target}'; take cross_layer=INSTANT, or storage=FullInfluence()."
                )
            for block, delay in enumerate(entries.plan.steps):
                lower = Way(entries.source, way.delay + 1 + delay, way.variable, entry=k, block=block, through=way)
                found.append(lower)
                ahead.append(lower)
    return found


def _first_effect(neurons: Neurons, variable: str) -> Tensor | None:
    """Return the derivative of the spike now by a variable before the last reset."""
    total: Tensor | None = None
    for upper, slope in neurons.fires.items():
        for lower, factor in neurons.updated.get(upper, {}).items():
            start = neurons.kept.get(lower, {}).get(variable)
            if start is not None:
                more = slope * factor * start
                assert isinstance(more, Tensor)
                total = more if total is None else total + more
    return total
