"""What every loss and every penalty offers to training."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from enum import Enum

from torch import Tensor

from snncompare.backends.torch.module import Activity

__all__ = ["Form", "Loss", "Penalty", "Reads"]


@dataclass(frozen=True)
class Reads:
    """What a loss looks at: a variable of a population after each state update, or with None its spikes."""

    population: str
    variable: str | None

    @property
    def traces(self) -> list[tuple[str, str]]:
        """What is to be traced in a run."""
        return [] if self.variable is None else [(self.population, self.variable)]

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


class Loss(ABC):
    """A loss of what is read, mean over trials.

    Values have the shape (step, batch, neuron), in SI units. A target is either labels, shape (batch,), or an answer
    at every step, shape (step, batch, neuron).
    """

    form: Form = Form.WHOLE_RUN

    @property
    @abstractmethod
    def reads(self) -> Reads:
        """What the loss looks at."""

    @abstractmethod
    def __call__(self, values: Tensor, target: Tensor) -> Tensor:
        """Return the loss, a scalar."""

    def evidence(self, values: Tensor) -> Tensor | None:  # noqa: ARG002 - of the interface
        """Return what speaks for each class, shape (batch, class), largest for the answer; None without classes."""
        return None

    def at_step(self, values: Tensor, target: Tensor, step: int, n_steps: int) -> Tensor:
        """Return the part of one step: `values` (batch, neuron), target labels or the answer (batch, neuron)."""
        raise NotImplementedError

    def of_sum(self, total: Tensor, target: Tensor, n_steps: int) -> Tensor:
        """Return the loss of values summed over all steps, (batch, neuron)."""
        raise NotImplementedError


class Penalty(ABC):
    """An addition to the loss that depends on how often neurons fire.

    Attributes
    ----------
    populations : tuple of str or None
        Those it applies to; None is all that spike.
    """

    populations: tuple[str, ...] | None = None

    @abstractmethod
    def of_counts(self, counts: Tensor, duration: float) -> Tensor:
        """Return the penalty, a scalar, for spike counts (batch, neuron) of one population in a time in seconds."""
