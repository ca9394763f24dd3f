"""Gradients along with a run from the influence of every parameter on every state, or on those within some steps."""

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor

from snncompare.dynamics.paths import CrossLayer, Paths
from snncompare.learning.gradients.forward.forward_run import ForwardRun
from snncompare.learning.gradients.forward.groups import Group
from snncompare.learning.gradients.forward.influence import Follows, Influence, Link
from snncompare.learning.gradients.forward.readings import kernel_filter
from snncompare.learning.gradients.forward.responses import LinearFilter
from snncompare.learning.gradients.forward.stepper import Stepper
from snncompare.learning.losses import Reads
from snncompare.network.layers import layers

__all__ = ["InfluenceRun"]


class InfluenceRun(ForwardRun):
    """A run with an influence tensor for the parameters of each layer.

    Parameters
    ----------
    stepper, paths, reads, local
        See `ForwardRun`.
    kernel : optional
        With which the loss filters spikes.
    within : int, optional
        Steps in which a parameter must reach the state of a neuron for its influence to be kept; 1 is its target
        neuron alone. Influences on readouts are always kept.
    """

    def __init__(
        self,
        stepper: Stepper,
        paths: Paths,
        reads: Reads,
        local: Mapping[str, Tensor],
        *,
        kernel: object = None,
        within: int | None = None,
    ) -> None:
        super().__init__(stepper, paths, reads, local)
        self._layer = {name: k for k, members in enumerate(layers(self.module.network)) for name in members}
        self._within = within
        self._filter = None if kernel is None else kernel_filter(kernel, stepper.dt)
        numbers = sorted({self._layer[group.population] for group in self.groups})
        self._gradients: dict[int, Tensor] = {}
        self._influences = [self._influence(number) for number in numbers]
        self._forget()

    def _influence(self, number: int) -> Influence:
        groups = [group for group in self.groups if self._layer[group.population] == number]
        inside = [name for name in self.stepper.neurons if self._layer[name] == number]
        links, reached = [], list(inside)
        for name in reached:
            for link in self._links_from(name, own=name in inside):
                links.append(link)
                if link.target not in reached:
                    reached.append(link.target)
        follows = {name: self._follows(name, own=name in inside) for name in reached}
        masks = {} if self._within is None else self._masks(groups, reached, links, self._within)
        return Influence(self.stepper, number, groups, follows, links, masks)

    def _follows(self, name: str, *, own: bool) -> Follows:
        paths, neurons = self.paths, self.stepper.neurons[name]
        if not neurons.can_fire:
            return Follows(own or paths.readout, ())
        if not own and paths.cross_layer is not CrossLayer.FULL:
            return Follows(False, ())
        followed = {True: paths.reset, False: paths.adaptation}
        return Follows(paths.carry, tuple(key for key in neurons.jumping if followed[key in neurons.membrane]))

    def _links_from(self, name: str, *, own: bool) -> list[Link]:
        """Return the links from a population that influences are passed through; `own` ones are in their layer."""
        stepper, found = self.stepper, []
        neurons = stepper.neurons
        if not neurons[name].can_fire:
            return []
        for k, each in enumerate(stepper.entries):
            if each.source != name or not each.projection or not self._passes(each.source, each.target, own=own):
                continue
            for block, delay in enumerate(each.plan.steps):
                found.append(Link(name, each.target, each.variable, delay, each.held, k, block))
        for k, broadcast in enumerate(stepper.broadcast or []):
            if broadcast.population == name and broadcast.readout == self.reads.population:
                found += [
                    Link(name, broadcast.readout, key, broadcast.steps, False, None, feedback=k)
                    for key in broadcast.added
                ]
        return found

    def _passes(self, source: str, target: str, *, own: bool) -> bool:
        cross, neurons = self.paths.cross_layer, self.stepper.neurons
        if self._layer[source] == self._layer[target]:
            return self.paths.recurrent and (own or cross is CrossLayer.FULL)
        if not neurons[target].can_fire:
            return self.stepper.broadcast is None and target == self.reads.population
        return cross is not CrossLayer.NONE

    def _masks(
        self, groups: Sequence[Group], reached: Sequence[str], links: Sequence[Link], within: int
    ) -> dict[str, Tensor]:
        """Return where parameters reach neurons that fire within some steps."""
        stepper = self.stepper
        like = stepper.like
        near: dict[str, Tensor] = {}
        for name in reached:
            size = stepper.neurons[name].shape[1]
            columns = []
            for group in groups:
                column = like.new_zeros(size, group.placing.n_entries)
                if group.population == name:
                    column[group.placing.ends()[1], torch.arange(group.placing.n_entries)] = 1.0
                columns.append(column)
            near[name] = torch.cat(columns, dim=1)
        for _ in range(within - 1):
            further = {name: value.clone() for name, value in near.items()}
            for link in links:
                arrived = link.forth(_Connections(stepper), near[link.source].unsqueeze(0))[0]
                further[link.target] += arrived
            near = {name: (value != 0).to(like.dtype) for name, value in further.items()}
        return {name: value for name, value in near.items() if stepper.neurons[name].can_fire}

    def _updated(self) -> None:
        for each in self._influences:
            each.update()

    def _fired(self) -> None:
        for each in self._influences:
            each.fire()
        self._filter_spikes()
        for name in self._counted:
            for k, each in enumerate(self._influences):
                own = self.paths.cross_layer is CrossLayer.FULL or self._layer[name] == each.layer
                spikes = each.on_spikes(name) if own and name in each.states else None
                if spikes is not None:
                    sums = self._count_sums.get((k, name))
                    self._count_sums[k, name] = spikes.clone() if sums is None else sums.add_(spikes)

    def _filter_spikes(self) -> None:
        """Carry the influence on spikes through the kernel of the loss."""
        if self._filter is None:
            return
        for k, each in enumerate(self._influences):
            spikes = each.on_spikes(self.reads.population) if self.reads.population in each.states else None
            for name, row in self._filter.rows.items() if spikes is not None else ():
                before = self._filtered.get((k, name))
                assert spikes is not None
                self._filtered[k, name] = spikes.clone() if before is None else before.mul_(row[name]).add_(spikes)

    def _delivering(self) -> None:
        for each in self._influences:
            each.deliver()

    def _reset(self) -> None:
        for each in self._influences:
            each.reset()

    def _shown(self, name: str, k: int) -> Tensor | None:
        """Return the influence of the parameters of the k-th layer on what is read, (batch, n_read, P)."""
        each = self._influences[k]
        if name:
            spikes = each.on_spikes(name) if name in each.states else None
            return None if spikes is None else self.local[name].detach().t() @ spikes
        population, variable = self.reads.population, self.reads.variable
        if population not in each.states:
            return None
        if variable is not None:
            return each.states[population].get(variable)
        if self._filter is None:
            return each.on_spikes(population)
        return _read(self._filter, {key: self._filtered[k, key] for key in self._filter.rows})

    def _all_shown(self, names: Iterable[str]) -> Iterable[tuple[str, int, Tensor]]:
        for name in names:
            for k in range(len(self._influences)):
                shown = self._shown(name, k)
                if shown is not None:
                    yield name, k, shown

    @torch.no_grad()
    def accumulate(self, errors: Mapping[str, Tensor]) -> None:
        """Add to the gradient that of the sum of errors times what was read in the latest step, as for `per_trial`."""
        for name, k, shown in self._all_shown(errors):
            self._add(k, shown, errors[name])

    def _add(self, k: int, influence: Tensor, errors: Tensor) -> None:
        more = errors.reshape(-1) @ influence.flatten(0, 1)
        self._gradients[k] = self._gradients[k] + more if k in self._gradients else more

    @torch.no_grad()
    def sum_up(self) -> None:
        """Add what was read in the latest step, and the influence on it, to the sums over steps."""
        for name, k, shown in self._all_shown(["", *self.local]):
            sums = self._sums.get((k, name))
            self._sums[k, name] = shown.clone() if sums is None else sums.add_(shown)

    @torch.no_grad()
    def accumulate_sums(self, errors: Mapping[str, Tensor]) -> None:
        """Add to the gradient that of the sum of errors (batch, n_read) times what was summed up."""
        for (k, name), sums in self._sums.items():
            self._add(k, sums, errors[name])

    @torch.no_grad()
    def accumulate_counts(self, population: str, errors: Tensor) -> None:
        """Add to the gradient that of the sum of errors (batch, neuron) times spike counts, see `ForwardRun`."""
        for k in range(len(self._influences)):
            sums = self._count_sums.pop((k, population), None)
            if sums is not None:
                self._add(k, sums, errors)

    def _each_trial(self, errors: Mapping[str, Tensor]) -> Iterable[tuple[Group, Tensor]]:
        for name, k, shown in self._all_shown(errors):
            yield from self._influences[k].split((errors[name].unsqueeze(1) @ shown).squeeze(1))

    def _gathered(self) -> Iterable[tuple[Group, Tensor]]:
        for k, gradient in self._gradients.items():
            yield from self._influences[k].split(gradient)
        self._gradients = {}

    def _restarted(self, of: Tensor | None) -> None:
        for each in self._influences:
            each.begin(of)
        if of is None:
            self._forget()
            return
        for values in (self._sums, self._count_sums, self._filtered):
            for key, value in values.items():
                values[key] = value.masked_fill(of[:, None, None], 0.0)

    def _forget(self) -> None:
        self._gradients = {}
        self._sums: dict[tuple[int, str], Tensor] = {}
        self._count_sums: dict[tuple[int, str], Tensor] = {}
        self._filtered: dict[tuple[int, str], Tensor] = {}


class _Connections:
    """A network's projections with ones for weights."""

    def __init__(self, stepper: Stepper) -> None:
        self.dropout: dict[str, Tensor] = {}
        self.entries, self.broadcast = [each.connected() for each in stepper.entries], stepper.broadcast


def _read(response: LinearFilter, values: Mapping[str, Tensor]) -> Tensor:
    total = torch.zeros_like(next(iter(values.values())))
    for name, factor in response.read.items():
        total.add_(values[name], alpha=factor)
    return total
