"""Arithmetic in single precision from which compilers make vector instructions: powers of sums and products alone.

`fma` rounds once on every processor, so that results do not depend on which instructions a compiler chose.
"""

import math
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

__all__ = ["LANES", "exp2", "fma", "log2"]

LANES = 16
"""Places or fibres that are computed together: numbers of single precision in a vector of 512 bits."""

_E0, _E1, _E2, _E3, _E4, _E5, _E6 = (np.float32(math.log(2.0) ** k / math.factorial(k)) for k in range(7))
_L1, _L3, _L5, _L7 = (np.float32(2.0 / (k * math.log(2.0))) for k in (1, 3, 5, 7))
_ONE, _FARTHEST = np.float32(1.0), np.float32(126.0)
_ROUND = np.float32(1.5 * 2**23)
"""Added to a number below 2 ** 22, leaves the nearest whole number in the lowest bits."""
_MANTISSA, _BITS_OF_ONE, _BITS_OF_ROOT_HALF = np.int32(23), np.int32(0x3F800000), np.int32(0x3F3504F3)


@intrinsic
def fma(typing_context: Any, x: Any, y: Any, z: Any) -> Any:  # noqa: ARG001 (numba passes the context)
    """Return x y + z, rounded once, of three float32; in compiled code only."""
    if not x == y == z == types.float32:
        return None

    def code(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Any) -> Any:  # noqa: ARG001
        return builder.fma(*arguments)

    return types.float32(x, y, z), code


@njit(inline="always")
def exp2(x):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return 2 to the power of x, float32, right to 3e-7; beyond -126 and 126 what it is there."""
    bounded = min(max(x, -_FARTHEST), _FARTHEST)
    shifted = np.float32(bounded + _ROUND)
    f = bounded - (shifted - _ROUND)
    series = fma(f, fma(f, fma(f, fma(f, fma(f, fma(f, _E6, _E5), _E4), _E3), _E2), _E1), _E0)
    return series * np.int32(np.int32(shifted.view(np.int32) << _MANTISSA) + _BITS_OF_ONE).view(np.float32)


@njit(inline="always")
def log2(x):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return the binary logarithm of a positive, normal float32, right to 2e-7 of it or of 1."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32(np.int32(bits - _BITS_OF_ROOT_HALF) >> _MANTISSA)
    part = np.int32(bits - np.int32(exponent << _MANTISSA)).view(np.float32)
    s = (part - _ONE) / (part + _ONE)
    q = s * s
    return fma(s, fma(q, fma(q, fma(q, _L7, _L5), _L3), _L1), np.float32(exponent))
