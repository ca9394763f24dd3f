"""The steps of a run: what all populations and projections do, in Brian2's order."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from snncompare.backends.torch.arrivals import Place, arrive, arriving_ahead
from snncompare.backends.torch.delivery import Delivery, ProductDelivery
from snncompare.backends.torch.functions import Draws
from snncompare.backends.torch.network_state import Activity, NetworkState
from snncompare.backends.torch.observed import Observed
from snncompare.backends.torch.on_chip import Due, TorchChips
from snncompare.backends.torch.parameters import Named
from snncompare.backends.torch.passages import Broadcast, Passage, Passages
from snncompare.backends.torch.population import PopulationRun, PopulationStep
from snncompare.backends.torch.probes import Past, Probes, Sent, broadcast
from snncompare.backends.torch.routes import DELIVERY, Route, RouteRun
from snncompare.backends.torch.run_options import RunOptions
from snncompare.backends.torch.sums import Known, State, constant

__all__ = ["Begun", "NetworkRun", "Piece", "joined"]

Kept = dict[str | tuple[str, str], list[Tensor]]
"""Population, or population and variable, to what was recorded in successive steps."""


@dataclass(frozen=True)
class Begun:
    """What stays during one run.

    Attributes
    ----------
    populations, projections : mapping
        What stays of each.
    draws : Draws
        Where random numbers come from.
    dropout : mapping
        Population to what the spikes it sends are multiplied by, shape (batch, neuron).
    feedback : sequence of Broadcast
        How errors leave readouts.
    once : mapping
        Projection whose spikes are followed once to its source, its target and what it delivers, as a constant.
    chips : TorchChips or None
        What emulated chips make of the run.
    observed : Observed or None
        What was measured of the run.
    """

    populations: Mapping[str, State]
    projections: Mapping[str, State]
    draws: Draws
    dropout: Mapping[str, Tensor]
    feedback: Sequence[Broadcast]
    once: Mapping[str, tuple[str, str, Delivery]]
    chips: TorchChips | None = None
    observed: Observed | None = None

    def sent(self, name: str, raster: Tensor) -> Tensor:
        """Return what a population sends when it fires, shape (..., batch, neuron)."""
        return raster * self.dropout[name] if name in self.dropout else raster


@dataclass(frozen=True)
class Piece:
    """What was recorded in some successive steps, each tensor of shape (step, batch, neuron); see `Activity`."""

    spikes: Mapping[str, Tensor]
    traces: Mapping[tuple[str, str], Tensor]
    own: Mapping[str, Tensor]


class NetworkRun:
    """A network in runs of one kind.

    Parameters
    ----------
    steps : mapping
        Population to `PopulationStep`.
    routes : mapping
        Projection to `Route`.
    projections : Named
        Their weights and delays.
    sizes : mapping
        Population, spike sources included, to number of neurons.
    dt : float
        Time step, seconds.
    options : RunOptions
    unroll : int, optional
        Steps that `torch.compile` sees at a time.
    passages : Passages
        How derivatives pass through projections.
    """

    def __init__(
        self,
        steps: Mapping[str, PopulationStep],
        routes: Mapping[str, Route],
        projections: Named,
        sizes: Mapping[str, int],
        dt: float,
        options: RunOptions,
        unroll: int | None = None,
        *,
        passages: Passages,
    ) -> None:
        self.unroll, self._passages = unroll, passages
        self.options, self.dt, self._sizes, self._steps = options, dt, sizes, steps
        self.populations = {name: PopulationRun(step, options) for name, step in steps.items()}
        ordered = sorted(routes, key=lambda name: f"{name}_pre")  # Brian2 sorts the pathways by their names
        self.routes = {name: routes[name].bound(projections[name], options) for name in ordered}
        self._projections = projections
        self._spiking = [name for name, run in self.populations.items() if run.program.threshold is not None]

    @torch.compiler.disable
    def initial(
        self, values: Mapping[str, Mapping[str, Tensor]], like: Tensor, seed: int, chips: TorchChips | None = None
    ) -> NetworkState:
        """Return the state before the first step; `values` are those of the populations, see `NeuronValues`."""
        batch, weights = self.options.batch, {} if chips is None else chips.weights
        populations = {name: step.initial(batch, values[name], like) for name, step in self._steps.items()}
        synapses = {
            name: route.initial(values[route.target], weights.get(name))
            for name, route in self.routes.items()
            if route.holds_state
        }
        past: dict[str, tuple[Tensor | None, ...]] = dict.fromkeys(self._sizes, ())
        generator = torch.Generator(device=like.device).manual_seed(seed)
        return NetworkState(0, populations, synapses, past, generator.get_state())

    @torch.compiler.disable
    def begin(
        self,
        values: Mapping[str, Mapping[str, Tensor]],
        like: Tensor,
        dropout: Mapping[str, Tensor],
        feedback: Sequence[Broadcast] = (),
        chips: TorchChips | None = None,
        observed: Observed | None = None,
    ) -> Begun:
        """Return what stays during a run."""
        weights = {} if chips is None else chips.weights
        draws = Draws(torch.Generator(device=like.device), like)
        populations = {name: run.begin(values[name], draws) for name, run in self.populations.items()}
        projections = {
            name: route.begin(
                values[route.target],
                populations.get(route.source, {}),
                populations[route.target],
                draws,
                weights.get(name),
            )
            for name, route in self.routes.items()
        }
        once: dict[str, tuple[str, str, Delivery]] = {}
        for name in (name for name, passage in self._passages.of.items() if passage is Passage.ONCE):
            delivery: ProductDelivery = projections[name][DELIVERY]
            once[name] = (self.routes[name].source, self.routes[name].target, delivery.constant())
        return Begun(populations, projections, draws, dropout, feedback, once, chips, observed)

    @torch.compiler.disable(recursive=False)
    def piece(
        self,
        begun: Begun,
        state: NetworkState,
        inputs: Mapping[str, Tensor],
        n_steps: int,
        record: Sequence[str],
        traces: Sequence[tuple[str, str]],
    ) -> tuple[NetworkState, Piece]:
        """Carry out some steps and return where the run stands then, and what was recorded.

        Parameters
        ----------
        begun : Begun
        state : NetworkState
        inputs : mapping
            Spike source to raster (step, batch, neuron).
        n_steps : int
        record, traces
            See `TorchNetwork.forward`.
        """
        begun.draws.generator.set_state(state.random)
        past = self._remembered(state.past, begun)
        ahead = {}
        if not self.options.by_events:
            ahead = arriving_ahead(self.routes, begun.projections, past, inputs, begun.sent)
        said = {name for arrival in ahead.values() for name in arrival.projections}
        arriving = {key: arrival.steps.unbind(0) for key, arrival in ahead.items()}
        seen = [name for name in inputs if self._is_seen(name, past, said, record)]
        rows = {name: inputs[name].to(self.options.dtype).unbind(0) for name in seen}
        numbers = torch.arange(state.step, state.step + n_steps, device=self.options.device).double()
        clock = list(zip((numbers * self.dt).unbind(0), numbers.unbind(0), strict=True))
        populations = {name: {**begun.populations[name], **own} for name, own in state.populations.items()}
        synapses = {name: dict(own) for name, own in state.synapses.items()}
        onwards = self._remembered({**state.past, **state.onwards}, begun)
        probed = self._probed(begun)
        sources = {name: route.source for name, route in self.routes.items()}
        different = {name: onwards[name] for name in probed if name in onwards}
        sent = Sent(past, different, self._passages, sources)
        runs = {name: self.populations[name] for name in probed}
        constants = {name: constant(begun.populations[name]) for name in probed}
        due = {name: list(held) for name, held in state.due.items()}
        work = Work(populations, synapses, begun, sent, Probes(runs, constants, begun.once, state.probes), due)
        own = [name for name in record if name in probed]
        kept = _nothing((*record, *map(_own, own)), traces)
        routes = [(name, route) for name, route in self.routes.items() if name not in said]
        every = self.unroll or n_steps
        for first in range(0, n_steps, every):
            now = slice(first, first + every)
            rows_now = {name: row[now] for name, row in rows.items()}
            arriving_now = {key: steps[now] for key, steps in arriving.items()}
            more = self._steps_of(work, routes, clock[now], rows_now, arriving_now, tuple(record), tuple(traces))
            for key, values in more.items():
                kept[key] += values
        after = NetworkState(
            state.step + n_steps,
            {
                name: {variable: populations[name][variable] for variable in own}
                for name, own in state.populations.items()
            },
            synapses,
            {name: tuple(latest) for name, latest in past.items()},
            begun.draws.generator.get_state(),
            {
                name: {variable: probe[variable] for variable in state.populations[name]}
                for name, probe in work.probes.states.items()
            },
            {name: tuple(latest) for name, latest in sent.different.items()},
            {name: tuple(held) for name, held in due.items()},
        )
        return after, Piece(
            {name: torch.stack(kept[name]) for name in record},
            {key: torch.stack(kept[key]) for key in traces},
            {name: torch.stack(kept[_own(name)]) for name in own},
        )

    def _steps_of(
        self,
        work: "Work",
        routes: Sequence[tuple[str, RouteRun]],
        clock: Sequence[tuple[Tensor, Tensor]],
        rows: Mapping[str, Sequence[Tensor]],
        arriving: Mapping[Place, Sequence[Tensor]],
        record: Sequence[str],
        traces: Sequence[tuple[str, str]],
    ) -> Kept:
        """Carry out successive steps and return what is recorded; this is what `torch.compile` sees."""
        own = [name for name in record if name in work.probes.names]
        kept = _nothing((*record, *map(_own, own)), traces)
        populations, chips, observed = work.populations, work.begun.chips, work.begun.observed
        for k, now in enumerate(clock):
            self._update(work, *now)
            step = 0 if chips is None and observed is None else int(now[1])
            if chips is not None:
                chips.disturb(populations, step)
            if observed is not None:
                observed.show(populations, step)
            for name, variable in traces:
                traced = self._traced(name, variable, populations[name])
                kept[name, variable].append(work.probes.seen(name, variable, traced))
            fired = {name: row[k] for name, row in rows.items()}
            for name in self._spiking:
                seen = None if observed is None else observed.fired(name, step)
                fired[name] = self.populations[name].threshold(populations[name], seen)
            shown = work.probes.fire(fired)
            sends = (fired, shown) if chips is None else (chips.transmitted(fired, work.due, step),) * 2
            for name in work.sent.own:
                each = [work.begun.sent(name, spikes[name]) if name in spikes else None for spikes in sends]
                work.sent.append(name, *each)
            for name in self._passages.forgetful:
                changing = {variable: populations[name][variable] for variable in self._steps[name].changing}
                populations[name].update(constant(changing))
            for (name, variable, held), steps in arriving.items():
                arrive(populations[name], variable, steps[k], held=held)
            self._propagate(work, routes, fired)
            if chips is not None:
                chips.limit(populations)
            at_probes = work.probes.arrivals(populations, work.sent)
            broadcast(work.begun.feedback, self._passages.feedback, populations, at_probes, work.sent)
            work.probes.renew(populations, at_probes, fired)
            for name in self._spiking:
                self.populations[name].reset(populations[name], fired[name])
            for name in record:
                kept[name].append(shown[name])
            for name in own:
                kept[_own(name)].append(fired[name])
        return kept

    def _update(self, work: "Work", t: Tensor, number: Tensor) -> None:
        """Advance all state to the time t, the step of some number."""
        for state in (*work.populations.values(), *work.begun.projections.values()):
            state["t"], state["t_in_timesteps"] = t, number
        for name, route in self.routes.items():
            if route.has_sums:
                route.sums(work.populations, work.synapses[name], work.begun.projections[name])
        for name, population in self.populations.items():
            population.update(work.populations[name])
        for name, route in self.routes.items():
            if route.has_update:
                route.update(work.populations, work.synapses[name], work.begun.projections[name])
        work.probes.update(t, number)

    def _propagate(self, work: "Work", routes: Sequence[tuple[str, RouteRun]], fired: Mapping[str, Tensor]) -> None:
        """Deliver what arrives now through some projections, then what spikes do to the synapses behind them."""
        chips = work.begun.chips
        at_home = work.sent.own if chips is None else chips.on_post(work.sent.own, fired)
        for name, route in routes:
            past = work.sent.seen_by(name)
            route.on_pre(work.populations, work.synapses.get(name, {}), past, work.begun.projections[name])
        for name, route in self.routes.items():
            if route.has_on_post:
                route.on_post(work.populations, work.synapses[name], at_home, work.begun.projections[name])

    def _is_seen(
        self, source: str, past: Mapping[str, Sequence[Tensor | None]], said: Collection[str], record: Sequence[str]
    ) -> bool:
        """Return whether the spikes of a source are looked at step by step."""
        step_by_step = any(route.source == source and name not in said for name, route in self.routes.items())
        return step_by_step or source in record or len(past[source]) > 1

    def _traced(self, population: str, variable: str, state: State) -> Tensor:
        step = self._steps[population]
        shape = (self.options.batch, step.size)
        static = None if variable in step.changing else step.static[variable]
        if isinstance(static, Known):
            return torch.full(shape, float(static.value), dtype=self.options.dtype, device=self.options.device)
        found: Tensor = state[variable]
        return found.expand(shape)

    def _probed(self, begun: Begun) -> list[str]:
        """Return the populations that are carried out a second time."""
        found = {target for _, target, _ in begun.once.values()}
        if self._passages.feedback is Passage.ONCE:
            found |= {each.readout for each in begun.feedback}
        return [name for name in self.populations if name in found]

    @torch.compiler.disable
    def _remembered(self, past: Mapping[str, Sequence[Tensor | None]], begun: Begun) -> Past:
        """Return as many latest steps of each population as its projections ask for."""
        longest = dict.fromkeys(self._sizes, 0)
        for name, route in self.routes.items():
            longest[route.source] = max(longest[route.source], self._projections[name].longest)
        for each in begun.feedback:
            longest[each.population] = max(longest[each.population], each.steps)
        latest: Past = {}
        for name, length in longest.items():
            known = [None] * (length + 1) + list(past[name])
            latest[name] = known[-(length + 1) :]
        return latest


@dataclass(frozen=True)
class Work:
    """What changes from step to step."""

    populations: dict[str, State]
    synapses: dict[str, State]
    begun: Begun
    sent: Sent
    probes: Probes
    due: Due


def joined(
    pieces: Sequence[Piece], after: NetworkState, record: Sequence[str], traces: Sequence[tuple[str, str]]
) -> Activity:
    """Return what was recorded in successive pieces of a run together."""
    if len(pieces) == 1:
        return Activity(pieces[0].spikes, pieces[0].traces, after, pieces[0].own)
    return Activity(
        {name: torch.cat([piece.spikes[name] for piece in pieces]) for name in record},
        {key: torch.cat([piece.traces[key] for piece in pieces]) for key in traces},
        after,
        {name: torch.cat([piece.own[name] for piece in pieces]) for name in (pieces[0].own if pieces else ())},
    )


def _own(name: str) -> str:
    """Return the key of a population's spikes as its own layer sees them."""
    return f"{name} itself"


def _nothing(record: Sequence[str], traces: Sequence[tuple[str, str]]) -> Kept:
    spikes: Kept = {name: [] for name in record}
    return spikes | {key: [] for key in traces}
