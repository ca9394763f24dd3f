"""Population codings of the metrics that are no sums: mean over units (labelled line), or units pooled into one."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.representation.compiled.trains import Trains, pool_units

__all__ = ["coded_label", "require_truth_value", "with_codings"]


def require_truth_value(given: object, what: str) -> None:
    """Refuse what is neither True nor False."""
    if not isinstance(given, bool):
        raise InputError(f"{what} must be True or False, got {given!r}.")


def coded_label(name: str, pooled: bool) -> str:
    """Return the label of a metric: its name, and the coding where it is not the labelled line."""
    return f"{name}, pooled" if pooled else name


def with_codings(
    pooled: Sequence[bool],
    trains: Trains,
    shape: tuple[int, int],
    compute: Callable[[list[int], Trains], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return a block ``(n_metrics, *shape)``, computed once for the metrics of each population coding.

    Parameters
    ----------
    pooled : sequence of bool (n_metrics,)
    trains : Trains
    shape : (int, int)
        Number of rows and of columns.
    compute : callable
        Takes the positions of the metrics of one coding and the trains in that coding; returns their distances, or one
        matrix for all of them.
    """
    result = np.empty((len(pooled), *shape))
    for coding in sorted(set(pooled)):
        chosen = [k for k, value in enumerate(pooled) if value == coding]
        result[chosen] = compute(chosen, pool_units(trains) if coding else trains)
    return result
