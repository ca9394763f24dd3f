"""The synapses of a projection sorted for the spikes of both ends."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.connections import Connections

__all__ = ["Wiring", "wiring_of"]


@dataclass(frozen=True)
class Wiring:
    """Synapses by source neuron and delay, and by target neuron.

    Attributes
    ----------
    number, groups : int
        Of synapses, and of different delays.
    order : int64 array (n_synapses,)
        Which synapse of the connections each one is.
    short : mapping
        int32 arrays: ``sources`` and ``targets`` (n_synapses,); ``synapses post``, the synapses sorted by target.
    long : mapping
        int64 arrays: ``delays`` in steps, longest first; ``first synapse pre`` (n_source * groups + 1,), where the
        synapses of a source neuron with one delay begin; ``first synapse post`` (n_target + 1,).
    """

    number: int
    groups: int
    order: NDArray[np.int64]
    short: dict[str, NDArray[Any]]
    long: dict[str, NDArray[Any]]


def wiring_of(connections: Connections, steps: NDArray[np.int64], *, by_target: bool) -> Wiring:
    """Return the wiring of synapses with delays in steps, one for all (shape ()) or one for each.

    Parameters
    ----------
    connections : Connections
    steps : int64 array, shape () or (n_synapses,)
    by_target : bool
        Whether spikes of the target neurons visit the synapses too.
    """
    n_source, n_target = connections.shape
    different = np.unique(steps)[::-1] if steps.size else np.zeros(1, dtype=np.int64)
    group = np.broadcast_to(np.searchsorted(-different, -steps), connections.n_synapses)
    key = connections.source * different.size + group
    order = np.argsort(key, kind="stable")
    source, target = (array[order].astype(np.int32) for array in (connections.source, connections.target))
    first = np.searchsorted(key[order], np.arange(n_source * different.size + 1))
    short = {"sources": source, "targets": target}
    long = {"delays": different, "first synapse pre": first}
    if by_target:
        rank = np.empty_like(order)
        rank[order] = np.arange(order.size)
        visited = np.argsort(connections.target, kind="stable")  # in the order of the connections
        short["synapses post"] = rank[visited].astype(np.int32)
        long["first synapse post"] = np.searchsorted(connections.target[visited], np.arange(n_target + 1))
    return Wiring(order.size, different.size, order, short, long)
