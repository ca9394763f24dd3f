"""How the learning rate changes from epoch to epoch, as values."""

import math
from dataclasses import dataclass

from snncompare.errors import InputError
from snncompare.values import check_fields

__all__ = ["Constant", "ExponentialDecay", "HalfCosine", "RateSchedule", "StepDecay", "WarmUp"]


@dataclass(frozen=True)
class Constant:
    """The same learning rate in all epochs."""

    def factor(self, finished: int, epochs: int) -> float:  # noqa: ARG002 - of the interface
        """Return what the learning rate is multiplied by when `finished` of `epochs` epochs are over."""
        return 1.0


@dataclass(frozen=True)
class HalfCosine:
    r"""Falls on half a cosine: :math:`\frac{1}{2}(1 + \cos \pi k/n)` after k of n epochs.

    Loshchilov and Hutter (2017), arXiv 1608.03983, equation 5, without restarts.
    """

    def factor(self, finished: int, epochs: int) -> float:
        """Return what the learning rate is multiplied by when `finished` of `epochs` epochs are over."""
        return 0.5 * (1 + math.cos(math.pi * (finished / epochs)))


@dataclass(frozen=True)
class StepDecay:
    r"""Falls by a factor after every so many epochs: :math:`f^{\lfloor k/m \rfloor}` after k epochs.

    Parameters
    ----------
    every : int
        m.
    factor_of_step : float
        f.
    """

    every: int
    factor_of_step: float = 0.1

    def __post_init__(self) -> None:
        check_fields(self)
        if self.every < 1 or not 0 < self.factor_of_step <= 1:
            raise InputError(
                f"every must be at least 1 and factor_of_step above 0 and at most 1, got {self.every} and "
                f"{self.factor_of_step}."
            )

    def factor(self, finished: int, epochs: int) -> float:  # noqa: ARG002 - of the interface
        """Return what the learning rate is multiplied by when `finished` of `epochs` epochs are over."""
        return float(self.factor_of_step ** (finished // self.every))


@dataclass(frozen=True)
class ExponentialDecay:
    r"""Falls by a factor in every epoch: :math:`f^k` after k epochs.

    Parameters
    ----------
    factor_of_epoch : float
        f.
    """

    factor_of_epoch: float

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 < self.factor_of_epoch <= 1:
            raise InputError(f"factor_of_epoch must be above 0 and at most 1, got {self.factor_of_epoch}.")

    def factor(self, finished: int, epochs: int) -> float:  # noqa: ARG002 - of the interface
        """Return what the learning rate is multiplied by when `finished` of `epochs` epochs are over."""
        return float(self.factor_of_epoch**finished)


@dataclass(frozen=True)
class WarmUp:
    r"""Rises in the first epochs, :math:`(k+1)/(m+1)` after k of m epochs, then follows another course.

    Parameters
    ----------
    epochs : int
        m.
    then : RateSchedule
        What follows, for the epochs that remain.
    """

    epochs: int
    then: "RateSchedule" = HalfCosine()

    def __post_init__(self) -> None:
        check_fields(self)
        if self.epochs < 1:
            raise InputError(f"epochs of a warm-up must be at least 1, got {self.epochs}.")

    def factor(self, finished: int, epochs: int) -> float:
        """Return what the learning rate is multiplied by when `finished` of `epochs` epochs are over."""
        if finished < self.epochs:
            return (finished + 1) / (self.epochs + 1)
        return self.then.factor(finished - self.epochs, max(1, epochs - self.epochs))


RateSchedule = Constant | HalfCosine | StepDecay | ExponentialDecay | WarmUp
