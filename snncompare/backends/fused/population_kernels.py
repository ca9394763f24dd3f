"""The two kernels of a population: a step of all its neurons up to the threshold, and the reset of those that fired.

Neurons lie in chunks of `CHUNK`; in a chunk every variable has a row, so that a loop over the neurons of a chunk reads
and writes at fixed distances and the compiler can do several neurons at a time. Random numbers of a step and the marks
of the neurons that fire are rows too.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace

from snncompare.backends.fused.kernel_text import (
    Kernel,
    KernelText,
    assignment_names,
    merged,
    random_in,
    value_of,
)
from snncompare.backends.fused.writing import Draw, Text, draws_in, names_of, parsed, written
from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.program import Assignment, Block, PopulationProgram

__all__ = [
    "CHUNK",
    "Rows",
    "as_kind",
    "clock",
    "drawn_now",
    "place_of",
    "reset_kernel",
    "sized",
    "update_kernel",
    "whole",
]

CHUNK = 128
"""Neurons that lie together."""

_AWAKE, _LAST = "not_refractory", "lastspike"


@dataclass(frozen=True)
class Rows:
    """What has a row in the chunks of a population.

    Attributes
    ----------
    variables : tuple of str
        One value per neuron; ``lastspike`` and ``not_refractory`` among them where neurons pause.
    extra : int
        Rows after them: random numbers of a step, and the marks of neurons that fire.
    """

    variables: tuple[str, ...]
    extra: int = 0

    def row(self, variable: str) -> int:
        """Return the row of a variable."""
        return self.variables.index(variable)

    @property
    def number(self) -> int:
        """How many rows there are."""
        return len(self.variables) + self.extra


def rows_of(program: PopulationProgram) -> tuple[str, ...]:
    """Return the variables that have a row."""
    pauses = (_LAST, _AWAKE) if program.refractory else ()
    return (*program.states, *program.fixed, *pauses)


def sized(block: Block, **sizes: int) -> Block:
    """Return a block that knows how many neurons and synapses there are."""
    known = {name: float(size) for name, size in sizes.items() if name in block.constants}
    return replace(block, constants={**block.constants, **known})


def update_kernel(program: PopulationProgram, size: int) -> tuple[Kernel, Rows]:
    """Return the kernel of a step, sums over synapses excluded, and the rows that it needs."""
    return _Update(program, size).written()


def reset_kernel(program: PopulationProgram, rows: Rows, size: int) -> Kernel | None:
    """Return the kernel of the reset, or None where nothing is reset."""
    if not program.reset.assignments:
        return None
    text, block = KernelText(), sized(program.reset, N=size)
    read = [name for a in block.assignments for name in assignment_names(a)]
    names = text.constants(constants_of(block), read) | clock()
    spikes_now(text, "own")
    text.line(f"for k in range(G[{text.place('counts', 'own')} + slot]):")
    text.line("i = R[place + k]")
    offset, stride = text.place("chunks", "own"), text.place("stride", "own")
    text.line(f"b = {offset} + (i // {CHUNK}) * {stride} + i % {CHUNK}")
    names["i"] = Text("float(i)")
    for name in rows.variables:
        names[name] = Text(f"F[b + {rows.row(name) * CHUNK}]")
    names |= _shared(text, program)
    names = {name: as_kind(code, program.dtypes.get(name)) for name, code in names.items()}

    def draw(function: str, argument: ast.expr | None) -> Text | None:
        return drawn_now(text, function, argument, names, draw)

    for assignment in block.assignments:
        value = value_of(assignment, names, draw)
        if assignment.operator == ":=":
            names[assignment.target] = Text(text.new(), value.boolean)
            text.line(f"{names[assignment.target].code} = {value.code}")
        else:
            code = place_of(names[assignment.target])
            new = merged(assignment, code, value)
            text.line(f"{code} = {whole(new.number, program.dtypes.get(assignment.target))}")
    text.end()
    return text.finished()


class _Update:
    """Writes the kernel of a step."""

    def __init__(self, program: PopulationProgram, size: int) -> None:
        self._program, self._size, self._text = program, size, KernelText()
        self._variables = rows_of(program)
        self._fills: list[str] = []
        self._number = len(self._variables) + (1 if program.threshold is not None else 0)
        self._names: dict[str, Text] = {}
        self._hoisted: set[str] = set()

    def written(self) -> tuple[Kernel, Rows]:
        text, program = self._text, self._program
        update = sized(program.update, N=self._size)
        settled = constants_of(update)
        body = [a for a in update.assignments if a.target != _AWAKE]
        awake = next((a for a in update.assignments if a.target == _AWAKE), None)
        read = [name for a in update.assignments for name in assignment_names(a)]
        steady = text.constants(settled, read)
        self._names = steady | clock() | _shared(text, program)
        self._hoisted = set(self._names) | set(program.shared)
        body = self._before_the_loop(body)
        limit = self._waking_limit(awake, settled)
        marks = len(self._variables)  # the row of the marks; rows of draws follow it
        lines: list[str] = []
        locals_ = {name: Text(f"x{k}") for k, name in enumerate(self._variables)}
        self._names |= {name: as_kind(code, program.dtypes.get(name)) for name, code in locals_.items()}
        if program.refractory:
            self._names[_AWAKE] = Text("awake", boolean=True)
            lines += self._awake(awake, limit)
        self._names["i"] = Text("float(first + i)")
        changed: dict[str, None] = {}
        for assignment in self._filled(body):
            lines += self._statement(assignment, changed)
        rows = [self._variables.index(name) for name in changed]
        lines += [f"F[b + {row * CHUNK} + i] = x{row}" for row in rows]
        if program.refractory:
            lines.append(f"F[b + {self._variables.index(_AWAKE) * CHUNK} + i] = 1.0 if awake else 0.0")
        fires = self._threshold(lines)
        if fires is not None:
            lines += [f"fires = {fires}", f"F[b + {marks * CHUNK} + i] = 1.0 if fires else 0.0"]
            lines.append("hits += 1 if fires else 0")
        self._loop(lines, marks, fires is not None)
        return text.finished(), Rows(self._variables, self._number - len(self._variables))

    def _loop(self, lines: list[str], marks: int, fires: bool) -> None:
        text, program = self._text, self._program
        size, offset = text.place("size", "own"), text.place("chunks", "own")
        if fires:
            spikes_now(text, "own")
            text.line("count = 0")
        text.line(f"for first in range(0, {size}, {CHUNK}):")
        text.line(f"b = {offset} + first // {CHUNK} * {CHUNK * self._number}")
        text.line(f"m = min({CHUNK}, {size} - first)")
        for fill in self._fills:
            text.line(fill)
        text.line("hits = 0")
        text.line("for i in range(m):")
        read = {word for line in lines for word in _words(line)}
        for k in range(len(self._variables)):
            if f"x{k}" in read:
                text.line(f"x{k} = F[b + {k * CHUNK} + i]")
        for line in lines or ["pass"]:
            text.line(line)
        text.end()
        if fires:
            text.line("if hits > 0:")
            text.line("for i in range(m):")
            text.line(f"if F[b + {marks * CHUNK} + i] > 0.5:")
            text.line("R[place + count] = first + i")
            text.line("count += 1")
            if program.refractory:
                text.line(f"F[b + {self._variables.index(_LAST) * CHUNK} + i] = t")
                text.line(f"F[b + {self._variables.index(_AWAKE) * CHUNK} + i] = 0.0")
            text.end(3)
        text.end()
        if fires:
            text.line(f"G[{text.place('counts', 'own')} + slot] = count")

    def _before_the_loop(self, assignments: list[Assignment]) -> list[Assignment]:
        """Write what is the same for all neurons, and return the rest."""
        text, rest, targets = self._text, [], [assignment.target for assignment in assignments]
        for assignment in assignments:
            target = assignment.target
            if target in self._program.shared:
                value = value_of(assignment, self._names, self._draw_now)
                code = place_of(self._names[target])
                text.line(f"{code} = {merged(assignment, code, value).number}")
            elif targets.count(target) == 1 and self._is_common(assignment):
                value = value_of(assignment, self._names, self._draw_now)
                self._names[target] = Text(text.new(), value.boolean)
                self._hoisted.add(target)
                text.line(f"{self._names[target].code} = {value.code}")
            else:
                rest.append(assignment)
        return rest

    def _is_common(self, assignment: Assignment) -> bool:
        """Return whether an intermediate value is the same for all neurons."""
        known = self._hoisted.issuperset(assignment_names(assignment))
        return assignment.operator == ":=" and known and not random_in(assignment)

    def _waking_limit(self, assignment: Assignment | None, settled: Mapping[str, float]) -> str | None:
        """Return the code of the latest spike after which a neuron is awake, if all pause equally long.

        ``timestep(t - lastspike, dt) >= n`` holds where the last spike is at least n steps ago.
        """
        if assignment is None:
            return None
        match parsed(assignment.expression):
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="timestep"), args=[since, _]),
                ops=[ast.GtE()],
                comparators=[ast.Name(id=pause)],
            ) if ast.unparse(since) == "t - lastspike" and pause in settled:
                dt = self._text.constants({"dt": settled["dt"]}, ["dt"])["dt"].code
                self._text.line(f"limit = t - ({self._names[pause].code} - 0.5) * {dt}")
                return "limit"
        return None

    def _awake(self, assignment: Assignment | None, limit: str | None) -> list[str]:
        last = f"x{self._variables.index(_LAST)}"
        if limit is not None:
            return [f"awake = {last} <= {limit}"]
        before = f"awake = x{self._variables.index(_AWAKE)} > 0.5"
        if assignment is None:
            return [before]
        return [before, f"awake = {value_of(assignment, self._names, self._draw_row).condition}"]

    def _statement(self, assignment: Assignment, changed: dict[str, None]) -> list[str]:
        program, target = self._program, assignment.target
        value = value_of(assignment, self._names, self._draw_row)
        if assignment.operator == ":=":
            self._names[target] = Text(self._text.new(), value.boolean)
            return [f"{self._names[target].code} = {value.code}"]
        code = f"x{self._variables.index(target)}"
        changed[target] = None
        new = whole(merged(assignment, code, value).number, program.dtypes.get(target))
        held = program.refractory and target in program.held
        return [f"{code} = {new} if awake else {code}" if held else f"{code} = {new}"]

    def _threshold(self, lines: list[str]) -> str | None:
        program = self._program
        if program.threshold is None:
            return None
        block = sized(program.threshold.block, N=self._size)
        read = [n for a in block.assignments for n in assignment_names(a)]
        read += names_of(program.threshold.condition)
        own = (*self._variables, *program.shared, "i")
        self._names = {name: code for name, code in self._names.items() if name in own} | clock()
        constants = self._text.constants(constants_of(block), read)
        self._names |= constants
        self._hoisted = {*constants, *clock(), *program.shared}
        for assignment in self._before_the_loop(list(block.assignments)):
            lines += self._statement(assignment, {})
        condition = written(program.threshold.condition, self._names, self._draw_row).condition
        return f"({condition} & awake)" if program.refractory else condition

    def _draw_now(self, function: str, argument: ast.expr | None) -> Text | None:
        return drawn_now(self._text, function, argument, self._names, self._draw_now)

    def _draw_row(self, function: str, argument: ast.expr | None) -> Text | None:
        """Return the code of a random number for each neuron, from a row that is filled before the loop."""
        row = self._number
        if not self._fill(row, function, argument):
            return self._draw_now(function, argument)
        self._number += 1
        code = f"F[b + {row * CHUNK} + i]"
        return Text(f"({code} > 0.5)", boolean=True) if function == "hit" else Text(code)

    def _fill(self, row: int, function: str, argument: ast.expr | None) -> bool:
        """Have a row filled with random numbers if all neurons draw alike; return whether they do."""
        given = ""
        if argument is not None:
            if not self._hoisted.issuperset(names_of(ast.unparse(argument))) or draws_in(ast.unparse(argument)):
                return False
            rate, settled = written(argument, self._names, self._draw_now).number, self._text.new()
            self._text.line(f"{settled} = {rate if function == 'poisson' else f'hit_scale({rate})'}")
            given = f", G, {self._text.place('gap', 'own', str(len(self._fills)))}, {settled}"
        fill = {"rand": "uniform", "randn": "normal", "poisson": "counts", "hit": "hits"}[function]
        generator = self._text.place("generator", "own")
        self._fills.append(f"fill_{fill}(F, b + {row * CHUNK}, m, U, {generator}{given})")
        return True

    def _filled(self, assignments: list[Assignment]) -> list[Assignment]:
        """Have the rows of variables filled that are nothing but ``int(rand() < p)``; return the other assignments."""
        rest, read = [], set[str]()
        for assignment in assignments:
            limit = _probability(assignment)
            free = assignment.target in self._program.states and assignment.target not in read
            if (
                limit is None
                or not free
                or assignment.target in {*self._program.held, *self._program.dtypes}
                or not self._fill(self._variables.index(assignment.target), "hit", limit)
            ):
                rest.append(assignment)
            read |= {assignment.target, *assignment_names(assignment)}
        return rest


def _probability(assignment: Assignment) -> ast.expr | None:
    """Return p where a variable is set to ``int(rand() < p)``."""
    if assignment.operator != "=" or assignment.condition is not None:
        return None
    match parsed(assignment.expression):
        case ast.Call(
            func=ast.Name(id="int"),
            args=[ast.Compare(left=ast.Call(func=ast.Name(id="rand")), ops=[ast.Lt()], comparators=[limit])],
        ):
            return limit
    return None


def spikes_now(text: KernelText, end: str) -> None:
    """Write where the spikes of this step stand."""
    text.line(f"slot = step % {text.place('ring length', end)}")
    text.line(f"place = {text.place('ring', end)} + slot * {text.place('size', end)}")


def clock() -> dict[str, Text]:
    """Return the code of the time."""
    return {"t": Text("t"), "t_in_timesteps": Text("float(step)")}


def _shared(text: KernelText, program: PopulationProgram) -> dict[str, Text]:
    return {
        name: as_kind(Text(f"F[{text.place('shared', 'own', name)}]"), program.dtypes.get(name))
        for name in program.shared
    }


def drawn_now(
    text: KernelText, function: str, argument: ast.expr | None, names: Mapping[str, Text], draw: Draw
) -> Text | None:
    """Return the code of one random number."""
    generator = text.place("generator", "own")
    match function:
        case "rand":
            return Text(f"uniform(U, {generator})")
        case "randn":
            return Text(f"normal(U, {generator})")
        case "poisson" if argument is not None:
            return Text(f"poisson(U, {generator}, {written(argument, names, draw).number})")
    return None


def as_kind(code: Text, kind: str | None) -> Text:
    """Return the code of a variable; true or false is kept as a number."""
    return Text(f"({code.code} > 0.5)", boolean=True) if kind == "boolean" else code


def place_of(code: Text) -> str:
    """Return the code of the place of a variable."""
    return code.code[1 : -len(" > 0.5)")] if code.boolean else code.code


def whole(code: str, kind: str | None) -> str:
    """Return the code of what is stored in a variable."""
    return f"truncated({code})" if kind == "integer" else code


def _words(line: str) -> list[str]:
    return [node.id for node in ast.walk(ast.parse(line)) if isinstance(node, ast.Name)]
