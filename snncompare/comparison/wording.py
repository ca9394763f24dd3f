"""Words for lists, time scales and probabilities in messages and summaries."""

import math
from collections.abc import Iterable

__all__ = ["listed", "metric_words", "p_words", "time_words"]


def listed(names: Iterable[object], most: int = 6) -> str:
    """Return names separated by commas, texts in quotes, cut after ``most``.

    Examples
    --------
    >>> listed(["a", "b"])
    "'a', 'b'"
    """
    given = list(dict.fromkeys(f"'{name}'" if isinstance(name, str) else str(name) for name in names))
    text = ", ".join(given[:most]) or "none"
    return text + (f" and {len(given) - most} more" if len(given) > most else "")


def time_words(seconds: float) -> str:
    """Return a time in the unit that suits it.

    Examples
    --------
    >>> time_words(0.02)
    '20 ms'
    """
    if math.isinf(seconds):
        return "an infinite time scale"
    return f"{seconds:.4g} s" if seconds >= 1 else f"{seconds * 1e3:.4g} ms"


def metric_words(label: str, time_scale: float) -> str:
    """Return a metric and its time scale, for example ``van Rossum at 20 ms``."""
    label = label or "the unnamed metric"
    return label if math.isnan(time_scale) else f"{label} at {time_words(time_scale)}"


def p_words(p: float) -> str:
    """Return ``p = 0.03`` or ``p < 0.001``."""
    return "p < 0.001" if p < 0.001 else f"p = {p:.2g}"
