"""Spikes times the matrices of their synapses where every device has a matrix of its own.

The copies of a device lie side by side, so that (copy, neuron) is (device, trial, neuron): one batched product for all
devices. Sums are those of the products of a single device up to the order in which a matrix product adds, a relative
difference of about 1e-16 per addend in float64.
"""

import torch
from torch import Tensor

from snncompare.backends.torch.raster import RasterEvents
from snncompare.backends.torch.sparse import SparsePattern, SparseProduct

__all__ = ["DeviceDenseProduct", "DeviceOneToOneProduct", "DeviceProduct", "DeviceSparseProduct"]


class DeviceDenseProduct:
    """Adds spikes times dense matrices (n_devices, n_rows, n_target)."""

    def __init__(self, matrices: Tensor) -> None:
        self.matrices = matrices

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` (copy, n_target) plus `spikes` (copy, n_rows) times the matrix of their device."""
        devices = self.matrices.shape[0]
        before, spikes = before.unflatten(0, (devices, -1)), spikes.unflatten(0, (devices, -1))
        return torch.baddbmm(before, spikes, self.matrices).flatten(0, 1)

    def constant(self) -> "DeviceDenseProduct":
        """Return the same product without a derivative by the matrices."""
        return DeviceDenseProduct(self.matrices.detach())

    def ahead(self, events: RasterEvents, group: int, n_groups: int, n_steps: int) -> Tensor:
        """Return the first steps of a raster times one block of rows, shape (n_steps, copy, n_target)."""
        return events.times_each(self.matrices.unflatten(1, (n_groups, -1))[:, group], n_steps)


class DeviceOneToOneProduct:
    """Adds spikes times diagonal matrices, given as their diagonals (n_devices, n)."""

    def __init__(self, diagonals: Tensor) -> None:
        self.diagonals = diagonals

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` (copy, n) plus `spikes` (copy, n) times the diagonal of their device."""
        devices = self.diagonals.shape[0]
        before, spikes = before.unflatten(0, (devices, -1)), spikes.unflatten(0, (devices, -1))
        return torch.addcmul(before, spikes, self.diagonals[:, None]).flatten(0, 1)

    def constant(self) -> "DeviceOneToOneProduct":
        """Return the same product without a derivative by the diagonals."""
        return DeviceOneToOneProduct(self.diagonals.detach())

    def ahead(self, events: RasterEvents, group: int, n_groups: int, n_steps: int) -> Tensor:
        """Return the first steps of a raster times the diagonals, shape (n_steps, copy, n)."""
        assert (group, n_groups) == (0, 1)
        raster = events.raster[:n_steps].unflatten(1, (self.diagonals.shape[0], -1))
        return (raster * self.diagonals[:, None]).flatten(1, 2)


class DeviceSparseProduct:
    """Adds spikes times sparse matrices with one pattern: a single one with a block for every device.

    Parameters
    ----------
    pattern : SparsePattern
        Of all blocks, see `tiled_entries`.
    values : Tensor, shape (n_devices, n_entries)
    """

    def __init__(self, pattern: SparsePattern, values: Tensor) -> None:
        self._devices, self._pattern, self._given = values.shape[0], pattern, values
        self._product = SparseProduct(pattern, values.flatten())

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` (copy, n_target) plus `spikes` (copy, n_rows) times the matrix of their device."""
        added = self._product.add(self._by_trial(before), self._by_trial(spikes))
        return added.unflatten(1, (self._devices, -1)).transpose(0, 1).flatten(0, 1)

    def constant(self) -> "DeviceSparseProduct":
        """Return the same product without a derivative by the matrices."""
        return DeviceSparseProduct(self._pattern, self._given.detach())

    def _by_trial(self, values: Tensor) -> Tensor:
        """Return (copy, n) as (trial, device * n)."""
        return values.unflatten(0, (self._devices, -1)).transpose(0, 1).flatten(1)


DeviceProduct = DeviceDenseProduct | DeviceOneToOneProduct | DeviceSparseProduct
