"""RDMs that state a hypothesis: from the values of the conditions, from features, or from a file."""

from collections.abc import Iterable
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from snncompare.errors import FileError, InputError
from snncompare.recording.arguments import number_array
from snncompare.representation.conditions import Label, label_list, unique_labels
from snncompare.representation.labelled import labelled_rdms

if TYPE_CHECKING:
    from snncompare.representation.rdm import RDM

__all__ = ["categorical", "circular", "from_features", "from_matrix", "linear", "read_matrix"]

SYMMETRY_TOLERANCE = 1e-9
"""Relative to the largest entry: what writing a matrix as text with ten digits may change."""


def circular(conditions: Iterable[float], period: float, name: str = "circular") -> "RDM":
    r"""Return the distance on a circle, for example of orientations with ``period=180``.

    .. math:: d(x, y) = \min(\delta, P - \delta), \qquad \delta = |x - y| \bmod P

    Raises
    ------
    InputError
        If a condition is not a number, or the period is not above zero.
    """
    if isinstance(period, bool) or not isinstance(period, Real) or not np.isfinite(period) or period <= 0:
        raise InputError(f"the period must be a number above zero in the unit of the conditions, got {period!r}.")
    labels, values = _numbers(conditions, "circular")
    difference = np.abs(values[:, None] - values[None, :]) % period
    return _model(np.minimum(difference, period - difference), labels, name)


def linear(conditions: Iterable[float], name: str = "linear") -> "RDM":
    """Return the absolute differences of the conditions' values.

    Raises
    ------
    InputError
        If a condition is not a number.
    """
    labels, values = _numbers(conditions, "linear")
    return _model(np.abs(values[:, None] - values[None, :]), labels, name)


def categorical(conditions: Iterable[Label], categories: Iterable[Label], name: str = "categorical") -> "RDM":
    """Return 0 within a category and 1 between categories.

    Parameters
    ----------
    conditions : labels (n_conditions,)
    categories : labels (n_conditions,)
        The category of each condition.

    Raises
    ------
    InputError
        If the numbers of labels differ, or there is one category only, or as many as conditions: such an RDM is
        constant and can be compared with nothing.
    """
    labels, given = unique_labels(conditions), label_list(categories, "categories")
    if len(given) != len(labels):
        raise InputError(f"{len(given)} categories for {len(labels)} conditions; give the category of each condition.")
    if not 1 < len(set(given)) < len(labels):
        raise InputError(f"{len(set(given))} categories for {len(labels)} conditions give a constant RDM; group them.")
    return _model(np.array([[float(x != y) for y in given] for x in given]), labels, name)


def from_features(conditions: Iterable[Label], features: ArrayLike, name: str = "features") -> "RDM":
    """Return the Euclidean distances between feature vectors.

    Parameters
    ----------
    conditions : labels (n_conditions,)
    features : array (n_conditions, n_features)

    Raises
    ------
    InputError
        If the shape does not fit or a feature is not finite.
    """
    labels, values = unique_labels(conditions), number_array(features, "features")
    if values.ndim != 2 or len(values) != len(labels):
        raise InputError(f"features have shape {values.shape}; they need one row for each of {len(labels)} conditions.")
    if not np.isfinite(values).all():
        raise InputError("features must be finite; remove or replace the missing ones.")
    return _model(np.sqrt(((values[:, None] - values[None, :]) ** 2).sum(axis=2)), labels, name)


def from_matrix(conditions: Iterable[Label], matrix: ArrayLike, name: str = "matrix") -> "RDM":
    """Return a given matrix of dissimilarities as an RDM.

    Parameters
    ----------
    conditions : labels (n_conditions,)
    matrix : array (n_conditions, n_conditions)
        Symmetric, finite, zero on the diagonal.

    Raises
    ------
    InputError
        If the matrix is none of these.
    """
    labels, values = unique_labels(conditions), number_array(matrix, "the matrix")
    if values.shape != (len(labels), len(labels)):
        raise InputError(f"the matrix has shape {values.shape}, but there are {len(labels)} conditions.")
    if not np.isfinite(values).all():
        raise InputError("the matrix has entries that are not finite; every pair of conditions needs a dissimilarity.")
    tolerance = SYMMETRY_TOLERANCE * np.abs(values).max()
    if np.abs(np.diagonal(values)).max() > tolerance:
        raise InputError("the matrix must be zero on its diagonal: it holds dissimilarities, not similarities.")
    unlike = np.abs(values - values.T)
    if unlike.max() > tolerance:
        i, j = np.unravel_index(unlike.argmax(), unlike.shape)
        raise InputError(
            f"the matrix must be symmetric; ({labels[i]!r}, {labels[j]!r}) is {values[i, j]:g} one way and "
            f"{values[j, i]:g} the other."
        )
    return _model(values, labels, name)


def read_matrix(path: str | Path, name: str | None = None) -> "RDM":
    """Return the RDM in a CSV file whose first row and first column hold the conditions.

    If all labels can be read as numbers they become numbers, else all stay text. The name is by default the file's.

    Raises
    ------
    FileError
        If the file does not exist or is not such a table.
    InputError
        If rows and columns are labelled differently, or as in `from_matrix`.
    """
    import pandas as pd

    source = Path(path)
    try:
        table = pd.read_csv(source, index_col=0, dtype=str, skipinitialspace=True, keep_default_na=False)
    except FileNotFoundError as error:
        raise FileError(f"no file {source}; give a CSV file with conditions in the first row and column.") from error
    except (OSError, ValueError) as error:
        raise FileError(f"cannot read {source} as a CSV table: {error}.") from error
    rows, columns = ([str(label).strip() for label in labels] for labels in (table.index, table.columns))
    if rows != columns:
        raise InputError(f"rows and columns of {source} are labelled differently: {rows} and {columns}.")
    try:
        values = table.to_numpy(dtype=np.float64)
    except ValueError as error:
        raise InputError(f"{source} has an entry that is not a number: {error}.") from error
    return from_matrix(_numbers_if_all(rows), values, source.stem if name is None else name)


def _numbers_if_all(labels: list[str]) -> list[Label]:
    try:
        numbers = [float(label) for label in labels]
    except ValueError:
        return list(labels)
    return [int(number) if number.is_integer() else number for number in numbers]


def _numbers(conditions: Iterable[float], model: str) -> tuple[tuple[Label, ...], NDArray[np.float64]]:
    labels = unique_labels(conditions)
    for label in labels:
        if isinstance(label, bool) or not isinstance(label, Real) or not np.isfinite(label):
            raise InputError(
                f"a {model} model needs conditions that are numbers, got {label!r}; convert the labels first."
            )
    return labels, np.array(labels, dtype=np.float64)


def _model(matrix: NDArray[np.float64], labels: Iterable[Label], name: str) -> "RDM":
    vector = matrix[np.triu_indices(len(matrix), k=1)]
    return labelled_rdms(vector[None, :], labels, metric=["model"], time_scale=[np.nan], name=[name], estimator="model")
