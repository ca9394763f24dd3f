"""Encode a dataset once and keep its spikes: shard by shard, on several processes, resumed where it was interrupted."""

import json
import math
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from snncompare.datasets.samples import EncodedSource
from snncompare.datasets.shards import SHARD, shard_bytes, write_checked
from snncompare.errors import FileError, InputError

if TYPE_CHECKING:
    from snncompare.datasets.cache import StoredSource

__all__ = ["build_shards", "expected_bytes"]

_PROBES = 4
"""Trials that are encoded to tell the size of all."""


def build_shards(
    source: "StoredSource", positions: NDArray[np.int64] | None, *, workers: int | None, progress: bool
) -> Path:
    """Encode and store the shards that hold some trials; those that are there and whole are kept.

    The bytes on disk do not depend on the number of workers, nor on interruptions: each shard is written under
    another name and then renamed.

    Parameters
    ----------
    source : StoredSource
    positions : array of int, optional
        Trials; all by default.
    workers : int or None
        Processes, started afresh (a script that calls this needs ``if __name__ == "__main__":``); 1 encodes in this
        one, None uses all processors.
    progress : bool
        Say on stderr how much disk the spikes will take before the work starts, and show a progress bar.

    Returns
    -------
    Path
        The folder of the shards.

    Raises
    ------
    InputError
        For a number of workers below one.
    FileError
        If the disk has less space than is needed, gets full, or a worker is killed; what was stored stays.
    """
    if workers is not None and workers < 1:
        raise InputError(f"workers must be at least 1, or None for all processors; got {workers}.")
    begin = time.time()
    every = np.arange(len(source.labels)) if positions is None else positions
    missing = [shard for shard in np.unique(every // SHARD).tolist() if source.read_shard(shard) is None]
    if missing:
        _state_disk_use(source, missing, progress)
        _write_recipe(source)
        count = min(workers or os.cpu_count() or 1, len(missing))
        total = sum(source.members(shard).size for shard in missing)
        with tqdm(total=total, desc=source.name, unit="trial", disable=not progress) as bar:
            for shard in _in_this_process(source, missing) if count == 1 else _in_others(source, missing, count):
                bar.update(source.members(shard).size)
    durations = {"durations": source.trials["stop"].to_numpy(dtype=np.float64)}
    write_checked(source.folder / "durations.npz", durations, source.fingerprint())
    if missing:
        _remove_unfinished(source.folder, begin)
    return source.folder


def expected_bytes(source: "StoredSource", n_trials: int, among: NDArray[np.int64] | None = None) -> int:
    """Return about how many bytes that many trials take on disk, judged from a few that are encoded now.

    Parameters
    ----------
    source : StoredSource
    n_trials : int
    among : array of int, optional
        Positions to judge from; default: all.
    """
    every = np.arange(len(source.labels)) if among is None else among
    probes = np.unique(every[np.linspace(0, every.size - 1, _PROBES).round().astype(np.int64)])
    around = shard_bytes(EncodedSource.spikes(source, probes[:0]))
    each = (shard_bytes(EncodedSource.spikes(source, probes)) - around) / probes.size
    return round(each * n_trials + around * math.ceil(n_trials / SHARD))


def _state_disk_use(source: "StoredSource", missing: list[int], progress: bool) -> None:
    trials = np.concatenate([source.members(shard) for shard in missing])
    needed = expected_bytes(source, trials.size, trials)
    free = shutil.disk_usage(_existing(source.folder)).free
    if progress:
        stated = f"about {needed / 1e6:.1f} MB in '{source.folder}' ({free / 1e9:.1f} GB free)"
        tqdm.write(f"{source.name}: {trials.size} of {len(source.labels)} trials to encode, {stated}.", file=sys.stderr)
    if needed > free:
        raise FileError(
            f"the spikes of '{source.name}' need about {needed / 1e6:.0f} MB, the disk of '{source.folder}' has "
            f"{free / 1e6:.0f} MB free; free some, or set SNNCOMPARE_CACHE to a folder on another disk."
        )


def _remove_unfinished(folder: Path, begin: float) -> None:
    """Remove what builds that were killed left behind; what another build is writing now changed since `begin`."""
    for unfinished in folder.glob("*.part"):
        with suppress(OSError):
            if unfinished.lstat().st_mtime < begin:
                unfinished.unlink()


def _existing(folder: Path) -> Path:
    return next(parent for parent in (folder.absolute(), *folder.absolute().parents) if parent.is_dir())


def _write_recipe(source: "StoredSource") -> None:
    """Leave word, for whoever finds the folder, of what lies in it."""
    try:
        source.folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(source.recipe, indent=2, sort_keys=True, ensure_ascii=False)
        (source.folder / "recipe.json").write_text(text + "\n", encoding="utf-8")
    except OSError as problem:
        raise FileError(f"cannot write into '{source.folder}': {problem.strerror or problem}.") from problem


def _in_this_process(source: "StoredSource", missing: list[int]) -> Iterator[int]:
    for shard in missing:
        source.write_shard(shard)
        yield shard


def _in_others(source: "StoredSource", missing: list[int], workers: int) -> Iterator[int]:
    executor = ProcessPoolExecutor(workers, get_context("spawn"), _begin, (source,))
    try:
        for done in as_completed([executor.submit(_work, shard) for shard in missing]):
            yield done.result()
    except BrokenProcessPool as problem:
        raise FileError(
            f"a process that encoded '{source.name}' ended before its work (killed, or out of memory; a script needs "
            "if __name__ == '__main__':); what was stored stays, run the same again to go on."
        ) from problem
    finally:
        executor.shutdown(cancel_futures=True)


_mine: dict[str, Any] = {}
"""What a worker encodes; set once when it starts."""


def _begin(source: "StoredSource") -> None:
    import numba

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started this one is interrupted, and ends it
    numba.set_num_threads(1)
    _mine["source"] = source
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _work(shard: int) -> int:
    _mine["source"].write_shard(shard)
    return shard


def _end_with_parent() -> None:
    """End this process when the one that started it was killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
