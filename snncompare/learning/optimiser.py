"""Adam on the weights of a network, in units that do not depend on their physical dimension."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import InputError, unknown
from snncompare.learning.rule import LearningRule

__all__ = ["WeightOptimiser"]


class WeightOptimiser:
    """Adam whose step is counted in units of each projection's initial spread."""

    def __init__(self, module: TorchNetwork, rule: LearningRule, weights: Mapping[str, NDArray[np.float64]]) -> None:
        names = list(module.weights) if rule.trainable is None else list(rule.trainable)
        for name in names:
            if name not in module.weights:
                raise InputError("trainable: " + unknown("projection", name, module.weights))
        for name, parameter in module.weights.items():
            parameter.requires_grad_(name in names)
        self._units = {name: _spread(weights[name]) for name in names}
        self._parameters = {name: module.weights[name] for name in names}
        self._adam = torch.optim.Adam(
            [{"params": [self._parameters[name]], "unit": self._units[name]} for name in names]
        )
        self._clip = rule.optimiser.clip

    def set_rate(self, rate: float) -> None:
        """Set the learning rate, in units of each projection's initial spread."""
        for group in self._adam.param_groups:
            group["lr"] = rate * group["unit"]

    @property
    def state(self) -> dict[str, Any]:
        """What the next step depends on, beside the weights."""
        return self._adam.state_dict()

    @state.setter
    def state(self, saved: dict[str, Any]) -> None:
        self._adam.load_state_dict(saved)

    def step(self, loss: Tensor) -> None:
        """Change the weights against the gradient of a loss."""
        self._adam.zero_grad()
        loss.backward()
        gradients = {name: p.grad for name, p in self._parameters.items() if p.grad is not None}
        norm = sum(float((g * self._units[name]).square().sum()) for name, g in gradients.items()) ** 0.5
        if norm > self._clip:
            for gradient in gradients.values():
                gradient.mul_(self._clip / norm)
        self._adam.step()


def _spread(weights: NDArray[np.float64]) -> float:
    """Return the typical size of existing weights, the unit in which they are changed."""
    existing = weights[weights != 0]
    return float(np.sqrt(np.mean(existing**2))) if existing.size else 1.0
