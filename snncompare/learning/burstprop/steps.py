"""How learning signals become changes of weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from snncompare.errors import InputError
from snncompare.learning.burstprop.network import BurstNetwork
from snncompare.learning.learning_rates import Constant, RateSchedule
from snncompare.values import check_fields

__all__ = ["Momentum", "Movement"]


@dataclass(frozen=True)
class Momentum:
    r"""Gradient steps with momentum and a decay of weights that does not depend on the learning rate.

    With the sum G of learning signal x input over a batch (not the mean):
    :math:`V \leftarrow m V + s \eta_l G, \quad W \leftarrow (1 - s \lambda)(W + V)`, where s is what the schedule says;
    biases do not decay. With s = 1 as in the authors' programs; decay that follows the schedule as in Loshchilov and
    Hutter (2019), ICLR.

    Parameters
    ----------
    learning_rates : tuple of float
        :math:`\eta_l` of each layer from below; or two, of all hidden layers and of the output layer.
    momentum : float
        m.
    weight_decay : float
        :math:`\lambda`, per batch.
    schedule : RateSchedule
        What learning rates and decay are multiplied by over epochs.
    """

    learning_rates: tuple[float, ...] = (0.1, 0.01)
    momentum: float = 0.8
    weight_decay: float = 1e-6
    schedule: RateSchedule = field(default_factory=Constant)

    def __post_init__(self) -> None:
        check_fields(self)
        if not self.learning_rates or not min(self.learning_rates) >= 0:
            raise InputError(f"learning_rates must be at least 0, got {self.learning_rates}.")
        if not 0 <= self.momentum < 1 or not 0 <= self.weight_decay < 1:
            raise InputError(
                "momentum and weight_decay must be at least 0 and below 1, got "
                f"{self.momentum} and {self.weight_decay}."
            )

    def of_layers(self, n_layers: int) -> tuple[float, ...]:
        """Return the learning rate of each layer.

        Raises
        ------
        InputError
            If there is not one rate for each layer, nor two.
        """
        if len(self.learning_rates) == n_layers:
            return self.learning_rates
        if len(self.learning_rates) == 2:
            return (self.learning_rates[0],) * (n_layers - 1) + (self.learning_rates[1],)
        raise InputError(
            f"{len(self.learning_rates)} learning rates for {n_layers} layers; give one for each, or two: hidden and "
            "output."
        )


class Movement:
    """Changes the weights of a network by `Momentum`; holds the velocities.

    Parameters
    ----------
    network : BurstNetwork
    how : Momentum
    """

    def __init__(self, network: BurstNetwork, how: Momentum) -> None:
        self._network, self._how = network, how
        self._rates = how.of_layers(network.n_layers)
        self.weights = [torch.zeros_like(weight) for weight in network.weights]
        self.biases = [torch.zeros_like(bias) for bias in network.biases]

    def step(self, changes: Sequence[Tensor], rates: Sequence[Tensor], factor: float) -> list[Tensor]:
        """Change the weights by a batch; return by how much, before the decay.

        Parameters
        ----------
        changes : sequence of Tensor
            Learning signals of each layer.
        rates : sequence of Tensor
            Event rates of the input and of each layer.
        factor : float
            s.
        """
        network, keep = self._network, self._how.momentum
        for k, wiring in enumerate(network.wirings):
            rate = factor * self._rates[k]
            wiring.add_product(self.weights[k], changes[k], rates[k], keep=keep, rate=rate)
            self.biases[k].mul_(keep).add_(wiring.sum_of(changes[k]), alpha=rate)
            network.weights[k].add_(self.weights[k])
            network.biases[k].add_(self.biases[k])
            if self._how.weight_decay:
                network.weights[k].mul_(1 - factor * self._how.weight_decay)
        return self.weights

    @property
    def state(self) -> dict[str, list[Tensor]]:
        """Everything, for a checkpoint."""
        return {"weights": self.weights, "biases": self.biases}

    @state.setter
    def state(self, saved: dict[str, list[Tensor]]) -> None:
        self.weights, self.biases = list(saved["weights"]), list(saved["biases"])
