"""The optimiser of a rule at work on what a network trains, in units that do not depend on physical dimensions."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import InputError, unknown
from snncompare.learning.optimisers import Adam, Units
from snncompare.learning.rule import LearningRule

__all__ = ["Optimiser"]


class _Learnt(NamedTuple):
    """A parameter, its name, the unit it is changed in and what its learning rate is multiplied by."""

    parameter: nn.Parameter
    name: str
    unit: float
    factor: float


class Optimiser:
    """An optimiser whose step is counted in units of what it changes: the root mean square of its initial values.

    After every step, bounds and signs that the description asks for hold again.

    Parameters
    ----------
    module : TorchNetwork
    rule : LearningRule
    feedback : mapping, optional
        Feedback weights that learn, by name, with the unit in which they are changed. Their gradients are clipped as
        the others are, but do not count for the norm.

    Raises
    ------
    InputError
        For names that the network has not, or options that the optimiser has not.
    """

    def __init__(
        self,
        module: TorchNetwork,
        rule: LearningRule,
        feedback: Mapping[str, tuple[nn.Parameter, float]] | None = None,
    ) -> None:
        self._chosen = rule.optimiser
        self._module = module
        self._learnt = list(_marked(module, rule))
        self._feedback = [
            _Learnt(parameter, name, unit if self._relative else 1.0, 1.0)
            for name, (parameter, unit) in (feedback or {}).items()
        ]
        groups = [
            {"params": [one.parameter], "unit": one.unit, "factor": one.factor, **self._chosen.options(one.unit)}
            for one in (*self._learnt, *self._feedback)
        ]
        if not groups:
            raise InputError("nothing in this network learns; mark weights or parameters as trainable.")
        try:
            kind = getattr(torch.optim, self._chosen.kind)
            self._torch: torch.optim.Optimizer = kind(groups, **self._chosen.options(groups[0]["unit"]))  # for checks
        except (TypeError, ValueError) as problem:
            raise InputError(f"torch.optim.{self._chosen.kind} refuses its options: {problem}.") from problem

    @property
    def _relative(self) -> bool:
        return self._chosen.units is Units.INITIAL_SIZE

    @property
    def parameters(self) -> list[nn.Parameter]:
        """Everything that learns, feedback weights at the end."""
        return [one.parameter for one in (*self._learnt, *self._feedback)]

    def set_rate(self, rate: float) -> None:
        """Set the learning rate, in units of what is changed."""
        for group in self._torch.param_groups:
            group["lr"] = rate * group["factor"] * group["unit"] ** self._chosen.power_of_unit

    @property
    def state(self) -> dict[str, Any]:
        """What the next step depends on, beside the parameters."""
        return self._torch.state_dict()

    @state.setter
    def state(self, saved: dict[str, Any]) -> None:
        self._torch.load_state_dict(saved)

    def clear(self) -> None:
        """Forget all gradients."""
        self._torch.zero_grad(set_to_none=True)

    def norms(self) -> dict[str, float]:
        """Return the norm of the gradient by each parameter of the network, in units of what is changed."""
        return {
            one.name: float((one.parameter.grad * one.unit).square().sum()) ** 0.5
            for one in self._learnt
            if one.parameter.grad is not None
        }

    @torch.no_grad()
    def update(self) -> None:
        """Change the parameters against their gradients, clipped, then forget these."""
        found = [(one.parameter.grad, one.unit) for one in self._learnt if one.parameter.grad is not None]
        also = [one.parameter.grad for one in self._feedback if one.parameter.grad is not None]
        if self._chosen.clip_value is not None:
            for gradient, unit in found:
                gradient.clamp_(-self._chosen.clip_value / unit, self._chosen.clip_value / unit)
        norm = sum(float((gradient * unit).square().sum()) for gradient, unit in found) ** 0.5
        if self._chosen.clip is not None and norm > self._chosen.clip:
            for gradient in (*(gradient for gradient, _ in found), *also):
                gradient.mul_(self._chosen.clip / norm)
        if isinstance(self._chosen, Adam) and self._chosen.epsilon_hat:
            self._correct_epsilon(self._chosen)
        self._torch.step()
        self._module.constrain_()
        self.clear()

    def step(self, loss: Tensor) -> None:
        """Change the parameters against the gradient of a loss."""
        self.clear()
        loss.backward()
        self.update()

    def _correct_epsilon(self, chosen: Adam) -> None:
        """Let torch's form of Adam give that with epsilon hat in the step that follows."""
        for group in self._torch.param_groups:
            (parameter,) = group["params"]
            number = int(self._torch.state[parameter].get("step", 0)) + 1
            group["eps"] = chosen.eps / (1 - chosen.betas[1] ** number) ** 0.5


def _marked(module: TorchNetwork, rule: LearningRule) -> Iterator[_Learnt]:
    """Yield what learns by the rule; everything else that the description marks gets no gradient."""
    marked = module.trained()
    names = set(marked) if rule.trainable is None else set(rule.trainable)
    there = {*marked, *(f"{name}.{key}" for name, parameters in marked.items() for key in parameters)}
    for name in names:
        if name not in there:
            raise InputError("trainable: " + unknown("projection or population that learns", name, marked))
    for given in dict(rule.optimiser.factors):
        if given not in there:
            raise InputError("factors: " + unknown("projection, population or parameter that learns", given, there))
    relative = rule.optimiser.units is Units.INITIAL_SIZE
    for name, parameters in marked.items():
        for key, parameter in parameters.items():
            learns = name in names or f"{name}.{key}" in names
            parameter.requires_grad_(learns)
            if learns:
                unit = module.unit(name, key) if relative else 1.0
                yield _Learnt(parameter, f"{name}.{key}", unit, rule.optimiser.factor_of(name, key))
