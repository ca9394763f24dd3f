"""An uncaught error of a user's script is told by Python; Brian2 asks for a report only of its own."""

import sys

import brian2
import pytest

from snncompare.dynamics.brian_objects import to_brian2
from snncompare.dynamics.uncaught import leave_errors_to_python
from snncompare.errors import InputError

ASKS = "Brian 2 encountered an unexpected error"
HOOK = sys.excepthook
"""What an import of ours, as that of `to_brian2`, leaves."""


def told(raise_error, capfd, caplog):
    """Return what the interpreter would say of an error that nobody catches, and what Brian2 logs."""
    caplog.clear()
    with pytest.raises((InputError, brian2.DimensionMismatchError)) as caught:
        raise_error()
    sys.excepthook(caught.type, caught.value, caught.tb)
    return "".join(capfd.readouterr()) + caplog.text


@pytest.fixture(autouse=True)
def _hooked(monkeypatch):
    """Begin as after an import of Brian2; what Brian2 remembers of an error, to keep its log files, is put back."""
    monkeypatch.setattr(sys, "excepthook", brian2.utils.logger.brian_excepthook)
    monkeypatch.setattr(brian2.BrianLogger, "exception_occured", False)


def refuse():
    raise InputError("this cannot be meant.")


def fail_inside_brian2():
    return brian2.volt + brian2.second


def test_an_error_of_the_user_is_told_by_python(capfd, caplog):
    assert ASKS in told(refuse, capfd, caplog)  # Brian2 alone
    leave_errors_to_python()
    said = told(refuse, capfd, caplog)
    assert ASKS not in said
    assert said.rstrip().endswith("InputError: this cannot be meant.")


def test_an_error_inside_brian2_is_left_to_brian2(capfd, caplog):
    leave_errors_to_python()
    assert ASKS in told(fail_inside_brian2, capfd, caplog)


def test_a_hook_of_somebody_else_stays(monkeypatch):
    monkeypatch.setattr(sys, "excepthook", refuse)
    leave_errors_to_python()
    assert sys.excepthook is refuse


def test_whatever_of_ours_imports_brian2_hooks():
    assert HOOK.__module__ == to_brian2.__module__.replace("brian_objects", "uncaught")
