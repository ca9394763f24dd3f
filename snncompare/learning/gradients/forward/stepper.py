"""A network step by step without a graph of the run, each population with the derivatives of its latest step."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from snncompare.backends.torch.functions import Draws
from snncompare.backends.torch.module import TorchNetwork
from snncompare.backends.torch.passages import Broadcast, broadcasts
from snncompare.backends.torch.population import PopulationRun
from snncompare.backends.torch.routes import LinearRoute, RouteRun
from snncompare.backends.torch.run_options import RunOptions
from snncompare.backends.torch.sums import State
from snncompare.errors import UnsupportedError
from snncompare.learning.gradients.forward.neurons import Neurons, watched
from snncompare.learning.gradients.forward.synapses import Entries, entries_of, learnt_feedback

__all__ = ["Stepper"]


class Stepper:
    """A run of a network in which every step can be looked into.

    In every step `update`, `fire`, `deliver` and `reset` are called in this order.

    Parameters
    ----------
    module : TorchNetwork
    batch : int
    feedback : callable
        Returns the weights by which errors leave readouts, see `TorchNetwork.forward`.
    dropout : mapping, optional
        See `TorchNetwork.forward`.
    seed : int
        Of what is random in the network.

    Attributes
    ----------
    neurons : dict
        Population to `Neurons`.
    states : dict
        Population to its state.
    fired : dict
        Population, spike sources included, to its spikes in this step.
    past : dict
        Population to what it sent in the latest steps, the latest one last; None before the run.
    entries : list of Entries
        What projections deliver; then what feedback weights that are learnt would deliver.
    broadcast : list of Broadcast or None
        How errors leave readouts, if not by the network's own weights.
    version : int
        Grows when weights are read anew.

    Raises
    ------
    UnsupportedError
        For synapses that do more than add to their target what follows from weights, and for trained delays.
    """

    def __init__(
        self,
        module: TorchNetwork,
        batch: int,
        *,
        feedback: Callable[[], Mapping[tuple[str, str], Tensor] | None] = lambda: None,
        dropout: Mapping[str, Tensor] | None = None,
        seed: int = 0,
    ) -> None:
        self._feedback, self._seed, self.version = feedback, seed, 0
        self.module, self.batch, self.dropout, self.dt = module, batch, dict(dropout or {}), module.dt
        self.like = module.get_buffer("_like")
        steps = {name: watched(step) for name, step in module.steps.items()}
        smooth = any(step.surrogate is not None and step.surrogate.smooth for step in steps.values())
        options = RunOptions(batch, self.like.dtype, self.like.device, exact=False, gradients=True, smooth=smooth)
        trained = module.trained()
        self.neurons = {}
        for name, step in steps.items():
            values = trained_values(module, name)
            parameters = [key for key in values if key not in step.changing]
            self.neurons[name] = Neurons(step, PopulationRun(step, options), batch, parameters, self.like)
        for name, route in module.routes.items():
            _check(name, route, trained.get(name, {}))
        ordered = sorted(module.routes, key=lambda name: f"{name}_pre")  # as in `NetworkRun`
        self.routes: dict[str, RouteRun] = {
            name: module.routes[name].bound(module.synapses[name], options) for name in ordered
        }
        self._draws = Draws(torch.Generator(device=self.like.device), self.like)
        self._longest = dict.fromkeys(module.network.populations, 0)
        for name, route_run in self.routes.items():
            longest = module.synapses[name].longest
            self._longest[route_run.source] = max(self._longest[route_run.source], longest)
        for each in self._broadcasts() or []:
            self._longest[each.population] = max(self._longest[each.population], each.steps)
        self.states: dict[str, State] = {}
        self._there: dict[str, State] = {}
        self.entries: list[Entries] = []
        self.begin()

    def begin(self, of: Tensor | None = None) -> None:
        """Go to the state before the first step, in all trials or in those of `of` (batch,)."""
        values = {name: self.module.neurons[name].values() for name in self.neurons}
        with torch.no_grad():
            first = {
                name: {k: v.detach() for k, v in each.step.initial(self.batch, values[name], self.like).items()}
                for name, each in self.neurons.items()
            }
        if of is not None:
            for name, state in first.items():
                now = self.states[name]
                now.update({key: torch.where(of[:, None], value, now[key]) for key, value in state.items()})
            for latest in self.past.values():
                latest[:] = [None if z is None else z.masked_fill(of[:, None], 0.0) for z in latest]
            return
        self.step, self.states = 0, first
        self.fired: dict[str, Tensor] = {}
        self._draws.generator.manual_seed(self._seed)
        self.past: dict[str, list[Tensor | None]] = {n: [None] * (k + 1) for n, k in self._longest.items()}
        self.refresh()

    def refresh(self) -> None:
        """Take notice of weights and parameters that changed."""
        values = {name: self.module.neurons[name].values() for name in self.neurons}
        begun = {name: each.begin(values[name], self._draws) for name, each in self.neurons.items()}
        for name, there in begun.items():
            self.states[name].update(there)
        plain = {name: {k: v.detach() for k, v in each.items()} for name, each in values.items()}
        self.entries, self._there, self.version = [], {}, self.version + 1
        for name, route in self.routes.items():
            ends = begun.get(route.source, {}), begun[route.target]
            with torch.no_grad():
                self._there[name] = route.begin(plain[route.target], *ends, self._draws)
            with torch.enable_grad():
                graph = route.begin(values[route.target], *ends, self._draws)
                self.entries += entries_of(name, self.module, route, graph)
        self.broadcast = self._broadcasts()
        feedback = self._feedback() or {}
        for each in self.broadcast or []:
            self.entries += learnt_feedback(each, feedback[each.population, each.readout])

    def _broadcasts(self) -> list[Broadcast] | None:
        feedback, module = self._feedback(), self.module
        if feedback is None:
            return None
        values = {name: module.neurons[name].values() for name in module.neurons}
        with torch.enable_grad():
            return broadcasts(feedback, module.network, module.routes, module.synapses, values)

    def update(self) -> None:
        """Carry out the state update of the next step."""
        t = self.like.new_tensor(self.step * self.dt, dtype=torch.float64)
        number = self.like.new_tensor(self.step, dtype=torch.float64)
        for state in (*self.states.values(), *self._there.values()):
            state["t"], state["t_in_timesteps"] = t, number
        for name, each in self.neurons.items():
            each.update(self.states[name])

    def fire(self, rows: Mapping[str, Tensor]) -> None:
        """Find out who fires; `rows` are the spikes of the sources, shape (batch, neuron)."""
        self.fired = {name: row.to(self.like.dtype) for name, row in rows.items()}
        for name, each in self.neurons.items():
            if each.step.program.threshold is not None:
                self.fired[name] = each.threshold(self.states[name])
        for name, latest in self.past.items():
            latest.append(self.sent(name, self.fired[name]) if name in self.fired else None)
            del latest[0]

    def sent(self, name: str, values: Tensor) -> Tensor:
        """Return what becomes of the spikes of a population, or of their derivatives, on their way."""
        return values * self.dropout[name] if name in self.dropout else values

    def deliver(self) -> None:
        """Deliver what arrives now."""
        for name, route in self.routes.items():
            route.on_pre(self.states, {}, self.past, self._there[name])

    def reset(self) -> None:
        """Carry out the resets, and be done with this step."""
        for name, each in self.neurons.items():
            if name in self.fired:
                each.reset(self.states[name], self.fired[name])
        self.step += 1


def trained_values(module: TorchNetwork, population: str) -> dict[str, Tensor]:
    """Return the trained values of the neurons of a population, those of its synapses included."""
    values = module.neurons[population]
    return {name: values[name] for name in values.trainable if values[name].requires_grad}


def _check(name: str, route: object, trained: Mapping[str, Tensor]) -> None:
    if "delay" in trained:
        raise UnsupportedError(
            f"the delays of '{name}' cannot be trained forwards; train its weights alone, or compute gradients "
            "backwards (Execution.BACKWARD)."
        )
    if not isinstance(route, LinearRoute) or any(effect.per_source for effect in route.effects):
        raise UnsupportedError(
            f"gradients cannot be computed forwards through '{name}', whose synapses have state of their own; take "
            "synapses that only add to their target, or compute gradients backwards (Execution.BACKWARD)."
        )
