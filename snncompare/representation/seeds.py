"""RDMs of several networks that differ in nothing but their seed, as one model."""

from collections.abc import Hashable, Mapping
from typing import TYPE_CHECKING

from snncompare.representation.joined import joined_rdms

if TYPE_CHECKING:
    from rsatoolbox.rdm import RDMs

__all__ = ["join_seeds"]


def join_seeds(rdms: "Mapping[Hashable, RDMs]") -> "RDMs":
    """Return the RDMs of network instances as one model for `compare`, told apart by ``rdm_descriptors["seed"]``.

    Parameters
    ----------
    rdms : mapping
        Seed to the RDMs of that network, all of the same conditions, which are matched by label.

    Raises
    ------
    InputError
        If there is none, or they are not of the same conditions.
    """
    joined = joined_rdms({f"seed {seed}": each for seed, each in rdms.items()})
    joined.rdm_descriptors["seed"] = [str(seed) for seed, each in rdms.items() for _ in range(each.n_rdm)]
    return joined
