"""Kernels as machine code, each text compiled once in a process."""

import threading
from typing import Any

from numba import cfunc, types

from snncompare.backends.fused.kernel_text import Kernel
from snncompare.backends.fused.random_numbers import DRAWS
from snncompare.backends.fused.scalar_functions import FUNCTIONS

__all__ = ["address_of"]

_FLOATS, _WORDS = types.CPointer(types.float64), types.CPointer(types.uint64)
_INTS, _LONGS = types.CPointer(types.int32), types.CPointer(types.int64)
_SIGNATURE = types.void(_FLOATS, _FLOATS, _WORDS, _INTS, _LONGS, _INTS, _LONGS, _LONGS, types.int64, types.float64)
_NAMESPACE = {**FUNCTIONS, **DRAWS}
_COMPILED: dict[str, Any] = {}
_LOCK = threading.Lock()


def address_of(kernel: Kernel) -> int:
    """Return where the machine code of a kernel lies; it stays there until the process ends.

    The text was put together from our own words only, see `snncompare.backends.fused.writing`.
    """
    with _LOCK:
        if kernel.source not in _COMPILED:
            namespace = {**_NAMESPACE, "__builtins__": {"range": range, "min": min, "float": float}}
            exec(compile(kernel.source, "<kernel>", "exec"), namespace)
            _COMPILED[kernel.source] = cfunc(_SIGNATURE, error_model="numpy")(namespace["kernel"])
        address: int = _COMPILED[kernel.source].address
    return address
