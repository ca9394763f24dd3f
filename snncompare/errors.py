"""Every exception a user can meet, and the one way their messages are phrased.

A message says what is wrong, what was given, what is allowed and what to do next. Each class is also a
built-in exception, so that ``except ValueError`` keeps working for those who never heard of this module.
"""

from collections.abc import Iterable
from difflib import get_close_matches

__all__ = [
    "DescriptionError",
    "FileError",
    "InputError",
    "MissingDependencyError",
    "SnncompareError",
    "TimeStepWarning",
    "UnitError",
    "UnsupportedError",
    "one_line",
    "unknown",
]


class SnncompareError(Exception):
    """Base of all errors that are about the user's input; the command line turns it into exit code 2."""


class InputError(SnncompareError, ValueError):
    """Data or arguments that cannot mean what they say."""


class UnitError(InputError):
    """A quantity without a unit, or with the unit of something else."""


class DescriptionError(InputError):
    """A network description that contradicts itself."""


class FileError(SnncompareError, OSError):
    """A file that is missing, unreadable, or of a format that is refused."""


class UnsupportedError(SnncompareError, NotImplementedError):
    """Something a backend cannot do; raised before anything is compiled."""


class TimeStepWarning(UserWarning):
    """A time step longer than a time constant of the network; what is simulated is not what the equations say."""


class MissingDependencyError(SnncompareError, ImportError):
    """An optional package that this step needs and that is not installed."""


def unknown(what: str, given: object, allowed: Iterable[object]) -> str:
    """Return the sentence for a name that does not exist, with the nearest one that does.

    Examples
    --------
    >>> unknown("population", "hiden", ["hidden", "input"])
    "no population 'hiden'; did you mean 'hidden'? Available: 'hidden', 'input'."
    """
    names = [str(name) for name in allowed]
    nearest = get_close_matches(str(given), names, n=1, cutoff=0.6)
    hint = f"; did you mean '{nearest[0]}'?" if nearest else ";"
    listed = ", ".join(f"'{name}'" for name in names[:20]) or "none"
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    joint = " Available" if nearest else " available"
    return f"no {what} '{given}'{hint}{joint}: {listed}{more}."


def one_line(text: str, most: int = 600) -> str:
    """Return text of a stranger as it can be shown: one line, printable characters only, not longer than `most`."""
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in " ".join(text.split()))
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."
