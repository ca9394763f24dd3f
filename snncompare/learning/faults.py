"""Faults of training: numbers that are none, populations that fall silent or fire all the time, gradients that vanish.

Every fault is an error that names what is wrong, where, and what to try; training never goes on silently.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from snncompare.errors import InputError
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import Quantity
from snncompare.values import check_fields

__all__ = ["FaultLimits", "TrainingFaultError", "check_numbers", "faults_of", "largest_rate"]


class TrainingFaultError(InputError):
    """Training that cannot lead anywhere.

    Attributes
    ----------
    fault : str
        ``"not a number"``, ``"dead"``, ``"exploding"`` or ``"vanishing"``.
    where : str
        Population or parameter.
    epoch : int
    """

    def __init__(self, fault: str, where: str, epoch: int, message: str) -> None:
        super().__init__(message)
        self.fault, self.where, self.epoch = fault, where, epoch


@dataclass(frozen=True, kw_only=True)
class FaultLimits:
    """What counts as a fault of training.

    Loss and gradients that are not finite are an error at once, before any weight is changed. The others are an error
    when they last for more than `grace` epochs in a row; until then the line of progress tells them.

    Parameters
    ----------
    grace : int
        Epochs in which a fault may last: a network may begin silent and be woken by a `RateLimit`.
    dead : bool
        Whether a population that does not fire once in an epoch of training is a fault.
    most : float, optional
        Fraction of the largest possible rate, 1/(refractory time) or one spike per step, that the mean rate of a
        population may not exceed. None: any rate.
    least_gradient : float, optional
        Norm, in units of what is changed, below which the mean gradient of an epoch has vanished, unless the loss is
        below `solved`. None: any gradient.
    solved : float
    """

    grace: int = 2
    dead: bool = True
    most: float | None = 0.5
    least_gradient: float | None = 1e-10
    solved: float = 1e-6

    def __post_init__(self) -> None:
        check_fields(self)
        if self.grace < 0 or (self.most is not None and not 0 < self.most <= 1):
            raise InputError(
                f"grace must be at least 0 and most above 0 and at most 1, got {self.grace} and {self.most}."
            )


def check_numbers(loss: float, norms: Mapping[str, float], epoch: int, batch: int, learning_rate: float) -> None:
    """Refuse a loss or a gradient that is not finite.

    Parameters
    ----------
    loss : float
    norms : mapping
        Parameter to the norm of its gradient.
    epoch, batch : int
        From 1.
    learning_rate : float

    Raises
    ------
    TrainingFaultError
    """
    where = "loss" if not math.isfinite(loss) else next((n for n, v in norms.items() if not math.isfinite(v)), None)
    if where is None:
        return
    what = "the loss" if where == "loss" else f"the gradient of '{where}'"
    raise TrainingFaultError(
        "not a number",
        where,
        epoch,
        f"{what} is not a number in epoch {epoch}, batch {batch}; use a smaller learning rate than "
        f"{learning_rate:g}, a smaller clip, a wider surrogate, or bounds for what is trained.",
    )


def largest_rate(network: Network, population: str, dt: float) -> float:
    """Return the largest rate a neuron can have, in hertz: one spike per refractory time, at most one per step."""
    neuron = network.populations[population].neuron
    refractory = neuron.refractory if isinstance(neuron, NeuronModel) else None
    shortest = refractory.value if isinstance(refractory, Quantity) else 0.0
    return 1.0 / max(dt, shortest)


def faults_of(
    limits: FaultLimits,
    rates: Mapping[str, float],
    largest: Mapping[str, float],
    norms: Mapping[str, float],
    loss: float,
) -> dict[tuple[str, str], str]:
    """Return the faults of an epoch of training.

    Parameters
    ----------
    limits : FaultLimits
    rates : mapping
        Spiking population to its mean rate in training, hertz.
    largest : mapping
        Spiking population to its `largest_rate`.
    norms : mapping
        Parameter to the root mean square over updates of the norm of its gradient, in units of what is changed.
    loss : float

    Returns
    -------
    dict
        Kind of fault and where it is to what is said of it.
    """
    found: dict[tuple[str, str], str] = {}
    for name, rate in rates.items():
        if limits.dead and rate == 0:
            found["dead", name] = (
                f"the population '{name}' is dead: not one spike in a whole epoch; draw larger weights, add "
                "penalties=[RateLimit(low='1 Hz')], or train with a smaller learning rate."
            )
        if limits.most is not None and rate > limits.most * largest[name]:
            found["exploding", name] = (
                f"the population '{name}' fires at {rate:.0f} Hz, more than {limits.most:.0%} of the possible "
                f"{largest[name]:.0f} Hz; draw smaller weights, add penalties=[RateLimit(high='50 Hz')], or train with "
                "a smaller learning rate."
            )
    norm = math.sqrt(sum(value**2 for value in norms.values()))
    if limits.least_gradient is not None and norm < limits.least_gradient and loss > limits.solved:
        none = ", ".join(f"'{name}'" for name, value in norms.items() if value == 0.0)
        found["vanishing", ", ".join(norms)] = (
            f"the gradient vanishes: its norm is {norm:.1e}{f', and none at all reaches {none}' if none else ''}; use "
            "a wider surrogate, weights that bring the membrane nearer to its threshold, or a rule with more paths."
        )
    return found
