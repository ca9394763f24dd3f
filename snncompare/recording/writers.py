"""Write a recording to a file whose name says the format."""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.errors import FileError, InputError, MissingDependencyError, one_line

if TYPE_CHECKING:
    from snncompare.recording.recording import Recording

__all__ = ["save"]

_FORMATS = (".npz", ".nwb", ".nix")


def save(recording: "Recording", path: str | Path, metadata: Any = None) -> Path:
    """Write a recording and return its path.

    Parameters
    ----------
    recording : Recording
    path : path
        ``.npz`` (`archive.save`, everything to the last bit), ``.nwb`` (`to_nwb.write_nwb`), or ``.nix`` (through Neo,
        everything to the last bit, at about 0.1 s and 0.1 MB per train: for few trains).
    metadata : SessionMetadata or mapping, optional
        For ``.nwb``, which needs it; see `nwb_metadata.SessionMetadata`.

    Raises
    ------
    FileError
        For another name, a folder that does not exist, or a file that cannot be written.
    InputError
        For metadata with other formats, and as the writers of the formats.
    MissingDependencyError
        If PyNWB or nixio is needed and not installed.
    """
    from snncompare.recording.archive import save as save_archive
    from snncompare.recording.to_nwb import write_nwb

    target = Path(path)
    suffix = target.suffix.lower()
    if suffix not in _FORMATS:
        raise FileError(
            f"recordings are saved as .npz, .nwb or .nix, got '{target.name}'; write for example '{target.stem}.npz'."
        )
    if not target.parent.is_dir():
        raise FileError(f"the folder '{target.parent}' does not exist; make it first.")
    if suffix != ".nwb" and metadata is not None:
        raise InputError(f"metadata are for .nwb; '{target.name}' has provenance only. Leave them out.")
    try:
        if suffix == ".nwb":
            return write_nwb(recording, target, metadata)
        return save_archive(recording, target) if suffix == ".npz" else _write_nix(recording, target)
    except FileError:
        raise
    except OSError as problem:
        why = problem.strerror or one_line(str(problem), 200)
        raise FileError(f"'{target}' cannot be written: {why}; give a file in a folder of your own.") from problem


def _write_nix(recording: "Recording", target: Path) -> Path:
    if find_spec("nixio") is None:
        raise MissingDependencyError("writing NIX needs nixio; install it, for example by: pip install nixio")
    from neo.io import NixIO

    with NixIO(str(target), mode="ow") as io:
        io.write_block(recording.to_neo())
    return target
