"""Spike counts whitened by the covariance of their noise: the Mahalanobis distance, and with folds the crossnobis."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, cast, final

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import number_array
from snncompare.representation.compiled.trains import Trains
from snncompare.representation.metrics.bins import binned_counts, checked_width, seconds_of
from snncompare.representation.metrics.metric import Metric
from snncompare.units import QuantityLike

__all__ = ["Precision", "WhitenedCount"]

ASYMMETRY = 1e-9
"""Relative; an inverse is symmetric up to rounding."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Precision:
    """The inverse covariance of the noise of spike counts: a locked symmetric positive definite matrix.

    Equal if every number is equal, so that a metric that holds one can be compared and hashed.

    Parameters
    ----------
    matrix : array (n_features, n_features)
        The features are units times bins, the bins of a unit next to each other.

    Raises
    ------
    InputError
        If the matrix is not square, finite, symmetric and positive definite.
    """

    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        given = np.array(number_array(self.matrix, "a precision"))
        if given.ndim != 2 or given.shape[0] != given.shape[1] or given.size == 0:
            raise InputError(f"a precision must be a square matrix, got an array of shape {given.shape}.")
        if not np.isfinite(given).all():
            raise InputError(f"a precision must be finite; {int((~np.isfinite(given)).sum())} values are not.")
        if np.abs(given - given.T).max() > ASYMMETRY * np.abs(given).max():
            raise InputError("a precision must be symmetric; give the inverse of a covariance.")
        given = (given + given.T) / 2
        try:
            root = np.linalg.cholesky(given)
        except np.linalg.LinAlgError as error:
            raise InputError(
                "a precision must be positive definite; shrink the covariance before inverting it."
            ) from error
        for name, array in (("matrix", given), ("_root", root)):
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    @property
    def root(self) -> NDArray[np.float64]:
        r"""Lower triangle :math:`L` with :math:`L L^T` the matrix."""
        return cast("NDArray[np.float64]", getattr(self, "_root"))  # noqa: B009 - set past the lock of the dataclass

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Precision) and np.array_equal(self.matrix, other.matrix)

    def __hash__(self) -> int:
        return hash(self.matrix.tobytes())

    def __repr__(self) -> str:
        digest = hashlib.sha256(self.matrix.tobytes()).hexdigest()[:8]
        return f"<Precision {len(self.matrix)} x {len(self.matrix)}, {digest}>"


@final
@dataclass(frozen=True)
class WhitenedCount(Metric):
    r"""Mahalanobis distance between the spike counts of all units in all bins.

    .. math:: D^2 = (n_a - n_b)^T \, \Sigma^{-1} \, (n_a - n_b)

    With `BetweenMinusWithin` over trials of different sessions it is the crossnobis estimator, rsatoolbox's
    ``"crossnobis"`` times the number of units and bins.

    Parameters
    ----------
    width : quantity, s, or None
        Of a bin; the bins must fill the window of the trials. None is one bin, the window.
    precision : Precision
        :math:`\Sigma^{-1}`, for these units and bins; see `noise_precision`.

    Raises
    ------
    InputError
        If the width is not above zero or without unit, if the bins leave a part of the window over, or if the precision
        does not fit the units and bins.

    References
    ----------
    Walther et al. 2016, NeuroImage 137:188. Diedrichsen et al. 2016, arXiv 1607.01371.
    """

    width: QuantityLike | None
    precision: Precision

    euclidean: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "width", checked_width(self.width, "WhitenedCount.width"))
        if not isinstance(self.precision, Precision):
            raise InputError(
                f"WhitenedCount.precision must be a Precision, got {type(self.precision).__name__}. Write for example "
                "noise_precision(recording, by='stimulus', width='50 ms')."
            )

    def __repr__(self) -> str:
        width = None if self.width is None else str(self.width)
        return f"WhitenedCount(width={width!r}, precision={self.precision!r})"

    @property
    def label(self) -> str:
        """``"whitened count"``."""
        return "whitened count"

    @property
    def time_scale(self) -> float:
        """Width of a bin in seconds; not a number for the whole window."""
        return seconds_of(self.width)

    @classmethod
    def between_trials(
        cls, metrics: Sequence[Self], trains: Trains, rows: range, columns: range
    ) -> NDArray[np.float64]:
        """Return distances ``(n_metrics, n_rows, n_columns)``; see `Metric.between_trials`."""
        from snncompare.representation.compiled.vectors import product_of_differences

        squared = []
        for metric in metrics:
            counts, root = binned_counts(trains, metric.width), metric.precision.root
            if counts.shape[1] != len(root):
                raise InputError(
                    f"the precision is for {len(root)} counts, but the trials have {trains.n_units} units times "
                    f"{counts.shape[1] // trains.n_units} bins; estimate it from the same units with the same width."
                )
            whitened = np.einsum("tf,fg->tg", counts, root)  # no BLAS, whose sums may depend on the number of threads
            squared.append(product_of_differences(whitened, whitened, rows, columns))
        return np.sqrt(squared)
