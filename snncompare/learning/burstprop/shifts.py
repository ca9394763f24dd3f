"""Pictures that are moved a little each time they are shown."""

import torch
from torch import Tensor
from torch.nn.functional import pad

__all__ = ["shifted"]


def shifted(pictures: Tensor, most: int, random: torch.Generator) -> Tensor:
    """Return each picture moved by a whole number of pixels, at random up to `most` in each direction.

    Parameters
    ----------
    pictures : Tensor
        (batch, channels, height, width); what comes in at a border repeats it.
    most : int
    random : torch.Generator
    """
    n, channels, height, width = pictures.shape
    wide = pad(pictures, (most,) * 4, mode="replicate")
    down, right = torch.randint(0, 2 * most + 1, (2, n, 1, 1, 1), generator=random)
    rows = down + torch.arange(height).reshape(1, 1, -1, 1)
    columns = right + torch.arange(width).reshape(1, 1, 1, -1)
    return wide[torch.arange(n).reshape(-1, 1, 1, 1), torch.arange(channels).reshape(1, -1, 1, 1), rows, columns]
