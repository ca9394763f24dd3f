"""What all abstract codes share: they take features or a picture, and have one unit per feature."""

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.encoding.encoder import Encoder, Spikes
from snncompare.encoding.stimuli import Features, Image
from snncompare.errors import InputError

__all__ = ["FeatureCode", "check_order", "feature_table", "feature_values", "spikes_of"]


class FeatureCode(Encoder):
    """An encoder whose units each stand for one feature, or one pixel of a picture; subclasses may have more units."""

    takes: ClassVar[type | tuple[type, ...]] = (Features, Image)
    window: Any
    """How long a presentation lasts, a time."""

    def units(self, stimulus: Features | Image) -> pd.DataFrame:
        """Return one row per feature; see `feature_table`."""
        return feature_table(stimulus)

    def duration(self, stimulus: Features | Image) -> float:  # noqa: ARG002 (the same for every stimulus)
        """Return the length of the window, in seconds."""
        return float(self.window.value)


def feature_values(stimulus: Features | Image) -> NDArray[np.float64]:
    """Return the features, or the luminances of a picture row by row, shape (n_features,)."""
    return stimulus.values if isinstance(stimulus, Features) else stimulus.luminance.ravel()


def feature_table(stimulus: Features | Image) -> pd.DataFrame:
    """Return one row per feature: its number ``feature``; of a picture, ``x`` (column) and ``y`` (row) of the pixel.

    Pixels are counted from the upper left.
    """
    if isinstance(stimulus, Features):
        number = np.arange(stimulus.values.size)
        return pd.DataFrame({"feature": number}, index=[f"feature {j}" for j in number])
    y, x = (index.ravel() for index in np.indices(stimulus.luminance.shape))
    names = [f"pixel x {a} y {b}" for a, b in zip(x, y, strict=True)]
    return pd.DataFrame({"x": x, "y": y}, index=names)


def spikes_of(times: NDArray[np.float64]) -> Spikes:
    """Return spikes from a table of times (s), shape (n_units, at most so many spikes), NaN where there is none."""
    ordered = np.sort(times, axis=1)
    there = ~np.isnan(ordered)
    return Spikes(ordered[there], there.sum(axis=1, dtype=np.int64))


def check_order(earliest: float, latest: float, window: float) -> None:
    """Refuse times (s) unless earliest < latest <= window.

    Raises
    ------
    InputError
    """
    if not earliest < latest <= window:
        raise InputError(
            f"earliest, latest and window follow one another, got {earliest:g}, {latest:g} and {window:g} s; "
            "take a later 'latest' or a longer 'window'."
        )
