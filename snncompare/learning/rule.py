"""A learning rule as a point on a few axes."""

import math
from dataclasses import dataclass

from snncompare.backends.torch.surrogates import SuperSpike, Surrogate
from snncompare.errors import InputError

__all__ = ["Adam", "LearningRule", "surrogate_gradient"]


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2015, arXiv 1412.6980) with a falling learning rate.

    Parameters
    ----------
    learning_rate : float
        Of the first epoch; it falls on half a cosine towards zero, which the last epoch ends with.
    clip : float
        Largest norm of the gradient.
    """

    learning_rate: float = 1e-3
    clip: float = 1.0

    def __post_init__(self) -> None:
        if self.learning_rate <= 0 or self.clip <= 0:
            raise InputError(f"learning_rate and clip must be positive, got {self.learning_rate} and {self.clip}.")

    def rate_at(self, progress: float) -> float:
        """Return the learning rate when a fraction `progress` of the epochs is over."""
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * progress))


@dataclass(frozen=True, kw_only=True)
class LearningRule:
    """Gradient descent through time with surrogate derivatives of the spikes.

    Parameters
    ----------
    surrogate : Surrogate
        What stands for the derivative of a spike.
    detach_reset : bool
        Whether the reset of the membrane is left out of the gradient (Zenke and Vogels 2021, Neural Computation
        33:899).
    optimiser : Adam
        How the gradient becomes a change. Weights, delays and parameters are updated in units of the root mean square
        of their initial values, so that one learning rate serves any physical unit.
    trainable : tuple of str, optional
        Projections and populations that learn what the description marks as trainable; all of them by default.
    """

    surrogate: Surrogate
    detach_reset: bool = True
    optimiser: Adam = Adam()
    trainable: tuple[str, ...] | None = None


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
