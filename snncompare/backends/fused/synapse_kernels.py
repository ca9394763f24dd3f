"""The kernels of a projection: what arriving spikes do, sums over synapses, and state that changes all the time.

Synapses are visited as Brian2 visits them: the longest delay first, then by source neuron, then by target neuron; after
a spike of the target by the number of the synapse. All statements of one synapse are carried out before the next.
"""

import ast
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from snncompare.backends.fused.kernel_text import (
    Kernel,
    KernelText,
    assignment_names,
    merged,
    random_in,
    value_of,
)
from snncompare.backends.fused.population_kernels import CHUNK, as_kind, clock, drawn_now, place_of, whole
from snncompare.backends.fused.writing import Text, names_of, written
from snncompare.dynamics.constants import constants_of
from snncompare.dynamics.linear import SourceProgram
from snncompare.dynamics.program import Assignment, Block, PopulationProgram, SynapseProgram, SynapticSum

__all__ = ["AHEAD", "Ends", "clocked_kernel", "pathway_kernel", "sum_kernel", "synapse_variables"]

_LAST = "lastupdate"
AHEAD = 16
"""How many synapses before its turn memory is asked for."""
_NEAR = 256
_SHIFT = CHUNK.bit_length() - 1


@dataclass(frozen=True)
class Ends:
    """The populations at the two ends of a projection; None for a spike source, which has no variables.

    Attributes
    ----------
    pre, post : PopulationProgram or None
    recurrent : bool
        Whether both are the same population.
    """

    pre: PopulationProgram | None
    post: PopulationProgram
    recurrent: bool

    def variable(self, name: str) -> tuple[str, str] | None:
        """Return the end and the variable that a name means (``v_pre``, ``v_post``, ``v`` of the target)."""
        end, variable = "post", name
        for suffix in ("pre", "post"):
            if name.endswith(f"_{suffix}"):
                end, variable = suffix, name.removesuffix(f"_{suffix}")
        program = self.pre if end == "pre" else self.post
        return (end, variable) if program is not None and variable in _variables(program) else None

    def program(self, end: str) -> PopulationProgram:
        """Return the program of the population at one end."""
        found = self.pre if end == "pre" else self.post
        assert found is not None
        return found


def synapse_variables(program: SynapseProgram) -> tuple[str, ...]:
    """Return what each synapse has a value of; these values lie side by side."""
    return (*program.states, *program.fixed, *((_LAST,) if program.event_driven else ()))


def pathway_kernel(
    program: SynapseProgram, block: Block, end: str, ends: Ends, source: SourceProgram | None = None
) -> Kernel:
    """Return the kernel of ``on_pre`` (end ``"pre"``) or ``on_post`` (end ``"post"``).

    `source` says what all synapses of a source neuron have in common; `program` has then no state of its own.
    """
    writer = _Synapses(program, ends, block.assignments, end, source)
    text = writer.text
    names = writer.begin(block)
    size = text.place("size", end)
    counts, ring, length = (text.place(what, end) for what in ("counts", "ring", "ring length"))
    first = text.place("first synapse", end)
    if end == "pre":
        groups, delays = text.place("delay groups"), text.place("delays")
        text.line(f"now = step % {length}")
        text.line(f"for g in range({groups}):")
        text.line(f"slot = now - Q[{delays} + g]")
        text.line("if slot < 0:")
        text.line(f"slot += {length}")
        text.end()
        row = f"{first} + i * {groups} + g"
    else:
        text.line(f"slot = step % {length}")
        row = f"{first} + i"
    text.line(f"for e in range(G[{counts} + slot]):")
    text.line(f"i = R[{ring} + slot * {size} + e]")
    rest = writer.of_spike(block.assignments, names)
    text.line(f"begin = Q[{row}]")
    text.line(f"stop = Q[{row} + 1]")
    writer.ask_for_memory()
    text.line("for n in range(begin, stop):")
    if end == "pre":
        text.line("k = n")
    else:
        synapses = text.place("synapses", "post")
        number = len(synapse_variables(program))
        text.line(f"prefetch(F, {text.place('synapse')} + J[{synapses} + n + {AHEAD}] * {number})")
        text.line(f"k = J[{synapses} + n]")
    writer.of_synapse(rest)
    return text.finished()


def sum_kernel(program: SynapseProgram, described: SynapticSum, ends: Ends) -> Kernel:
    """Return the kernel that sets a variable of the target neurons to a sum over their synapses."""
    block = described.block
    writer = _Synapses(program, ends, block.assignments, None)
    text = writer.text
    writer.begin(block, described.expression)
    writer.needed.add("post")
    offset, stride = text.place("chunks", "post"), text.place("stride", "post")
    row = text.place("row", "post", described.variable)
    text.line(f"for i in range({text.place('size', 'post')}):")
    text.line(f"F[{offset} + (i // {CHUNK}) * {stride} + i % {CHUNK} + {row}] = 0.0")
    text.end()
    text.line(f"for k in range({text.place('number')}):")
    place = writer.neuron_place("post", described.variable)

    def last() -> None:
        text.line(f"{place} += {written(described.expression, writer.names, writer.draw).number}")

    writer.of_synapse(block.assignments, last)
    return text.finished()


def clocked_kernel(program: SynapseProgram, block: Block, ends: Ends) -> Kernel:
    """Return the kernel that advances the state of all synapses by one step."""
    writer = _Synapses(program, ends, block.assignments, None)
    writer.begin(block)
    writer.text.line(f"for k in range({writer.text.place('number')}):")
    writer.of_synapse(block.assignments)
    return writer.text.finished()


class _Synapses:
    """Writes statements of single synapses.

    What synapses of one spike have in common is computed once: values of the neuron that fired which no statement
    changes, and what follows from them.
    """

    def __init__(
        self,
        program: SynapseProgram,
        ends: Ends,
        assignments: Sequence[Assignment],
        spike: str | None,
        source: SourceProgram | None = None,
    ) -> None:
        self.text, self.names = KernelText(), dict[str, Text]()
        self._ends, self._spike, self._source = ends, spike, source
        self._shared = () if source is None else source.states
        self._own = synapse_variables(program)
        self._changed = {a.target for a in assignments if a.operator != ":="}
        moved = {ends.variable(name) for name in self._changed - set(self._own)} - {None}
        if ends.recurrent:
            moved |= {("post" if end == "pre" else "pre", name) for end, name in moved if end}  # type: ignore[misc]
        self._moved = moved
        self.needed: set[str] = set()

    def begin(self, block: Block, *more: str) -> set[str]:
        """Take up constants and return the names that are known before the first spike."""
        statements = [*(self._source.block.assignments if self._source else ()), *block.assignments]
        read = [name for a in statements for name in (*assignment_names(a), a.target)]
        read += [name for text in more for name in names_of(text)]
        self._read = dict.fromkeys(read)
        self.names = self.text.constants(constants_of(block), read) | clock()
        for end, name in (("pre", "N_pre"), ("post", "N_post")):
            if name in read:
                self.names[name] = Text(f"float({self.text.place('size', end)})")
        if "N" in read:
            self.names["N"] = Text(f"float({self.text.place('number')})")
        return set(self.names)

    def draw(self, function: str, argument: ast.expr | None) -> Text | None:
        """Return the code of a random number."""
        return drawn_now(self.text, function, argument, self.names, self.draw)

    def of_spike(self, assignments: Sequence[Assignment], known: set[str]) -> list[Assignment]:
        """Write what all synapses of the neuron `i` that fired have in common; return the other statements."""
        spike = self._spike
        assert spike is not None
        self._neuron(spike, "i")
        steady = [name for name in self._read if self._is_steady(name)]
        for name in steady:
            local = self.text.new()
            code = self.names[name]
            self.text.line(f"{local} = {code.code}")
            self.names[name] = Text(local, code.boolean)
        index = "i" if spike == "pre" else "j"
        self.names[index] = Text("float(i)")
        known = known.union(steady, [index], self._of_source())
        rest, targets = [], [assignment.target for assignment in assignments]
        for assignment in assignments:
            once = assignment.operator == ":=" and targets.count(assignment.target) == 1
            if once and known.issuperset(assignment_names(assignment)) and not random_in(assignment):
                self._intermediate(assignment)
                known.add(assignment.target)
            else:
                rest.append(assignment)
        return rest

    def _of_source(self) -> set[str]:
        """Write what happens to the state that all synapses of the source neuron `i` have in common."""
        if self._source is None:
            return set()
        text, number = self.text, len(self._shared)
        if number:
            text.line(f"h = {text.place('source state')} + i * {number}")
        for k, name in enumerate(self._shared):
            self.names[name] = Text(text.new())
            text.line(f"{self.names[name].code} = F[h + {k}]")
        for assignment in self._source.block.assignments:
            self._statement(assignment)
        for k, name in enumerate(self._shared):
            text.line(f"F[h + {k}] = {self.names[name].code}")
        return {assignment.target for assignment in self._source.block.assignments} | set(self._shared)

    def ask_for_memory(self) -> None:
        """Write the wish for what the first synapses of a spike need, which lies where no spike was for long."""
        text, number, first = self.text, len(self._own), self.text.place("synapse")
        if self._spike == "pre":
            text.line(f"near = min(stop, begin + {_NEAR})")
            text.line(f"for p in range({first} + begin * {number}, {first} + near * {number}, 8):")
            text.line("prefetch(F, p)")
            text.end()
            text.line(f"for p in range({text.place('targets')} + begin, {text.place('targets')} + near, 16):")
            text.line("prefetch(J, p)")
        else:
            synapses = text.place("synapses", "post")
            text.line(f"for p in range({synapses} + begin, {synapses} + min(stop, begin + {AHEAD})):")
            text.line(f"prefetch(F, {first} + J[p] * {number})")
        text.end()

    def of_synapse(self, assignments: Sequence[Assignment], last: Callable[[], None] | None = None) -> None:
        """Write statements of the synapse `k`; `last` may write what comes after them."""
        text = self.text
        read = {name for a in assignments for name in (*assignment_names(a), a.target)}.union(self._read)
        for end, index, array in (("pre", "i", "sources"), ("post", "j", "targets")):
            if end == self._spike:
                continue
            needed = end in self.needed or any(
                found and found[0] == end for found in map(self._ends.variable, read - set(self._own))
            )
            if needed or index in read:
                text.line(f"{'s' if end == 'pre' else 'j'} = J[{text.place(array)} + k]")
                self.names[index] = Text("float(s)" if end == "pre" else "float(j)")
            if needed:
                self._neuron(end, "s" if end == "pre" else "j")
        own = [name for name in self._own if name in read]
        if own:
            text.line(f"q = {text.place('synapse')} + k * {len(self._own)}")
        for name in own:
            local = text.new()
            text.line(f"{local} = F[q + {self._own.index(name)}]")
            self.names[name] = Text(local)
        for assignment in assignments:
            self._statement(assignment)
        if last is not None:
            last()
        for name in self._own:
            if name in self._changed:
                text.line(f"F[q + {self._own.index(name)}] = {self.names[name].code}")

    def neuron_place(self, end: str, variable: str) -> str:
        """Return the code of the place of a variable of a neuron."""
        return f"F[{_base(end)} + {self.text.place('row', end, variable)}]"

    def _neuron(self, end: str, index: str) -> None:
        """Write where the neuron of an end lies, and know its variables."""
        program = self._ends.pre if end == "pre" else self._ends.post
        if program is None:
            return
        offset, stride = self.text.place("chunks", end), self.text.place("stride", end)
        self.text.line(f"{_base(end)} = {offset} + ({index} >> {_SHIFT}) * {stride} + ({index} & {CHUNK - 1})")
        for name in [n for n in self._read if n not in self._own and n not in self.names]:
            found = self._ends.variable(name)
            if found is None or found[0] != end:
                continue
            variable = found[1]
            shared = variable in program.shared
            code = f"F[{self.text.place('shared', end, variable)}]" if shared else self.neuron_place(end, variable)
            boolean = "boolean" if variable == "not_refractory" else program.dtypes.get(variable)
            self.names[name] = as_kind(Text(code), boolean)

    def _is_steady(self, name: str) -> bool:
        found = self._ends.variable(name)
        return (
            name in self.names
            and name not in self._own
            and found is not None
            and found[0] == self._spike
            and found not in self._moved
        )

    def _intermediate(self, assignment: Assignment) -> None:
        value, local = value_of(assignment, self.names, self.draw), self.text.new()
        self.text.line(f"{local} = {value.code}")
        self.names[assignment.target] = Text(local, value.boolean)

    def _statement(self, assignment: Assignment) -> None:
        target = assignment.target
        if assignment.operator == ":=":
            self._intermediate(assignment)
            return
        value = value_of(assignment, self.names, self.draw)
        if target in self._own or target in self._shared:
            code = self.names[target].code
            self.text.line(f"{code} = {merged(assignment, code, value).number}")
            return
        found = self._ends.variable(target)
        assert found is not None
        end, variable = found
        program = self._ends.program(end)
        code = place_of(self.names[target])
        new = whole(merged(assignment, code, value).number, program.dtypes.get(variable))
        held = program.refractory and variable in program.held
        if held:
            self.text.line(f"if {self.neuron_place(end, 'not_refractory')} > 0.5:")
        self.text.line(f"{code} = {new}")
        self.text.end(int(held))


def _base(end: str) -> str:
    return "source" if end == "pre" else "target"


def _variables(program: PopulationProgram) -> Iterable[str]:
    pauses = ("not_refractory", "lastspike") if program.refractory else ()
    return (*program.states, *program.fixed, *program.shared, *pauses)
