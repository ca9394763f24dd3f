"""The functions of equations for one number, as kernels call them, and the wish to have memory at hand soon."""

import math
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["FUNCTIONS"]


@intrinsic
def _prefetch(_context: Any, array: Any, _index: Any) -> Any:
    """Ask for array[index] to be brought near; nothing is read, so the place need not exist."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        pointer, place = arguments
        memory, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [memory, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [memory], kind)
        address = builder.bitcast(builder.gep(pointer, [place]), memory)
        builder.call(function, [address, *(ir.Constant(number, value) for value in (1, 3, 1))])
        return ir.Constant(number, 0)

    return types.int32(array, types.int64), generate


@njit(cache=True, error_model="numpy")
def _truncated(x: Any) -> Any:
    return np.trunc(x)


@njit(cache=True, error_model="numpy")
def _floor(x: Any) -> Any:
    return np.floor(x)


@njit(cache=True, error_model="numpy")
def _ceil(x: Any) -> Any:
    return np.ceil(x)


@njit(cache=True, error_model="numpy")
def _power_2(x: Any) -> Any:
    return x * x


@njit(cache=True, error_model="numpy")
def _power_3(x: Any) -> Any:
    return x * x * x


@njit(cache=True, error_model="numpy")
def _power_4(x: Any) -> Any:
    return (x * x) * (x * x)


@njit(cache=True, error_model="numpy")
def _sign(x: Any) -> Any:
    return 1.0 if x > 0.0 else (-1.0 if x < 0.0 else x)


@njit(cache=True, error_model="numpy")
def _clip(x: Any, low: Any, high: Any) -> Any:
    above = low if x < low else x
    return high if above > high else above


@njit(cache=True, error_model="numpy")
def _floor_division(x: Any, y: Any) -> Any:
    return np.floor_divide(x, y)


@njit(cache=True, error_model="numpy")
def _remainder(x: Any, y: Any) -> Any:
    return np.remainder(x, y)


@njit(cache=True, error_model="numpy")
def _exprel(x: Any) -> Any:
    if math.fabs(x) < 1e-16:
        return 1.0
    return math.inf if x > 717.0 else math.expm1(x) / x


FUNCTIONS = {
    "exp": math.exp,
    "log": math.log,
    "log10": math.log10,
    "log1p": math.log1p,
    "expm1": math.expm1,
    "sqrt": math.sqrt,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "sinh": math.sinh,
    "cosh": math.cosh,
    "tanh": math.tanh,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "fabs": math.fabs,
    "power": math.pow,
    "sign": _sign,
    "floor": _floor,
    "ceil": _ceil,
    "truncated": _truncated,
    "power_2": _power_2,
    "power_3": _power_3,
    "power_4": _power_4,
    "clip": _clip,
    "exprel": _exprel,
    "floor_division": _floor_division,
    "remainder": _remainder,
    "prefetch": _prefetch,
}
"""Name in the text of a kernel to function."""
