"""RDM movies: one RDM per window that slides over the trials, from the spike times themselves."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from snncompare.errors import InputError
from snncompare.recording.recording import Recording
from snncompare.representation.blocks.execution import Execution
from snncompare.representation.conditions import Label
from snncompare.representation.distances import several_metrics
from snncompare.representation.estimators import Estimator
from snncompare.representation.labelled import rdms_of_metrics
from snncompare.representation.metrics import Metric
from snncompare.representation.sessions import gathered
from snncompare.units import QuantityLike, seconds

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["rdm_movie"]

MOST_WINDOWS = 10_000
"""More are a slip of the unit of the step, and would take hours."""


def rdm_movie(
    recording: Recording | Mapping[Label, Recording],
    metric: Metric | Sequence[Metric],
    by: str,
    window: QuantityLike = "50 ms",
    step: QuantityLike = "10 ms",
    estimator: Estimator | None = None,
    name: str | None = None,
    join: str | None = None,
    *,
    conditions: Sequence[Label] | Literal["common"] | None = None,
    execution: Execution | None = None,
) -> "RDMs":
    """Return the RDMs of a window that slides over the trials.

    Window k holds the spikes with ``start + k step <= t < start + k step + window``, with ``start`` that of the
    trials; a window that ends with the trials includes that end. Nothing is binned: each window is a recording of its
    own, with the window as the edges that metrics see, and windows of the width of the step share out all spikes.

    Parameters
    ----------
    recording, metric, by, estimator, name, join, conditions, execution
        As in `snncompare.representation.rdm.rdm`.
    window, step : time
        Width of the window and how far it moves, for example ``"50 ms"`` and ``"10 ms"``.

    Returns
    -------
    rsatoolbox.rdm.RDMs
        Window by window one RDM per metric, with ``rdm_descriptors["window_start"]`` and ``["window_stop"]`` (seconds).

    Raises
    ------
    InputError
        If the window or the step is not positive, the window is longer than the trials, or as in `rdm`.
    """
    width, move = _positive(window, "window"), _positive(step, "step")
    metrics = several_metrics(metric)
    population = gathered(recording, metrics, by, estimator, join, conditions)
    begin, end = population.parts[0][0].start, population.parts[0][0].stop
    room = (end - begin - width) / move
    if room < -1e-9:
        raise InputError(f"a window of {window} is longer than the trials, which last {end - begin:g} s.")
    n_windows = int(np.floor(room + 1e-9)) + 1
    if n_windows > MOST_WINDOWS:
        raise InputError(
            f"a step of {step} makes {n_windows} windows of the {end - begin:g} s that trials last, at most "
            f"{MOST_WINDOWS} are allowed; give a longer step, or cut the recording."
        )
    starts = begin + move * np.arange(n_windows)
    stops = [float(start) + width for start in starts]
    last = [bool(stop > end - 1e-9 * move) for stop in stops]
    vectors = [
        population.during(float(start), end if closed else stop, closed).dissimilarities(metrics, execution)
        for start, stop, closed in zip(starts, stops, last, strict=True)
    ]
    each = len(metrics)
    more: dict[str, list[Any]] = {
        "window_start": [float(start) for start in starts for _ in metrics],
        "window_stop": [end if closed else stop for stop, closed in zip(stops, last, strict=True) for _ in metrics],
        **{key: [value] * (each * len(starts)) for key, value in population.more.items()},
    }
    all_metrics = metrics * len(starts)
    return rdms_of_metrics(np.concatenate(vectors), all_metrics, population.labels, population.estimator, name, more)


def _positive(given: QuantityLike, what: str) -> float:
    value = seconds(given, f"the {what}")
    if value <= 0:
        raise InputError(f"the {what} of an RDM movie must be positive, got {given}.")
    return value
