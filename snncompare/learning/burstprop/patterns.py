"""Examples with labels, as a network of ensembles learns them."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snncompare import provenance
from snncompare.errors import InputError
from snncompare.learning.burstprop.network import BurstNetwork

__all__ = ["Patterns"]


@dataclass(frozen=True, eq=False)
class Patterns:
    """Inputs and their classes.

    Parameters
    ----------
    inputs : array, shape (n, *shape)
        Finite numbers; as they drive the first layer.
    labels : array of whole numbers, shape (n,)
        0 to ``n_classes - 1``.
    n_classes : int
    """

    inputs: NDArray[Any]
    labels: NDArray[Any]
    n_classes: int = 10

    def __post_init__(self) -> None:
        inputs, labels = np.asarray(self.inputs), np.asarray(self.labels)
        if inputs.ndim < 2 or labels.ndim != 1 or len(inputs) != len(labels) or not len(labels):
            raise InputError(
                f"patterns are inputs (n, ...) and labels (n,), at least one of each, got shapes {inputs.shape} and "
                f"{labels.shape}."
            )
        if inputs.dtype.kind not in "fiu" or not np.isfinite(inputs).all():
            raise InputError(f"inputs of patterns must be finite numbers, got {inputs.dtype}.")
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= self.n_classes:
            raise InputError(
                f"labels of patterns must be whole numbers from 0 to {self.n_classes - 1}, got {labels.dtype} from "
                f"{labels.min()} to {labels.max()}."
            )
        object.__setattr__(self, "inputs", inputs)
        object.__setattr__(self, "labels", labels)

    def __len__(self) -> int:
        return len(self.labels)

    def for_network(self, network: BurstNetwork) -> tuple[Tensor, Tensor]:
        """Return the inputs as the network takes them, and the labels.

        Raises
        ------
        InputError
            If the network has other inputs or outputs.
        """
        shape = tuple(self.inputs.shape[1:])
        if shape != network.inputs or self.n_classes != network.n_outputs:
            raise InputError(
                f"the network has inputs {network.inputs} and {network.n_outputs} outputs, the patterns inputs {shape} "
                f"and {self.n_classes} classes."
            )
        inputs = torch.from_numpy(np.ascontiguousarray(self.inputs)).to(network.torch_dtype)
        return inputs, torch.from_numpy(self.labels.astype(np.int64))

    def fingerprint(self) -> str:
        """Return a hash of everything."""
        content = np.ascontiguousarray(self.inputs).tobytes() + self.labels.astype(np.int64).tobytes()
        return provenance.fingerprint(
            [list(self.inputs.shape), str(self.inputs.dtype), self.n_classes, hashlib.sha256(content).hexdigest()]
        )
