"""A user's own sounds: a folder of WAV files, labelled by sub-folder or by a table."""

import warnings
import zlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.samples import Samples
from snncompare.encoding.stimuli import Sound
from snncompare.errors import FileError, InputError
from snncompare.units import QuantityLike, hertz

__all__ = ["SoundFiles", "read_sound", "sound_files"]

_CLIPPED = 3
"""Samples at full scale in a row that only clipping makes; a wave may touch the limit with one or two."""

_MOST_BYTES = 512 * 2**20
_LOWEST_RATE, _HIGHEST_RATE = 1000.0, 768_000.0


def sound_files(
    files: Mapping[str, Path],  # noqa: ARG001 (the folder is the user's, no card knows its files)
    *,
    folder: str,
    table: str | None = None,
    label: str = "label",
    sampling_rate: QuantityLike | None = None,
    mix: bool = False,
    allow: tuple[str, ...] = (),
) -> "SoundFiles":
    """Return the sounds in a folder of WAV files; see `SoundFiles`."""
    return SoundFiles(Path(folder), table=table, label=label, sampling_rate=sampling_rate, mix=mix, allow=allow)


class SoundFiles(Samples):
    """WAV files in a folder, in the order of their paths.

    Parameters
    ----------
    folder : Path
    table : str, optional
        A CSV file in the folder with a column ``file`` (path below the folder) and labels in the others; only the files
        it names are taken, in its order. Default: every ``.wav`` below the folder, labelled by its sub-folder.
    label : str
        Name of the column that holds the sub-folder; without sub-folders there is no label.
    sampling_rate : frequency, optional
        That all files must have; default: that of the first one.
    mix : bool
        Take the mean of several channels. Default: such files are refused.
    allow : tuple of str
        ``"silent"`` and ``"clipped"``: take files that hold digital silence, or samples at full scale three or more in
        a row. They are refused by default: nearly always something went wrong when they were made.

    Raises
    ------
    InputError
        For a folder that does not exist or holds no WAV file, a table that lacks files or names ones twice.
    FileError
        On reading a sound: files that are no WAV, empty, silent, clipped, of several channels or another rate.
    """

    def __init__(
        self,
        folder: Path,
        *,
        table: str | None = None,
        label: str = "label",
        sampling_rate: QuantityLike | None = None,
        mix: bool = False,
        allow: tuple[str, ...] = (),
    ) -> None:
        for word in allow:
            if word not in ("silent", "clipped"):
                raise InputError(f"allow holds 'silent' or 'clipped', got {word!r}.")
        if not folder.is_dir():
            raise InputError(f"there is no folder '{folder}' of sounds.")
        self._folder = folder
        self._mix, self._allow = bool(mix), tuple(allow)
        self._table = _listed(folder, label) if table is None else _tabulated(folder, table)
        self._rate = None if sampling_rate is None else hertz(sampling_rate, "sampling_rate")

    @property
    def table(self) -> pd.DataFrame:
        """One row per file, index = path below the folder; columns = labels."""
        return self._table

    @cached_property
    def rate(self) -> float:
        """Sampling rate of all files, hertz."""
        return self._rate if self._rate is not None else self._read(0).sampling_rate

    def stimulus(self, position: int) -> Sound:
        """Return a sound.

        Raises
        ------
        FileError
        """
        sound = self._read(position)
        if sound.sampling_rate != self.rate:
            raise FileError(
                f"the sound '{self._path(position)}' has a sampling rate of {sound.sampling_rate:g} Hz instead of "
                f"{self.rate:g} Hz; resample it, or put it into another folder."
            )
        return sound

    def number(self, position: int) -> int:
        """Return a number made of the path below the folder: the same in every selection of files."""
        return zlib.crc32(str(self._table.index[position]).encode())

    def _read(self, position: int) -> Sound:
        return read_sound(self._path(position), mix=self._mix, allow=self._allow)

    def _path(self, position: int) -> Path:
        return self._folder / str(self._table.index[position])


def read_sound(path: Path, *, mix: bool = False, allow: tuple[str, ...] = ()) -> Sound:
    """Return the sound in a WAV file of whole numbers (8 to 32 bit) or floating point numbers.

    Parameters
    ----------
    path : Path
    mix : bool
        Take the mean of several channels.
    allow : tuple of str
        See `SoundFiles`.

    Raises
    ------
    FileError
        For what is no WAV file, empty, not finite, beyond full scale, silent, clipped, or of several channels; says
        which.
    """
    rate, samples = _read_wav(path)
    if samples.size == 0:
        raise FileError(f"the sound '{path}' is empty: it has no samples.")
    if samples.ndim == 2 and samples.shape[1] > 1 and not mix:
        raise FileError(
            f"the sound '{path}' has {samples.shape[1]} channels, ears here take one; pass mix=True for their mean."
        )
    columns = samples.reshape(len(samples), -1)
    if columns.dtype.kind == "f" and not np.isfinite(columns).all():
        raise FileError(f"the sound '{path}' holds {int((~np.isfinite(columns)).sum())} samples that are not finite.")
    values, top = _relative(columns)
    if np.abs(values).max() > 1.0:
        raise FileError(f"the sound '{path}' goes beyond full scale, to {np.abs(values).max():g}; scale it to 1.")
    if "silent" not in allow and not np.ptp(values, axis=0).any():
        raise FileError(
            f"the sound '{path}' is silent: all samples are {values[0, 0]:g}; leave it out, or pass allow=('silent',)."
        )
    if "clipped" not in allow and any(_longest_run(np.abs(column) >= top) >= _CLIPPED for column in values.T):
        raise FileError(
            f"the sound '{path}' is clipped: {_CLIPPED} or more samples in a row are at full scale; record it at a "
            "lower level, or pass allow=('clipped',)."
        )
    return Sound(values.mean(axis=1), f"{rate!r} Hz")


def _read_wav(path: Path) -> tuple[float, NDArray[Any]]:
    from scipy.io import wavfile

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise FileError(f"the sound '{path}' is larger than {_MOST_BYTES // 2**20} MiB; cut it into pieces.")
        with warnings.catch_warnings():
            warnings.simplefilter("error", wavfile.WavFileWarning)  # a file that ends early
            warnings.filterwarnings("ignore", "Chunk .* not understood", wavfile.WavFileWarning)
            rate, samples = wavfile.read(path)
    except FileError:
        raise
    except Exception as problem:  # whatever a damaged file makes scipy raise
        reason = " ".join(str(problem).split()) or type(problem).__name__
        raise FileError(f"the sound '{path}' cannot be read as WAV: {reason}.") from problem
    if not _LOWEST_RATE <= rate <= _HIGHEST_RATE:
        raise FileError(f"the sound '{path}' says that its sampling rate is {rate} Hz; that is no sound.")
    return float(rate), samples


def _relative(columns: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    """Return samples relative to full scale and the largest amplitude there can be; 24 bit come in 32, shifted up."""
    if columns.dtype.kind == "f":
        return columns.astype(np.float64), 1.0
    if columns.dtype == np.uint8:
        return (columns.astype(np.float64) - 128.0) / 128.0, 127.0 / 128.0
    scale = float(2 ** (8 * columns.dtype.itemsize - 1))
    in_24_bit = columns.dtype == np.int32 and not np.any(columns & 0xFF)
    step = 256.0 if in_24_bit else 1.0
    return columns / scale, (scale - step) / scale


def _longest_run(flags: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def _listed(folder: Path, label: str) -> pd.DataFrame:
    paths = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() == ".wav")
    if not paths:
        raise InputError(f"the folder '{folder}' holds no file that ends in .wav.")
    names = [path.as_posix() for path in paths]
    labels = [path.parent.as_posix() for path in paths]
    columns = {} if set(labels) == {"."} else {label: labels}
    return pd.DataFrame(columns, index=names)


def _tabulated(folder: Path, table: str) -> pd.DataFrame:
    path = folder / table
    try:
        found = pd.read_csv(path)
    except (OSError, ValueError) as problem:
        raise InputError(f"the table '{path}' cannot be read: {' '.join(str(problem).split())}.") from problem
    if "file" not in found or found.empty:
        raise InputError(f"the table '{path}' needs a column 'file' and a row per sound, has {list(found.columns)}.")
    names = [str(name) for name in found["file"]]
    inside = folder.resolve()
    for name in names:
        there = (folder / name).resolve()
        if Path(name).suffix.lower() != ".wav" or not there.is_relative_to(inside) or not there.is_file():
            raise InputError(f"the table '{path}' names '{name}', which is no .wav file in the folder.")
    if len(set(names)) < len(names):
        raise InputError(f"the table '{path}' names a file twice.")
    return found.drop(columns="file").set_index(pd.Index(names))
