"""A learning rule as a point on a few axes."""

from dataclasses import dataclass

from snncompare.backends.torch.surrogates import SuperSpike, Surrogate
from snncompare.dynamics.paths import Paths
from snncompare.errors import InputError
from snncompare.learning.optimisers import Adam, Optimisation
from snncompare.learning.schedule import AfterTrials, Execution, PerSynapse, Schedule, Storage
from snncompare.learning.signals import LearningSignal, Symmetric
from snncompare.values import check_fields

__all__ = ["LearningRule", "surrogate_gradient"]


@dataclass(frozen=True, kw_only=True)
class LearningRule:
    """How weights follow from errors.

    Parameters
    ----------
    surrogate : Surrogate
        What stands for the derivative of a spike.
    paths : Paths
        Which derivatives are followed. By default all but the reset of the membrane (Zenke and Vogels 2021, Neural
        Computation 33:899).
    signal : LearningSignal
        How a neuron learns of the error.
    execution : Execution
        Backwards or forwards; the same gradient either way.
    storage : Storage
        What is kept when gradients are computed forwards.
    schedule : Schedule
        When weights change.
    checkpoint_every : int, optional
        Steps after which a backward computation keeps the state; what lies between is computed again.
    optimiser : Optimisation
        How the gradient becomes a change. Weights, delays and parameters are updated in units of the root mean square
        of their initial values, so that one learning rate serves any physical unit.
    trainable : tuple of str, optional
        Projections and populations that learn what the description marks as trainable, or one of these values each, for
        example ``"hidden.tau"``; all of them by default.
    """

    surrogate: Surrogate
    paths: Paths = Paths(reset=False)
    signal: LearningSignal = Symmetric()
    execution: Execution = Execution.BACKWARD
    storage: Storage = PerSynapse()
    schedule: Schedule = AfterTrials()
    checkpoint_every: int | None = None
    optimiser: Optimisation = Adam()
    trainable: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if self.checkpoint_every is not None and self.checkpoint_every < 1:
            raise InputError(f"checkpoint_every must be at least 1, got {self.checkpoint_every}.")


def surrogate_gradient(*, width: str, scale: str, learning_rate: float = 1e-3) -> LearningRule:
    """Return back-propagation through time with the SuperSpike surrogate.

    Parameters
    ----------
    width, scale : str
        See `SuperSpike`; both with the unit of the membrane.
    learning_rate : float
        Of Adam.
    """
    return LearningRule(surrogate=SuperSpike(width, scale), optimiser=Adam(learning_rate))
