"""What training needs to go on after an interruption as if there had been none."""

import os
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch

from snncompare.backends.torch.module import TorchNetwork
from snncompare.errors import FileError
from snncompare.learning.optimiser import Optimiser

__all__ = ["Checkpoint"]


@dataclass
class Checkpoint:
    """A file that holds the state after the last finished epoch.

    Parameters
    ----------
    path : Path or None
        Where it lies; None keeps nothing.
    training : str
        Fingerprint of everything that determines the outcome; a checkpoint of another training is refused.
    """

    path: Path | None
    training: str
    rows: list[dict[str, float]] = field(default_factory=list)

    def save(self, module: TorchNetwork, optimiser: Optimiser, rng: np.random.Generator) -> None:
        """Write the state; an interruption while writing leaves the state of the epoch before."""
        if self.path is None:
            return
        state = {
            "training": self.training,
            "rows": self.rows,
            "weights": module.state_dict(),
            "optimiser": optimiser.state,
            "rng": rng.bit_generator.state,
        }
        unfinished = self.path.with_name(self.path.name + ".part")
        torch.save(state, unfinished)
        os.replace(unfinished, self.path)  # noqa: PTH105 - the atomic one

    def resume(self, module: TorchNetwork, optimiser: Optimiser, rng: np.random.Generator) -> int:
        """Restore the state if there is one, and return the number of epochs that are finished.

        Raises
        ------
        FileError
            If the file is no checkpoint, or one of another training.
        """
        if self.path is None or not self.path.exists():
            return 0
        state = _load(self.path)
        if state.get("training") != self.training:
            raise FileError(
                f"the checkpoint '{self.path}' belongs to another training (other network, data, rule or seed); remove "
                "it to begin anew, or name another file."
            )
        module.load_state_dict(state["weights"])
        optimiser.state = state["optimiser"]
        rng.bit_generator.state = state["rng"]
        self.rows[:] = state["rows"]
        return len(self.rows)

    def remove(self) -> None:
        """Delete the file after training is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _load(path: Path) -> dict[str, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # about the pickle protocol of a file that is then refused
            state = torch.load(path, weights_only=True)
    except (OSError, RuntimeError, EOFError, UnpicklingError, ValueError, KeyError) as error:
        raise FileError(f"'{path}' is no checkpoint of a training: {' '.join(str(error).split())[:120]}") from error
    if not isinstance(state, dict):
        raise FileError(f"'{path}' is no checkpoint of a training.")
    return state
