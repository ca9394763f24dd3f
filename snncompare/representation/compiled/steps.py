"""What one spike of one train adds to the distances to many trains side by side, in the processor's vector registers.

The compiler makes no vectors of these by itself. The arithmetic is that of single numbers, rounded in the same way.
"""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["DISTANCE", "LANES", "PARITIES", "SQUARE", "TABLES", "WEIGHT", "isi_step", "put", "spike_step"]

LANES = 16
"""Trains that are compared with one train in lockstep: two vectors of the widest registers there are."""
SQUARE = LANES * LANES
TABLES = 5
"""Tables of the SPIKE-distance between two tiles, a row per train of one, a column per train of the other: the integral
so far; the weight of the knot behind; its distance to the nearest; from `PARITIES` on, the weights of the even and of
the odd knot of the other train."""
WEIGHT = 1
DISTANCE = 2
PARITIES = 3
TINY = 1e-300
"""Below it, products of intervals underflow; the pieces they belong to are shorter than 1e-70 s and add nothing."""
NUMBER, FLAG, INDEX = ir.DoubleType(), ir.IntType(1), ir.IntType(64)
VECTOR = ir.VectorType(NUMBER, LANES)
ARRAY = types.Array(types.float64, 1, "C")


class Lanes:
    """A vector of numbers or of truth values, with the operators of numbers."""

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def _with(self, instruction: str, other: "Lanes") -> "Lanes":
        return Lanes(self.builder, getattr(self.builder, instruction)(self.value, other.value))

    def __add__(self, other: "Lanes") -> "Lanes":
        return self._with("fadd", other)

    def __sub__(self, other: "Lanes") -> "Lanes":
        return self._with("fsub", other)

    def __mul__(self, other: "Lanes") -> "Lanes":
        return self._with("fmul", other)

    def __truediv__(self, other: "Lanes") -> "Lanes":
        return self._with("fdiv", other)

    def __or__(self, other: "Lanes") -> "Lanes":
        return self._with("or_", other)

    def __abs__(self) -> "Lanes":
        kind = ir.FunctionType(VECTOR, [VECTOR])
        function = cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.fabs.v{LANES}f64")
        return Lanes(self.builder, self.builder.call(function, [self.value]))

    def compared(self, sign: str, other: "Lanes") -> "Lanes":
        return Lanes(self.builder, self.builder.fcmp_ordered(sign, self.value, other.value))

    def choose(self, yes: "Lanes", no: "Lanes") -> "Lanes":
        return Lanes(self.builder, self.builder.select(self.value, yes.value, no.value))


def _larger(a: Lanes, b: Lanes) -> Lanes:
    return a.compared(">", b).choose(a, b)


def _smaller(a: Lanes, b: Lanes) -> Lanes:
    return a.compared("<", b).choose(a, b)


def _same(builder: Any, value: Any) -> Lanes:
    """Return a vector with the value, a number or a truth value, in every lane."""
    if isinstance(value, float):
        value = ir.Constant(NUMBER, value)
    nothing, index = ir.Constant(ir.VectorType(value.type, LANES), ir.Undefined), ir.IntType(32)
    single = builder.insert_element(nothing, value, ir.Constant(index, 0))
    return Lanes(
        builder, builder.shuffle_vector(single, nothing, ir.Constant(ir.VectorType(index, LANES), [0] * LANES))
    )


def _unpacked(builder: Any, values: Any) -> list[Lanes]:
    """Return a vector for each of several numbers or truth values."""
    several = cgutils.unpack_tuple(builder, values)
    return [_same(builder, v if v.type in (NUMBER, FLAG) else builder.trunc(v, FLAG)) for v in several]


class Table:
    """An array, read and written ``LANES`` numbers at a time."""

    def __init__(self, context: Any, builder: Any, array: Any) -> None:
        self.builder, self.data = builder, context.make_array(ARRAY)(context, builder, array).data

    def _at(self, start: Any, more: int) -> Any:
        return self.builder.gep(self.data, [self.builder.add(start, ir.Constant(INDEX, more))])

    def row(self, start: Any, more: int = 0) -> Lanes:
        """Return the numbers from ``start + more`` on."""
        return Lanes(self.builder, self.builder.load(self._vector(start, more), align=8))

    def write(self, lanes: Lanes, start: Any, more: int = 0) -> None:
        """Write the numbers from ``start + more`` on."""
        self.builder.store(lanes.value, self._vector(start, more), align=8)

    def take_column(self, start: Any) -> Lanes:
        """Return every ``LANES``-th number from ``start`` on, and leave zeros."""
        column = ir.Constant(VECTOR, ir.Undefined)
        for lane in range(LANES):
            here = self._at(start, lane * LANES)
            column = self.builder.insert_element(column, self.builder.load(here), ir.Constant(ir.IntType(32), lane))
            self.builder.store(ir.Constant(NUMBER, 0.0), here)
        return Lanes(self.builder, column)

    def _vector(self, start: Any, more: int) -> Any:
        return self.builder.bitcast(self._at(start, more), VECTOR.as_pointer())


@intrinsic
def put(typing_context, table, row, lane, number):  # type: ignore[no-untyped-def]
    """Write a finite number into a lane of the row of ``table`` that starts at ``row``, as a whole vector.

    A vector read soon after one of its numbers was written has to wait for the cache. For the same reason the lane is
    chosen in two terms: one choice between row and number would become a store of that lane only.
    """
    del typing_context, table, row, lane, number
    return types.void(ARRAY, types.int64, types.int64, types.float64), _put


def _put(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    del signature
    table, row = Table(context, builder, arguments[0]), arguments[1]
    lane, number, zero = (_same(builder, value) for value in (*arguments[2:], 0.0))
    every = ir.Constant(ir.VectorType(INDEX, LANES), list(range(LANES)))
    here = Lanes(builder, builder.icmp_signed("==", every, lane.value))
    table.write(here.choose(zero, table.row(row)) + here.choose(number, zero), row)
    return context.get_dummy_value()


@intrinsic
def isi_step(  # type: ignore[no-untyped-def]
    typing_context, intervals, other, sums, row, interval, limit, at_stop
):
    """Add to ``sums`` the pieces of the profiles that end where the interval of one train ends.

    ``interval`` is that between the knots ``behind`` and ``ahead``, with its reciprocal ``rate``; in the window it
    ends at ``time`` and begins at ``left``. Those of the other trains are in ``intervals`` from ``other`` on. Where an
    interval of both ends, each adds half of the piece. As a plain loop over the lanes::

        x, y, begin = ahead - behind, abs(even - odd), max(min(even, odd), left)
        piece = abs(x - y) * min(rate, rate_of_y, limit) * (time - begin)
        sums[row + lane] += piece / 2 if at_stop or time == max(even, odd) else piece
    """
    del typing_context, intervals, other, sums, row, interval, limit, at_stop
    f, i = types.float64, types.int64
    return types.void(ARRAY, i, ARRAY, i, types.UniTuple(f, 5), f, types.boolean), _isi_step


def _isi_step(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    del signature
    intervals, sums = Table(context, builder, arguments[0]), Table(context, builder, arguments[2])
    other, row = arguments[1], arguments[3]
    behind, ahead, rate, time, left = _unpacked(builder, arguments[4])
    limit, at_stop, half = (_same(builder, value) for value in (*arguments[5:], 0.5))
    even, odd = intervals.row(other), intervals.row(other, LANES)
    least = _smaller(_smaller(rate, limit), intervals.row(other, 2 * LANES))
    contrast = abs((ahead - behind) - abs(even - odd)) * least
    piece = contrast * (time - _larger(_smaller(even, odd), left))
    shared = at_stop | _larger(even, odd).compared("==", time)
    sums.write(sums.row(row) + shared.choose(half * piece, piece), row)
    return context.get_dummy_value()


@intrinsic
def spike_step(  # type: ignore[no-untyped-def]
    typing_context, intervals, other, tables, row, column, interval, threshold, flags
):
    """Add to ``tables`` the pieces of the profiles that end where the interval of one train ends.

    The interval and those of the other trains are as in `isi_step`. Per piece, each of the four knots around it is
    weighted by the profile per distance of that knot, integrated: ``density * (ahead - middle) / x`` and so on. Then
    the weight of the knot ``behind`` is complete: it is taken from ``tables``, also from those of the other trains
    (``column``), and multiplied with the distance of that knot to its nearest. Where an interval of both trains ends,
    each weights its own knots only. As a plain loop over the lanes, without the form that is independent of rate::

        x, y, begin = ahead - behind, abs(even - odd), max(min(even, odd), left)
        middle, density = (begin + time) / 2, (time - begin) / ((x + y) * max((x + y) / 2, threshold))
        if not (at_stop or time == max(even, odd)):
            even_weight += x * density / y * abs(middle - odd)
            odd_weight += x * density / y * abs(middle - even)
        nearest = min(abs(time - even), abs(time - odd))
        before = nearest if from_next else distance
        total += before * (weight + y * density / x * (ahead - middle) + column)
        weight, column = y * density / x * (middle - behind), 0
        distance = before if from_previous else nearest

    The flags are ``rate_independent``; ``from_next`` if the knot behind stands for the one ahead, beyond the start of
    the window; ``from_previous`` if it is the other way round at its end; ``at_stop``.
    """
    del typing_context, intervals, other, tables, row, column, interval, threshold, flags
    f, i, b = types.float64, types.int64, types.boolean
    return types.void(ARRAY, i, ARRAY, i, i, types.UniTuple(f, 5), f, types.UniTuple(b, 4)), _spike_step


def _spike_step(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    del signature
    intervals, tables = Table(context, builder, arguments[0]), Table(context, builder, arguments[2])
    other, row, column = arguments[1], arguments[3], arguments[4]
    behind, ahead, rate, time, left = _unpacked(builder, arguments[5])
    rate_independent, from_next, from_previous, at_stop = _unpacked(builder, arguments[7])
    threshold, half, zero, tiny = (_same(builder, value) for value in (arguments[6], 0.5, 0.0, TINY))

    even, odd = intervals.row(other), intervals.row(other, LANES)
    x, y = ahead - behind, abs(even - odd)
    begin = _larger(_smaller(even, odd), left)
    middle = half * (begin + time)
    longer = _larger(half * (x + y), threshold)
    density = (time - begin) / _larger(rate_independent.choose(longer, (x + y) * longer), tiny)
    mine = rate_independent.choose(half, y) * density * rate
    theirs = rate_independent.choose(half, x) * density * intervals.row(other, 2 * LANES)
    theirs = (at_stop | _larger(even, odd).compared("==", time)).choose(zero, theirs)
    for table, opposite in ((PARITIES, odd), (PARITIES + 1, even)):
        tables.write(tables.row(row, table * SQUARE) + theirs * abs(middle - opposite), row, table * SQUARE)

    nearest = _smaller(abs(time - even), abs(time - odd))
    before = from_next.choose(nearest, tables.row(row, DISTANCE * SQUARE))
    weight = tables.row(row, WEIGHT * SQUARE) + mine * (ahead - middle) + tables.take_column(column)
    tables.write(tables.row(row) + before * weight, row)
    tables.write(mine * (middle - behind), row, WEIGHT * SQUARE)
    tables.write(from_previous.choose(before, nearest), row, DISTANCE * SQUARE)
    return context.get_dummy_value()
