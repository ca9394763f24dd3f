"""Where a run of a network stands, and what was recorded in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from torch import Tensor

from snncompare.backends.torch.sums import State, constant

__all__ = ["Activity", "NetworkState"]


@dataclass(frozen=True)
class NetworkState:
    """Where a run stands after some steps; a run that starts from it goes on as if there had been no break.

    Attributes
    ----------
    step : int
        Steps that are over.
    populations : mapping
        Population to variable to tensor (batch, n_neurons).
    synapses : mapping
        Projection to variable to tensor, (batch, n_synapses) or (batch, n_source).
    past : mapping
        Population to the spikes it sent in the latest steps, the latest one last; None before the run.
    random : Tensor
        State of the generator of random numbers.
    probes, onwards : mapping
        Of populations with a probe (`snncompare.backends.torch.passages`): its state, and the spikes as other layers
        see them.
    due : mapping
        Population to spikes that an emulated chip holds back, those that set out in the next step first.
    """

    step: int
    populations: Mapping[str, State]
    synapses: Mapping[str, State]
    past: Mapping[str, tuple[Tensor | None, ...]]
    random: Tensor
    probes: Mapping[str, State] = field(default_factory=dict)
    onwards: Mapping[str, tuple[Tensor | None, ...]] = field(default_factory=dict)
    due: Mapping[str, tuple[Tensor | None, ...]] = field(default_factory=dict)

    def detach(self) -> Self:
        """Return the same state without its history: gradients do not reach back beyond it."""
        return type(self)(
            self.step,
            {name: constant(state) for name, state in self.populations.items()},
            {name: constant(state) for name, state in self.synapses.items()},
            {n: tuple(None if z is None else z.detach() for z in past) for n, past in self.past.items()},
            self.random,
            due={n: tuple(None if z is None else z.detach() for z in due) for n, due in self.due.items()},
        )


@dataclass(frozen=True)
class Activity:
    """What was recorded in a forward pass, each tensor of shape (step, batch, neuron), and where the run stands now.

    Attributes
    ----------
    spikes, traces : mapping
        What was asked for.
    state : NetworkState
    own : mapping
        Spikes whose derivatives, unlike those in `spikes`, do not lead to layers below: of those populations whose
        inputs from other layers are followed only once (`CrossLayer.INSTANT`).
    """

    spikes: Mapping[str, Tensor]
    traces: Mapping[tuple[str, str], Tensor]
    state: NetworkState
    own: Mapping[str, Tensor]
