"""The inner loop of an edit distance for many trains side by side, in the processor's vector registers."""

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["LANES", "edit_step"]

LANES = 16
"""Trains that are compared with one train in lockstep: two vectors of the widest registers there are."""
VECTOR = ir.VectorType(ir.DoubleType(), LANES)


@intrinsic
def edit_step(  # type: ignore[no-untyped-def]
    typing_context, gains, others, low, high, time, cost
):
    """Advance ``gains`` over one spike at ``time``; ``others`` holds the spikes ``low`` to ``high`` of the lanes.

    As plain loops, with arrays of shape ``(n, LANES)`` laid out flat::

        diagonal = left = gains[low]
        for k in range(low, high):
            matched = diagonal + (2 - cost * abs(time - others[k]))
            diagonal = gains[k + 1]
            left = gains[k + 1] = max(left, max(diagonal, matched))

    The compiler makes no vectors of these by itself, because each step needs the one before; here ``diagonal`` and
    ``left`` are vector registers. The arithmetic is that of single numbers, rounded in the same way.
    """
    del typing_context, gains, others, low, high, time, cost  # arrays and numbers of one type each
    flat = types.Array(types.float64, 1, "C")
    return types.void(flat, flat, types.int64, types.int64, types.float64, types.float64), _edit_step


def _edit_step(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    gains, others = (
        context.make_array(kind)(context, builder, value).data
        for kind, value in zip(signature.args[:2], arguments[:2], strict=True)
    )
    low, high = arguments[2:4]
    time, cost, two = (_same(builder, value) for value in (*arguments[4:], ir.Constant(ir.DoubleType(), 2.0)))
    size, one = ir.Constant(low.type, LANES), ir.Constant(low.type, 1)
    magnitude = cgutils.get_or_insert_function(
        builder.module, ir.FunctionType(VECTOR, [VECTOR]), f"llvm.fabs.v{LANES}f64"
    )

    def at(data: Any, k: Any) -> Any:
        return builder.bitcast(builder.gep(data, [builder.mul(k, size)]), VECTOR.as_pointer())

    def larger(a: Any, b: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", a, b), a, b)

    diagonal = cgutils.alloca_once_value(builder, builder.load(at(gains, low), align=8))
    left = cgutils.alloca_once_value(builder, builder.load(at(gains, low), align=8))
    with cgutils.for_range_slice(builder, low, high, one, low.type) as (k, _):
        shift = builder.call(magnitude, [builder.fsub(time, builder.load(at(others, k), align=8))])
        gain = builder.fsub(two, builder.fmul(cost, shift))
        matched = builder.fadd(builder.load(diagonal), gain)
        here = at(gains, builder.add(k, one))
        before = builder.load(here, align=8)
        best = larger(builder.load(left), larger(before, matched))
        builder.store(before, diagonal)
        builder.store(best, left)
        builder.store(best, here, align=8)
    return context.get_dummy_value()


def _same(builder: Any, value: Any) -> Any:
    """Return a vector with the value in every lane."""
    nothing, index = ir.Constant(VECTOR, ir.Undefined), ir.IntType(32)
    single = builder.insert_element(nothing, value, ir.Constant(index, 0))
    return builder.shuffle_vector(single, nothing, ir.Constant(ir.VectorType(index, LANES), [0] * LANES))
