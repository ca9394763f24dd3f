"""Where pairwise work is done: in blocks, in this process, in several or on a cluster, and resumed from a folder."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError
from snncompare.recording.arguments import instance
from snncompare.representation.blocks.files import BlockFiles, fingerprint
from snncompare.representation.blocks.workers import BLOCK, Job, results_in_order, workers_kind
from snncompare.representation.compiled.trains import Trains

__all__ = ["Execution", "assembled", "blocks_of"]

BYTES_PER_PAIR = 64
"""Of the indices of a pair of trials, besides three numbers per pair and metric while a block is filled."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Execution:
    """How pairwise work is cut and where it is done.

    The result is the same to the last bit whatever is chosen, as long as all workers have processors of one kind: on
    others the compiler may choose other instructions, which round differently in the last digits.

    Parameters
    ----------
    block : int, optional
        Number of trials along the side of a block; by default as many as ``memory`` allows.
    memory : int
        Bytes that one block may take while it is computed (kernels that keep tables of their own take those on top).
        With n worker processes up to ``2 n`` finished blocks wait here to be put in order.
    folder : path, optional
        Finished blocks are kept there, and a run that was stopped computes only those that are missing; see
        `block_files.BlockFiles`. Blocks of another size are not reused.
    workers : int, dask.distributed.Client or executor, optional
        None: in this process, whose compiled code uses all cores. A number: that many new processes, which share the
        cores (a script needs the usual ``if __name__ == "__main__"``). A Dask client: on its workers, which need this
        package installed; the spike trains are sent to each once, and the blocks come back here. Each worker uses
        ``NUMBA_NUM_THREADS`` threads, by default all cores of its machine. An object with
        Elephant's ``.execute(handler, args_iterate, **kwargs)``, such as ``elephant.parallel.ProcessPoolExecutor``.
    progress : bool
        Show a bar on the standard error stream.

    Raises
    ------
    InputError
        If a number is below 1 or the workers are none of these.
    """

    block: int | None = None
    memory: int = 2**28
    folder: str | Path | None = None
    workers: Any = None
    progress: bool = False

    def __post_init__(self) -> None:
        for name in ("block", "memory"):
            number = getattr(self, name)
            if name == "block" and number is None:
                continue
            if isinstance(number, bool) or not isinstance(number, int) or number < 1:
                raise InputError(f"Execution.{name} must be a whole number of 1 or more, got {number!r}.")
        workers_kind(self.workers)

    def side(self, n_trials: int, n_values: int) -> int:
        """Return the number of trials along the side of a block."""
        if self.block is not None:
            return min(self.block, n_trials)
        fits = math.isqrt(int(self.memory // (BYTES_PER_PAIR + 24 * n_values)))
        return max(1, min(fits, n_trials))


def blocks_of(
    values: Sequence[Any], method: str, trains: Trains, execution: Execution | None
) -> Iterator[tuple[range, range, NDArray[np.float64]]]:
    """Yield the blocks on and above the diagonal, row by row: ``(rows, columns, array (n_values, n_rows, n_columns))``.

    Parameters
    ----------
    values : sequence of metrics or kernels
        Those of one class are computed together.
    method : str
        Name of a class method ``(values, trains, rows, columns) -> array (n_values, n_rows, n_columns)``, such as
        ``"between_trials"``.
    trains : Trains
    execution : Execution or None
        None: as ``Execution()``, in blocks of limited memory, in this process.
    """
    job = Job(tuple(values), method, trains)
    example = "an Execution, such as sc.Execution(block=100), or None"
    execution = Execution() if execution is None else instance(execution, Execution, "execution", example)
    cut = _cut(trains.n_trials, execution.side(trains.n_trials, len(values)))
    files = None
    if execution.folder is not None:
        files = BlockFiles(execution.folder, fingerprint(values, method, trains), len(values))
    todo = cut if files is None else [block for block in cut if files.load(block) is None]
    missing = set(todo)
    with closing(results_in_order(job, todo, execution.workers)) as computed:
        for block in _shown(cut, execution.progress):
            result = None if files is None or block in missing else files.load(block)
            if result is None:
                result = next(computed) if block in missing else job.compute(block)
                if files is not None:
                    files.save(block, result)
            yield *block, result


def assembled(values: Sequence[Any], method: str, trains: Trains, execution: Execution | None) -> NDArray[np.float64]:
    """Return symmetric matrices ``(n_values, n_trials, n_trials)`` from their blocks; see `blocks_of`."""
    result = np.empty((len(values), trains.n_trials, trains.n_trials))
    for rows, columns, block in blocks_of(values, method, trains, execution):
        here, there = slice(rows.start, rows.stop), slice(columns.start, columns.stop)
        result[:, here, there] = block
        if rows != columns:
            result[:, there, here] = block.transpose(0, 2, 1)
    return result


def _cut(n_trials: int, side: int) -> list[BLOCK]:
    parts = [range(begin, min(begin + side, n_trials)) for begin in range(0, n_trials, side)]
    return [(rows, columns) for k, rows in enumerate(parts) for columns in parts[k:]]


def _shown(blocks: list[BLOCK], progress: bool) -> Any:
    if not progress:
        return blocks
    from tqdm import tqdm

    return tqdm(blocks, desc="blocks of trials", unit="block")
