"""Sounds at the sampling rate that an ear works with."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from snncompare.encoding.stimuli import Sound
from snncompare.errors import InputError

__all__ = ["rate_ratio", "resampled"]

_LARGEST = 4000
_TOLERATED = 1e-9
"""Relative error of a rate: rounding alone, no other rate."""


def rate_ratio(rate: float, wanted: float) -> Fraction:
    """Return the simple ratio by which samples become more.

    Raises
    ------
    InputError
        If there is none.
    """
    ratio = Fraction(wanted / rate).limit_denominator(_LARGEST)
    if abs(ratio * rate / wanted - 1.0) > _TOLERATED or ratio.numerator > _LARGEST:
        raise InputError(
            f"a sampling rate of {rate!r} Hz has no simple ratio to {wanted:g} Hz; resample the sound to a usual rate "
            "first, or choose the sampling rate of the encoder to fit."
        )
    return ratio


def resampled(sound: Sound, rate: float) -> NDArray[np.float64]:
    """Return the samples of a sound at another rate, by a polyphase filter; as they are where the rate is the same.

    Raises
    ------
    InputError
        For rates without a simple ratio.
    """
    if sound.sampling_rate == rate:
        return sound.samples
    from scipy.signal import resample_poly

    ratio = rate_ratio(sound.sampling_rate, rate)
    window = _low_pass(max(ratio.numerator, ratio.denominator))
    return np.asarray(resample_poly(sound.samples, ratio.numerator, ratio.denominator, window=window))


@lru_cache(maxsize=8)
def _low_pass(factor: int) -> NDArray[np.float64]:
    """Return the filter that `scipy.signal.resample_poly` would make every time."""
    from scipy.signal import firwin

    return np.asarray(firwin(20 * factor + 1, 1.0 / factor, window=("kaiser", 5.0)))
