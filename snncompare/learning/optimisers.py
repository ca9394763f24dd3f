"""How a gradient becomes a change."""

import math
from dataclasses import dataclass

from snncompare.errors import InputError

__all__ = ["Adam"]


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
