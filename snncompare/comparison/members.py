"""RDMs that belong to something larger: sessions to an animal, network instances to a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Members"]

Array = NDArray[np.float64]
Integers = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Members:
    """RDMs and their owners.

    Attributes
    ----------
    vectors : array (n_metrics, n_members, n_pairs)
    owner : integer array (n_members,)
        Position of the animal or model that each belongs to; every owner has one member or more.
    labels : tuple
        Session or seed of each; empty where these are not named.
    """

    vectors: Array
    owner: Integers
    labels: tuple[Any, ...] = ()

    @classmethod
    def single(cls, vectors: Array) -> "Members":
        """Return one member for each owner."""
        return cls(vectors, np.arange(vectors.shape[1]))

    @classmethod
    def joined(cls, parts: "Sequence[Members]") -> "Members":
        """Return the members of several owners behind one another; a member without label has an empty one."""
        labels = [part.labels or ("",) * part.n_members for part in parts]
        return cls(
            np.concatenate([part.vectors for part in parts], axis=1),
            np.concatenate([part.owner for part in parts]),
            tuple(label for given in labels for label in given) if any(part.labels for part in parts) else (),
        )

    @property
    def n_members(self) -> int:
        """Number of RDMs at every metric."""
        return len(self.owner)

    @property
    def number(self) -> Integers:
        """Number of members of each owner."""
        return np.bincount(self.owner)

    @property
    def several(self) -> bool:
        """Whether any owner has two members or more."""
        return bool((self.number > 1).any())

    @property
    def named(self) -> bool:
        """Whether members are labelled or more than owners."""
        return bool(self.labels) or self.several

    @property
    def shares(self) -> Array:
        """Weights that average over the members of each owner, (n_owners, n_members)."""
        return np.eye(len(self.number))[:, self.owner] / self.number[:, None]

    def means(self) -> Array:
        """Return the mean RDM of each owner, (n_metrics, n_owners, n_pairs)."""
        return np.einsum("om,kmp->kop", self.shares, self.vectors) if self.several else self.vectors

    def averaged(self, values: Array, axis: int) -> Array:
        """Return values with their axis of members averaged into an axis of owners."""
        if not self.several:
            return values
        means: Array = np.asarray(np.tensordot(self.shares, values, axes=(1, axis)), dtype=np.float64)
        return np.moveaxis(means, 0, axis)
