"""Numbers of operations, and the energy they take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import pandas as pd

from snncompare.errors import InputError
from snncompare.units import QuantityLike, quantity

__all__ = ["Cost", "Energies", "Operations"]

_JOULE = quantity("1 joule").dimension


@dataclass(frozen=True)
class Energies:
    """What an operation takes.

    By default that of 32-bit floating-point arithmetic in 45 nm CMOS at 0.9 V: an addition 0.9 pJ, a multiplication
    3.7 pJ (Horowitz 2014, Computing's energy problem, ISSCC, figure 1.1.9). Fetching weights and states from memory,
    which often takes more, is not in it.

    Parameters
    ----------
    accumulate, multiply_accumulate : energy
    """

    accumulate: QuantityLike = "0.9 pJ"
    multiply_accumulate: QuantityLike = "4.6 pJ"

    def __post_init__(self) -> None:
        for name in ("accumulate", "multiply_accumulate"):
            given = quantity(getattr(self, name))
            if given.dimension != _JOULE or given.value <= 0:
                raise InputError(f"{name} must be a positive energy such as '0.9 pJ', got '{getattr(self, name)}'.")


@dataclass(frozen=True)
class Operations:
    """Additions of a number to another (accumulates), and of a product to a number (multiply-accumulates)."""

    accumulate: float = 0.0
    multiply_accumulate: float = 0.0

    def __add__(self, other: Self) -> "Operations":
        return Operations(self.accumulate + other.accumulate, self.multiply_accumulate + other.multiply_accumulate)

    def __mul__(self, factor: float) -> "Operations":
        return Operations(factor * self.accumulate, factor * self.multiply_accumulate)

    def energy(self, energies: Energies = Energies()) -> float:
        """Return the energy of these operations in joule."""
        return (
            self.accumulate * quantity(energies.accumulate).value
            + self.multiply_accumulate * quantity(energies.multiply_accumulate).value
        )


@dataclass(frozen=True)
class Cost:
    """What one inference costs, a trial from its first to its last step; mean over trials.

    Attributes
    ----------
    layers : mapping
        Population, or layer, to the operations of its neurons and of the synapses that end on it.
    synaptic_operations : float
        Spikes times their fan-out, over existing synapses (SynOps); of a rate network all its weights in every step.
    firing : mapping
        Population to spikes per neuron and step; what else a layer is active with has no entry.
    parameters : int
        Numbers that training may change.
    n_steps : int
    """

    layers: Mapping[str, Operations]
    synaptic_operations: float
    firing: Mapping[str, float]
    parameters: int
    n_steps: int

    @property
    def total(self) -> Operations:
        """Operations of all layers."""
        return sum(self.layers.values(), start=Operations())

    @property
    def per_step(self) -> Operations:
        """Operations of all layers in one step."""
        return self.total * (1 / self.n_steps)

    def energy(self, energies: Energies = Energies()) -> float:
        """Return the energy of one inference in joule."""
        return self.total.energy(energies)

    def table(self, energies: Energies = Energies()) -> pd.DataFrame:
        """Return one row per layer, and ``total``: operations and energy (J) of one inference, firing fraction."""
        rows = {
            name: {
                "accumulate": operations.accumulate,
                "multiply_accumulate": operations.multiply_accumulate,
                "energy": operations.energy(energies),
                "firing": self.firing.get(name, float("nan")),
            }
            for name, operations in {**self.layers, "total": self.total}.items()
        }
        return pd.DataFrame.from_dict(rows, orient="index")
