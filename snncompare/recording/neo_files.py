"""Files that Neo opens, by the readers that cannot run code from a file."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.errors import FileError

if TYPE_CHECKING:
    import neo

__all__ = ["read_block", "readable_extensions"]

REFUSED = frozenset({"PickleIO", "ElphyIO"})
"""Readers that unpickle, or evaluate text from the file as Python."""

_ELSEWHERE = frozenset({"NWBIO", "ExampleIO", "AsciiSpikeTrainIO", "AsciiSignalIO", "AsciiImageIO"})
"""Readers replaced by our own, and one that invents data."""


def readable_extensions() -> list[str]:
    """Return the file name extensions, without dot, of all formats that can be read here."""
    import neo

    extensions = {extension.lower() for io in _allowed(neo.io.iolist) for extension in io.extensions if extension}
    return sorted({e for e in extensions if not e.isdigit()} | {"npz", "nwb", "txt", "csv", "tsv"})


def read_block(path: Path) -> tuple["neo.Block", str]:
    """Return the content of a file or folder as Neo Block, and the name of the reader that understood it.

    Readers whose extensions fit are tried in Neo's order; the first that finds spikes wins.

    Raises
    ------
    FileError
        If no reader claims the name, none succeeds (with Neo's reason), or there are no spikes (with what there is).
    """
    import neo

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Neo's readers and NumPy: nothing a user could do
        warnings.simplefilter("ignore", ResourceWarning)  # files that readers leave open when they fail
        try:
            candidates = list(neo.io.list_candidate_ios(path))
        except (ValueError, OSError):
            candidates = []
        allowed = _allowed(candidates)
        if not allowed:
            raise FileError(_unclaimed(path, [io.__name__ for io in candidates]))
        reasons, empty = [], []
        for io in allowed:
            try:
                block = _open(io, path)
            except Exception as problem:  # noqa: BLE001 (Neo's readers raise everything, bare Exception included)
                reasons.append(f"{io.__name__}: {_line(problem)}")
                continue
            if block is None:
                reasons.append(f"{io.__name__}: finds no Block")
                continue
            if any(segment.spiketrains for segment in block.segments):
                return block, io.__name__
            empty.append(f"{io.__name__} finds {_contents(block)}")
    if empty:
        raise FileError(f"'{path.name}' holds no spikes: {empty[0]}. Sort the signals first, and give the sorted file.")
    shown = "; ".join(reasons[:3])
    raise FileError(f"'{path.name}' cannot be read by Neo {neo.__version__}, which says: {shown}.")


def _allowed(readers: Any) -> list[Any]:
    allowed: list[Any] = []
    for io in readers:
        if io.__name__ not in REFUSED | _ELSEWHERE and io not in allowed:
            allowed.append(io)
    return allowed


def _open(io: Any, path: Path) -> "neo.Block | None":
    if io.__name__ == "NixIO":
        with io(str(path), mode="ro") as opened:
            return opened.read_block()
    if io.__name__ == "NeuralynxIO" and path.is_file():
        return io(str(path.parent), include_filenames=[path.name]).read_block()
    if io.mode == "dir" and path.is_file():
        raise FileError("reads a folder; give the folder instead of one of its files")
    return io(str(path)).read_block()


def _unclaimed(path: Path, refused: list[str]) -> str:
    if refused:
        return (
            f"'{path.name}' is a format of {refused[0]}, which can run code from the file and is refused; "
            "convert it to NIX or NWB in the program that wrote it."
        )
    extensions = readable_extensions()
    return (
        f"no reader for '{path.name}'; readable are nix, nwb, npz, txt, plx, pl2, nev, nex, smr, nse, ntt, rec, kwik, "
        f"folders of Phy, Open Ephys and others: {len(extensions)} extensions in all. Export it to one of these, or "
        "its spike times as plain text."
    )


def _contents(block: "neo.Block") -> str:
    kinds = ("analogsignals", "irregularlysampledsignals", "imagesequences", "events", "epochs")
    found = {kind: sum(len(getattr(segment, kind)) for segment in block.segments) for kind in kinds}
    listed = ", ".join(f"{number} {kind}" for kind, number in found.items() if number) or "nothing else either"
    return f"{len(block.segments)} Segments with {listed}"


def _line(problem: Exception) -> str:
    text = " ".join(str(problem).split()) or type(problem).__name__
    return (text if len(text) <= 200 else f"{text[:197]}...").rstrip(".")
