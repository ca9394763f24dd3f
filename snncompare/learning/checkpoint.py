"""What training needs to go on after an interruption as if there had been none."""

import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from snncompare.errors import FileError

__all__ = ["Checkpoint"]


@dataclass(frozen=True)
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

    def save(self, state: dict[str, Any]) -> None:
        """Write the state; an interruption while writing leaves the state of the epoch before."""
        if self.path is None:
            return
        unfinished = self.path.with_name(self.path.name + ".part")
        with unfinished.open("wb") as file:
            torch.save({"training": self.training, **state}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, self.path)  # noqa: PTH105 - the atomic one

    def resume(self) -> dict[str, Any] | None:
        """Return the state, or None where there is none.

        Raises
        ------
        FileError
            If the file is no checkpoint, one of another training, or nothing can be written where it is to lie.
        """
        if self.path is None:
            return None
        if not self.path.parent.is_dir() or not os.access(self.path.parent, os.W_OK):
            raise FileError(
                f"the checkpoint '{self.path}' cannot be written: '{self.path.parent}' is no folder that takes files; "
                "make it, or name another file."
            )
        if not self.path.exists():
            return None
        state = _load(self.path)
        if state.get("training") != self.training:
            raise FileError(
                f"the checkpoint '{self.path}' belongs to another training (other network, data, rule or seed); remove "
                "it to begin anew, or name another file."
            )
        return state

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
