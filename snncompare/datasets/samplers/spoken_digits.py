"""Spoken digits: recordings of the Free Spoken Digit Dataset, packed into one file of arrays."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samples import Samples
from snncompare.encoding.stimuli import Sound
from snncompare.errors import FileError, InputError, unknown

__all__ = ["SpokenDigits", "spoken_digits"]

_FULL_SCALE = 32768.0
"""Of 16-bit audio."""

_N_TEST = 5
"""The set's own rule: of each speaker and digit, recordings 0 to 4 are for the test."""

_KINDS = {"audio": "i", "offsets": "iu", "digit": "iu", "speaker": "U", "index": "iu", "sampling_rate": "iu"}


def spoken_digits(
    files: Mapping[str, Path],
    *,
    digits: Sequence[int] | None = None,
    speakers: Sequence[str] | None = None,
    n_per_class: int | None = None,
) -> "SpokenDigits":
    """Return recordings of spoken digits.

    Parameters
    ----------
    files : mapping of str to Path
        One ``.npz``: ``audio`` (int16, all recordings end to end), ``offsets`` (recording k is
        ``audio[offsets[k]:offsets[k + 1]]``), ``digit``, ``speaker``, ``index``, ``sampling_rate`` (Hz).
    digits : sequence of int, optional
        Which digits; default all.
    speakers : sequence of str, optional
        Whose; default everybody's.
    n_per_class : int, optional
        Of each digit only so many: one recording of every speaker, then another, ..., from the training and the test
        part in turn (the next speaker begins with the other part), so that two or more are of both parts.

    Raises
    ------
    FileError
        For a file that is no such archive, or whose arrays contradict one another.
    InputError
        For digits or speakers that are not there, fewer recordings than asked for, or more than one file.
    """
    if len(files) != 1:
        raise InputError(f"spoken digits are read from one file, got {sorted(files)}.")
    return SpokenDigits(next(iter(files.values())), digits=digits, speakers=speakers, n_per_class=n_per_class)


class SpokenDigits(Samples):
    """Recordings of spoken digits as sounds; labels ``digit``, ``speaker``, ``index`` and ``split``.

    The number of a presentation is the row in the file, whatever is selected.
    """

    def __init__(
        self,
        path: Path,
        *,
        digits: Sequence[int] | None = None,
        speakers: Sequence[str] | None = None,
        n_per_class: int | None = None,
    ) -> None:
        self._path = path
        self._arrays = _checked(path, _read(path))
        whole = pd.DataFrame({name: self._arrays[name] for name in ("digit", "speaker", "index")})
        chosen = _keep(_keep(whole, "digit", digits), "speaker", speakers)
        self._rows = (chosen if n_per_class is None else _first(chosen, n_per_class)).index.to_numpy()

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row per recording, named ``digit_speaker_index``; ``split`` is ``"test"`` or ``"train"``."""
        digit, speaker, index = (self._arrays[name][self._rows] for name in ("digit", "speaker", "index"))
        names = [f"{d}_{s}_{i}" for d, s, i in zip(digit, speaker, index, strict=True)]
        split = np.where(index < _N_TEST, "test", "train")
        columns = {"digit": digit.astype(np.int64), "speaker": speaker, "index": index.astype(np.int64), "split": split}
        return pd.DataFrame(columns, index=names).astype({"speaker": object, "split": object})

    def stimulus(self, position: int) -> Sound:
        """Return a recording, relative to the full scale of 16 bit."""
        row = self._rows[position]
        start, stop = self._arrays["offsets"][row : row + 2]
        return Sound(self._arrays["audio"][start:stop] / _FULL_SCALE, f"{int(self._arrays['sampling_rate'])} Hz")

    def number(self, position: int) -> int:
        """Return the row of the recording in the file."""
        return int(self._rows[position])


def _read(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            missing = sorted(set(_KINDS) - set(archive.files))
            if missing:
                raise FileError(f"the file '{path}' holds no spoken digits: it lacks {', '.join(missing)}.")
            return {name: archive[name] for name in _KINDS}
    except (OSError, ValueError, EOFError, BadZipFile, KeyError, TypeError, AttributeError) as problem:
        if isinstance(problem, FileError):
            raise
        raise FileError(f"the file '{path}' cannot be read as arrays: {' '.join(str(problem).split())}.") from problem


def _checked(path: Path, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    offsets, audio = arrays["offsets"], arrays["audio"]
    right = (
        all(arrays[name].dtype.kind in kinds for name, kinds in _KINDS.items())
        and audio.dtype == np.int16
        and all(arrays[name].ndim == (name != "sampling_rate") for name in _KINDS)
        and all(arrays[name].size == offsets.size - 1 for name in ("digit", "speaker", "index"))
        and offsets.size > 1
        and offsets[0] == 0
        and offsets[-1] == audio.size
        and bool(np.all(np.diff(offsets.astype(np.int64)) > 0))
        and int(arrays["sampling_rate"]) > 0
    )
    if not right:
        raise FileError(
            f"the spoken digits in '{path}' contradict themselves: audio needs int16, offsets rise from 0 to its end, "
            "digit, speaker and index have one entry per recording."
        )
    return arrays


def _keep(table: pd.DataFrame, column: str, wanted: Sequence[Any] | None) -> pd.DataFrame:
    if wanted is None:
        return table
    if isinstance(wanted, str) or len(wanted) == 0:
        raise InputError(f"{column}s must be a list of at least one {column}, got {wanted!r}.")
    present = sorted(table[column].unique().tolist())
    for value in wanted:
        if value not in present:
            raise InputError(unknown(f"{column} called", value, present))
    return table[table[column].isin(list(wanted))]


def _first(table: pd.DataFrame, n: int) -> pd.DataFrame:
    fewest = int(table.groupby("digit").size().min())
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= fewest:
        raise InputError(f"n_per_class must be a whole number from 1 to {fewest}, got {n!r}.")
    is_test = (table["index"] < _N_TEST).astype(np.int64)
    in_part = table.sort_values("index", kind="stable").groupby(["digit", "speaker", is_test]).cumcount()
    speaker = table["speaker"].rank(method="dense").astype(np.int64)
    turn = 2 * in_part.reindex(table.index) + (speaker + 1 + is_test) % 2
    order = np.lexsort((table["speaker"], turn))
    return table.iloc[order].groupby("digit").head(n).sort_index()
