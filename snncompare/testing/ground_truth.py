"""Synthetic populations that code by rate, first-spike latency, synchrony or precise patterns only, with known RDMs.

Conditions lie on a circle or on a line, which is half of that circle. Units prefer evenly spaced angles, so that what
a code says about two conditions depends on their distance alone: that distance is the known RDM, and a dissimilarity
that sees the code rises with it. What does not code carries no information, by construction:

=================  ============================  ============================  =====================================
code               counts                        single trains                 units together
=================  ============================  ============================  =====================================
`rate_code`        Poisson, mean by condition    uniform times, given counts   independent
`latency_code`     8 in every train              first spike by condition,     independent
                                                 the others anywhere
`pattern_code`     8 in every train              first spike anywhere, the     independent
                                                 others precise by condition
`synchrony_code`   8 in every train              uniform times                 shared times, how many by condition
=================  ============================  ============================  =====================================
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.errors import InputError, unknown
from snncompare.recording.recording import Recording

if TYPE_CHECKING:
    from snncompare.representation.rdm import RDM

__all__ = ["CODES", "Design", "latency_code", "mixture", "pattern_code", "rate_code", "synchrony_code", "true_rdm"]

Array = NDArray[np.float64]
Trains = Callable[[float, Array, np.random.Generator], list[Array]]
"""``trains(angle, preferred, rng)``: one trial, the times of every unit, for a condition at an angle (radians)."""

WINDOW = 0.5
"""Seconds of every trial."""
SPIKES = 8
"""Spikes of every train; in the mean, where rates code."""


@dataclass(frozen=True)
class Design:
    """Who is shown what how often.

    Parameters
    ----------
    conditions, repeats, units : int
    layout : {"circle", "line"}
        Where the conditions lie.
    order : int, optional
        Seed of which condition lies where; by default the k-th condition is the k-th on the circle or line.
    noise : int
        Seed of the spikes: another measurement of the same population.
    """

    conditions: int = 12
    repeats: int = 10
    units: int = 12
    layout: Literal["circle", "line"] = "circle"
    order: int | None = None
    noise: int = 0

    def __post_init__(self) -> None:
        if self.layout not in {"circle", "line"}:
            raise InputError(unknown("layout", self.layout, ["circle", "line"]))

    def angles(self) -> Array:
        """Return the angle of every condition, radians, shape (conditions,): evenly on the circle, or from 0 to pi."""
        circle = self.layout == "circle"
        even = np.linspace(0, 2 * np.pi if circle else np.pi, self.conditions, endpoint=not circle)
        return even if self.order is None else np.random.default_rng([self.order, 0]).permutation(even)


def rate_code(design: Design = Design(), *, depth: float = 0.8) -> Recording:
    r"""Return Poisson neurons whose mean counts tell the condition; given the count, spikes fall anywhere.

    .. math:: \lambda = 8 \, (1 + d \cos(\theta - \phi_u))

    so that the squared distance of the mean counts is proportional to :math:`1 - \cos(\theta - \theta')`.

    Parameters
    ----------
    design : Design
    depth : float
        :math:`d` from 0 (no code) to 1.
    """

    def trains(angle: float, preferred: Array, rng: np.random.Generator) -> list[Array]:
        counts = rng.poisson(SPIKES * (1 + depth * np.cos(angle - preferred)))
        return [rng.uniform(0, WINDOW, n) for n in counts]

    return _recording("rate", design, trains)


def latency_code(
    design: Design = Design(),
    *,
    depth: float = 0.04,
    jitter: float = 2e-3,
) -> Recording:
    r"""Return neurons whose first spike tells the condition; the other seven fall anywhere in the second half.

    .. math:: t_1 = 100\,\mathrm{ms} + d \cos(\theta - \phi_u) + \mathcal N(0, \sigma^2)

    Parameters
    ----------
    design : Design
    depth : float
        :math:`d`, seconds, at most 0.08; 0 is no code.
    jitter : float
        :math:`\sigma`, seconds.
    """

    def trains(angle: float, preferred: Array, rng: np.random.Generator) -> list[Array]:
        first = 0.1 + depth * np.cos(angle - preferred) + rng.normal(0, jitter, preferred.size)
        later = rng.uniform(WINDOW / 2, WINDOW, (preferred.size, SPIKES - 1))
        return list(np.column_stack([np.clip(first, 0, WINDOW / 2), later]))

    return _recording("latency", design, trains)


def pattern_code(
    design: Design = Design(),
    *,
    depth: float = 0.02,
    jitter: float = 2e-3,
) -> Recording:
    r"""Return neurons whose later spikes tell the condition; the count and the first spike do not.

    The first spike falls anywhere in the first 50 ms; the k-th after it, k = 1 to 7, at

    .. math:: t_k = (20 + 60 k)\,\mathrm{ms} + d \cos(\theta - \phi_u + 2 \pi k / 7) + \mathcal N(0, \sigma^2)

    Parameters
    ----------
    design : Design
    depth : float
        :math:`d`, seconds, at most 0.025; 0 is no code.
    jitter : float
        :math:`\sigma`, seconds.
    """
    k = np.arange(1, SPIKES)

    def trains(angle: float, preferred: Array, rng: np.random.Generator) -> list[Array]:
        shift = depth * np.cos(angle - preferred[:, None] + 2 * np.pi * k / (SPIKES - 1))
        later = 0.02 + 0.06 * k + shift + rng.normal(0, jitter, shift.shape)
        return list(np.column_stack([rng.uniform(0, 0.05, preferred.size), np.clip(later, 0.05, WINDOW)]))

    return _recording("pattern", design, trains)


def synchrony_code(
    design: Design = Design(layout="line"),
    *,
    depth: float = 0.9,
    jitter: float = 1e-3,
) -> Recording:
    r"""Return neurons that fire together more or less often; every one alone fires 8 uniformly random spikes.

    A trial has 8 common times, drawn anew. The k-th spike of a unit is at the k-th common time with probability
    :math:`d \, \theta / \pi`, else anywhere: single units have the same statistics in all conditions. Only how many
    spikes are shared tells the condition, which is one number: conditions lie on a line.

    Parameters
    ----------
    design : Design
        With the layout ``"line"``.
    depth : float
        :math:`d` from 0 (no code) to 1.
    jitter : float
        Standard deviation of the spikes around the common time, seconds (reflected at the edges of the trial).

    Raises
    ------
    InputError
        For conditions on a circle.
    """
    if design.layout != "line":
        raise InputError(
            "the strength of synchrony is one number; its conditions lie on a line: Design(layout='line')."
        )

    def trains(angle: float, preferred: Array, rng: np.random.Generator) -> list[Array]:
        shape = (preferred.size, SPIKES)
        shared = rng.random(shape) < depth * angle / np.pi
        common = rng.uniform(0, WINDOW, SPIKES) + rng.normal(0, jitter, shape)
        return list(np.where(shared, WINDOW - np.abs(WINDOW - np.abs(common)), rng.uniform(0, WINDOW, shape)))

    return _recording("synchrony", design, trains)


CODES: dict[str, Callable[[Design], Recording]] = {
    "rate": rate_code,
    "latency": latency_code,
    "pattern": pattern_code,
    "synchrony": synchrony_code,
}
"""The pure codes by name."""


def mixture(*parts: Recording) -> Recording:
    """Return the units of several populations side by side, as if they had been recorded together.

    Parameters
    ----------
    *parts : Recording
        Pure codes of this module with the same conditions and repeats, each code once.

    Raises
    ------
    InputError
        If they differ in their trials, or a code comes twice.
    """
    known = [part.provenance["ground_truth"] for part in parts]
    codes = [code for truth in known for code in truth]
    if len(set(codes)) < len(codes) or not all(part.trials.equals(parts[0].trials) for part in parts):
        raise InputError(f"a mixture is of different codes with the same conditions and repeats, got {codes}.")
    trial, unit = (np.concatenate(rows) for rows in zip(*(_labels(part) for part in parts), strict=True))
    return Recording.from_arrays(
        times=np.concatenate([part.times for part in parts]),
        unit=unit,
        trial=trial,
        units=pd.concat([part.units for part in parts]),
        trials=parts[0].trials,
        provenance={"ground_truth": {code: angles for truth in known for code, angles in truth.items()}},
    )


def true_rdm(recording: Recording, code: str | None = None) -> "RDM":
    """Return the RDM that a code of a population has by construction: the angles between the conditions, degrees.

    Parameters
    ----------
    recording : Recording
        From this module.
    code : str, optional
        Of a mixture; by default the only one.

    Raises
    ------
    InputError
        If there is no such code, or several and none is named.
    """
    from snncompare.representation.model_rdms import circular

    truth = recording.provenance["ground_truth"]
    if code is None and len(truth) > 1:
        raise InputError(f"this mixture has the codes {', '.join(truth)}; name one.")
    chosen = next(iter(truth)) if code is None else code
    if chosen not in truth:
        raise InputError(unknown("code", chosen, truth))
    rdms = circular(np.array(truth[chosen]), 360.0, name=chosen)
    rdms.pattern_descriptors["condition"] = list(range(len(truth[chosen])))
    return rdms


def _labels(recording: Recording) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    trial, unit = recording.spike_index()
    return recording.trials.index.to_numpy()[trial], recording.units.index.to_numpy()[unit]


def _recording(code: str, design: Design, trains: Trains) -> Recording:
    angles = design.angles()
    preferred = np.linspace(0, 2 * np.pi, design.units, endpoint=False)
    rng = np.random.default_rng([design.noise, 1])
    shown = np.repeat(np.arange(design.conditions), design.repeats)
    times = [train for condition in shown for train in trains(float(angles[condition]), preferred, rng)]
    lengths = [train.size for train in times]
    names = np.array([f"{code} {k}" for k in range(design.units)])
    return Recording.from_arrays(
        times=np.concatenate(times),
        unit=np.repeat(np.tile(names, shown.size), lengths),
        trial=np.repeat(np.repeat(np.arange(shown.size), design.units), lengths),
        units=pd.DataFrame({"code": code}, index=names),
        trials=pd.DataFrame({"condition": shown, "start": 0.0, "stop": WINDOW}, index=range(shown.size)),
        provenance={"ground_truth": {code: np.rad2deg(angles).tolist()}},
    )
