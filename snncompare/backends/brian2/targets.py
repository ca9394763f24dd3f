"""Ways in which Brian2 runs its code."""

from brian2.codegen.codeobject import CodeObject
from brian2.codegen.runtime.numpy_rt.numpy_rt import NumpyCodeObject

__all__ = ["STANDALONE", "TARGETS", "CodeTarget", "code_target"]

CodeTarget = type[CodeObject]

STANDALONE = "cpp_standalone"
TARGETS = ("numpy", "cython", STANDALONE)


def code_target(name: str) -> CodeTarget | None:
    """Return the class of code objects for one of `TARGETS`; None leaves it to Brian2's device."""
    match name:
        case "numpy":
            return NumpyCodeObject
        case "cython":
            from brian2.codegen.runtime.cython_rt.cython_rt import CythonCodeObject

            return CythonCodeObject
        case _:
            return None
