"""Operations that a neuron costs by itself: in every step, and with every spike."""

import ast
import math
from typing import NamedTuple

import sympy

from snncompare.dynamics.jacobians import update_map
from snncompare.dynamics.program import PopulationProgram
from snncompare.errors import UnsupportedError
from snncompare.network.neuron import NeuronModel

__all__ = ["PerNeuron", "per_neuron"]

_NOTHING_LEFT = 1e-12
"""Of a variable after one step, relative to what it was: such a variable is not carried on."""


class PerNeuron(NamedTuple):
    """Multiply-accumulates in every step, accumulates with every spike."""

    step: int
    spike: int


def per_neuron(population: str, model: NeuronModel, program: PopulationProgram, given: int | None) -> PerNeuron:
    r"""Return what a neuron costs by itself.

    In every step one multiply-accumulate for each variable that decays from step to step (:math:`\alpha v`), the state
    of its synapses included, and one for each product in its threshold (:math:`\beta a`); with every spike one
    accumulate for each ``+=`` and ``-=`` of its reset. Constant factors of inputs count as parts of the weights. A
    leaky integrate-and-fire neuron has 1 and 0, an adaptive one that subtracts its threshold 3 and 2, the numbers of
    Yin, Corradi and Bohte (2021).

    Parameters
    ----------
    population : str
        For messages.
    model : NeuronModel
    program : PopulationProgram
        With the state of its synapses.
    given : int, optional
        Multiply-accumulates in every step, where they are known better.

    Raises
    ------
    UnsupportedError
        For neurons whose step is not linear in their state, unless `given` says what it costs.
    """
    spike = sum(line.operator in ("+=", "-=") for line in program.reset.assignments)
    if given is not None:
        return PerNeuron(given, spike)
    step = sum(_is_carried(population, name, after, program) for name, after in update_map(program).items())
    threshold = model.written_out().threshold
    if threshold is not None:
        compared = ast.walk(ast.parse(threshold, mode="eval"))
        step += sum(isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div) for node in compared)
    return PerNeuron(step, spike)


def _is_carried(population: str, name: str, after: sympy.Expr, program: PopulationProgram) -> bool:
    """Return whether a variable is multiplied by a factor that is neither 0 nor 1 and added to in every step."""
    states = {sympy.Symbol(state, real=True) for state in program.states}
    slopes = [sympy.diff(after, state) for state in states]
    if any(slope.free_symbols & states for slope in slopes):
        raise UnsupportedError(
            f"population '{population}': the step of '{name}' is not linear in the neuron's state, so its operations "
            f"are not counted here; say how many a neuron has per step with multiply_accumulates={{'{population}': n}}."
        )
    constants = {sympy.Symbol(key, real=True): value for key, value in program.update.constants.items()}
    factor = sympy.diff(after, sympy.Symbol(name, real=True)).subs(constants)
    if factor.is_number:
        value = float(factor)
        return math.isnan(value) or not (abs(value) < _NOTHING_LEFT or value == 1.0)
    return True
