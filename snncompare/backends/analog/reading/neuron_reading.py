"""What the equations of one neuron model say: its membrane variables, kinds of states and roles of parameters."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from snncompare.backends.analog.reading.role_names import Role, StateKind
from snncompare.backends.analog.reading.trees import (
    comparisons,
    decay_times,
    divides_all,
    factors,
    factors_of_terms,
    plain_names,
    signed_terms,
    sums,
    without_sign,
    written_out,
)
from snncompare.network.equations import Definition, assigned_names, assignments, definitions, names_in_expression
from snncompare.network.expressions import parsed
from snncompare.network.neuron import NeuronModel
from snncompare.network.time_constants import divisors
from snncompare.units import FREQUENCY, TIME, Dimension, Quantity, parse_unit

__all__ = ["Cell"]

_TIME_OF: Mapping[StateKind, Role] = {
    "membrane": Role.MEMBRANE_TIME_CONSTANT,
    "synaptic": Role.SYNAPTIC_TIME_CONSTANT,
    "adaptation": Role.ADAPTATION_TIME_CONSTANT,
    "other": Role.OTHER_TIME,
}


@dataclass(frozen=True)
class Cell:
    """The equations of one neuron model, `written` being the variables that its synapses move."""

    model: NeuronModel
    written: set[str]

    @cached_property
    def _remembered(self) -> dict[str, set[str]]:
        return {}

    @cached_property
    def lines(self) -> dict[str, Definition]:
        """What the equations define."""
        return definitions(self.model.equations)

    @cached_property
    def differential(self) -> dict[str, str]:
        """State with a differential equation to its right-hand side."""
        return {n: line.expression or "" for n, line in self.lines.items() if line.kind == "differential"}

    def read(self, expression: str) -> set[str]:
        """Return the names an expression reads, subexpressions written out."""
        if expression in self._remembered:
            return self._remembered[expression]
        found: set[str] = set()
        waiting = list(names_in_expression(expression))
        while waiting:
            name = waiting.pop()
            line = self.lines.get(name)
            if line is not None and line.kind == "subexpression":
                waiting += names_in_expression(line.expression or "")
            elif name not in found:
                found.add(name)
        self._remembered[expression] = found
        return found

    @cached_property
    def membranes(self) -> tuple[str, ...]:
        """Membrane variables, the one in the threshold first."""
        states, inputs = self.differential, set(self.model.inputs)
        direct = [name for name, text in states.items() if self.read(text) & inputs]
        if self.model.threshold is None:
            return tuple(direct)
        tested = [name for name in states if name in self.read(self.model.threshold)]
        first = [name for name in tested if name in direct] or [name for name in tested if name in self.written]
        if not first:
            driven = self._driven(direct)
            return tuple([name for name in tested if name in driven][:1] or tested[:1])
        others = [name for name in direct if name not in first] if first[0] in direct else []
        return (*first[:1], *others)

    def _driven(self, begin: Iterable[str]) -> set[str]:
        """Return the states that these states act on, over any number of steps."""
        found, grew = set(begin) | (self.written & self.differential.keys()), True
        while grew:
            more = {name for name, text in self.differential.items() if self.read(text) & found} - found
            found, grew = found | more, bool(more)
        return found

    def _acting(self) -> set[str]:
        """Return the states that act on a membrane or on the threshold, over any number of steps."""
        found = set(self.membranes)
        if self.model.threshold is not None:
            found |= self.read(self.model.threshold)
        grew = True
        while grew:
            more = {name for state in found & self.differential.keys() for name in self.read(self.differential[state])}
            grew = bool(more - found)
            found |= more
        return found & self.differential.keys()

    @cached_property
    def kinds(self) -> dict[str, StateKind]:
        """State to kind."""
        acting, reset = self._acting(), assigned_names(self.model.reset)
        tested = self.read(self.model.threshold) if self.model.threshold is not None else set()
        found: dict[str, StateKind] = {}
        for name, text in self.differential.items():
            if name in self.membranes:
                found[name] = "membrane"
            elif name not in acting:
                found[name] = "other"
            elif name in reset or name in tested or self.read(text) & set(self.membranes):
                found[name] = "adaptation"
            else:
                found[name] = "synaptic"
        return found

    @cached_property
    def roles(self) -> dict[str, Role]:
        """Parameter to role, of the neuron's own parameters."""
        given = self.model.parameters
        found: dict[str, Role] = {}
        refractory = self.model.refractory
        of_time = {n for n, value in given.items() if value.dimension == TIME}
        if isinstance(refractory, str):
            found |= dict.fromkeys(names_in_expression(refractory) & of_time, Role.REFRACTORY)
        found = self._times() | found
        for role, names in (
            (Role.THRESHOLD, self._thresholds()),
            (Role.LEAK, self._leaks()),
            (Role.RESET, self._resets()),
            (Role.ADAPTATION_STRENGTH, self._strengths()),
        ):
            found |= {name: role for name in names if name not in found}
        rest = {n: Role.OTHER_TIME if n in of_time else Role.OTHER for n in given if n not in found}
        return {name: (found | rest)[name] for name in given}

    def _times(self) -> dict[str, Role]:
        found: dict[str, Role] = {}
        for state, kind in sorted(self.kinds.items(), key=lambda item: item[1] != "membrane"):
            text = self.differential[state]
            named = (divisors(text, self.lines) | decay_times(parsed(text))) & self.model.parameters.keys()
            times = {name for name in named if self._dimension(name) == TIME}
            if kind == "membrane" and not times:
                times = {name for name in named if divides_all(parsed(self.differential[state]), name)}
            rates = {n for n in factors(parsed(self.differential[state])) if self._dimension(n) == FREQUENCY}
            for name in times | rates:
                found.setdefault(name, _TIME_OF[kind])
        return found

    def _dimension(self, name: str) -> Dimension | None:
        value = self.model.parameters.get(name)
        return value.dimension if isinstance(value, Quantity) else None

    def _unit(self, state: str) -> Dimension:
        return parse_unit(self.lines[state].unit)[1]

    def _potentials(self, names: Iterable[str], state: str) -> list[str]:
        return [name for name in names if self._dimension(name) == self._unit(state)]

    def _thresholds(self) -> list[str]:
        if not self.membranes or self.model.threshold is None:
            return []
        membrane, kinds = self.membranes[0], self.kinds
        upstroke = self._of_exponentials(membrane)
        if upstroke:
            return upstroke
        found: list[str] = []
        for left, right in comparisons(parsed(self.model.threshold)):
            for side, other in ((left, right), (right, left)):
                if membrane not in self.read(ast.unparse(side)) or membrane in self.read(ast.unparse(other)):
                    continue
                for _, term in signed_terms(other):
                    match term:
                        case ast.Name(id=name) if kinds.get(name) == "adaptation":
                            found += self._potentials(plain_names(parsed(self.differential[name])), membrane)
                        case ast.Name(id=name):
                            found += self._potentials([name], membrane)
        return found

    def _of_exponentials(self, membrane: str) -> list[str]:
        """Return P of exp((v - P)/D): of the upstroke in the equation of the membrane, or of the hazard."""
        found: list[str] = []
        condition = written_out(self.model.threshold or "True", self.lines)
        upstroke = written_out(self.differential[membrane], self.lines, keep=self.kinds.keys() - {membrane})
        for tree, signs in ((upstroke, (1,)), (condition, (1, -1))):
            for node in ast.walk(tree):
                match node:
                    case ast.Call(func=ast.Name(id="exp"), args=[argument]):
                        sign, inner = without_sign(argument)
                        match inner:
                            case ast.BinOp(
                                left=ast.BinOp(left=ast.Name(id=state), op=ast.Sub(), right=ast.Name(id=name)),
                                op=ast.Div(),
                            ) if state == membrane and sign in signs:
                                found += self._potentials([name], membrane)
        return found

    def _leaks(self) -> list[str]:
        found: list[str] = []
        for membrane in self.membranes:
            for terms in sums(parsed(self.differential[membrane]), set(self.kinds) - {membrane}):
                if any(sign < 0 and isinstance(t, ast.Name) and t.id == membrane for sign, t in terms):
                    plain = [t.id for sign, t in terms if sign > 0 and isinstance(t, ast.Name)]
                    found += [n for n in self._potentials(plain, membrane) if not n.startswith("bias_")]
        return found

    def _resets(self) -> list[str]:
        return [
            name
            for state, operator, right in assignments(self.model.reset)
            if state in self.membranes and not operator
            for name in self._potentials(sorted(names_in_expression(right)), state)
        ]

    def _strengths(self) -> set[str]:
        adaptation = {name for name, kind in self.kinds.items() if kind == "adaptation"}
        found: set[str] = set()
        for state, _, right in assignments(self.model.reset):
            if state in adaptation:
                found |= {n for n in names_in_expression(right) if self._dimension(n) == self._unit(state)}
        texts = [self.differential[name] for name in (*self.membranes, *sorted(adaptation))]
        for text in [*texts, self.model.threshold or "True"]:
            for node in ast.walk(parsed(text)):
                match node:
                    case ast.BinOp(left=ast.Name(id=one), op=ast.Mult(), right=ast.Name(id=two)):
                        found |= {n for n, other in ((one, two), (two, one)) if other in adaptation}
        for name in adaptation:
            found |= {n for n in factors_of_terms(parsed(self.differential[name])) if self._dimension(n) != TIME}
        return found & self.model.parameters.keys()
