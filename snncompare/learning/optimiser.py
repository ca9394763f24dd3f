"""Adam on what a network trains, in units that do not depend on physical dimensions."""

from typing import Any

import torch
from torch import Tensor, nn

from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import InputError, unknown
from snncompare.learning.rule import LearningRule

__all__ = ["Optimiser"]


class Optimiser:
    """Adam whose step is counted in units of what it changes: the root mean square of its initial values.

    After every step, bounds and signs that the description asks for hold again.
    """

    def __init__(self, module: TorchNetwork, rule: LearningRule) -> None:
        marked = module.trained()
        names = set(marked) if rule.trainable is None else set(rule.trainable)
        for name in names:
            if name not in marked:
                raise InputError("trainable: " + unknown("projection or population that learns", name, marked))
        self._parameters: list[tuple[nn.Parameter, float]] = []
        for name, parameters in marked.items():
            for key, parameter in parameters.items():
                parameter.requires_grad_(name in names)
                if name in names:
                    self._parameters.append((parameter, module.unit(name, key)))
        self._module, self._clip = module, rule.optimiser.clip
        self._adam = torch.optim.Adam([{"params": [p], "unit": unit} for p, unit in self._parameters])

    def set_rate(self, rate: float) -> None:
        """Set the learning rate, in units of what is changed."""
        for group in self._adam.param_groups:
            group["lr"] = rate * group["unit"]

    @property
    def state(self) -> dict[str, Any]:
        """What the next step depends on, beside the parameters."""
        return self._adam.state_dict()

    @state.setter
    def state(self, saved: dict[str, Any]) -> None:
        self._adam.load_state_dict(saved)

    def step(self, loss: Tensor) -> None:
        """Change the parameters against the gradient of a loss."""
        self._adam.zero_grad()
        loss.backward()
        scaled = [(p.grad, p.grad * unit) for p, unit in self._parameters if p.grad is not None]
        norm = sum(float(gradient.square().sum()) for _, gradient in scaled) ** 0.5
        if norm > self._clip:
            for gradient, _ in scaled:
                gradient.mul_(self._clip / norm)
        self._adam.step()
        self._module.constrain_()
