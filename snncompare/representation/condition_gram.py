"""Gram matrices of trials into Gram matrices of conditions."""

from collections.abc import Iterable

import numpy as np
import xarray as xr

from snncompare.errors import InputError
from snncompare.representation.conditions import Conditions, Label
from snncompare.representation.metrics.codings import require_truth_value

__all__ = ["condition_gram"]


def condition_gram(
    gram: xr.DataArray, conditions: Conditions | Iterable[Label], *, unbiased: bool = True
) -> xr.DataArray:
    r"""Return the inner products between the mean responses of conditions.

    .. math::

        G_{ab} = \frac{1}{n_a n_b} \sum_{i \in a, j \in b} K_{ij}, \qquad
        G_{aa} = \frac{1}{n_a (n_a - 1)} \sum_{i \neq i' \in a} K_{ii'}

    The diagonal pairs different trials only, so that the noise of a trial with itself does not enter: on average it is
    the squared length of the noise-free response. (The matrix may then have negative eigenvalues.) With
    ``unbiased=False`` the diagonal is the mean over all pairs, and the matrix is positive semidefinite, as
    `predictivity` needs it. :math:`G_{aa} + G_{bb} - 2 G_{ab}` is the RDM of `BetweenMinusWithin`.

    Parameters
    ----------
    gram : xarray.DataArray
        Dimensions ``(trial, trial_)``, possibly after others such as ``kernel``; from ``gram(recording, kernel)``.
    conditions : Conditions or sequence of labels
        One label per trial.
    unbiased : bool
        Leave the pairs of a trial with itself out of the diagonal; needs two trials of every condition.

    Returns
    -------
    xarray.DataArray
        Dimensions ``(..., condition, condition_)``, conditions in order of first appearance; the coordinates of other
        dimensions are kept.

    Raises
    ------
    InputError
        If ``gram`` has no such dimensions, the labels do not fit the trials, or a condition has one trial only.

    References
    ----------
    Gretton et al. 2012, J. Mach. Learn. Res. 13:723, lemma 6 (the U-statistic).
    """
    if not isinstance(gram, xr.DataArray) or not {"trial", "trial_"} <= set(gram.dims):
        raise InputError(f"expected what gram(recording, kernel) returns, got {type(gram).__name__}.")
    require_truth_value(unbiased, "unbiased")
    of = conditions if isinstance(conditions, Conditions) else Conditions.from_labels(conditions)
    if of.index.size != gram.sizes["trial"]:
        raise InputError(
            f"{of.index.size} condition labels for {gram.sizes['trial']} trials; give one label per trial."
        )
    if unbiased:
        of.require_trials(2, "the unbiased Gram matrix")
    ordered = gram.transpose(..., "trial", "trial_")
    values = ordered.to_numpy()
    member = np.eye(of.n_conditions)[of.index]
    sums = member.T @ values @ member
    result = sums / np.outer(of.n_trials, of.n_trials)
    if unbiased:
        own = np.diagonal(values, axis1=-2, axis2=-1) @ member
        within = np.diagonal(sums, axis1=-2, axis2=-1) - own
        every = np.arange(of.n_conditions)
        result[..., every, every] = within / (of.n_trials * (of.n_trials - 1))
    others = ordered.dims[:-2]
    coordinates = {name: c for name, c in ordered.coords.items() if set(c.dims) <= set(others)}
    labels = np.array(of.labels, dtype=None if len({type(label) for label in of.labels}) == 1 else object)
    return xr.DataArray(
        result,
        dims=(*others, "condition", "condition_"),
        coords={**coordinates, "condition": labels, "condition_": labels},
        name="gram",
        attrs={**gram.attrs, "unbiased": int(unbiased)},
    )
