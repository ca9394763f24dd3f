"""What every backend offers: say what it cannot do, compile a network, run it on spikes."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.realisation import Realisation
from snncompare.backends.simulation import Simulation
from snncompare.errors import UnsupportedError
from snncompare.network.network import Network
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike

__all__ = ["Backend", "Program", "Weights"]

Weights = Mapping[str, NDArray[np.float64]]
"""Projection name to weights of shape (n_source, n_target), in SI units; an exact zero is no synapse."""


class Program(ABC):
    """A network compiled for one backend and one time step, ready to run.

    Attributes
    ----------
    network : Network
    dt : float
        Seconds.
    realisation : Realisation
        Weights, wiring, delays and values of single neurons that it runs with.
    """

    network: Network
    dt: float
    realisation: Realisation

    @cached_property
    def weights(self) -> Weights:
        """Weights of every projection as an array (n_source, n_target), SI units, zero where there is no synapse."""
        return self.realisation.dense_weights()

    @abstractmethod
    def run(
        self,
        inputs: Mapping[str, Recording],
        *,
        duration: QuantityLike,
        seed: int = 0,
        record: Sequence[str] | None = None,
    ) -> Recording:
        """Return the spikes of a run.

        Parameters
        ----------
        inputs : mapping of str to Recording
            For each spike source of the network a recording with one unit per neuron. Its trials are the trials of the
            run; all inputs have the same trials, in the same order. Times count from the start of the run.
        duration : quantity
            Length of every trial, e.g. ``"1 s"``.
        seed : int
            For whatever is random in the network.
        record : sequence of str, optional
            Populations to record; default: all that can spike, spike sources left out.

        Returns
        -------
        Recording
            Units are named ``population[index]``, with the columns ``population`` and ``index``.

        Raises
        ------
        InputError
            For a missing input, units that do not match the population, spikes outside the run, or two spikes of a
            neuron within one time step.
        """

    def simulation(self, seed: int = 0) -> Simulation:  # noqa: ARG002 - a backend that can, does
        """Return the network at time zero, as something that goes on where it stood.

        Parameters
        ----------
        seed : int
            For whatever is random in the network.

        Raises
        ------
        UnsupportedError
            If the backend runs whole trials only.
        """
        backend = type(self).__name__.removesuffix("Program").lower()
        raise UnsupportedError(
            f"the backend '{backend}' runs whole trials only; compile the network for 'brian2', 'fused' or 'torch' "
            "to go on where a run stood."
        )


class Backend(ABC):
    """A way to run networks."""

    name: str

    @abstractmethod
    def missing(self, network: Network) -> tuple[str, ...]:
        """Return, in words, what of this network the backend cannot do; empty if it can do all of it."""

    @abstractmethod
    def compile(self, network: Network, *, dt: float, dtype: str, realisation: Realisation, **options: Any) -> Program:
        """Return the network ready to run with a time step of `dt` seconds.

        The realisation is complete and fits to the network: it holds every projection.
        """
