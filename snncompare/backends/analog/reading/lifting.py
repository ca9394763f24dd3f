r"""Numbers without a name become parameters, where that changes nothing, so that they can differ from neuron to neuron.

What is lifted, if a chip makes it differ: the refractory time; the number that the threshold compares the membrane with
or that the reset assigns to it; a time that divides a differential equation; the leak potential, also where
it is zero and not written, :math:`-v \to -(v - v_{leak})`.
"""

import ast
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property

from snncompare.backends.analog.reading.literals import literal, replaced, tree_of
from snncompare.backends.analog.reading.neuron_reading import Cell
from snncompare.backends.analog.reading.roles import Role, StateKind
from snncompare.backends.analog.reading.trees import comparisons, signed_terms, sums
from snncompare.network.equations import Definition, assigned_names, assignments, definitions
from snncompare.network.names import FUNCTIONS, is_known
from snncompare.network.network import Network
from snncompare.network.neuron import NeuronModel
from snncompare.units import TIME, Quantity, parse_unit

__all__ = ["equations_with", "lifted", "lifted_network"]

_KINDS: dict[StateKind, Role] = {
    "membrane": Role.MEMBRANE_TIME_CONSTANT,
    "synaptic": Role.SYNAPTIC_TIME_CONSTANT,
    "adaptation": Role.ADAPTATION_TIME_CONSTANT,
    "other": Role.OTHER_TIME,
}


def lifted(
    model: NeuronModel, written: AbstractSet[str], wanted: AbstractSet[Role], taken: AbstractSet[str]
) -> NeuronModel:
    """Return a model, written out, in which numbers that play one of the wanted roles are parameters.

    Parameters
    ----------
    model : NeuronModel
    written : set of str
        Variables that the synapses of the population move.
    wanted : set of Role
    taken : set of str
        Names that the new parameters must not have.
    """
    plain = model.written_out()
    for role, lift in (
        (Role.REFRACTORY, _refractory),
        (Role.THRESHOLD, _threshold),
        (Role.RESET, _reset),
        (Role.LEAK, _leak),
    ):
        if role in wanted:
            plain = lift(_Lifting(plain, written, taken))
    return _times(_Lifting(plain, written, taken), wanted)


def lifted_network(network: Network, wanted: Mapping[str, AbstractSet[Role]]) -> Network:
    """Return a description in which numbers that play these roles are parameters, by population; see `lifting`."""
    populations = dict(network.populations)
    for name, roles in wanted.items():
        neuron = network.populations[name].neuron
        if not isinstance(neuron, NeuronModel) or not roles:
            continue
        incoming = network.incoming(name)
        written = {
            state.removesuffix("_post")
            for projection in incoming.values()
            for state in assigned_names(projection.synapse.with_ends(neuron).on_pre)
        }
        taken = {
            f"{own}_{projection}"
            for projection, described in incoming.items()
            for own in (*definitions(described.synapse.written_out().equations), *described.synapse.parameters)
        }
        model = lifted(neuron, written, roles, taken)
        if model.parameters != neuron.parameters:
            populations[name] = populations[name].model_copy(update={"neuron": model})
    if populations == dict(network.populations):
        return network
    return network.model_copy(update={"populations": populations})


@dataclass(frozen=True)
class _Lifting:
    model: NeuronModel
    written: AbstractSet[str]
    taken: AbstractSet[str]

    @cached_property
    def cell(self) -> Cell:
        return Cell(self.model, set(self.written))

    def has(self, role: Role) -> bool:
        return role in self.cell.roles.values()

    def free(self, name: str) -> str:
        """Return the name, or with a number behind it where there is one already."""
        there = {*self.model.names(), *self.taken}
        candidates = [name, *(f"{name}_{k}" for k in range(2, 100))]
        return next(n for n in candidates if n not in there and n not in FUNCTIONS and not is_known(n))

    def unit(self, state: str) -> object:
        return parse_unit(self.cell.lines[state].unit)[1]

    def changed(self, name: str, value: Quantity, **texts: object) -> NeuronModel:
        return self.model.model_copy(update={**texts, "parameters": {**self.model.parameters, name: value}})

    def with_line(self, state: str, expression: str, name: str, value: Quantity) -> NeuronModel:
        return self.changed(name, value, equations=equations_with(self.model.equations, {state: expression}))


def equations_with(equations: str, expressions: Mapping[str, str]) -> str:
    """Return equations with other right-hand sides for some variables."""
    return "\n".join(
        _line(name, line._replace(expression=expressions.get(name, line.expression)))
        for name, line in definitions(equations).items()
    )


def _line(name: str, line: Definition) -> str:
    left = f"d{name}/dt" if line.kind == "differential" else name
    right = "" if line.expression is None else f" = {line.expression}"
    return f"{left}{right} : {line.unit}" + (f" ({', '.join(line.flags)})" if line.flags else "")


def _refractory(here: _Lifting) -> NeuronModel:
    time = here.model.refractory
    if not isinstance(time, Quantity) or time.value == 0:
        return here.model
    name = here.free("t_refractory")
    return here.changed(name, time, refractory=name)


def _threshold(here: _Lifting) -> NeuronModel:
    condition, membranes = here.model.threshold, here.cell.membranes
    if condition is None or not membranes or here.has(Role.THRESHOLD):
        return here.model
    tree = tree_of(condition)
    for left, right in comparisons(tree):
        for side, other in ((left, right), (right, left)):
            if membranes[0] not in here.cell.read(ast.unparse(side)):
                continue
            for sign, term in signed_terms(other):
                value = literal(term)
                if sign > 0 and value is not None and value.dimension == here.unit(membranes[0]):
                    name = here.free(f"{membranes[0]}_threshold")
                    return here.changed(name, value, threshold=replaced(tree, term, ast.Name(name)))
    return here.model


def _reset(here: _Lifting) -> NeuronModel:
    membranes = here.cell.membranes
    if not membranes or here.has(Role.RESET):
        return here.model
    statements, model = [], here.model
    for state, sign, right in assignments(here.model.reset):
        value, text = literal(tree_of(right)), right
        if state == membranes[0] and not sign and value is not None and model is here.model:
            name = text = here.free(f"{state}_reset")
            model = here.changed(name, Quantity(value.value, parse_unit(here.cell.lines[state].unit)[1]))
        statements.append(f"{state} {sign}= {text}")
    return here.model if model is here.model else model.model_copy(update={"reset": "\n".join(statements)})


def _leak(here: _Lifting) -> NeuronModel:
    model = here.model
    if here.has(Role.LEAK):
        return model
    for membrane in here.cell.membranes:
        at = _Lifting(model, here.written, here.taken)
        tree = tree_of(at.cell.differential[membrane])
        minus = list(_falling(tree, membrane, set(at.cell.kinds) - {membrane}))
        if len(minus) != 1:
            continue
        terms, itself = minus[0]
        name, dimension = at.free(f"{membrane}_leak"), parse_unit(at.cell.lines[membrane].unit)[1]
        there = [(sign, term, value) for sign, term in terms if (value := literal(term)) is not None]
        if len(there) == 1 and there[0][2].dimension == dimension:
            sign, term, value = there[0]
            named: ast.expr = ast.Name(name) if sign > 0 else ast.UnaryOp(op=ast.USub(), operand=ast.Name(name))
            asked = Quantity(sign * value.value, dimension)
            model = at.with_line(membrane, replaced(tree, term, named), name, asked)
        elif not there:
            shifted = ast.BinOp(left=ast.Name(membrane), op=ast.Sub(), right=ast.Name(name))
            model = at.with_line(membrane, replaced(tree, itself, shifted), name, Quantity(0.0, dimension))
    return model


def _falling(tree: ast.expr, membrane: str, states: set[str]) -> Iterator[tuple[list[tuple[int, ast.expr]], ast.expr]]:
    """Return the sums with the term -v, and that term."""
    for terms in sums(tree, states):
        for sign, term in terms:
            if sign < 0 and isinstance(term, ast.Name) and term.id == membrane:
                yield terms, term


def _times(here: _Lifting, wanted: AbstractSet[Role]) -> NeuronModel:
    model = here.model
    for state, kind in here.cell.kinds.items():
        at = _Lifting(model, here.written, here.taken)
        tree = tree_of(at.cell.differential[state])
        for node in ast.walk(tree) if _KINDS[kind] in wanted else ():
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and literal(node.left) is None:
                value = literal(node.right)
                if value is not None and value.dimension == TIME:
                    name = at.free(f"tau_{state}")
                    model = at.with_line(state, replaced(tree, node.right, ast.Name(name)), name, value)
                    break
    return model
