"""N-MNIST: digits that an event camera saw while it moved, from the authors' archives or folders, or one .npz file."""

import os
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.formats.event_arrays import checked_events, event_array, spikes_of_events
from snncompare.datasets.formats.n_mnist import events_of_bytes, read_n_mnist
from snncompare.datasets.samplers.labelled_images import chosen_rows
from snncompare.datasets.source import SpikeSource
from snncompare.encoding.encoder import Spikes
from snncompare.encoding.presentations import trial_table
from snncompare.encoding.visual.event_camera import pixel_units
from snncompare.errors import FileError, InputError
from snncompare.recording.array_files import read_arrays
from snncompare.units import QuantityLike, seconds

__all__ = ["EventFiles", "NMnist", "n_mnist"]

_SIDE = 34
_MEMBER = re.compile(r"(?:^|/)(train|test)/([0-9])/([0-9]{1,9})\.bin$", flags=re.IGNORECASE)
_MOST_BYTES = 1 << 26


def n_mnist(
    files: Mapping[str, Path],
    *,
    folder: str | None = None,
    split: str | None = None,
    n_per_class: int | None = None,
    duration: QuantityLike = "340 ms",
) -> "NMnist":
    """Return recordings of digits, 34 x 34 pixels by polarity.

    Parameters
    ----------
    files : mapping
        The authors' archives ``Train.zip`` and ``Test.zip``, or one .npz file of arrays ``x``, ``y``, ``polarity``,
        ``t_us``, ``offsets``, ``label`` and ``original_id``.
    folder : str, optional
        Instead of the files: a folder that holds ``Train/0/00002.bin`` and so on, or only ``Test``.
    split : str, optional
        ``"train"`` or ``"test"``; default both, training first.
    n_per_class : int, optional
        The first so many of each digit, of each part; default all.
    duration : time
        Of all trials; no event of the set is later than 336 ms.

    Returns
    -------
    NMnist
        Labels ``digit`` and ``split``; names such as ``"train 00002"``.

    Raises
    ------
    FileError
        For archives, folders and files of another kind, and events later than the duration.
    InputError
        For numbers and parts that do not exist.
    """
    paths = list(files.values())
    source: EventFiles
    if folder is not None:
        source = _Folder(Path(folder))
    elif all(path.suffix.lower() == ".npz" for path in paths) and len(paths) == 1:
        source = _Arrays(paths[0])
    else:
        source = _Archives(paths)
    rows = chosen_rows(source.table, "digit", n_per_class=n_per_class, split=split)
    return NMnist(source, rows, seconds(duration, "duration"))


class EventFiles(ABC):
    """Where recordings of events lie."""

    table: pd.DataFrame
    """One row per recording: columns ``digit``, ``split``."""

    @abstractmethod
    def events(self, row: int) -> NDArray[np.void]:
        """Return the events of a recording, as an array of `event_arrays.EVENT`."""


class NMnist(SpikeSource):
    """Recordings of an event camera; see `n_mnist`."""

    def __init__(self, source: EventFiles, rows: NDArray[np.int64], duration: float) -> None:
        self._source = source
        self._rows = rows
        self._duration = duration

    @cached_property
    def units(self) -> pd.DataFrame:
        """Pixels by polarity: columns ``x``, ``y``, ``polarity``."""
        return pixel_units(_SIDE, _SIDE)

    @cached_property
    def trials(self) -> pd.DataFrame:
        """One trial per recording."""
        return trial_table(self._source.table.iloc[self._rows], [self._duration] * len(self._rows))

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the events of some recordings.

        Raises
        ------
        FileError
            If a file cannot be read, or has events later than the duration.
        """
        found = [self._spikes(int(position)) for position in positions]
        if not found:
            return Spikes(np.empty(0), np.empty((0, len(self.units)), dtype=np.int64))
        return Spikes(np.concatenate([one.times for one in found]), np.stack([one.counts for one in found]))

    def events(self, position: int) -> NDArray[np.void]:
        """Return the events of a recording in their own order, as an array of `event_arrays.EVENT`."""
        return self._source.events(int(self._rows[position]))

    def _spikes(self, position: int) -> Spikes:
        events = self.events(position)
        if events.size and events["t"][-1] * 1e-6 > self._duration:
            raise FileError(
                f"the recording '{self.trials.index[position]}' has an event at {events['t'][-1] * 1e-3:g} ms; give a "
                "longer duration."
            )
        return spikes_of_events(events, _SIDE, _SIDE)


class _Arrays(EventFiles):
    """Events of many recordings one after the other, in one .npz file."""

    def __init__(self, path: Path) -> None:
        names = ("x", "y", "t_us", "polarity", "offsets", "label", "original_id")
        x, y, t, p, offsets, digits, ids = read_arrays(path, names).values()
        lengths = {array.shape for array in (x, y, t, p)}
        if (
            any(array.dtype.kind not in "iu" for array in (x, y, t, p, offsets, digits, ids))
            or lengths != {(x.size,)}
            or offsets.shape != (len(digits) + 1,)
            or (offsets[0], offsets[-1]) != (0, x.size)
            or (np.diff(offsets.astype(np.int64)) < 0).any()
            or ids.shape != digits.shape
            or digits.size == 0
        ):
            raise FileError(f"the arrays in '{path}' do not fit together; get the file again.")
        self._path = path
        self._columns = (x, y, t, p)
        self._offsets = offsets.astype(np.int64)
        split = np.where(ids > 60_000, "test", "train")
        called = [f"{part} {number:05}" for part, number in zip(split, ids.tolist(), strict=True)]
        self.table = pd.DataFrame({"digit": digits.astype(np.int64), "split": split}, index=called)

    def events(self, row: int) -> NDArray[np.void]:
        part = slice(*self._offsets[row : row + 2])
        try:
            x, y, t, p = (column[part].astype(np.int64) for column in self._columns)
            return checked_events(event_array(x, y, t, p), _SIDE, _SIDE)
        except InputError as problem:
            raise FileError(f"recording {row} in '{self._path}' is none: {problem}") from problem


class _Folder(EventFiles):
    """The authors' folders Train and Test, with ten folders of files each."""

    def __init__(self, folder: Path) -> None:
        found = [path for path in folder.glob("*/*/*.bin") if _MEMBER.search(path.relative_to(folder).as_posix())]
        self._paths, self.table = _sorted_members({path.relative_to(folder).as_posix(): path for path in found})
        if not self._paths:
            raise FileError(f"no files such as Train/0/00002.bin in '{folder}'; give the folder that holds Train.")

    def events(self, row: int) -> NDArray[np.void]:
        return read_n_mnist(self._paths[row])


class _Archives(EventFiles):
    """The authors' zip files, read member by member."""

    def __init__(self, archives: Sequence[Path]) -> None:
        self._handles: dict[tuple[int, Path], ZipFile] = {}
        found = {}
        for archive in archives:
            for member in self._open(archive).infolist():
                if _MEMBER.search(member.filename):
                    found[member.filename] = (archive, member)
        self._members, self.table = _sorted_members(found)
        if not self._members:
            raise FileError(f"no files such as Train/0/00002.bin in {', '.join(map(str, archives)) or 'no archive'}.")

    def events(self, row: int) -> NDArray[np.void]:
        archive, member = self._members[row]
        if member.file_size > _MOST_BYTES:
            raise FileError(f"'{member.filename}' in '{archive}' says it has {member.file_size} bytes; no digit has.")
        try:
            data = self._open(archive).read(member)
        except (BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as problem:
            raise FileError(f"'{member.filename}' in '{archive}' is damaged: {problem}.") from problem
        return events_of_bytes(data, member.filename)

    def _open(self, archive: Path) -> ZipFile:
        # A handle belongs to a process: forked readers would move each other's position in the file.
        key = (os.getpid(), archive)
        if key not in self._handles:
            try:
                self._handles[key] = ZipFile(archive)
            except (OSError, BadZipFile) as problem:
                raise FileError(f"'{archive}' is no archive that can be read: {problem}; get it again.") from problem
        return self._handles[key]

    def __getstate__(self) -> dict[str, object]:
        return self.__dict__ | {"_handles": {}}


def _sorted_members(found: Mapping[str, Any]) -> tuple[list[Any], pd.DataFrame]:
    """Return places of files and their table, training first, then digit by digit."""
    rows = []
    for name, place in found.items():
        match = _MEMBER.search(name)
        assert match is not None
        rows.append((match[1].lower() == "test", int(match[2]), match[3], place))
    rows.sort(key=lambda row: row[:3])
    split = ["test" if is_test else "train" for is_test, *_ in rows]
    table = pd.DataFrame(
        {"digit": [row[1] for row in rows], "split": split},
        index=[f"{part} {row[2]}" for part, row in zip(split, rows, strict=True)],
    )
    return [row[3] for row in rows], table
