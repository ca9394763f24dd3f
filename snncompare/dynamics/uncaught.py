"""What Python says of an uncaught error once Brian2 is imported."""

import sys
import traceback
from types import TracebackType

from brian2.utils.logger import brian_excepthook

__all__ = ["leave_errors_to_python"]


def leave_errors_to_python() -> None:
    """Let Python report uncaught errors that never passed through Brian2.

    Brian2 hooks into the interpreter and calls every uncaught error of the whole process unexpected, with a request to
    report it; for what happened inside Brian2 this stays so.
    """
    if sys.excepthook is brian_excepthook:
        sys.excepthook = _told


def _told(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    modules = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(trace))
    inside = any(name.partition(".")[0] == "brian2" for name in modules)
    (brian_excepthook if inside else sys.__excepthook__)(kind, error, trace)
