"""RDMs of several recordings as one set, with the conditions in one order."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from snncompare.errors import InputError
from snncompare.representation.conditions import unique_labels

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["joined_rdms"]


def joined_rdms(parts: Mapping[str, "RDMs"]) -> "RDMs":
    """Return the RDMs of several recordings as one set, in the first one's order of conditions.

    Conditions are matched by label. Descriptors of RDMs that a part lacks are None there.

    Parameters
    ----------
    parts : mapping of name to rsatoolbox.rdm.RDMs
        The names are used to word refusals only.

    Raises
    ------
    InputError
        If there is no part, or two parts are of different conditions; both sets are shown.
    """
    from rsatoolbox.rdm import RDMs

    if not parts:
        raise InputError("there are no RDMs to join; give at least one recording.")
    (first, leading), *_ = parts.items()
    order = unique_labels(leading.pattern_descriptors["condition"])
    keys = dict.fromkeys(key for part in parts.values() for key in part.rdm_descriptors if key != "index")
    descriptors: dict[str, list[Any]] = {key: [] for key in keys}
    rows, columns = np.triu_indices(len(order), 1)
    vectors = []
    for name, part in parts.items():
        place = _places(first, order, name, unique_labels(part.pattern_descriptors["condition"]))
        matrices = np.asarray(part.get_matrices())[:, place][:, :, place]
        vectors.append(matrices[:, rows, columns])
        for key, values in descriptors.items():
            values += list(part.rdm_descriptors.get(key, [None] * part.n_rdm))
    return RDMs(
        np.concatenate(vectors),
        dissimilarity_measure=leading.dissimilarity_measure,
        rdm_descriptors=descriptors,
        pattern_descriptors={"condition": list(order)},
    )


def _places(first: str, order: tuple[Any, ...], name: str, given: tuple[Any, ...]) -> list[int]:
    if set(given) != set(order):
        raise InputError(
            f"'{name}' has the conditions {list(given)}, but '{first}' has {list(order)}; compare recordings of the "
            "same conditions ('where' keeps some of the trials)."
        )
    return [given.index(label) for label in order]
