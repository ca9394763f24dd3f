"""Count-preserving surrogates: recordings whose spikes were moved, with the fine timing destroyed on purpose.

=======================  =================================================  ==========================================
surrogate                keeps                                              destroys
=======================  =================================================  ==========================================
`Jitter`                 counts; rates, smoothed by the width               timing finer than the width
`WindowedJitter`         counts of every window                             timing inside the windows
`ExchangedTimes`         counts of every window; each unit's time course    what spike times tell about single trials
`ExchangedAfterFirst`    counts and first spikes; each unit's time course   what later spikes tell about single trials
`ShuffledIntervals`      counts, first and last spikes, intervals           the order of the intervals
`UniformTimes`           counts                                             all timing
`ShuffledTrials`         the trains of every unit and condition             relations between the units of a trial
=======================  =================================================  ==========================================

A surrogate that loses or gains spikes would confound timing with rate (the default dithering of other packages drops
spikes at the edges of the trial), so all but the last keep the count of every train, and the last moves whole trains.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording import spike_moves
from snncompare.recording.arguments import a_recording, one_of, whole_number
from snncompare.recording.recording import Recording
from snncompare.units import QuantityLike, quantity, seconds

__all__ = [
    "ExchangedAfterFirst",
    "ExchangedTimes",
    "Jitter",
    "ShuffledIntervals",
    "ShuffledTrials",
    "Surrogate",
    "UniformTimes",
    "WindowedJitter",
]

Array = NDArray[np.float64]


class Surrogate(ABC):
    """A way to move the spikes of a recording.

    Attributes
    ----------
    keeps, destroys : str
        Which features of the trains survive and which do not, in words.
    """

    keeps: ClassVar[str]
    destroys: ClassVar[str]

    def apply(self, recording: Recording, seed: int) -> Recording:
        """Return the recording with its spikes moved.

        Units, trials, windows, marks and labels stay; traces, which belong to the spikes that were, are left out.
        ``provenance["surrogates"]`` says what was done.

        Parameters
        ----------
        recording : Recording
        seed : int

        Raises
        ------
        InputError
            If the recording does not fit the surrogate, or the seed is no whole number from 0 on.
        """
        a_recording(recording)
        whole_number("seed", seed, 0)
        times, offsets = self._moved(recording, np.random.default_rng(int(seed)))
        done = [*recording.provenance.get("surrogates", []), {"surrogate": repr(self), "seed": int(seed)}]
        return replace(
            recording, times=times, offsets=offsets, traces={}, provenance=recording.provenance | {"surrogates": done}
        )

    @abstractmethod
    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        """Return the new times, sorted by trial, unit and time, and the new offsets."""


@final
@dataclass(frozen=True, repr=False)
class Jitter(Surrogate):
    r"""Each spike moved at random around where it was, reflected at the edges of its trial's window.

    .. math:: t' = \mathrm{fold}(t + \xi), \qquad \mathrm{sd}(\xi) = w / \sqrt{12}

    with :math:`\xi` uniform on :math:`[-w/2, w/2]` or Gaussian of the same standard deviation. The expected rate is
    the rate convolved with the density of :math:`\xi` and folded at the edges: structure slower than the width stays,
    a flat rate stays flat to the very edge, and no spike is lost. Because a rate that changes within the width is
    smoothed, this is no exact null hypothesis; `WindowedJitter` is one.

    Parameters
    ----------
    width : time
        :math:`w`; 0 moves nothing.
    shape : {"uniform", "gaussian"}
        The density of :math:`\xi`.

    Raises
    ------
    InputError
        If the width is negative or has no unit, or there is no such shape.
    """

    width: QuantityLike
    shape: Literal["uniform", "gaussian"] = "uniform"

    keeps: ClassVar[str] = "the count of every train, and rates smoothed by the width"
    destroys: ClassVar[str] = "timing finer than the width"

    def __post_init__(self) -> None:
        _check_width(self)
        one_of("shape of jitter", self.shape, ["uniform", "gaussian"])

    def __repr__(self) -> str:
        return f"Jitter(width='{self.width}'{'' if self.shape == 'uniform' else f', shape={self.shape!r}'})"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        width, n = seconds(self.width), recording.times.size
        if self.shape == "uniform":
            moved = recording.times + rng.uniform(-width / 2, width / 2, n)
        else:
            moved = recording.times + rng.normal(0.0, width / np.sqrt(12), n)
        folded = spike_moves.reflected(moved, *spike_moves.windows_of_spikes(recording))
        return spike_moves.sorted_within(folded, recording.offsets), recording.offsets


@final
@dataclass(frozen=True, repr=False)
class WindowedJitter(Surrogate):
    """Each spike moved to a uniformly random time in the same window of a fixed grid, which keeps every window's count.

    The windows are ``start + k w <= t < start + (k + 1) w``; the last one ends with the trial. The null hypothesis is
    exact: given the counts in the windows, spikes lie anywhere in them with equal probability, independently of each
    other (so also without refractoriness and without common changes of rate inside a window).

    Parameters
    ----------
    width : time
        ``w``; 0 moves nothing.

    Raises
    ------
    InputError
        If the width is negative or has no unit.

    References
    ----------
    Amarasingham, Harrison, Hatsopoulos & Geman 2012, J. Neurophysiol. 107:517 (interval jitter).
    """

    width: QuantityLike

    keeps: ClassVar[str] = "the count of every train in every window"
    destroys: ClassVar[str] = "timing inside the windows"

    def __post_init__(self) -> None:
        _check_width(self)

    def __repr__(self) -> str:
        return f"WindowedJitter(width='{self.width}')"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        width = seconds(self.width)
        if width == 0:
            return recording.times, recording.offsets
        start, stop = spike_moves.windows_of_spikes(recording)
        _, low, high = spike_moves.grid(recording.times, start, stop, width)
        moved = low + rng.random(recording.times.size) * (high - low)
        moved = np.clip(moved, low, np.where(high >= stop, stop, np.nextafter(high, -np.inf)))
        return spike_moves.sorted_within(moved, recording.offsets), recording.offsets


@final
@dataclass(frozen=True, repr=False)
class ExchangedTimes(Surrogate):
    """Spike times of a unit exchanged at random between all its trials, inside the windows of a fixed grid.

    Every train keeps its count in every window and every unit keeps, to the last bit, the times at which it fired in
    any trial: its time course over all conditions, and the time step on which they were simulated or sampled. What
    goes is everything that the times tell about single trials and conditions beyond the counts. The null hypothesis
    is exact: given the counts, a spike falls in the window according to a density of its unit that is the same in all
    trials. That of `WindowedJitter` is the special case of a flat density; use this one where responses share a time
    course, such as a common transient.

    Parameters
    ----------
    width : time, optional
        Windows ``start + k w <= t < start + (k + 1) w``; 0 moves nothing, None is one window, the trial.

    Raises
    ------
    InputError
        If the width is negative or has no unit; on use, if the windows of the trials differ.
    """

    width: QuantityLike | None = None

    keeps: ClassVar[str] = "the count of every train in every window, and the time course of every unit over all trials"
    destroys: ClassVar[str] = "what spike times inside the windows tell about single trials"

    def __post_init__(self) -> None:
        if self.width is not None:
            _check_width(self)

    def __repr__(self) -> str:
        return "ExchangedTimes()" if self.width is None else f"ExchangedTimes(width='{self.width}')"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        spike_moves.refuse_unlike_windows(recording, "exchanging spike times between trials")
        width = None if self.width is None else seconds(self.width)
        if width == 0:
            return recording.times, recording.offsets
        _, group = recording.spike_index()
        if width is not None:
            window, _, _ = spike_moves.grid(recording.times, *spike_moves.windows_of_spikes(recording), width)
            group = group + recording.n_units * window
        moved = spike_moves.shuffled_within(recording.times, group, rng)
        return spike_moves.sorted_within(moved, recording.offsets), recording.offsets


@final
@dataclass(frozen=True)
class ExchangedAfterFirst(Surrogate):
    """Later spikes of a unit exchanged at random between all its trials; the first spike of every train stays.

    Only exchanges that leave every train's first spike the first are made (a Markov chain of random pairings). Every
    train keeps its count and every unit the times at which it fired in any trial. If spikes are Poisson with a time
    course of the unit that is the same in all conditions, this is how the later spikes are distributed given the
    counts and the first spikes.

    Raises
    ------
    InputError
        On use, if the windows of the trials differ.
    """

    keeps: ClassVar[str] = "the count and the first spike of every train, and the time course of every unit"
    destroys: ClassVar[str] = "what the later spikes tell about single trials"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        spike_moves.refuse_unlike_windows(recording, "exchanging spike times between trials")
        moved = spike_moves.exchanged_after_first(recording, rng)
        return spike_moves.sorted_within(moved, recording.offsets), recording.offsets


@final
@dataclass(frozen=True)
class ShuffledIntervals(Surrogate):
    """Intervals between the spikes of a train put in random order; its first and its last spike stay.

    Trains of up to two spikes stay as they are.
    """

    keeps: ClassVar[str] = "the count, the first and the last spike and the intervals of every train"
    destroys: ClassVar[str] = "the order of the intervals"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        return spike_moves.with_shuffled_intervals(recording.times, recording.offsets, rng), recording.offsets


@final
@dataclass(frozen=True)
class UniformTimes(Surrogate):
    """Every spike moved to a uniformly random time of its trial's window: only the counts survive."""

    keeps: ClassVar[str] = "the count of every train"
    destroys: ClassVar[str] = "all timing"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        start, stop = spike_moves.windows_of_spikes(recording)
        moved = np.clip(start + rng.random(recording.times.size) * (stop - start), start, stop)
        return spike_moves.sorted_within(moved, recording.offsets), recording.offsets


@final
@dataclass(frozen=True)
class ShuffledTrials(Surrogate):
    """Trials of the same condition exchanged, for every unit on its own: whole trains move, no spike does.

    Tests another null hypothesis than the jitters: given the condition, the units of a trial have nothing to do with
    each other. The sum of counts over the units of a single trial is not kept, the counts of every unit and
    condition are.

    Parameters
    ----------
    by : str
        Column of the trials table that names the condition.

    Raises
    ------
    InputError
        On use, if there is no such column, or the windows of the trials differ.
    """

    by: str

    keeps: ClassVar[str] = "the trains of every unit in every condition"
    destroys: ClassVar[str] = "relations between the units of a trial: synchrony and correlations of counts"

    def _moved(self, recording: Recording, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
        condition = spike_moves.conditions_of(recording, self.by, "ShuffledTrials.by")
        spike_moves.refuse_unlike_windows(recording, "exchanging trials")
        return spike_moves.with_trials_exchanged(recording, condition, rng)


def _check_width(surrogate: "Jitter | WindowedJitter | ExchangedTimes") -> None:
    """Refuse a width that is no time from 0 on; keep it as a quantity."""
    name = type(surrogate).__name__
    width = surrogate.width
    if width is None:
        raise InputError(f"{name}.width must be a time such as '10 ms', got None.")
    if seconds(width, f"{name}.width") < 0:
        raise InputError(f"{name}.width must not be negative, got {width}.")
    object.__setattr__(surrogate, "width", quantity(width))
