"""What a membrane measures itself by: the potential that its threshold is counted from, and its leak conductance."""

import ast
from collections.abc import Collection, Iterator, Mapping

from snncompare.backends.analog.reading.roles import Role, reading
from snncompare.backends.analog.reading.trees import sign_of, signed_terms, written_out
from snncompare.network.equations import Definition, definitions
from snncompare.network.network import Network

__all__ = ["leak_conductances", "potential_names"]


def potential_names(network: Network, population: str, roles: Mapping[str, Role]) -> tuple[str, str | None] | None:
    """Return the parameters that are the threshold and what it is counted from; None without a threshold.

    It is counted from the leak; without one from zero (None) if the membrane decays, and from the reset if it does not.

    Parameters
    ----------
    network : Network
        With numbers lifted to parameters, see `lifting.lifted_network`.
    population : str
    roles : mapping
        Parameter to `Role`.
    """
    model = network.populations[population].model
    own = {role: name for name, role in reversed(list(roles.items())) if name in model.parameters}
    if model.threshold is None or Role.THRESHOLD not in own:
        return None
    low = own.get(Role.LEAK)
    if low is None:
        membranes, lines = reading(network, population).membranes, definitions(model.written_out().equations)
        decays = not membranes or _falls(written_out(lines[membranes[0]].expression or "0", lines), membranes[0])
        low = None if decays else own.get(Role.RESET)
    return own[Role.THRESHOLD], low


def leak_conductances(
    lines: Mapping[str, Definition], membrane: str, capacitance: str, parameters: Collection[str]
) -> tuple[str, ...]:
    r"""Return the conductances :math:`g` of the terms :math:`g (E - v)/C` of :math:`\dot v`, however they are written.

    Their sum gives the membrane time constant :math:`\tau = C/\sum g`. The order of the factors and of the difference
    does not matter, and :math:`E` may be any constant or missing. What couples the membrane to another state,
    :math:`g (u - v)`, is no leak.

    Parameters
    ----------
    lines : mapping
        What the equations of the neuron define.
    membrane : str
    capacitance : str
        Name of :math:`C`.
    parameters : collection of str
        Names that a conductance can have.
    """
    terms = list(_products(written_out(lines[membrane].expression or "0", lines)))
    states = {name for name, line in lines.items() if line.kind == "differential"} - {membrane}
    found: list[str] = []
    for sign, factors in terms:
        rest = sorted({*factors} - {membrane, f"1/{capacitance}"})
        if sign > 0 or len(factors) != 3 or len(rest) != 1 or rest[0] not in parameters or rest[0] in found:
            continue
        # E or u of g*(E - v)/C or g*(u - v)/C
        others = [{*f} - {*factors} for s, f in terms if s > 0 and len(f) == 3 and {*f} > {rest[0], f"1/{capacitance}"}]
        if not any(other <= states for other in others) or any(other <= {*parameters} for other in others):
            found += rest
    return tuple(found)


def _falls(node: ast.expr, name: str, sign: int = 1) -> bool:
    """Return whether a name is a factor of a negative term of an expression."""
    for inner, term in signed_terms(node, sign):
        match term:
            case ast.Name(id=found) if found == name and inner < 0:
                return True
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                if _falls(left, name, inner * sign_of(right)) or _falls(right, name, inner * sign_of(left)):
                    return True
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                if _falls(left, name, inner * sign_of(right)):
                    return True
    return False


def _products(node: ast.expr, sign: int = 1) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Return sign and factors of the terms of an expression, sums multiplied out, divisors as ``1/name``.

    Of two factors that are sums both, neither is multiplied out: their product is not linear in any term.
    """
    for inner, term in signed_terms(node, sign):
        match term:
            case ast.BinOp(left=left, op=ast.Mult(), right=right):
                one, other = list(_products(left)), list(_products(right))
                if len(one) > 1 and len(other) > 1:
                    yield inner, (ast.unparse(term),)
                    continue
                for s, first in one:
                    yield from ((inner * s * t, first + second) for t, second in other)
            case ast.BinOp(left=left, op=ast.Div(), right=right):
                by = f"1/{ast.unparse(right)}"
                yield from ((inner * s, (*first, by)) for s, first in _products(left))
            case _:
                yield inner, (ast.unparse(term),)
