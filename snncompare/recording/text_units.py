"""The unit of times that come without one: read from words, or doubted."""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, UnitError
from snncompare.units import parse_unit, quantity

__all__ = ["refuse_impossible_seconds", "to_seconds"]

_TIME = (0, 0, 1, 0, 0, 0, 0)
_RATE = (0, 0, -1, 0, 0, 0, 0)
_FRACTION = re.compile(r"\s*(?:(?P<over>\d+(?:\.\d+)?)\s*/\s*(?P<under>\d+(?:\.\d+)?)\s+)?(?P<unit>[^\d\s].*?)\s*$")
_SLOWEST = 60.0
_ENOUGH = 20
_ENOUGH_TOGETHER = 50
_WHOLE_SPAN = 3 * 3600.0


def to_seconds(times: NDArray[np.float64], time_unit: str) -> NDArray[np.float64]:
    """Return times in seconds, given the unit they are in.

    Parameters
    ----------
    times : array of any shape
    time_unit : str
        A unit (``"ms"``), a number of it (``"0.1 ms"``, ``"1/15 ms"``), or a sampling rate (``"15 kHz"``), which
        makes the times sample numbers.

    Raises
    ------
    UnitError
        If the text is neither a time nor a rate.
    """
    size, rate = _size(time_unit)
    if rate:
        return times / size
    inverse = round(1 / size)
    if size < 1 and math.isclose(size * inverse, 1.0, rel_tol=1e-15):
        return times / inverse  # "20 ms" becomes the float 0.02 and not 20 * 0.001
    return times * size


def _size(time_unit: str) -> tuple[float, bool]:
    advice = "write for example time_unit='ms', 'us', or a sampling rate such as '15 kHz'"
    if not isinstance(time_unit, str):
        raise UnitError(f"time_unit is text, got {time_unit!r}; {advice}.")
    match = _FRACTION.match(time_unit)
    if match is not None:
        scale, dimension = parse_unit(match["unit"])
        value = scale * float(match["over"] or 1) / float(match["under"] or 1)
    else:
        given = quantity(time_unit)
        value, dimension = given.value, given.dimension
    if dimension not in {_TIME, _RATE} or not value > 0 or not math.isfinite(value):
        raise UnitError(f"time_unit '{time_unit}' is neither a time nor a sampling rate; {advice}.")
    return value, dimension == _RATE


def refuse_impossible_seconds(trains: Sequence[NDArray[np.float64]], name: str) -> None:
    """Refuse times that cannot be seconds.

    Two rules, both far from real recordings: among 50 spikes or more, in units of 20 or more, even the unit with the
    shortest median interval between spikes would fire less than once a minute; or there are 20 times or more, all
    whole numbers, over more than three hours. Slow units beside a faster one, and short lists of sparse events, pass.

    Parameters
    ----------
    trains : sequence of arrays of shape (n,)
        Times of each unit, sorted, as the file has them.
    name : str
        Name of the file, for the message.

    Raises
    ------
    InputError
        Says why, and what to write.
    """
    times = np.concatenate([*trains, np.zeros(0)])
    if times.size < _ENOUGH:
        return
    span = float(np.ptp(times))
    intervals = [float(np.median(np.diff(train))) for train in trains if train.size >= _ENOUGH]
    reason = ""
    if intervals and times.size >= _ENOUGH_TOGETHER and min(intervals) > _SLOWEST:
        reason = f"even the fastest unit would fire only once in {min(intervals):.3g} s (median)"
    elif span > _WHOLE_SPAN and bool((times == np.round(times)).all()):
        reason = f"all {times.size} times are whole numbers"
    if reason:
        raise InputError(
            f"the times in '{name}' cannot be seconds: {reason}, and the recording would last {_long(span)}. They look "
            "like sample numbers or microseconds; say which by a time unit: '15 kHz' (sampling rate), 'us', 'ms', or "
            "'s' if they are seconds after all (on the command line --time-unit us, elsewhere time_unit='us')."
        )


def _long(span: float) -> str:
    return f"{span / 86400:.3g} days" if span > 2 * 86400 else f"{span / 3600:.3g} hours"
