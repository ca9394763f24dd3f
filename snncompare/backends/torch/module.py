"""A network as a `torch.nn.Module`: weights are its parameters, a run is its forward pass."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from snncompare.backends.torch.functions import FUNCTIONS
from snncompare.backends.torch.population import PopulationStep, State
from snncompare.backends.torch.surrogates import Surrogate
from snncompare.dynamics.expressions import compile_expression
from snncompare.dynamics.step_program import SynapticEffect, network_program
from snncompare.errors import InputError
from snncompare.network.network import Network

__all__ = ["Activity", "TorchNetwork"]


@dataclass(frozen=True)
class Activity:
    """What was recorded in a forward pass, each tensor of shape (step, batch, neuron)."""

    spikes: Mapping[str, Tensor]
    traces: Mapping[tuple[str, str], Tensor]


class TorchNetwork(nn.Module):
    """A network for one time step `dt` (seconds), batched over trials.

    Per step and in Brian2's order: state update, thresholds, synapses (through delays), resets. In float64 and without
    gradients, spikes are added one by one in the order in which Brian2 adds them, so that not even rounding differs;
    with gradients, the same sum is a matrix product.

    Parameters
    ----------
    network : Network
    dt : float
    weights : mapping
        Projection name to array (n_source, n_target), SI units; zeros are no synapses and stay zero in training.
    surrogate : Surrogate, optional
        Derivative of the spike; needed for gradients.
    detach_reset : bool
        Whether the reset of the membrane is left out of the gradient.
    """

    def __init__(
        self,
        network: Network,
        dt: float,
        weights: Mapping[str, NDArray[np.float64]],
        *,
        surrogate: Surrogate | None = None,
        detach_reset: bool = True,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        super().__init__()
        program = network_program(network, dt)
        self.network, self.dt = network, dt
        self.register_buffer("_like", torch.empty(0, dtype=dtype), persistent=False)
        self.steps = {
            name: PopulationStep(step, surrogate, detach_reset=detach_reset)
            for name, step in program.populations.items()
        }
        for name, step in program.populations.items():
            if surrogate is not None and step.threshold is not None and step.threshold.dimension != surrogate.dimension:
                raise InputError(
                    f"the surrogate's width '{surrogate.width}' has not the unit of the threshold of '{name}'."
                )
        self.weights = nn.ParameterDict({n: nn.Parameter(torch.tensor(w, dtype=dtype)) for n, w in weights.items()})
        for name, weight in weights.items():
            self.register_buffer(f"connected_{name}", torch.tensor(weight != 0, dtype=dtype), persistent=False)
        self._effects = {n: [_Effect(e) for e in program.projections[n]] for n in sorted(program.projections)}
        self._delays = {n: round(p.delay.value / dt) for n, p in network.projections.items()}

    def forward(
        self,
        inputs: Mapping[str, Tensor],
        *,
        record: Sequence[str] = (),
        traces: Sequence[tuple[str, str]] = (),
        shape: tuple[int, int] | None = None,
    ) -> Activity:
        """Return the activity that input spikes evoke.

        Parameters
        ----------
        inputs : mapping
            Spike source to raster of 0 and 1, shape (step, batch, neuron).
        record : sequence of str
            Populations whose spikes are kept.
        traces : sequence of (population, variable)
            State variables kept after the update of every step.
        shape : (steps, batch), optional
            For a network without inputs.
        """
        steps, batch = shape or next(iter(inputs.values())).shape[:2]
        like = self.get_buffer("_like")
        exact = not torch.is_grad_enabled() and like.dtype == torch.float64
        matrices = {n: [e.matrix(self._weight(n)) for e in effects] for n, effects in self._effects.items()}
        sizes = {name: population.size for name, population in self.network.populations.items()}
        states = {name: step.initial(batch, sizes[name], like) for name, step in self.steps.items()}
        past: dict[str, deque[Tensor | None]] = {
            name: deque([None] * self._longest_delay(name), maxlen=self._longest_delay(name) + 1) for name in sizes
        }
        spikes: dict[str, list[Tensor]] = {name: [] for name in record}
        values: dict[tuple[str, str], list[Tensor]] = {key: [] for key in traces}
        for k in range(steps):
            for name, step in self.steps.items():
                step.update(states[name], k * self.dt)
            for name, variable in traces:
                values[name, variable].append(states[name][variable])
            fired = {name: raster[k] for name, raster in inputs.items()}
            for name, step in self.steps.items():
                if step.program.threshold is not None:
                    fired[name] = step.threshold(states[name])
            for name, spikes_now in fired.items():
                past[name].append(spikes_now)
            self._propagate(states, past, matrices, exact=exact)
            for name, step in self.steps.items():
                if step.program.threshold is not None:
                    step.reset(states[name], fired[name])
            for name, kept in spikes.items():
                kept.append(fired[name])
        return Activity(
            {name: torch.stack(kept) for name, kept in spikes.items()},
            {key: torch.stack(kept) for key, kept in values.items()},
        )

    def weights_array(self) -> dict[str, NDArray[np.float64]]:
        """Return the weights as float64 arrays, zeros where there is no synapse."""
        return {name: self._weight(name).detach().cpu().numpy().astype(np.float64) for name in self.weights}

    def _weight(self, name: str) -> Tensor:
        return self.weights[name] * self.get_buffer(f"connected_{name}")

    def _longest_delay(self, population: str) -> int:
        return max((self._delays[n] for n, p in self.network.projections.items() if p.source == population), default=0)

    def _propagate(
        self,
        states: Mapping[str, State],
        past: Mapping[str, "deque[Tensor | None]"],
        matrices: Mapping[str, list[Tensor]],
        *,
        exact: bool,
    ) -> None:
        for name, effects in self._effects.items():
            projection = self.network.projections[name]
            arriving = past[projection.source][-1 - self._delays[name]]
            if arriving is None:
                continue
            state = states[projection.target]
            for effect, matrix in zip(effects, matrices[name], strict=True):
                before = state[effect.variable]
                if exact:
                    trial, neuron = arriving.nonzero(as_tuple=True)
                    after = before.index_add(0, trial, matrix[neuron])
                else:
                    after = torch.addmm(before, arriving, matrix)
                state[effect.variable] = torch.where(state["not_refractory"], after, before) if effect.held else after


class _Effect:
    """What a presynaptic spike adds to one variable of the target, as a matrix (n_source, n_target)."""

    def __init__(self, effect: SynapticEffect) -> None:
        self.variable, self.held = effect.variable, effect.held
        self._weight, self._constants = effect.weight, dict(effect.constants)
        self._value = compile_expression(effect.effect, FUNCTIONS)

    def matrix(self, weight: Tensor) -> Tensor:
        value = self._value({self._weight: weight} | self._constants)
        return value if isinstance(value, Tensor) else torch.full_like(weight, value)
