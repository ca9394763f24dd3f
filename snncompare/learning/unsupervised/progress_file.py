"""Where an interrupted training by presentations goes on."""

import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.presenter import Presenter
from snncompare.errors import FileError, InputError
from snncompare.number_archive import read_arrays, write_arrays

__all__ = ["ProgressFile"]

_MOST_BYTES, _MOST_ARRAYS = 1 << 32, 1_000


@dataclass(frozen=True)
class ProgressFile:
    """Weights, kept values and history after some presentations; numbers only.

    Parameters
    ----------
    path : Path or None
        None keeps nothing.
    training : str
        Fingerprint of what determines the outcome.
    """

    path: Path | None
    training: str

    def save(self, presenter: Presenter, finished: int, rows: list[dict[str, float]]) -> None:
        """Write the state; an interruption while writing leaves the one before."""
        if self.path is None:
            return
        arrays = {"training": self._mark(), "finished": np.array([finished])}
        arrays |= {f"row {name}": np.array([row[name] for row in rows]) for name in rows[0]}
        arrays |= _parts(presenter)
        unfinished = self.path.with_name(self.path.name + ".part")
        write_arrays(unfinished, arrays)
        os.replace(unfinished, self.path)  # noqa: PTH105 - the atomic one

    def resume(self, presenter: Presenter) -> tuple[int, list[dict[str, float]]]:
        """Restore the state if there is one; return how many presentations are over, and the history.

        Raises
        ------
        FileError
            If the file is no such state, or one of another training.
        """
        if self.path is None or not self.path.exists():
            return 0, []
        try:
            arrays = read_arrays(self.path, _MOST_BYTES, _MOST_ARRAYS)
        except (InputError, OSError, ValueError, BadZipFile, EOFError) as error:
            raise FileError(f"'{self.path}' is no checkpoint of a training by presentations: {error}") from error
        if not np.array_equal(arrays.get("training", ()), self._mark()):
            raise FileError(
                f"the checkpoint '{self.path}' belongs to another training (other network, data, rule or seed); remove "
                "it to begin anew, or name another file."
            )
        for name, array in _parts(presenter).items():
            array[:] = arrays[name]
        names = [name for name in arrays if name.startswith("row ")]
        columns = [arrays[name].tolist() for name in names]
        keys = [name.removeprefix("row ") for name in names]
        return int(arrays["finished"][0]), [dict(zip(keys, row, strict=True)) for row in zip(*columns, strict=True)]

    def remove(self) -> None:
        """Delete the file after training is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _mark(self) -> NDArray[np.uint8]:
        return np.frombuffer(sha256(self.training.encode()).digest(), dtype=np.uint8)


def _parts(presenter: Presenter) -> dict[str, NDArray[np.float64]]:
    """Return the arrays themselves, not copies."""
    parts = {f"weights {name}": weight for name, weight in presenter.weights.items()}
    return parts | {f"value {name} {key}": value for (name, key), value in presenter.values.items()}
