"""A projection through one kernel as PyTorch's convolution."""

import torch
from torch import Tensor

from snncompare.network.wiring import Convolution

__all__ = ["ConvolutionProduct"]


class ConvolutionProduct:
    """Adds the convolution of spikes with a kernel.

    Parameters
    ----------
    wiring : Convolution
    kernel : Tensor, shape (channels_out, channels_in, *wiring.kernel)
    """

    def __init__(self, wiring: Convolution, kernel: Tensor) -> None:
        self._wiring, self._kernel = wiring, kernel
        self._convolve = torch.nn.functional.conv1d if len(wiring.kernel) == 1 else torch.nn.functional.conv2d

    def add(self, before: Tensor, spikes: Tensor) -> Tensor:
        """Return `before` (batch, n_target) plus what `spikes` (batch, n_source) send."""
        return before + self.sent(spikes)

    def constant(self) -> "ConvolutionProduct":
        """Return the same product without a derivative by the kernel."""
        return ConvolutionProduct(self._wiring, self._kernel.detach())

    def sent(self, spikes: Tensor) -> Tensor:
        """Return what `spikes` (rows, n_source) send, shape (rows, n_target)."""
        wiring = self._wiring
        image = spikes.reshape(-1, wiring.channels_in, *wiring.input_shape)
        return self._convolve(
            image.to(self._kernel.dtype), self._kernel, stride=wiring.stride, padding=wiring.padding
        ).flatten(1)
