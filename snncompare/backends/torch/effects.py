"""What a presynaptic spike adds to one variable of its target, as functions of tensors."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from snncompare.backends.torch.functions import FUNCTIONS, NUMBERS
from snncompare.dynamics.expressions import Environment, compile_expression, names_in
from snncompare.dynamics.linear import SynapticEffect

__all__ = ["CompiledEffect"]


class CompiledEffect:
    """A `SynapticEffect` that can be computed.

    Parameters
    ----------
    effect : SynapticEffect
    """

    def __init__(self, effect: SynapticEffect) -> None:
        self.description, self.variable, self.held = effect, effect.variable, effect.held
        self.n_terms = len(effect.terms)
        self.is_weight = self.n_terms == 1 and effect.terms[0].of_synapse.strip() == effect.weight
        self._whole, self._names = compile_expression(effect.effect, NUMBERS), names_in(effect.effect)
        self._of_synapse = [compile_expression(term.of_synapse, FUNCTIONS) for term in effect.terms]
        self._of_source = [
            None if term.of_source is None else compile_expression(term.of_source, FUNCTIONS) for term in effect.terms
        ]

    @property
    def reads_source(self) -> bool:
        """Whether the effect depends on anything of the source neuron but its spike."""
        return bool(self.description.per_source)

    def constants(self, values: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the constants that the effect reads, those in `values` replaced."""
        return {**self.description.constants, **(values or {})}

    def whole(self, environment: Environment, like: Tensor) -> Tensor:
        """Return the effect, of the shape of `like`, as numpy computes it: to the last bit what Brian2 adds."""
        there = {name: _array(environment[name]) for name in self._names}
        return _expanded(self._whole(there), like)

    def of_synapse(self, term: int, environment: Environment, like: Tensor) -> Tensor:
        """Return the factor of the synapse in one term, of the shape of `like`."""
        return _expanded(self._of_synapse[term](environment), like)

    def of_source(self, term: int, environment: Environment) -> Any:
        """Return the factor of the source neuron in one term, or None if that is one."""
        evaluate = self._of_source[term]
        return None if evaluate is None else evaluate(environment)


def _expanded(value: Any, like: Tensor) -> Tensor:
    return torch.as_tensor(value, dtype=like.dtype, device=like.device).expand_as(like)


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else value
