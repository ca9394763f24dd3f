r"""What NIR can say of a population: leaky integrators in a chain or tree, the last of which may fire.

Both directions meet here: equations become cells and cells a graph; a graph becomes cells and cells equations.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import UnsupportedError

__all__ = ["MAX_NUMBERS", "Cell", "Jump", "Numbers", "Spike", "Stage", "one_where_close", "ordered"]

Numbers = NDArray[np.float64]

Spike = Literal["step", "impulse"]
r"""What a spike is as a signal of NIR: the number 1 for one time step, or a Dirac impulse, :math:`\delta(t - t_k)`."""

MAX_NUMBERS = 50_000_000
"""Weights and parameters that a graph may have in all: 400 MB of float64."""

_ROUNDING = 8 * np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False)
class Stage:
    r"""One state variable of each neuron of a population.

    .. math::
        \tau \dot y = c + b - y + \sum_j k_j y_j \quad (\text{leaky}), \qquad
        \dot y = b + \sum_j k_j y_j \quad (\tau \text{ is None})

    Attributes
    ----------
    name : str
    tau : array (n_neurons,) or None
        Seconds.
    rest : array
        :math:`c`, where a leaky variable settles by itself.
    bias : array
        :math:`b`, a constant input.
    inputs : mapping
        Name of another stage to :math:`k_j`; dimensionless where leaky, else per second.
    initial : array
    """

    name: str
    tau: Numbers | None
    rest: Numbers
    bias: Numbers
    inputs: Mapping[str, Numbers]
    initial: Numbers


@dataclass(frozen=True, eq=False)
class Cell:
    """The neurons of a population.

    Attributes
    ----------
    stages : tuple of Stage
        Each behind those that it takes input from; the last is the membrane.
    threshold, reset : array (n_neurons,) or None
        The membrane fires above the threshold and then starts anew at the reset; None for a readout.
    method : str or None
        How the equations are integrated; NIR does not say it.
    stands_for : mapping
        Name of a state variable that was merged into a stage to the name of the stage.
    """

    name: str
    shape: tuple[int, ...]
    stages: tuple[Stage, ...]
    threshold: Numbers | None = None
    reset: Numbers | None = None
    method: str | None = None
    stands_for: Mapping[str, str] = field(default_factory=dict)

    @property
    def membrane(self) -> Stage:
        """The last stage."""
        return self.stages[-1]

    @property
    def size(self) -> int:
        """Number of neurons."""
        return int(np.prod(self.shape))


@dataclass(frozen=True, eq=False)
class Jump:
    """A spike of weight w moves a stage of the target neuron by ``factor * w``; factor of shape (n_target,)."""

    stage: str
    factor: Numbers


def ordered(stages: Mapping[str, Stage]) -> tuple[Stage, ...]:
    """Return stages such that each stands behind those that it takes input from.

    Raises
    ------
    UnsupportedError
        If some drive each other in a circle.
    """
    try:
        order = TopologicalSorter({name: sorted(stage.inputs) for name, stage in stages.items()}).static_order()
        return tuple(stages[name] for name in order)
    except CycleError as error:
        circle = " and ".join(f"'{name}'" for name in dict.fromkeys(error.args[1]))
        raise UnsupportedError(f"{circle} drive each other, and no node of NIR has two such variables") from error


def one_where_close(numbers: Numbers) -> Numbers:
    """Return numbers in which those that miss 1 by rounding only are 1."""
    return np.where(np.abs(numbers - 1) <= _ROUNDING, 1.0, numbers)
