"""What every loss and every penalty offers to training."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum
from typing import Self

from torch import Tensor

from snncompare.backends.torch.network_state import Activity

__all__ = ["Form", "Loss", "Penalty", "Reads", "Wants"]


@dataclass(frozen=True)
class Reads:
    """What a loss looks at: a variable of a population after each state update, or with None its spikes."""

    population: str
    variable: str | None

    @property
    def traces(self) -> list[tuple[str, str]]:
        """What is to be traced in a run."""
        return [] if self.variable is None else [(self.population, self.variable)]

    @property
    def spikes(self) -> list[str]:
        """Populations whose spikes are to be recorded in a run."""
        return [self.population] if self.variable is None else []

    def of(self, activity: Activity) -> Tensor:
        """Return what is read, shape (step, batch, neuron)."""
        if self.variable is None:
            return activity.spikes[self.population]
        return activity.traces[self.population, self.variable]


class Form(Enum):
    """How a loss follows from the values at single steps, which is what a forward computation has to know."""

    EACH_STEP = "each step"
    """A sum over steps of `Loss.at_step`: the error is known at once."""
    OF_SUM = "of the sum"
    """A function `Loss.of_sum` of the sum over steps: every step has the same error, known at the end."""
    WHOLE_RUN = "whole run"
    """Anything else: only backwards."""


class Wants(Enum):
    """What of a dataset a loss compares a network with."""

    LABELS = "labels"
    """The number of the class of each trial, shape (batch,)."""
    ANSWERS = "answers"
    """`SpikeDataset.target` on the grid of steps, shape (step, batch, output); NaN where nothing is asked."""
    INPUT = "input"
    """The input itself, spikes per step, shape (step, batch, unit)."""


class Loss(ABC):
    """A loss of what is read, mean over trials.

    Values have the shape (step, batch, neuron), in SI units; the target is what `wants` says.
    """

    form: Form = Form.WHOLE_RUN
    wants: Wants = Wants.LABELS

    @property
    @abstractmethod
    def reads(self) -> Reads:
        """What the loss looks at."""

    @abstractmethod
    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar."""

    def for_step(self, dt: float) -> Self:  # noqa: ARG002 - of the interface
        """Return this loss for a time step in seconds; needed once before use where times are part of the loss."""
        return self

    def steps(self, n_steps: int) -> range:
        """Return the steps that the loss counts."""
        return range(n_steps)

    def step_share(self, n_steps: int) -> float:  # noqa: ARG002 - of the interface
        """Return by what the loss multiplies each step: one for a sum over steps, one over their number for a mean."""
        return 1.0

    def evidence(self, values: Tensor) -> Tensor | None:  # noqa: ARG002 - of the interface
        """Return what speaks for each class, shape (batch, class), largest for the answer; None without classes."""
        return None

    def accuracy(self, values: Tensor, target: Tensor) -> Tensor | None:
        """Return the fraction that is right in each trial, shape (batch,); None without classes."""
        evidence = self.evidence(values)
        return None if evidence is None else (evidence.argmax(dim=1) == target).double()

    def prepared(self, target: Tensor) -> Tensor:
        """Return a target as `at_step` takes it step by step."""
        return target

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:
        """Return the part of one step: `values` (batch, neuron), target labels or the answer (batch, neuron)."""
        raise NotImplementedError

    def of_sum(self, total: Tensor, target: Tensor, n_steps: int) -> Tensor:
        """Return the loss of values summed over all `steps` that count, (batch, neuron)."""
        raise NotImplementedError


class Penalty(ABC):
    """An addition to the loss that depends on when or how often neurons fire.

    Attributes
    ----------
    populations : tuple of str or None
        Those it applies to; None is all that spike.
    needs_steps : bool
        Whether it depends on more than counts, so that it cannot be differentiated forwards.
    """

    populations: tuple[str, ...] | None = None
    needs_steps: bool = False

    @abstractmethod
    def of_counts(self, counts: Tensor, duration: float) -> Tensor:
        """Return the penalty, a scalar, for spike counts (batch, neuron) of one population in a time in seconds."""

    def of_spikes(self, spikes: Tensor, dt: float) -> Tensor:
        """Return the penalty, a scalar, for spikes (step, batch, neuron) of one population in steps of `dt` seconds."""
        return self.of_counts(spikes.sum(dim=0), spikes.shape[0] * dt)
