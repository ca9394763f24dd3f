"""When weights change, and what a forward computation of gradients keeps."""

from dataclasses import dataclass
from enum import Enum

from snncompare.errors import InputError
from snncompare.values import check_fields

__all__ = ["AfterTrials", "EverySteps", "Execution", "FullInfluence", "PerSynapse", "Schedule", "Snap", "Storage"]


class Execution(Enum):
    """How the gradient is computed; both ways give the same gradient of the same rule."""

    BACKWARD = "backward"
    """Through the recorded run, from its end: memory grows with the number of steps."""
    FORWARD = "forward"
    """Along with the run, by traces: memory does not depend on the number of steps."""


@dataclass(frozen=True)
class AfterTrials:
    """Weights change when a batch of trials is over."""


@dataclass(frozen=True)
class EverySteps:
    """Weights change after every `steps` steps, and at the end of the trials.

    Backwards the gradient is cut there (truncated back-propagation through time, Williams and Peng 1990); forwards
    traces are carried on.
    """

    steps: int

    def __post_init__(self) -> None:
        check_fields(self)
        if self.steps < 1:
            raise InputError(f"steps must be at least 1, got {self.steps}.")


@dataclass(frozen=True)
class PerSynapse:
    """Influence of a synapse on its own target neuron; per source neuron where all targets are alike."""


@dataclass(frozen=True)
class FullInfluence:
    """Influence of every parameter on every state (Williams and Zipser 1989): neurons x states x parameters."""


@dataclass(frozen=True)
class Snap:
    """Influence on states that a parameter reaches within `steps` steps (Menick et al. 2021, arXiv 2006.07232)."""

    steps: int = 1

    def __post_init__(self) -> None:
        check_fields(self)
        if self.steps < 1:
            raise InputError(f"steps must be at least 1, got {self.steps}.")


Schedule = AfterTrials | EverySteps
Storage = PerSynapse | FullInfluence | Snap
