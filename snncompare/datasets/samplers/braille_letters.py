"""Braille letters under a tactile fingertip: readings of its touch sensors as indentation of the skin."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samples import Samples
from snncompare.encoding.stimuli import Signal
from snncompare.errors import FileError, InputError
from snncompare.units import QuantityLike, hertz, seconds

__all__ = ["BrailleLetters", "braille_letters"]

_FILE = "braille_touch/braille_touch.npz"
_N_STEPS = 76
"""Steps that all touches have; some have one more, which is left out so that all last equally long."""
_N_TAXELS = 12
_LARGEST_READING = 255.0
_TRAINING_REPETITIONS = 40


def braille_letters(
    files: Mapping[str, Path],
    *,
    mm_per_reading: float = 0.01,
    step: QuantityLike = "25 ms",
    sampling_rate: QuantityLike = "1 kHz",
) -> "BrailleLetters":
    r"""Return touches of Braille letters, as indentation in mm at 12 sites.

    Readings fall when a sensor is touched, and each sensor has its own reading at rest. The indentation is

    .. math:: s = (r_0 - r)\, \cdot \text{mm per reading}

    with :math:`r_0` the largest reading of the sensor in the training part. Between the steps of the sensors it follows
    a monotone cubic curve (Fritsch & Carlson), so that velocity is continuous and nothing overshoots.

    Parameters
    ----------
    files : mapping of str to Path
    mm_per_reading : float
        Millimetres of indentation per unit of reading: our own choice, by which a letter presses up to 1 mm.
    step : time
        Between two readings: the sensors were read at 40 Hz.
    sampling_rate : frequency
        Of the signals; ``"40 Hz"`` gives the readings' own steps.

    Returns
    -------
    BrailleLetters
        Labels ``letter`` (``"A"`` to ``"Z"``, ``"Space"``), ``repetition``, ``split``: repetitions 0 to 39 of each
        letter are ``train``, 40 to 49 ``test``.

    Raises
    ------
    InputError
        For numbers that are not positive.
    FileError
        If the file does not hold what the card says.

    References
    ----------
    Müller-Cleve et al. (2022) Front Neurosci 16:951164.
    """
    if not 0 < mm_per_reading < np.inf:
        raise InputError(f"mm_per_reading must be positive, got {mm_per_reading}.")
    every, rate = seconds(step, "step"), hertz(sampling_rate, "sampling_rate")
    if not (0 < every < np.inf and 0 < rate < np.inf):
        raise InputError(f"step and sampling_rate must be positive, got {step} and {sampling_rate}.")
    return BrailleLetters(files[_FILE], float(mm_per_reading), every, rate)


class BrailleLetters(Samples):
    """Touches of Braille letters; see `braille_letters`."""

    def __init__(self, path: Path, mm_per_reading: float, step: float, sampling_rate: float) -> None:
        readings, letter, repetition = _read(path)
        split = np.where(repetition < _TRAINING_REPETITIONS, "train", "test")
        self._table = pd.DataFrame(
            {"letter": letter, "repetition": repetition, "split": split},
            index=[f"{a} repetition {b}" for a, b in zip(letter, repetition, strict=True)],
        )
        at_rest = readings[split == "train"].max(axis=(0, 1))
        self._indentation = mm_per_reading * (at_rest - readings)
        self._step = step
        self._sampling_rate = sampling_rate

    @property
    def table(self) -> pd.DataFrame:
        """One row per touch."""
        return self._table

    def stimulus(self, position: int) -> Signal:
        """Return the indentation under each sensor in mm."""
        from scipy.interpolate import PchipInterpolator

        curve = PchipInterpolator(np.arange(_N_STEPS) * self._step, self._indentation[position], axis=0)
        return Signal(curve(self._times).T, f"{self._sampling_rate} Hz", self._channels)

    @cached_property
    def _times(self) -> NDArray[np.float64]:
        n = round((_N_STEPS - 1) * self._step * self._sampling_rate) + 1
        return np.minimum(np.arange(n) / self._sampling_rate, (_N_STEPS - 1) * self._step)

    @property
    def _channels(self) -> tuple[str, ...]:
        return tuple(f"taxel {k + 1}" for k in range(_N_TAXELS))


def _read(path: Path) -> tuple[NDArray[np.float64], NDArray[np.str_], NDArray[np.int64]]:
    """Return readings (n, 76, 12), letters and repetitions, all checked."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            taxel, letter, repetition = (archive[name] for name in ("taxel", "letter", "repetition"))
    except (OSError, ValueError, KeyError) as problem:
        raise FileError(
            f"'{path}' does not hold 'taxel', 'letter' and 'repetition' as plain arrays: {problem}."
        ) from None
    n = len(taxel)
    if (
        taxel.ndim != 3
        or taxel.dtype.kind not in "iuf"
        or taxel.shape[1] < _N_STEPS
        or taxel.shape[2] != _N_TAXELS
        or n == 0
        or letter.shape != (n,)
        or letter.dtype.kind != "U"
        or repetition.shape != (n,)
        or repetition.dtype.kind not in "iu"
    ):
        raise FileError(f"'{path}' should hold readings (n, {_N_STEPS} or more, {_N_TAXELS}), got {taxel.shape}.")
    readings = taxel[:, :_N_STEPS].astype(np.float64)
    if not ((readings >= 0) & (readings <= _LARGEST_READING)).all():
        raise FileError(f"'{path}' holds readings beyond 0 to {_LARGEST_READING:g} in the first {_N_STEPS} steps.")
    return readings, letter, repetition.astype(np.int64)
