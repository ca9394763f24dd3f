"""What the nodes of NIR without state do to a signal: weights, convolutions, pooling, factors, delays, shapes."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from snncompare.backends.connections import finite_numbers
from snncompare.backends.nir.cells import MAX_NUMBERS, Numbers
from snncompare.backends.nir.signals import Kernel, Signal
from snncompare.errors import DescriptionError, InputError, UnsupportedError
from snncompare.network.wiring import Convolution

__all__ = ["LINEAR", "numbers_of", "shape_behind", "through"]

LINEAR = (
    "Affine", "AvgPool2d", "Conv1d", "Conv2d", "Delay", "Flatten", "Input", "Linear", "Output", "Scale", "SumPool2d",
)  # fmt: skip
"""Nodes without state; the input of a subgraph and every output pass on what they get."""


def numbers_of(node: Any, name: str) -> Numbers:
    """Return a parameter of a node as float64.

    Raises
    ------
    InputError
        If it is not an array of finite real numbers.
    """
    found = finite_numbers(getattr(node, name), name)
    if found.size > MAX_NUMBERS:
        raise InputError(f"{name} has {found.size:,} numbers; {MAX_NUMBERS:,} are read")
    return found


def shape_behind(node: Any, shape: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Return the shape of what a linear node sends, given that of what it gets; None while that cannot be told.

    Raises
    ------
    InputError
        If the node cannot take such a signal.
    """
    match type(node).__name__:
        case "Affine" | "Linear":
            return (_matrix(node).shape[0],)
        case "Scale" | "Delay" as kind:
            own = numbers_of(node, kind.lower()).shape
            return own if math.prod(own) > 1 else shape
        case _ if shape is None:
            return None
        case "Flatten":
            return _flattened(node, shape)
        case "Conv1d" | "Conv2d":
            weight = _kernel(node, shape)
            return weight.shape[0], *_places(node, shape[1:], weight.shape[2:])
        case "SumPool2d" | "AvgPool2d":
            return shape[0], *_places(node, _plane(shape), _whole(node, "kernel_size", 2))
        case _:
            return shape


def through(node: Any, name: str, signal: Signal) -> Signal:
    """Return a signal behind a linear node.

    Raises
    ------
    InputError
        If the node cannot take such a signal, or is too large.
    UnsupportedError
        For padded average pooling.
    """
    shape = shape_behind(node, signal.shape)
    assert shape is not None
    match type(node).__name__:
        case "Affine" | "Linear" as kind:
            weight = _matrix(node)
            if signal.shape != (weight.shape[1],):
                raise InputError(f"takes {weight.shape[1]} numbers, and a signal arrives of the shape {signal.shape}")
            sent = signal.weighted(sparse.csr_array(weight), shape, name)
            return sent.plus(np.broadcast_to(numbers_of(node, "bias"), shape)) if kind == "Affine" else sent
        case "Scale":
            scale = _for_each(numbers_of(node, "scale"), signal)
            return signal.weighted(sparse.csr_array(sparse.diags_array(scale)), shape, name)
        case "Delay":
            delay = _for_each(numbers_of(node, "delay"), signal)
            if delay.min(initial=0.0) < 0:
                raise InputError("delay must not be negative")
            return signal.delayed(delay)
        case "Conv1d" | "Conv2d":
            return _convolved(node, name, signal, shape)
        case "SumPool2d" | "AvgPool2d" as kind:
            return _pooled(node, name, signal, shape, mean=kind == "AvgPool2d")
        case _:
            return signal.reshaped(shape)


def _matrix(node: Any) -> Numbers:
    weight = numbers_of(node, "weight")
    if weight.ndim != 2 or not weight.size:
        raise InputError(f"weight must be a matrix, got the shape {weight.shape}")
    return weight


def _for_each(given: Numbers, signal: Signal) -> Numbers:
    if given.size > 1 and given.shape != signal.shape:
        raise InputError(f"has numbers of the shape {given.shape}, and a signal arrives of the shape {signal.shape}")
    return np.broadcast_to(given.ravel(), (signal.constant.size,))


def _whole(node: Any, name: str, axes: int) -> tuple[int, ...]:
    """Return whole numbers, one for each axis; one number counts for all."""
    given = np.atleast_1d(finite_numbers(getattr(node, name), name)).ravel()
    if given.size not in (1, axes) or (given != np.round(given)).any() or given.min() < 0 or given.max() > 1_000_000:
        raise InputError(f"{name} must be {axes} whole numbers, got {given[:4].tolist()}")
    return tuple(int(number) for number in np.broadcast_to(given, (axes,)))


def _plane(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) != 3:
        raise InputError(f"takes channels, height and width, and a signal arrives of the shape {shape}")
    return shape[1:]


def _flattened(node: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    start, end = (int(finite_numbers(getattr(node, name), name)) for name in ("start_dim", "end_dim"))
    start, end = start % len(shape), end % len(shape)
    if start > end:
        raise InputError(f"cannot flatten the axes {start} to {end} of the shape {shape}")
    return *shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]


def _kernel(node: Any, shape: tuple[int, ...]) -> Numbers:
    weight, axes = numbers_of(node, "weight"), 1 if type(node).__name__ == "Conv1d" else 2
    if weight.ndim != 2 + axes or not weight.size or len(shape) != 1 + axes:
        raise InputError(f"has a kernel of the shape {weight.shape}, and a signal arrives of the shape {shape}")
    (groups,) = _whole(node, "groups", 1)
    if groups < 1 or shape[0] != weight.shape[1] * groups or weight.shape[0] % groups:
        raise InputError(f"has a kernel for {weight.shape[1]} channels in {groups} groups, and {shape[0]} arrive")
    return weight


def _grid(node: Any, kernel: tuple[int, ...]) -> list[tuple[int, int, int, int]]:
    """Return stride, dilation, and padding before and behind, for each axis."""
    axes = len(kernel)
    stride = _whole(node, "stride", axes)
    dilation = _whole(node, "dilation", axes) if hasattr(node, "dilation") else (1,) * axes
    if 0 in stride or 0 in dilation:
        raise InputError("stride and dilation must not be zero")
    match node.padding if isinstance(node.padding, str) else None:
        case "valid":
            before = after = (0,) * axes
        case "same":
            if set(stride) != {1}:
                raise InputError("padding 'same' needs a stride of 1")
            both = [step * (k - 1) for step, k in zip(dilation, kernel, strict=True)]
            before, after = tuple(n // 2 for n in both), tuple(n - n // 2 for n in both)
        case _:
            before = after = _whole(node, "padding", axes)
    return list(zip(stride, dilation, before, after, strict=True))


def _places(node: Any, given: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[int, ...]:
    found = []
    for n, k, (stride, dilation, before, after) in zip(given, kernel, _grid(node, kernel), strict=True):
        room = n + before + after - dilation * (k - 1) - 1
        if k < 1 or room < 0:
            raise InputError(f"has a kernel of {k}, which does not fit into {n}")
        found.append(room // stride + 1)
    return tuple(found)


def _taps(node: Any, given: tuple[int, ...], kernel: tuple[int, ...]) -> tuple[NDArray[np.int64], ...]:
    """Return, as flat numbers, which place of the input each place of the output sees through which kernel entry."""
    seen, place, entry = (np.zeros(1, dtype=np.int64) for _ in range(3))
    axes = zip(given, kernel, _places(node, given, kernel), _grid(node, kernel), strict=True)
    for n, k, m, (stride, dilation, before, _) in axes:
        _check_number(place.size * m * k)
        here, tap = (grid.ravel() for grid in np.indices((m, k)))
        source = here * stride + tap * dilation - before
        inside = (source >= 0) & (source < n)
        seen = (seen[:, None] * n + source[inside]).ravel()
        place = (place[:, None] * m + here[inside]).ravel()
        entry = (entry[:, None] * k + tap[inside]).ravel()
    return seen, place, entry


def _check_number(numbers: int) -> None:
    if numbers > MAX_NUMBERS:
        raise InputError(f"has {numbers:,} weights when written out; {MAX_NUMBERS:,} are read")


def _convolved(node: Any, name: str, signal: Signal, shape: tuple[int, ...]) -> Signal:
    weight, given = _kernel(node, signal.shape), signal.shape[1:]
    seen, place, entry = _taps(node, given, weight.shape[2:])
    (groups,), n_in, n_out = _whole(node, "groups", 1), math.prod(given), math.prod(shape[1:])
    _check_number(seen.size * weight.shape[0] * weight.shape[1])
    into, of_group = (grid.ravel() for grid in np.indices(weight.shape[:2]))
    out_of = into // (weight.shape[0] // groups) * weight.shape[1] + of_group
    row = (into[:, None] * n_out + place).ravel()
    column = (out_of[:, None] * n_in + seen).ravel()
    of_kernel = ((into * weight.shape[1] + of_group)[:, None] * math.prod(weight.shape[2:]) + entry).ravel()
    order = np.lexsort((column, row))
    counts = np.bincount(row, minlength=math.prod(shape))
    matrix = sparse.csr_array(
        (weight.ravel()[of_kernel[order]], column[order], np.append(0, np.cumsum(counts))),
        shape=(math.prod(shape), math.prod(signal.shape)),
    )
    wiring = _wiring(node, signal.shape, weight)
    kernel = Kernel(wiring, of_kernel[order]) if wiring is not None and wiring.output_shape == shape[1:] else None
    bias = np.repeat(np.broadcast_to(numbers_of(node, "bias"), shape[:1]), n_out)
    return signal.weighted(matrix, shape, name, kernel).plus(bias)


def _wiring(node: Any, given: tuple[int, ...], weight: Numbers) -> Convolution | None:
    """Return the convolution as our descriptions have it: no groups, no dilation, the same along all axes."""
    grid = set(_grid(node, weight.shape[2:]))
    ((stride, dilation, before, after), *others) = grid
    if others or dilation != 1 or before != after or _whole(node, "groups", 1) != (1,):
        return None
    try:
        return Convolution(
            input_shape=given[1:],
            kernel=weight.shape[2:],
            channels_in=given[0],
            channels_out=weight.shape[0],
            stride=stride,
            padding=before,
        )
    except DescriptionError:
        return None


def _pooled(node: Any, name: str, signal: Signal, shape: tuple[int, ...], *, mean: bool) -> Signal:
    kernel, plane = _whole(node, "kernel_size", 2), _plane(signal.shape)
    if mean and any(before for _, _, before, _ in _grid(node, kernel)):
        raise UnsupportedError("is average pooling with padding, which NIR does not define")
    seen, place, _ = _taps(node, plane, kernel)
    _check_number(seen.size * shape[0])
    one = sparse.csr_array(
        (np.full(seen.size, 1 / math.prod(kernel) if mean else 1.0), (place, seen)),
        shape=(math.prod(shape[1:]), math.prod(plane)),
    )
    return signal.weighted(sparse.csr_array(sparse.block_diag([one] * shape[0])), shape, name)
