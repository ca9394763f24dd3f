"""Parameters of encoders, checked when an encoder is made: which are times, which must be positive."""

from math import isfinite
from typing import Any

from snncompare.errors import InputError
from snncompare.units import hertz, quantity, seconds

__all__ = ["check_between", "check_not_negative", "check_positive", "check_whole", "keep_frequencies", "keep_times"]


def keep_times(value: Any, *names: str, zero: bool = False) -> None:
    """Check fields that are times and keep them as quantities; ``field.value`` is then in seconds.

    Raises
    ------
    InputError
        For times that are not positive (or, with ``zero``, negative).
    """
    for name in names:
        _keep(value, name, seconds(getattr(value, name), name), zero)


def keep_frequencies(value: Any, *names: str, zero: bool = False) -> None:
    """Check fields that are frequencies or rates and keep them as quantities; ``field.value`` is then in hertz.

    Raises
    ------
    InputError
        For frequencies that are not positive (or, with ``zero``, negative).
    """
    for name in names:
        _keep(value, name, hertz(getattr(value, name), name), zero)


def check_positive(value: Any, *names: str) -> None:
    """Refuse fields that are not finite numbers above zero.

    Raises
    ------
    InputError
    """
    for name in names:
        if not (_number(getattr(value, name)) and getattr(value, name) > 0):
            raise InputError(f"{name} must be a positive number, got {getattr(value, name)!r}.")


def check_not_negative(value: Any, *names: str) -> None:
    """Refuse fields that are not finite numbers of zero or more.

    Raises
    ------
    InputError
    """
    for name in names:
        if not (_number(getattr(value, name)) and getattr(value, name) >= 0):
            raise InputError(f"{name} must be a number of 0 or more, got {getattr(value, name)!r}.")


def check_between(value: Any, name: str, low: float, high: float) -> None:
    """Refuse a field that is no number from ``low`` to ``high``, both included.

    Raises
    ------
    InputError
    """
    if not (_number(getattr(value, name)) and low <= getattr(value, name) <= high):
        raise InputError(f"{name} must be a number from {low:g} to {high:g}, got {getattr(value, name)!r}.")


def check_whole(value: Any, name: str, least: int, most: int | None = None) -> None:
    """Refuse a field that is no whole number of at least ``least`` and at most ``most``.

    Raises
    ------
    InputError
    """
    given = getattr(value, name)
    if isinstance(given, bool) or not isinstance(given, int) or given < least or (most is not None and given > most):
        limits = f"of at least {least}" if most is None else f"from {least} to {most}"
        raise InputError(f"{name} must be a whole number {limits}, got {given!r}.")


def _keep(value: Any, name: str, number: float, zero: bool) -> None:
    if not isfinite(number) or number < 0 or (number == 0 and not zero):
        raise InputError(f"{name} must be {'0 or more' if zero else 'positive'}, got {getattr(value, name)}.")
    object.__setattr__(value, name, quantity(getattr(value, name)))


def _number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and isfinite(given)
