"""Read a lab file, whatever its format, and cut it into trials."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from snncompare.errors import FileError, InputError, unknown
from snncompare.provenance import file_hash
from snncompare.recording.archive import load
from snncompare.recording.from_neo import from_neo
from snncompare.recording.neo_files import read_block
from snncompare.recording.nwb import read_nwb
from snncompare.recording.parts import Parts
from snncompare.recording.recording import Recording
from snncompare.recording.text import read_text
from snncompare.units import QuantityLike

__all__ = ["read"]

_TEXT = frozenset({".txt", ".csv", ".tsv"})
_PICKLES = frozenset({".pkl", ".pickle", ".p", ".joblib", ".dill"})
_OWN: dict[str, tuple[str, Callable[[Path], Parts]]] = {".npz": ("snncompare", load), ".nwb": ("NWB", read_nwb)}


def read(
    path: str | Path,
    *,
    trials: str | None = None,
    window: tuple[QuantityLike, QuantityLike] | None = None,
    windows: QuantityLike | None = None,
    time_unit: str | None = None,
) -> Recording:
    """Return the spikes in a file, cut into trials if asked.

    Reads whatever Neo opens (NIX, Plexon, Blackrock, Spike2, NeuroExplorer, ...), NWB, spike times in plain text, and
    the project's own ``.npz``. Formats that can run code from the file (pickles) are refused.

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

    Returns
    -------
    Recording
        ``provenance["source"]`` has the name, SHA-256 and reader of the file.

    Raises
    ------
    FileError
        If the file is missing, refused, damaged, of no known format, or holds no spikes.
    InputError
        If it contradicts itself, or ``trials``, ``window`` and ``windows`` do not fit it.

    Examples
    --------
    >>> recording = read("session.nix", trials="odour", window=("0 s", "1 s"))  # doctest: +SKIP
    """
    if trials is not None and windows is not None:
        raise InputError("give either trials (the name of marks to cut at) or windows (one length), not both.")
    if window is not None and trials is None:
        raise InputError("a window is relative to marks; say which by their name, given as 'trials'.")
    source = Path(path).expanduser()
    if not source.exists():
        raise FileError(f"there is no file '{source}'; check the path.")
    parts, reader = _parts(source, time_unit)
    origin: dict[str, Any] = {"file": source.name, "reader": reader}
    if source.is_file():
        origin["sha256"] = file_hash(source)
    parts["provenance"] = {**parts["provenance"], "source": origin}
    recording = Recording(**parts)
    if windows is not None:
        return recording.cut_windows(windows)
    if trials is None:
        return recording
    if trials not in recording.marks:
        left_out = [text for text in parts["provenance"].get("left_out", []) if f"/{trials}:" in text]
        raise InputError(f"'{source.name}': {unknown('mark', trials, recording.marks)} {' '.join(left_out)}".strip())
    return recording.cut(trials, window)


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
    block, reader = read_block(source)
    return from_neo(block), reader
