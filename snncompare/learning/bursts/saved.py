"""A file from which an interrupted simulation goes on with the same bits; numbers only."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from snncompare.backends.simulation import Simulation
from snncompare.errors import FileError, InputError
from snncompare.number_archive import read_arrays, write_arrays

__all__ = ["SavedSimulation"]

_MOST_BYTES, _MOST_ARRAYS = 1 << 33, 10_000
_STATE, _TABLE = "state ", "table "
_MARK = "experiment"


@dataclass(frozen=True)
class SavedSimulation:
    """The whole state of a simulation, and what was measured so far.

    Parameters
    ----------
    path : Path or None
        None keeps nothing.
    experiment : str
        Fingerprint of everything that decides the outcome.
    """

    path: Path | None
    experiment: str

    def save(self, simulation: Simulation, tables: Mapping[str, NDArray[np.float64]]) -> None:
        """Write the state; an interruption while writing leaves the one before."""
        if self.path is None:
            return
        arrays: dict[str, NDArray[Any]] = {_MARK: self._mark()}
        arrays |= {_STATE + name: array for name, array in simulation.state().items()}
        arrays |= {_TABLE + name: np.asarray(array, dtype=np.float64) for name, array in tables.items()}
        unfinished = self.path.with_name(self.path.name + ".part")
        write_arrays(unfinished, arrays)
        os.replace(unfinished, self.path)  # noqa: PTH105 - the atomic one

    def resume(self, simulation: Simulation) -> dict[str, NDArray[np.float64]]:
        """Restore the simulation if there is something to restore, and return the tables; else nothing.

        Raises
        ------
        FileError
            If the file is no such state, one of another experiment, or nothing can be written where it is to lie.
        """
        if self.path is None:
            return {}
        if not self.path.parent.is_dir():
            raise FileError(
                f"'{self.path.parent}' is no folder, so the checkpoint '{self.path.name}' cannot lie there."
            )
        if not self.path.exists():
            return {}
        try:
            arrays = read_arrays(self.path, _MOST_BYTES, _MOST_ARRAYS)
        except (InputError, OSError, ValueError, BadZipFile, EOFError) as error:
            raise FileError(f"'{self.path}' is no checkpoint of a simulation: {error}") from error
        if not np.array_equal(arrays.get(_MARK, ()), self._mark()):
            raise FileError(
                f"the checkpoint '{self.path}' belongs to another experiment (other network, protocol, backend or "
                "seed); remove it to begin anew, or name another file."
            )
        simulation.restore({n.removeprefix(_STATE): array for n, array in arrays.items() if n.startswith(_STATE)})
        return {n.removeprefix(_TABLE): array for n, array in arrays.items() if n.startswith(_TABLE)}

    def remove(self) -> None:
        """Delete the file after the experiment is finished."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _mark(self) -> NDArray[np.uint8]:
        return np.frombuffer(sha256(self.experiment.encode()).digest(), dtype=np.uint8)
