"""Read a lab file, whatever its format, and cut it into trials."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from snncompare.errors import FileError, InputError, unknown
from snncompare.provenance import file_hash
from snncompare.recording.archive import load
from snncompare.recording.arguments import column_name, given_path, two_times
from snncompare.recording.doubts import refuse_impossible_extents
from snncompare.recording.from_neo import from_neo
from snncompare.recording.neo_files import read_block
from snncompare.recording.neo_hdf5 import is_old_neo, read_old_neo
from snncompare.recording.nwb import read_nwb
from snncompare.recording.parts import Parts
from snncompare.recording.recording import Recording
from snncompare.recording.text import read_text
from snncompare.units import QuantityLike, seconds

__all__ = ["read", "read_as_stated"]

_TEXT = frozenset({".txt", ".csv", ".tsv"})
_HDF5 = frozenset({".h5", ".hdf5"})
_PICKLES = frozenset({".pkl", ".pickle", ".p", ".joblib", ".dill"})
_OWN: dict[str, tuple[str, Callable[[Path], Parts]]] = {".npz": ("snncompare", load), ".nwb": ("NWB", read_nwb)}


def read(
    path: str | Path,
    *,
    trials: str | None = None,
    window: tuple[QuantityLike, QuantityLike] | None = None,
    windows: QuantityLike | None = None,
    time_unit: str | None = None,
    layout: Any = None,
    extent: tuple[QuantityLike, QuantityLike] | None = None,
) -> Recording:
    """Return the spikes in a file, cut into trials if asked.

    Reads whatever Neo opens (NIX, Plexon, Blackrock, Spike2, NeuroExplorer, ...), the HDF5 files of Neo before 0.5,
    NWB, spike times in plain text, and the project's own ``.npz``; with a ``layout`` also arrays, tables, folders of
    text and JSON that have no format of their own. Formats that can run code from the file (pickles) are refused.

    Parameters
    ----------
    path : path
        A file, or a folder for formats that are folders.
    trials : str, optional
        Name of the events, epochs or table of intervals at which to cut; `inspect.describe` lists them.
    window : (time, time), optional
        Relative to each onset, for example ``("0 s", "1 s")``. Default: the mark's own start to stop.
    windows : time, optional
        Instead of ``trials``: cut into consecutive windows of this length, for example ``"500 ms"``.
    time_unit : str, optional
        For text only: the unit of the times (``"ms"``, ``"us"``) or the sampling rate of sample numbers (``"15 kHz"``).
    layout : mapping or one of the values in `layouts`, optional
        How a ``.npz``, ``.csv``, ``.tsv``, ``.h5``, ``.json`` or text file, or a folder of text files, holds spikes: a
        mapping with the ``type`` ``rows``, ``counts``, ``text`` or ``records`` and the keys of `layouts.Rows`,
        `layouts.Counts`, `layouts.TextFiles`, `layouts.Records`.
    extent : (time, time), optional
        What was recorded of every trial, where the file states it wrongly (a ``t_stop`` of a million seconds).

    Returns
    -------
    Recording
        ``provenance["source"]`` has the name, SHA-256 and reader of the file.

    Raises
    ------
    FileError
        If the file is missing, refused, damaged, of no known format, or holds no spikes.
    InputError
        If it contradicts itself, ``trials``, ``window``, ``windows`` or ``layout`` do not fit it, spikes lie outside
        the ``extent``, or trials end at a time that cannot be true and no ``extent`` is given.

    Examples
    --------
    >>> recording = read("session.nix", trials="odour", window=("0 s", "1 s"))  # doctest: +SKIP
    """
    if trials is not None and windows is not None:
        raise InputError("give either trials (the name of marks to cut at) or windows (one length), not both.")
    if window is not None and trials is None:
        raise InputError("a window is relative to marks; say which by their name, given as 'trials'.")
    if trials is not None:
        column_name(trials, "trials")
    recording = read_as_stated(path, time_unit=time_unit, layout=layout)
    if extent is not None:
        recording = _within(recording, extent)
    refuse_impossible_extents(recording)
    if windows is not None:
        return recording.cut_windows(windows)
    if trials is None:
        return recording
    if trials not in recording.marks:
        left_out = [text for text in recording.provenance.get("left_out", []) if f"/{trials}:" in text]
        problem = f"'{Path(path).name}': {unknown('mark', trials, recording.marks)} {' '.join(left_out)}"
        raise InputError(problem.strip())
    return recording.cut(trials, window)


def read_as_stated(path: str | Path, *, time_unit: str | None = None, layout: Any = None) -> Recording:
    """Return the spikes in a file with the windows of trials that it states, true or not; arguments as in `read`.

    Raises
    ------
    FileError, InputError
        As in `read`.
    """
    source = given_path(path).expanduser()
    if not source.exists():
        raise FileError(f"there is no file '{source}'; check the path.")
    parts, reader = _parts(source, time_unit) if layout is None else _laid_out(source, time_unit, layout)
    origin: dict[str, Any] = {"file": source.name, "reader": reader}
    if source.is_file():
        origin["sha256"] = file_hash(source)
    parts["provenance"] = {**parts["provenance"], "source": origin}
    return Recording(**parts)


def _within(recording: Recording, extent: tuple[QuantityLike, QuantityLike]) -> Recording:
    begin, end = (seconds(edge, "the extent") for edge in two_times(extent, "the extent"))
    return replace(recording, trials=recording.trials.assign(start=begin, stop=end))


def _laid_out(source: Path, time_unit: str | None, layout: Any) -> tuple[Parts, str]:
    from snncompare.recording.json_records import read_records
    from snncompare.recording.layouts import Counts, Records, Rows, TextFiles, layout_of
    from snncompare.recording.spike_counts import read_counts
    from snncompare.recording.spike_rows import read_rows
    from snncompare.recording.text_trials import read_text_files

    if time_unit is not None:
        raise InputError("the time unit stands in the layout; leave out the other one.")
    if source.suffix.lower() in _PICKLES:
        return _parts(source, None)
    given = layout_of(layout)
    if source.is_dir() and not isinstance(given, TextFiles):
        raise FileError(f"'{source.name}' is a folder; only the layout 'text' reads folders.")
    match given:
        case Rows():
            return read_rows(source, given), "layout rows"
        case Counts():
            return read_counts(source, given), "layout counts"
        case TextFiles():
            return read_text_files(source, given), "layout text"
        case Records():
            return read_records(source, given), "layout records"


def _parts(source: Path, time_unit: str | None) -> tuple[Parts, str]:
    suffix = source.suffix.lower()
    if suffix in _PICKLES:
        raise FileError(
            f"'{source.name}' is a pickle, which can run code when opened, and is refused; save it as NIX or NWB with "
            "Neo in the program that wrote it, or as .npz (in Python by Recording.save)."
        )
    if suffix in _TEXT and source.is_file():
        return read_text(source, time_unit), "text"
    if time_unit is not None:
        raise InputError(f"a time unit is for plain text only; '{source.name}' carries its own units. Leave it out.")
    if suffix in _OWN and source.is_file():
        reader, parts = _OWN[suffix]
        return parts(source), reader
    if suffix in _HDF5 and source.is_file() and is_old_neo(source):
        return read_old_neo(source), "HDF5 of Neo before 0.5"
    block, reader = read_block(source)
    return from_neo(block), reader
