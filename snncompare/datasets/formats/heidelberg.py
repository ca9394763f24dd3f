"""The HDF5 layout of the Heidelberg Spiking Datasets (SHD, SSC), read one trial at a time."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snncompare.datasets.source import SpikeSource
from snncompare.encoding.encoder import Spikes
from snncompare.errors import FileError, InputError, one_line, unknown
from snncompare.units import QuantityLike, seconds

__all__ = ["HeidelbergSource", "heidelberg_spikes"]

_MOST_TRIALS, _MOST_KEYS, _MOST_SPIKES = 10_000_000, 65_536, 50_000_000
_SHORTEST = 1e-3
"""Window of a trial without spikes, seconds."""

_LONGEST = 3600.0
"""Seconds."""

_SPLITS = ("train", "valid", "test")


def heidelberg_spikes(
    files: Mapping[str, Path],
    *,
    n_channels: int = 700,
    duration: QuantityLike | None = None,
    splits: Sequence[str] | None = None,
) -> "HeidelbergSource":
    """Return the spikes in files of the Heidelberg layout.

    Parameters
    ----------
    files : mapping of str to Path
        HDF5 files; the part of one is the word of train, valid and test that its name holds.
    n_channels : int
        Number of units.
    duration : time, optional
        Window of all trials; default: the one in the file (ours have them), or up to the last spike of each trial.
    splits : sequence of str, optional
        Only these parts.

    Raises
    ------
    FileError
        For files that are not of this layout.
    InputError
        For parts that no file holds.
    """
    parts = {_split_of(name): path for name, path in files.items()}
    if len(parts) < len(files):
        raise InputError(f"each file needs another of {', '.join(_SPLITS)} in its name, got {sorted(files)}.")
    for name in splits or ():
        if name not in parts:
            raise InputError(unknown("part called", name, parts))
    chosen = {name: path for name, path in parts.items() if splits is None or name in splits}
    return HeidelbergSource(chosen, n_channels=n_channels, duration=duration)


class HeidelbergSource(SpikeSource):
    """Spikes in one or several HDF5 files of the Heidelberg layout.

    ``spikes/times`` (seconds) and ``spikes/units`` hold one array of variable length per trial, ``labels`` a number;
    ``extra/keys`` names the labels, ``extra/speaker`` numbers the speakers, ``extra/meta_info`` says more of each.
    A file is open only while something is read from it. Times in half precision are kept as they are.

    Parameters
    ----------
    files : mapping of str to Path
        Name of the part (label ``split``) to the file; an empty name leaves the label out.
    n_channels : int
        Number of units.
    duration : time, optional
        See `heidelberg_spikes`.

    Raises
    ------
    FileError
        For what is no HDF5 file, damaged, or of another layout; on reading spikes also for times that are not finite
        or outside the window, and units that do not exist.
    """

    def __init__(
        self, files: Mapping[str, Path], *, n_channels: int = 700, duration: QuantityLike | None = None
    ) -> None:
        if not files or n_channels < 1:
            raise InputError(f"at least one file and one channel are needed, got {len(files)} and {n_channels}.")
        self._files = {name: Path(path) for name, path in files.items()}
        self._n_channels = n_channels
        self._duration = None if duration is None else seconds(duration, "duration")
        tables = [_labels(path, name) for name, path in self._files.items()]
        self._sizes = [len(table) for table in tables]
        self._labels = pd.concat(tables)
        self._where = [
            (path, row) for path, n in zip(self._files.values(), self._sizes, strict=True) for row in range(n)
        ]

    @cached_property
    def units(self) -> pd.DataFrame:
        """Channels 0, 1, ... of the cochlea, from base to apex."""
        return pd.DataFrame({"channel": np.arange(self._n_channels)}, index=range(self._n_channels))

    @property
    def labels(self) -> pd.DataFrame:
        """One row per trial: ``label``, ``word``, and where the files have them ``speaker``, ``split`` and more."""
        return self._labels

    @cached_property
    def trials(self) -> pd.DataFrame:
        """Labels with windows; where neither the caller nor the file knows them, all spikes are read once."""
        if self._duration is not None:
            stops = np.full(len(self._labels), self._duration)
        else:
            stops = np.concatenate([_durations(path) for path in self._files.values()])
        window = pd.DataFrame({"start": 0.0, "stop": stops}, index=self._labels.index)
        return pd.concat([window, self._labels], axis=1)

    @property
    def provenance(self) -> dict[str, Any]:
        """Names of the files."""
        return {"format": "Heidelberg HDF5", "files": [path.name for path in self._files.values()]}

    def spikes(self, positions: NDArray[np.int64]) -> Spikes:
        """Return the spikes of some trials."""
        chosen = [self._where[int(position)] for position in positions]
        stops = self.trials["stop"].to_numpy()[np.asarray(positions, dtype=np.int64)]
        found: dict[int, tuple[NDArray[np.float64], NDArray[np.int64]]] = {}
        for path in dict.fromkeys(path for path, _ in chosen):
            with _opened(path) as file:
                for i, (of, row) in enumerate(chosen):
                    if of == path:
                        found[i] = _trial(file, path, row, self._n_channels, stops[i])
        if not found:
            return Spikes(np.empty(0), np.empty((0, self._n_channels), dtype=np.int64))
        ordered = [found[i] for i in range(len(chosen))]
        return Spikes(np.concatenate([times for times, _ in ordered]), np.stack([counts for _, counts in ordered]))


def _split_of(name: str) -> str:
    stem = Path(name).name.lower()
    return next((split for split in _SPLITS if split in stem), "")


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file; whatever a damaged one makes h5py raise becomes one line."""
    import h5py

    try:
        if path.is_file() and not h5py.is_hdf5(path):
            raise FileError(f"the file '{path}' is no HDF5 file; unpack it first if it is a .zip or .gz.")
        with h5py.File(path, "r") as file:
            yield file
    except (FileError, InputError):
        raise
    except Exception as problem:
        raise FileError(f"the file '{path}' cannot be read as HDF5: {one_line(str(problem), 200)}.") from problem


def _dataset(file: Any, path: Path, name: str) -> Any:
    """Return a dataset whose values lie in this very file."""
    import h5py

    group = file
    for part in name.split("/"):
        if not isinstance(group, h5py.Group) or group.get(part, getlink=True) is None:
            raise FileError(f"the file '{path}' lacks '{name}', so it is not of the Heidelberg layout.")
        if not isinstance(group.get(part, getlink=True), h5py.HardLink):
            raise FileError(f"'{name}' of '{path}' is a link to somewhere else; links are not followed.")
        group = group[part]
    if not isinstance(group, h5py.Dataset) or group.external or group.is_virtual or group.ndim != 1:
        raise FileError(f"'{name}' of '{path}' is no plain list of values.")
    return group


def _present(file: Any, name: str) -> bool:
    import h5py

    head, _, rest = name.partition("/")
    if not isinstance(file.get(head, getlink=True), h5py.HardLink):
        return False
    return not rest or (isinstance(file[head], h5py.Group) and _present(file[head], rest))


def _numbers(file: Any, path: Path, name: str, n: int, kinds: str = "iu") -> NDArray[Any]:
    data = _dataset(file, path, name)
    if data.dtype.kind not in kinds or data.shape != (n,):
        raise FileError(f"'{name}' of '{path}' needs {n} numbers, has {data.dtype} of shape {data.shape}.")
    return np.asarray(data[()])


def _texts(file: Any, path: Path, name: str) -> list[str]:
    import h5py

    data = _dataset(file, path, name)
    text = h5py.check_string_dtype(data.dtype)
    if text is None or data.size > _MOST_KEYS or (text.length or 0) > 1000:
        raise FileError(f"'{name}' of '{path}' needs up to {_MOST_KEYS} words, has {data.dtype} of shape {data.shape}.")
    words = [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in data[()]]
    return [one_line(word, 100) for word in words]


def _labels(path: Path, split: str) -> pd.DataFrame:
    """Return the labels of a file, after a look at whether its parts fit together."""
    with _opened(path) as file:
        n = _n_trials(file, path)
        labels = _numbers(file, path, "labels", n).astype(np.int64)
        table = pd.DataFrame({"label": labels}, index=[f"{split or 'trial'} {i}" for i in range(n)])
        if _present(file, "extra/keys"):
            words = _texts(file, path, "extra/keys")
            if labels.min(initial=0) < 0 or labels.max(initial=-1) >= len(words):
                raise FileError(f"the labels of '{path}' go beyond the {len(words)} words of 'extra/keys'.")
            table["word"] = [words[label] for label in labels]
        if _present(file, "extra/speaker"):
            table["speaker"] = _numbers(file, path, "extra/speaker", n).astype(np.int64)
            for name in ("gender", "age", "body_height"):
                if _present(file, f"extra/meta_info/{name}"):
                    _add_speakers(table, name, file, path)
    if split:
        table["split"] = split
    return table


def _n_trials(file: Any, path: Path) -> int:
    import h5py

    times, units = (_dataset(file, path, f"spikes/{name}") for name in ("times", "units"))
    inner = [h5py.check_vlen_dtype(data.dtype) for data in (times, units)]
    right = None not in inner and inner[0].kind in "f" and inner[1].kind in "iu"
    if not right or times.shape != units.shape or not 0 < times.size <= _MOST_TRIALS:
        raise FileError(
            f"'spikes' of '{path}' needs lists of times and as many lists of whole numbers, up to {_MOST_TRIALS}; has "
            f"{times.dtype} of shape {times.shape} and {units.dtype} of shape {units.shape}."
        )
    return int(times.size)


def _add_speakers(table: pd.DataFrame, name: str, file: Any, path: Path) -> None:
    """Add what is known of each speaker; the set lists it by the number of the speaker."""
    import h5py

    where = f"extra/meta_info/{name}"
    data = _dataset(file, path, where)
    speaker = table["speaker"].to_numpy()
    if data.size > _MOST_KEYS or not 0 <= speaker.min() <= speaker.max() < data.size:
        return
    values = _texts(file, path, where) if h5py.check_string_dtype(data.dtype) else data[()]
    table[name] = np.asarray(values)[speaker]


def _durations(path: Path) -> NDArray[np.float64]:
    with _opened(path) as file:
        n = _n_trials(file, path)
        if _present(file, "extra/duration"):
            found = _numbers(file, path, "extra/duration", n, "f").astype(np.float64)
            if not np.all((found > 0.0) & np.isfinite(found)):
                raise FileError(f"'extra/duration' of '{path}' holds durations that are not positive.")
            return _refuse_long(found, path, "a duration")
        times = _dataset(file, path, "spikes/times")
        last = np.array([np.max(times[i], initial=_SHORTEST) for i in range(n)], dtype=np.float64)
    if not np.isfinite(last).all():
        raise FileError(f"trial {int(np.argmin(np.isfinite(last)))} of '{path}' has a spike time that is not finite.")
    return _refuse_long(last, path, "spike times")


def _refuse_long(found: NDArray[np.float64], path: Path, what: str) -> NDArray[np.float64]:
    if found.max(initial=0.0) > _LONGEST:
        raise FileError(
            f"trial {int(np.argmax(found))} of '{path}' has {what} of up to {found.max():g} s; a trial lasts at most "
            "an hour, so these are not in seconds."
        )
    return found


def _trial(
    file: Any, path: Path, row: int, n_channels: int, stop: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    times, units = (_dataset(file, path, f"spikes/{name}")[row] for name in ("times", "units"))
    if times.size != units.size or times.size > _MOST_SPIKES:
        raise FileError(f"trial {row} of '{path}' has {times.size} times and {units.size} units.")
    units = units.astype(np.int64)
    if units.size and not 0 <= units.min() <= units.max() < n_channels:
        raise FileError(f"trial {row} of '{path}' has units {units.min()} to {units.max()}, not 0 to {n_channels - 1}.")
    times = times.astype(np.float64)
    if not np.all((times >= 0.0) & (times <= stop)):
        raise FileError(f"trial {row} of '{path}' has spike times outside its window of 0 to {stop:g} s.")
    order = np.lexsort((times, units))
    return times[order], np.bincount(units, minlength=n_channels)
