"""The verb ``dataset build``: encode a dataset once, keep its spikes, and write its datasheet."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snncompare.errors import InputError

if TYPE_CHECKING:
    from snncompare.datasets.spike_dataset import SpikeDataset

__all__ = ["build_dataset"]


def build_dataset(
    given: str,
    out: str | Path | None = None,
    *,
    workers: int | None = None,
    seed: int | None = None,
    limit: int | None = None,
    settings: Sequence[str] = (),
    save: str | Path | None = None,
    metadata: str | Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Encode a dataset and return the path of its datasheet, beside the stored spikes.

    The disk it takes is stated before the work starts; an interrupted build goes on where it was.

    Parameters
    ----------
    given : str
        Name, or path of a card.
    out : path, optional
        Folder of the spikes; default: where every later use of the same recipe finds them.
    workers : int, optional
        Processes; default: one per processor.
    seed, settings
        See `options.loaded`.
    limit : int, optional
        Trials, drawn at random, evenly from the classes; default: all. Spikes are kept in shards of 64 neighbouring
        trials, so all trials of the shards that these lie in are encoded; the disk that is stated is that of those.
    save : path, optional
        File to write the spikes to as well: ``.npz``, ``.nwb``, ``.nix``, or ``.h5`` as the Heidelberg sets.
    metadata : path, optional
        YAML file of what an NWB file says of its session, see `recording.nwb_metadata.SessionMetadata`.
    say : callable
        Takes a line of progress.

    Raises
    ------
    SnncompareError
        For what does not exist, files that are not here, or a disk without space.
    """
    from snncompare.commands.compare_yaml import read_yaml
    from snncompare.commands.dataset.description import datasheet_of, describe
    from snncompare.commands.dataset.options import limited, loaded, written

    dataset = limited(loaded(given, settings, seed), limit, seed or 0)
    about = None if metadata is None else read_yaml(metadata)
    if save is not None:
        _check_saveable(dataset, Path(save), about)
    stored = dataset.build(out, workers=workers)
    if stored is None and out is None:
        raise InputError(f"the spikes of '{dataset.name}' are stored already; give --out DIR for its datasheet.")
    folder = Path(out if stored is None and out is not None else stored or ".")
    if save is not None:
        dataset.save(save, about)
        say(f"{dataset.name}: spikes in {save}")
    description = describe(dataset, quick=True, seed=seed or 0, say=say)
    return written(folder, "DATASHEET.md", datasheet_of(dataset, description))


def _check_saveable(dataset: "SpikeDataset", save: Path, metadata: Any) -> None:
    from snncompare.datasets.saving import check_saveable

    if save.suffix.lower() == ".nwb" and metadata is None:
        raise InputError(
            "--save: an NWB file says more of a session than spikes do; give --metadata FILE.yaml with "
            "session_description, identifier, session_start_time, time_resolution, subject."
        )
    check_saveable(save, label=dataset.label, metadata=metadata)
