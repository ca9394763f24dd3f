"""RDMs of resampled trials and of split trials or units, brought to the order of the data."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from snncompare.comparison.alignment import Aligned, MetricKey, pair_order
from snncompare.comparison.wording import listed
from snncompare.errors import InputError

if TYPE_CHECKING:
    from snncompare.representation.repeats.replicates import Replicates
    from snncompare.representation.unit_halves import UnitHalves

__all__ = ["replicate_vectors"]

Array = NDArray[np.float64]


def replicate_vectors(replicates: "Replicates | UnitHalves", name: str, aligned: Aligned) -> Array | None:
    """Return one array of the replicates or halves, (n_metrics, n, n_pairs), in the order of the data's conditions.

    Raises
    ------
    InputError
        If the replicates belong to other metrics or conditions, or hold undefined entries.
    """
    given: Array | None = getattr(replicates, name)
    if given is None:
        return None
    keys = [MetricKey(label, scale) for label, scale in zip(replicates.metric, replicates.time_scale, strict=True)]
    rows = [next((k for k, key in enumerate(keys) if key.matches(metric)), -1) for metric in aligned.metrics]
    if -1 in rows:
        raise InputError(
            f"the replicates lack {aligned.metrics[rows.index(-1)]}, which the data have; they hold {listed(keys)}. "
            "Make them from the same recording with the same metrics."
        )
    order = pair_order(replicates.conditions, aligned.conditions, "the replicates")
    ordered = given[rows][..., order]
    if not np.isfinite(ordered).all():
        raise InputError(f"the replicates ({name}) hold undefined dissimilarities; leave silent conditions out.")
    return ordered
