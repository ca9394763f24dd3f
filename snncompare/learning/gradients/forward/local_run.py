"""Gradients along with a run from the influence of synapses on their own target neurons."""

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from snncompare.backends.torch.module import TorchNetwork
from snncompare.dynamics.paths import Paths
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.forward.forward_run import ForwardRun
from snncompare.learning.gradients.forward.groups import Group
from snncompare.learning.gradients.forward.readings import (
    Reading,
    Recent,
    Traced,
    kernel_filter,
    readout_filter,
)
from snncompare.learning.gradients.forward.responses import LinearFilter, Totals
from snncompare.learning.gradients.forward.stepper import Stepper
from snncompare.learning.gradients.forward.traces import Traces
from snncompare.learning.gradients.forward.ways import FirstEffects, ways_from_spikes, ways_to_readout
from snncompare.learning.losses import Reads
from snncompare.network.layers import layers

__all__ = ["LocalRun"]


class LocalRun(ForwardRun):
    """A run with traces per synapse.

    Parameters
    ----------
    stepper, paths, reads, local
        See `ForwardRun`.
    kernel : optional
        With which the loss filters spikes.

    Raises
    ------
    UnsupportedError
        For paths that traces per synapse cannot follow.
    """

    def __init__(
        self, stepper: Stepper, paths: Paths, reads: Reads, local: Mapping[str, Tensor], *, kernel: object = None
    ) -> None:
        if paths.recurrent and _has_recurrence(stepper.module):
            raise UnsupportedError(
                "traces per synapse have no path through recurrent projections; take recurrent=False, or "
                "storage=FullInfluence()."
            )
        super().__init__(stepper, paths, reads, local)
        self._traced = [self._with_traces(group) for group in self.groups]
        self.readings = {"": self._reading(kernel)}
        for name, weights in local.items():
            ways = ways_from_spikes(stepper, name, weights.detach(), paths)
            self.readings[name] = Reading(stepper, name, None, ways, self._traced, {None: None}, weights.shape[1])
        ways = [way for reading in self.readings.values() for way in reading.ways]
        self._effects = FirstEffects(stepper, ways)
        longest = {group.population: 0 for group in self.groups}
        for way in ways:
            longest[way.population] = max(longest[way.population], way.delay)
        self._recent = {id(each): Recent(longest[each.group.population]) for each in self._traced}
        self._count_sums: dict[int, Tensor] = {}

    def _with_traces(self, group: Group) -> Traced:
        stepper = self.stepper
        neurons = stepper.neurons[group.population]
        paths = self.paths if neurons.can_fire else Paths()  # a readout's own parameters have their exact gradient
        if group.entry is not None:
            entries = stepper.entries[group.entry]
            traces = Traces(neurons, group.placing, paths, injected=entries.variable, held=entries.held)
        else:
            parameter = group.parameter if group.direct else None
            traces = Traces(neurons, group.placing, paths, parameter=parameter, starts=group.starts)
        return Traced(group, traces, Totals(group.placing, stepper.like))

    def _reading(self, kernel: object) -> Reading:
        name, variable, stepper = self.reads.population, self.reads.variable, self.stepper
        size = self.module.network.populations[name].size
        filters: dict[str | None, LinearFilter | None]
        if variable is None:
            eye = torch.eye(size, dtype=stepper.like.dtype, device=stepper.like.device)
            ways = ways_from_spikes(stepper, name, eye, self.paths)
            filters = {None: None if kernel is None else kernel_filter(kernel, stepper.dt)}
            return Reading(stepper, name, None, ways, self._traced, filters, size)
        if stepper.neurons[name].can_fire:
            raise UnsupportedError(
                f"traces per synapse cannot tell what changes '{variable}' of '{name}', which fires; read its spikes "
                "or a readout, or take storage=FullInfluence()."
            )
        ways = ways_to_readout(stepper, name, self.paths)
        filters = {}
        for key in {way.variable for way in ways if way.variable is not None}:
            filters[key] = readout_filter(stepper.neurons[name], name, key, variable) if self.paths.readout else None
        return Reading(stepper, name, variable, ways, self._traced, filters, size)

    def _updated(self) -> None:
        for each in self._traced:
            each.traces.update()
        for reading in self.readings.values():
            reading.update()

    def _fired(self) -> None:
        self._effects.fired()
        for each in self._traced:
            self._recent[id(each)].push(each.traces.eligibility())
            if each.group.population in self._counted:
                self._count(each)
        for reading in self.readings.values():
            if reading.variable is None:
                reading.arrive(self._recent, self._effects)

    def _delivering(self) -> None:
        stepper = self.stepper
        for reading in self.readings.values():
            if reading.variable is not None:
                reading.arrive(self._recent, self._effects)
        for each in self._traced:
            if not self.paths.carry and stepper.neurons[each.group.population].can_fire:
                each.traces.forget()
            if each.group.entry is not None:
                entries = stepper.entries[each.group.entry]
                awake = stepper.states[entries.target].get("not_refractory")
                each.traces.arrive(entries.arriving(stepper.past[entries.source]), awake)
        self._effects.delivered()

    def _reset(self) -> None:
        for each in self._traced:
            if each.group.population in self.stepper.fired:
                each.traces.reset(self._recent[id(each)].ago(0))

    @torch.no_grad()
    def accumulate(self, errors: Mapping[str, Tensor]) -> None:
        """Add to the gradient that of the sum of errors times what was read in the latest step, as for `per_trial`."""
        for name, each in errors.items():
            self.readings[name].accumulate(each, self._effects)

    @torch.no_grad()
    def sum_up(self) -> None:
        """Add what was read in the latest step, and the influence on it, to the sums over steps."""
        for reading in self.readings.values():
            reading.sum_up()

    @torch.no_grad()
    def accumulate_sums(self, errors: Mapping[str, Tensor]) -> None:
        """Add to the gradient that of the sum of errors (batch, n_read) times what was summed up."""
        for name, each in errors.items():
            self.readings[name].accumulate_sums(each, self._effects)

    @torch.no_grad()
    def accumulate_counts(self, population: str, errors: Tensor) -> None:
        """Add to the gradient that of the sum of errors (batch, neuron) times spike counts, see `ForwardRun`."""
        for each in (each for each in self._traced if each.group.population == population):
            sums = self._count_sums.pop(id(each), None)
            if sums is not None:
                each.totals.add(sums, each.traces.placing.across(errors))

    def _count(self, each: Traced) -> None:
        latest = self._recent[id(each)].ago(0)
        whole = None if latest is None else latest.whole()
        if whole is not None:
            sums = self._count_sums.get(id(each))
            self._count_sums[id(each)] = whole.clone() if sums is None else sums.add_(whole)

    def _each_trial(self, errors: Mapping[str, Tensor]) -> Iterable[tuple[Group, Tensor]]:
        for name, each in errors.items():
            yield from self.readings[name].per_trial(each, self._effects)

    def _gathered(self) -> Iterable[tuple[Group, Tensor]]:
        for each in self._traced:
            gradient = each.totals.take()
            if gradient is not None:
                yield each.group, gradient

    def _restarted(self, of: Tensor | None) -> None:
        self._effects.begin(of)
        for each in self._traced:
            each.traces.begin(of=of)
            self._recent[id(each)].begin(of)
        for reading in self.readings.values():
            reading.begin(of)


def _has_recurrence(module: TorchNetwork) -> bool:
    layer = {each: k for k, members in enumerate(layers(module.network)) for each in members}
    return any(layer[each.source] == layer[each.target] for each in module.network.projections.values())
