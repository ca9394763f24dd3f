"""How far trials of the same condition are apart: the diagonal that RDMs do not keep."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions, Label
from snncompare.representation.estimators import PairEstimator, checked_estimator, default_estimator
from snncompare.representation.labelled import stacked

__all__ = ["within_condition"]


def within_condition(
    distances: xr.DataArray,
    conditions: Conditions | Iterable[Label],
    estimator: PairEstimator | None = None,
) -> xr.DataArray:
    r"""Return the mean over pairs of different trials of each condition, as the estimator takes it.

    .. math:: w(a) = \frac{1}{|P_{aa}|} \sum_{(i,i') \in P_{aa}} S_{ii'}

    with the pairs :math:`P_{aa}` and terms :math:`S` of `BetweenMinusWithin` (squared distances of Euclidean metrics:
    twice the variance of the responses around their mean), or :math:`S = D` for `MeanDistance`. rsatoolbox keeps no
    diagonal, so this does not travel with the RDMs; `snncompare.representation.cube.rdm_cube` takes it.

    Parameters
    ----------
    distances : xarray.DataArray
        From `snncompare.representation.distances.distances`.
    conditions : Conditions or sequence of labels
    estimator : MeanDistance or BetweenMinusWithin, optional
        As in `snncompare.representation.rdm.rdm`.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(metric, condition)``, with the coordinates of the distances. Not a number for a condition
        without two trials that are paired.

    Raises
    ------
    InputError
        If the labels do not fit the trials, or the estimator does not average over pairs.
    """
    values, euclidean = stacked(distances)
    of = conditions if isinstance(conditions, Conditions) else Conditions.from_labels(conditions)
    if of.n_all != values.shape[1]:
        raise InputError(f"{of.n_all} condition labels for {values.shape[1]} trials; give one label per trial.")
    chosen = checked_estimator(estimator) or default_estimator(of)
    if not isinstance(chosen, PairEstimator):
        raise InputError(f"{chosen!r} does not average over pairs of trials; use MeanDistance or BetweenMinusWithin.")
    chosen.check(of)
    every = range(of.n_all)
    sums, pairs = chosen.sums_from_blocks([(every, every, values)], euclidean, of)
    total, number = np.diagonal(sums, axis1=1, axis2=2), np.diagonal(pairs)
    means = np.divide(total, number, out=np.full(total.shape, np.nan), where=number > 0)
    return xr.DataArray(
        means,
        dims=("metric", "condition"),
        coords={
            "label": ("metric", np.atleast_1d(distances["label"].to_numpy())),
            "time_scale": ("metric", np.atleast_1d(distances["time_scale"].to_numpy()), {"units": "s"}),
            "condition": list(of.labels),
        },
        name="within",
        attrs={"estimator": repr(chosen)},
    )
