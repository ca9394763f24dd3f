"""Dale's law: all projections of a population excite, or all of them inhibit."""

import ast
import math

from snncompare.errors import DescriptionError
from snncompare.network.equations import assignments, definitions, names_in_expression
from snncompare.network.expressions import parsed
from snncompare.network.fluctuations import FluctuationDriven
from snncompare.network.initialisers import Constant, Exponential, Gamma, LogNormal, Normal, Uniform
from snncompare.network.network import Network, Projection
from snncompare.network.neuron import NeuronModel
from snncompare.units import parse_unit

__all__ = ["INHIBITORY_BELOW", "check_dale", "effect"]

INHIBITORY_BELOW = -45e-3
"""A reversal potential below this (volt) inhibits: the firing thresholds of cortical neurons lie about there."""

_OPPOSITE = {"excites": "inhibits", "inhibits": "excites"}


def check_dale(network: Network) -> None:
    """Refuse a network in which a population both excites and inhibits.

    Projections marked ``disynaptic`` stand for interneurons that were left out and are not looked at.

    Parameters
    ----------
    network : Network

    Raises
    ------
    DescriptionError
        Naming the population and the two projections, or the projection whose weights may have either sign.
    """
    first: dict[str, tuple[str, str]] = {}
    for name, projection in network.projections.items():
        if projection.disynaptic:
            continue
        does = effect(network, name)
        if does is None:
            raise DescriptionError(
                f"Dale's law: the weights of '{name}' may have either sign; give the projection sign='positive' or "
                "'negative' and weights of that sign."
            )
        other, did = first.setdefault(projection.source, (name, does))
        if did != does:
            raise DescriptionError(
                f"Dale's law: '{projection.source}' {did} by '{other}' and {does} by '{name}'; send one of them "
                "through a population of interneurons, or mark it disynaptic=True if it stands for them."
            )


def effect(network: Network, projection: str) -> str | None:
    r"""Return whether a projection ``"excites"`` or ``"inhibits"`` its target, None if its weights have both signs.

    The sign of the weights decides. It is turned round by a driving force :math:`E - v` whose reversal potential
    :math:`E`, a parameter of the synapse, lies below `INHIBITORY_BELOW`, by :math:`v - E` for the others, and by an
    ``on_pre`` that subtracts the weight.

    Parameters
    ----------
    network : Network
    projection : str
        Its name.
    """
    described = network.projections[projection]
    target = network.populations[described.target].model
    weights = _sign_of_weights(described)
    if weights == 0:
        return None
    does = "excites" if weights > 0 else "inhibits"
    turns = _subtracts(described) + _driven_down(described, target)
    return _OPPOSITE[does] if turns % 2 else does


def _sign_of_weights(projection: Projection) -> int:
    """Return 1 or -1, 0 where both signs occur."""
    if projection.sign is not None:
        return 1 if projection.sign == "positive" else -1
    low, high = _range(projection.weight)
    return 1 if low >= 0 else -1 if high <= 0 else 0


def _range(weight: object) -> tuple[float, float]:
    match weight:
        case Constant(value=value):
            return value.value, value.value
        case Uniform(low=low, high=high):
            return low.value, high.value
        case Normal(low=low, high=high):
            return -math.inf if low is None else low.value, math.inf if high is None else high.value
        case Exponential(mean=mean) | LogNormal(mean=mean) | Gamma(mean=mean):
            return (0.0, math.inf) if mean.value > 0 else (-math.inf, 0.0)
        case FluctuationDriven():
            return -math.inf, math.inf
        case _:
            raise TypeError(f"no range of {type(weight).__name__}")  # our own mistake, never a user's


def _subtracts(projection: Projection) -> int:
    """Return 1 if a spike takes the weight away from a variable of the target."""
    plain = projection.synapse.written_out()
    own = {*plain.synapse_names(), "w"}
    return int(
        any(
            operator == "-" and name not in own and "w" in names_in_expression(right)
            for name, operator, right in assignments(plain.on_pre)
        )
    )


def _driven_down(projection: Projection, target: NeuronModel) -> int:
    """Return how many factors of the current turn its sign round: driving forces, and leading minus signs."""
    plain = projection.synapse.written_out()
    if plain.current is None:
        return 0
    lines = definitions(target.written_out().equations)
    volt = parse_unit("volt")[1]
    potentials = {name for name, line in lines.items() if line.unit == "volt"}
    reversal = {name: value.value for name, value in plain.parameters.items() if value.dimension == volt}
    turns = 0
    for node in ast.walk(parsed(plain.current)):
        match node:
            case ast.BinOp(op=ast.Sub(), left=ast.Name(id=a), right=ast.Name(id=b)) if (
                a in reversal and b in potentials
            ):
                turns += reversal[a] < INHIBITORY_BELOW
            case ast.BinOp(op=ast.Sub(), left=ast.Name(id=a), right=ast.Name(id=b)) if (
                a in potentials and b in reversal
            ):
                turns += reversal[b] >= INHIBITORY_BELOW
            case _:
                pass
    return turns + _is_negated(parsed(plain.current))


def _is_negated(node: ast.expr) -> int:
    """Return 1 if a product has an odd number of factors with a minus sign before them."""
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return 1 - _is_negated(inner)
        case ast.BinOp(op=ast.Mult() | ast.Div(), left=left, right=right):
            return (_is_negated(left) + _is_negated(right)) % 2
        case _:
            return 0
