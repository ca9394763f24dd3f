"""Dropout of neurons during training."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from snncompare.backends.activity import spiking
from snncompare.errors import InputError, unknown
from snncompare.network.network import Network
from snncompare.values import check_fields

__all__ = ["Dropout"]


@dataclass(frozen=True)
class Dropout:
    """Neurons that are silent to all others during a training trial, drawn anew in every trial.

    A spike of neuron i in trial b counts as m[b, i] at all synapses that it reaches; m[b, i] is 0 with the probability
    p and 1 / (1 - p) otherwise, the same in all steps of the trial, so that the expected input of every target is that
    of the whole network, which is used after training. The neuron's own reset and its recorded spikes stay as they are.

    Parameters
    ----------
    probability : float
        p, at least 0 and below 1.
    populations : tuple of str, optional
        All populations that fire by themselves by default, spike sources not among them.

    References
    ----------
    Srivastava N, Hinton G, Krizhevsky A, Sutskever I, Salakhutdinov R (2014). Dropout: a simple way to prevent neural
    networks from overfitting. Journal of Machine Learning Research 15:1929-1958, section 4; scaled during training as
    in section 10.
    """

    probability: float = 0.3
    populations: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_fields(self)
        if not 0 <= self.probability < 1:
            raise InputError(f"probability must be at least 0 and below 1, got {self.probability}.")

    def factors(self, network: Network, batch: int, rng: np.random.Generator) -> dict[str, Tensor]:
        """Return what spikes of each population count, shape (batch, neuron).

        Parameters
        ----------
        network : Network
        batch : int
            Number of trials.
        rng : numpy.random.Generator

        Raises
        ------
        InputError
            For a population that sends no spikes.
        """
        sending = [*network.sources(), *spiking(network)]
        names = spiking(network) if self.populations is None else self.populations
        found: dict[str, Tensor] = {}
        for name in names:
            if name not in sending:
                raise InputError("dropout: " + unknown("population that spikes", name, sending))
            kept = rng.random((batch, network.populations[name].size)) >= self.probability
            found[name] = torch.from_numpy(kept / (1 - self.probability))
        return found
