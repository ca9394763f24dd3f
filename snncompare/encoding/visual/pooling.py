"""Weights with which cells collect the pixels of a movie, at the resolution that each Gaussian needs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["Blocks", "blocks_of", "gaussian_weights", "level_for", "weighted"]

_BLOCKS_PER_RADIUS = 2.0
_REACH = 2.4


@dataclass(frozen=True, eq=False)
class Blocks:
    """Square blocks of ``2 ** level`` pixels, from the upper left corner on.

    The value of a block is an average that falls off linearly to zero at one block's width from its middle, so that
    gratings finer than blocks leave next to nothing (sinc squared).

    ``matrix``: sparse, shape (n_blocks, n_given), or None where they are what is given. ``x``, ``y``: edges of columns
    and rows of blocks in degrees from the middle of the picture, y upwards.
    """

    matrix: Any
    x: NDArray[np.float64]
    y: NDArray[np.float64]


def level_for(radius: float, degrees_per_pixel: float, shape: tuple[int, int]) -> int:
    """Return the coarsest level whose blocks are half of the radius or less, 0 where pixels are coarser than that."""
    largest = int(np.floor(np.log2(max(shape))))
    return int(np.clip(np.floor(np.log2(radius / (_BLOCKS_PER_RADIUS * degrees_per_pixel))), 0, largest))


def blocks_of(shape: tuple[int, int], degrees_per_pixel: float, level: int, given: int = 0) -> Blocks:
    """Return the blocks of a picture of ``shape`` (height, width), made of the blocks of level ``given``."""
    from scipy.sparse import csr_array, kron

    height, width = shape
    matrix = None
    if level > given:
        down, along = (csr_array(_tents(n, level, given)) for n in (height, width))
        matrix = csr_array(kron(down, along))
    x, y = _edges(width, level), _edges(height, level)
    return Blocks(matrix, (x - 0.5 * width) * degrees_per_pixel, (0.5 * height - y) * degrees_per_pixel)


def _edges(n_pixels: int, level: int) -> NDArray[np.float64]:
    """Return the edges of blocks along one side; the last block may be cut off."""
    return np.minimum(np.arange(-(-n_pixels // 2**level) + 1) * 2.0**level, n_pixels)


def _tents(n_pixels: int, level: int, given: int) -> NDArray[np.float64]:
    """Return the weight of each given block in each block along one side, rows of sum 1."""
    coarse, fine = _edges(n_pixels, level), _edges(n_pixels, given)
    middles, inputs = 0.5 * (coarse[1:] + coarse[:-1]), 0.5 * (fine[1:] + fine[:-1])
    tents = np.maximum(1.0 - abs(middles[:, np.newaxis] - inputs) / 2.0**level, 0.0) * np.diff(fine)
    return tents / tents.sum(axis=1, keepdims=True)


def gaussian_weights(
    places: NDArray[np.float64],
    radii: NDArray[np.float64],
    blocks: Blocks,
    widths: tuple[float, float],
    strength: float,
) -> Any:
    r"""Return the integral of each cell's Gaussian over each block, sparse, shape (n_cells, n_blocks).

    Averaging pixels of width p over blocks of width w (:math:`w^2 / 6 - p^2 / 12`), and a Gaussian over blocks
    (:math:`w^2 / 12 - p^2 / 12`), adds to the variance of the Gaussian, :math:`r^2 / 2`. A Gaussian narrower by that
    much, :math:`r'^2 = r^2 - w^2 / 2 + p^2 / 2`, is taken instead.

    Weights beyond 2.4 radii are left out, and the rest made to sum to the whole plane's integral less what lies
    outside the picture: there the light is grey, whose contrast is zero.

    Parameters
    ----------
    places : array, shape (n_cells, 2)
        Degrees from the middle of the picture, x to the right, y upwards.
    radii : array, shape (n_cells,)
        Where the Gaussians fall to 1/e, degrees.
    blocks : Blocks
    widths : (float, float)
        w and p, degrees.
    strength : float
        Integral over the whole plane.
    """
    from scipy.sparse import csr_array
    from scipy.special import erf

    n_rows, n_columns = blocks.y.size - 1, blocks.x.size - 1
    indices, values, pointers = [], [], [0]
    narrowed = np.sqrt(radii**2 - (widths[0] ** 2 - widths[1] ** 2) / 2.0)
    whole = strength / erf(_REACH) ** 2
    for (x, y), radius in zip(places, narrowed, strict=True):
        column = _span(blocks.x, x, _REACH * radius)
        row = _span(-blocks.y, -y, _REACH * radius)
        along = 0.5 * np.diff(erf(np.clip((blocks.x[column[0] : column[1] + 1] - x) / radius, -_REACH, _REACH)))
        down = -0.5 * np.diff(erf(np.clip((blocks.y[row[0] : row[1] + 1] - y) / radius, -_REACH, _REACH)))
        values.append((whole * np.outer(down, along)).ravel())
        indices.append((np.arange(*row)[:, np.newaxis] * n_columns + np.arange(*column)).ravel())
        pointers.append(pointers[-1] + values[-1].size)
    shape = (len(places), n_rows * n_columns)
    if not values:
        return csr_array(shape)
    return csr_array((np.concatenate(values), np.concatenate(indices), np.asarray(pointers)), shape=shape)


def _span(edges: NDArray[np.float64], at: float, reach: float) -> tuple[int, int]:
    """Return the first block and one past the last within reach, given rising edges."""
    begin = int(np.searchsorted(edges, at - reach, side="right")) - 1
    end = int(np.searchsorted(edges, at + reach, side="left"))
    last = edges.size - 1
    begin = min(max(begin, 0), last)
    return begin, max(min(end, last), begin)


def weighted(weights: Any, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return sums of rows, shape (n_cells, n_steps), given sparse weights, shape (n_cells, n_rows)."""
    sums = np.zeros((weights.shape[0], values.shape[1]))
    _add_rows(weights.indptr, weights.indices, weights.data, np.ascontiguousarray(values), sums)
    return sums


@njit(cache=True)
def _add_rows(pointers, indices, weights, values, sums):  # type: ignore[no-untyped-def] # pragma: no cover
    """Add weighted rows of `values`, four at a time, to the rows of `sums`."""
    n_steps = values.shape[1]
    for cell in range(sums.shape[0]):
        total, k, end = sums[cell], pointers[cell], pointers[cell + 1]
        while k + 4 <= end:
            a, b, c, d = values[indices[k]], values[indices[k + 1]], values[indices[k + 2]], values[indices[k + 3]]
            p, q, r, s = weights[k], weights[k + 1], weights[k + 2], weights[k + 3]
            for step in range(n_steps):
                total[step] += p * a[step] + q * b[step] + r * c[step] + s * d[step]
            k += 4
        while k < end:
            a, p = values[indices[k]], weights[k]
            for step in range(n_steps):
                total[step] += p * a[step]
            k += 1
