"""The synapses of a projection as nodes of NIR: delays, and a weight matrix, a convolution or a factor per neuron."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.connections import Connections
from snncompare.backends.draw_values import generator
from snncompare.backends.draw_wiring import Ends, draw_pairs
from snncompare.backends.nir.cells import MAX_NUMBERS, Numbers
from snncompare.errors import UnsupportedError
from snncompare.network.wiring import Convolution, Wiring

__all__ = ["Branch", "branches", "is_convolution"]

MAX_DELAYS = 1_000
"""Different delays of single synapses that a projection may have; each needs a weight matrix of its own."""


@dataclass(frozen=True, eq=False)
class Branch:
    """Nodes in a row, from the source to the target; `before` and `after` are delays in seconds, or None."""

    before: Numbers | None
    weights: Any
    after: Numbers | None = None


def is_convolution(connections: Connections, wiring: Wiring, ends: Ends) -> bool:
    """Return whether the synapses are those of the convolution that the description asks for, all of them."""
    if not isinstance(wiring, Convolution) or connections.shared is None:
        return False
    (source, target), shared = draw_pairs(wiring, ends, generator(0, ""))
    same_ends = np.array_equal(connections.source, source) and np.array_equal(connections.target, target)
    return same_ends and np.array_equal(connections.shared, np.asarray(shared))


def convolution_node(connections: Connections, wiring: Convolution, scale: float) -> Any:
    """Return a node of NIR with the kernel times `scale`.

    Raises
    ------
    UnsupportedError
        For a kernel of two axes that is not square, of which the reference implementation computes a wrong size.
    """
    import nir

    if len(set(wiring.kernel)) > 1:
        raise UnsupportedError(f"a kernel of {' x '.join(map(str, wiring.kernel))} is not square, as NIR has it")
    kernel = np.zeros(wiring.channels_out * wiring.fan_in)
    kernel[: connections.kernel.size] = connections.kernel
    weight = scale * kernel.reshape(wiring.channels_out, wiring.channels_in, *wiring.kernel)
    bias = np.zeros(wiring.channels_out)
    if len(wiring.kernel) == 1:
        return nir.Conv1d(wiring.input_shape[0], weight, wiring.stride, wiring.padding, 1, 1, bias)
    return nir.Conv2d(wiring.input_shape, weight, wiring.stride, wiring.padding, 1, 1, bias)


def branches(
    connections: Connections, steps: NDArray[np.int64], dt: float, factor: Numbers, shapes: tuple[Any, Any]
) -> list[Branch]:
    """Return the rows of nodes that together are the synapses of a projection.

    One row is enough if all synapses of a source neuron, or of a target neuron, have the same delay; otherwise each
    delay has its own.

    Parameters
    ----------
    connections : Connections
    steps : int array, shape () or (n_synapses,)
        Delays in time steps.
    dt : float
        Time step in seconds.
    factor : array (n_target,)
        By which weights are multiplied.
    shapes : tuple of tuple
        Shapes of the source and of the target population.

    Raises
    ------
    UnsupportedError
        If there are too many different delays or numbers.
    """
    steps = np.broadcast_to(steps, (connections.n_synapses,))
    ends = ((connections.source, shapes[0]), (connections.target, shapes[1]))
    by_source, by_target = (_by_neuron(steps, neuron, shape) for neuron, shape in ends)
    if by_source is not None:
        before = dt * by_source.astype(np.float64) if by_source.any() else None
        return [Branch(before, _weights(connections, factor, shapes))]
    if by_target is not None:
        return [Branch(None, _weights(connections, factor, shapes), dt * by_target.astype(np.float64))]
    delays = np.unique(steps)
    numbers = delays.size * math.prod(connections.shape)
    if delays.size > MAX_DELAYS or numbers > MAX_NUMBERS:
        raise UnsupportedError(
            f"its synapses have {delays.size:,} different delays, each of which needs a weight matrix, {numbers:,} "
            f"numbers in all; {MAX_DELAYS:,} delays and {MAX_NUMBERS:,} numbers are allowed"
        )
    return list(_one_for_each(connections, steps, delays, dt, factor, shapes))


def _one_for_each(
    connections: Connections,
    steps: NDArray[np.int64],
    delays: NDArray[np.int64],
    dt: float,
    factor: Numbers,
    shapes: tuple[Any, Any],
) -> Iterator[Branch]:
    for delay in delays:
        late = steps == delay
        part = Connections(
            connections.shape, connections.source[late], connections.target[late], connections.weight[late]
        )
        before = np.full(shapes[0], delay * dt) if delay else None
        yield Branch(before, _weights(part, factor, shapes))


def _by_neuron(steps: NDArray[np.int64], neuron: NDArray[np.int64], shape: Any) -> NDArray[np.int64] | None:
    """Return one delay for each neuron if its synapses all have the same."""
    found = np.zeros(math.prod(shape), dtype=np.int64)
    found[neuron] = steps
    return found.reshape(shape) if (found[neuron] == steps).all() else None


def _weights(connections: Connections, factor: Numbers, shapes: tuple[Any, Any]) -> Any:
    import nir

    n_source, n_target = connections.shape
    one_to_one = shapes[0] == shapes[1] and np.array_equal(connections.source, connections.target)
    if one_to_one and np.unique(connections.source).size == connections.n_synapses:
        scale = np.zeros(n_source)
        scale[connections.source] = connections.weight
        return nir.Scale((scale * factor).reshape(shapes[0]))
    if n_source * n_target > MAX_NUMBERS:
        raise UnsupportedError(
            f"NIR has dense weights only, {n_source * n_target:,} numbers here; {MAX_NUMBERS:,} are allowed"
        )
    if len(shapes[1]) > 1:
        raise UnsupportedError("its target is arranged in channels for a convolution, and weight matrices end on a row")
    return nir.Linear(np.ascontiguousarray((connections.dense() * factor).T))
