"""What a projection does in a step, whichever kind its synapses are of."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.delivery import Delivery
from snncompare.backends.torch.emulated_values import ChipWeights
from snncompare.backends.torch.ends import Side
from snncompare.backends.torch.functions import Draws
from snncompare.backends.torch.linear import LinearProjection
from snncompare.backends.torch.population import PopulationStep
from snncompare.backends.torch.run_options import RunOptions
from snncompare.backends.torch.source_state import SourceRun, initial_source_state
from snncompare.backends.torch.statements import settled
from snncompare.backends.torch.sums import Known, Once, State, named
from snncompare.backends.torch.synapses import SynapseProjection, SynapseRun
from snncompare.dynamics.linear import SourceProgram, SynapticEffect
from snncompare.dynamics.program import Assignment, SynapseProgram

__all__ = ["LinearRoute", "Route", "RouteRun", "SynapseRoute", "written_by"]


@dataclass(frozen=True)
class Route(ABC):
    """A projection before the values of a run are known.

    Attributes
    ----------
    program : SynapseProgram
    source, target : PopulationStep or None
        None for a spike source.
    source_size : int
    """

    program: SynapseProgram
    source: PopulationStep | None
    target: PopulationStep
    source_size: int

    @property
    def trained(self) -> list[str]:
        """Names that are constants of a block, but have values of their own."""
        blocks = (self.program.on_pre, self.program.on_post, self.program.update, *(s.block for s in self.program.sums))
        constants = {name for block in blocks if block is not None for name in block.constants}
        return [name for name in self.target.given if name in constants]

    @abstractmethod
    def bound(self, projection: Any, options: RunOptions) -> "RouteRun":
        """Return the projection for runs of one kind."""


class RouteRun(ABC):
    """A projection in runs of one kind.

    In every run `begin` is called first; then in every step, in this order, `sums`, `update`, `on_pre` and `on_post`.
    Their arguments are the states of the populations, the state of the synapses, the spikes of all populations in the
    latest steps (see `Delivery.add`) and what `begin` returned, together with the time.

    Attributes
    ----------
    source, target : str
        Populations.
    holds_state, has_sums, has_update, has_on_post : bool
        What there is to do.
    """

    source: str
    target: str
    holds_state: bool = False
    has_sums: bool = False
    has_update: bool = False
    has_on_post: bool = False

    @abstractmethod
    def initial(self, values: Mapping[str, Tensor], chips: ChipWeights | None = None) -> State:
        """Return the state of the synapses before the first step; arguments as for `begin`."""

    @abstractmethod
    def begin(
        self,
        values: Mapping[str, Tensor],
        pre: State,
        post: State,
        draws: Draws,
        chips: ChipWeights | None = None,
    ) -> State:
        """Return what stays during a run.

        Parameters
        ----------
        values : mapping
            Those of the target, see `NeuronValues`.
        pre, post : dict
            What stays of the two populations.
        draws : Draws
        chips : ChipWeights, optional
            Weights instead of those that are trained.
        """

    @abstractmethod
    def on_pre(self, populations: Mapping[str, State], own: State, past: Mapping[str, Any], there: State) -> None:
        """Carry out what the arriving spikes of the source do."""

    def sums(self, populations: Mapping[str, State], own: State, there: State) -> None:
        """Set the variables of the target that are sums over synapses."""
        raise NotImplementedError

    def update(self, populations: Mapping[str, State], own: State, there: State) -> None:
        """Advance the state that changes all the time."""
        raise NotImplementedError

    def on_post(self, populations: Mapping[str, State], own: State, past: Mapping[str, Any], there: State) -> None:
        """Carry out what the spikes of the target do."""
        raise NotImplementedError


@dataclass(frozen=True)
class LinearRoute(Route):
    """A projection whose synapses only add to their targets."""

    effects: tuple[SynapticEffect, ...]
    of_source: SourceProgram | None

    def bound(self, projection: LinearProjection, options: RunOptions) -> "RouteRun":
        """Return the projection for runs of one kind."""
        return _LinearRun(self, projection, options)


@dataclass(frozen=True)
class SynapseRoute(Route):
    """A projection whose synapses have state of their own."""

    def bound(self, projection: SynapseProjection, options: RunOptions) -> "RouteRun":
        """Return the projection for runs of one kind."""
        return _SynapseRouteRun(self, projection, options)


DELIVERY, SOURCE = "_delivery", "_source"


class _LinearRun(RouteRun):
    def __init__(self, route: LinearRoute, projection: LinearProjection, options: RunOptions) -> None:
        program = route.program
        assert program.on_pre is not None
        self.source, self.target = program.source, program.target
        self._route, self._projection, self._options = route, projection, options
        self._known = {name: named(name) for name in route.trained}
        self._scope = settled(program.on_pre, options.scope({}), self._known)
        self._source_run = None
        if route.of_source is not None:
            self._source_run = SourceRun(route.of_source, route.source_size, self._known, options)
        self.holds_state = self._source_run is not None
        read = {name for effect in route.effects for name in effect.per_source if name.endswith("_pre")}
        self._reads = {name: name.removesuffix("_pre") for name in sorted(read)}
        self._of_target = {name for effect in route.effects for name in effect.per_target}
        self._releases = bool(self._reads) or self.holds_state
        self._shape = (options.batch, route.source_size)

    def initial(self, values: Mapping[str, Tensor], chips: ChipWeights | None = None) -> State:  # noqa: ARG002
        if self._route.of_source is None:
            return {}
        batch, size = self._shape
        return initial_source_state(self._route.of_source, batch, size, values, self._projection.weight)

    def begin(
        self,
        values: Mapping[str, Tensor],
        pre: State,
        post: State,
        draws: Draws,  # noqa: ARG002
        chips: ChipWeights | None = None,
    ) -> State:
        options = self._options
        there: State = {name: options.of_devices(values[name]) for name in self._route.trained}
        for slot, evaluate in self._scope.slots.items():
            there[slot] = evaluate(there)
        constants = {name: part.evaluate(there) for name, part in self._scope.known.items() if isinstance(part, Once)}
        for name in self._of_target:
            constants[name] = options.of_devices(self._static(self._route.target, name.removesuffix("_post"), post))
        delivery = self._projection.start(exact=options.by_events, values=constants, chips=chips, trials=options.trials)
        begun: State = {DELIVERY: delivery}
        if self._source_run is not None:
            begun[SOURCE] = self._source_run.begin(there)
        for name, variable in self._reads.items():
            if self._route.source is not None and variable not in self._route.source.changing:
                begun[name] = self._static(self._route.source, variable, pre).expand(self._shape)
        return begun

    def on_pre(self, populations: Mapping[str, State], own: State, past: Mapping[str, Any], there: State) -> None:
        delivery: Delivery = there[DELIVERY]
        spikes: Sequence[Tensor | None] = past[self.source]
        released: State | None = None
        if self._releases:
            released = {}
            if self._source_run is not None:
                arriving = spikes[-1 - self._projection.longest]
                if arriving is None:
                    return
                source = there[SOURCE]
                source["t"], source["t_in_timesteps"] = there["t"], there["t_in_timesteps"]
                released |= self._source_run.release(own, arriving, source)
            for name, variable in self._reads.items():
                value = there.get(name)
                released[name] = populations[self.source][variable].expand(self._shape) if value is None else value
        target = populations[self.target]
        delivery.add(target, spikes, released, target.get("not_refractory"))

    def _static(self, step: PopulationStep, name: str, there: State) -> Tensor:
        part = step.static[name]
        if isinstance(part, Known):
            return torch.full((step.size,), part.value, dtype=self._options.dtype, device=self._options.device)
        found: Tensor = there[name]
        return found if found.ndim == 2 else found.expand(step.size)


class _SynapseRouteRun(RouteRun):
    def __init__(self, route: SynapseRoute, projection: SynapseProjection, options: RunOptions) -> None:
        program = route.program
        self.source, self.target = program.source, program.target
        self._route, self._projection, self._options = route, projection, options
        pre = _side("pre", program.source, route.source, route.source_size, projection.ends[0], options)
        post = _side("post", program.target, route.target, route.target.size, projection.ends[1], options)
        self._run = SynapseRun(projection, pre, post, route.trained, options)
        self.holds_state = True
        self.has_sums, self.has_update = bool(program.sums), program.update is not None
        self.has_on_post = program.on_post is not None

    def initial(self, values: Mapping[str, Tensor], chips: ChipWeights | None = None) -> State:
        return self._projection.initial(self._options.batch, values, self._weights(chips))

    def begin(
        self,
        values: Mapping[str, Tensor],
        pre: State,
        post: State,
        draws: Draws,
        chips: ChipWeights | None = None,
    ) -> State:
        trained = {name: values[name] for name in self._route.trained}
        return self._run.begin(trained, pre, post, draws, self._weights(chips))

    def _weights(self, chips: ChipWeights | None) -> Tensor | None:
        """Return the weights of single synapses, of all copies where they differ between devices."""
        return None if chips is None else self._options.of_copies(chips.each)

    def sums(self, populations: Mapping[str, State], own: State, there: State) -> None:
        self._run.sums(populations, own, there)

    def update(self, populations: Mapping[str, State], own: State, there: State) -> None:
        self._run.update(populations, own, there)

    def on_pre(self, populations: Mapping[str, State], own: State, past: Mapping[str, Any], there: State) -> None:
        self._run.on_pre(populations, own, past[self.source], there)

    def on_post(self, populations: Mapping[str, State], own: State, past: Mapping[str, Any], there: State) -> None:
        self._run.on_post(populations, own, past[self.target], there)


def _side(key: str, name: str, step: PopulationStep | None, size: int, index: Tensor, options: RunOptions) -> Side:
    if step is None:
        return Side(key, name, size, index, (), {}, frozenset(), graded=False)
    surrogate = step.surrogate
    graded = surrogate is not None and (options.gradients or surrogate.smooth)
    return Side(key, name, size, index, step.changing, step.static, step.program.held, graded=graded)


def written_by(program: SynapseProgram) -> dict[str, set[str]]:
    """Return the variables of neurons that synapses change, by population."""
    found: dict[str, set[str]] = {program.source: set(), program.target: set()}
    found[program.target] |= {described.variable for described in program.sums}
    own = {*program.states, "lastupdate"}
    blocks = [block for block in (program.on_pre, program.on_post) if block is not None]
    for name in (a.target for block in blocks for a in block.assignments if _is_for_others(a, own)):
        if name.endswith("_pre"):
            found[program.source].add(name.removesuffix("_pre"))
        else:
            found[program.target].add(name.removesuffix("_post"))
    return found


def _is_for_others(assignment: Assignment, own: set[str]) -> bool:
    return assignment.operator != ":=" and assignment.target not in own
