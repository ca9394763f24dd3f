"""The text of one kernel while it grows: what it asks of the memory, its constants, and its statements.

The text has no name and no number of the network: where things lie is read from a row of the layout, `L`, and constants
from `C`. So populations of the same structure share a kernel, and other parameters need no other code.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snncompare.backends.fused.writing import Draw, Text, draws_in, names_of, written
from snncompare.dynamics.program import Assignment

__all__ = ["ARGUMENTS", "Kernel", "KernelText", "Request", "assignment_names", "merged", "random_in", "value_of"]

ARGUMENTS = "F, C, U, J, Q, R, G, L, step, t"
"""Arguments of every kernel: numbers that change, constants, random generators, wiring (int32, int64), spikes (int32),
counts (int64), the kernel's row of the layout, the number of the step and its time in seconds."""

Request = tuple[str, ...]
"""What a kernel wants to know of the memory: a kind and what names it, see `Memory.place`."""


@dataclass(frozen=True)
class Kernel:
    """Finished text of a kernel, with what stands in its row of the layout and in its constants."""

    source: str
    requests: tuple[Request, ...]
    constants: tuple[float, ...]


class KernelText:
    """Collects a kernel."""

    def __init__(self) -> None:
        self._requests: list[Request] = []
        self._constants: list[float] = []
        self._lines: list[str] = []
        self._indent = 1
        self._intermediate = 0

    def place(self, *request: str) -> str:
        """Return the local name of something that the layout says."""
        if request not in self._requests:
            self._requests.append(request)
        return f"l{self._requests.index(request)}"

    def constants(self, values: Mapping[str, float], read: Iterable[str]) -> dict[str, Text]:
        """Return the local names of those constants that are read, in the order in which they are."""
        found = {}
        for name in dict.fromkeys(read):
            if name in values:
                found[name] = Text(f"c{len(self._constants)}")
                self._constants.append(values[name])
        return found

    def new(self) -> str:
        """Return the local name of a new intermediate value."""
        self._intermediate += 1
        return f"y{self._intermediate}"

    def line(self, code: str) -> None:
        """Add a line; one that ends in a colon opens a block, see `end`."""
        self._lines.append(f"{'    ' * self._indent}{code}")
        self._indent += code.endswith(":")

    def end(self, blocks: int = 1) -> None:
        """Close blocks."""
        self._indent -= blocks

    def finished(self) -> Kernel:
        """Return the kernel."""
        constants = self.place("constants") if self._constants else ""
        head = [f"def kernel({ARGUMENTS}):"]
        head += [f"    l{k} = L[{k}]" for k in range(len(self._requests))]
        head += [f"    c{k} = C[{constants} + {k}]" for k in range(len(self._constants))]
        return Kernel("\n".join([*head, *self._lines, ""]), tuple(self._requests), tuple(self._constants))


def assignment_names(assignment: Assignment) -> tuple[str, ...]:
    """Return the names that an assignment reads, its own target left out unless it is changed in place."""
    texts = (assignment.expression, assignment.condition, assignment.otherwise)
    read = tuple(name for text in texts if text is not None for name in names_of(text))
    return read if assignment.operator in ("=", ":=") else (*read, assignment.target)


def value_of(assignment: Assignment, names: Mapping[str, Text], draw: Draw) -> Text:
    """Return the code of what stands on the right of an assignment."""
    value = written(assignment.expression, names, draw)
    if assignment.condition is None or assignment.otherwise is None:
        return value
    condition, otherwise = (written(text, names, draw) for text in (assignment.condition, assignment.otherwise))
    if value.boolean and otherwise.boolean:
        return Text(f"({value.code} if {condition.condition} else {otherwise.code})", boolean=True)
    return Text(f"({value.number} if {condition.condition} else {otherwise.number})")


def merged(assignment: Assignment, before: str, value: Text) -> Text:
    """Return the code of the new value of a target whose value before was `before`."""
    if assignment.operator in ("=", ":="):
        return value
    return Text(f"({before} {assignment.operator[0]} {value.number})")


def random_in(assignment: Assignment) -> bool:
    """Return whether an assignment draws random numbers."""
    texts = (assignment.expression, assignment.condition, assignment.otherwise)
    return any(draws_in(text) for text in texts if text is not None)
