"""Who computes the blocks of pairwise work: this process, several, a Dask cluster, or an executor of Elephant."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.errors import InputError, UnsupportedError
from snncompare.representation.compiled.trains import Trains

__all__ = ["BLOCK", "Job", "compute_block", "results_in_order", "workers_kind"]

BLOCK = tuple[range, range]
"""Rows and columns: the same trials, or the columns lie after the rows."""

EXECUTED_AT_ONCE = 4
"""Blocks per worker handed to an executor in one call, all of which come back together."""


class Job(NamedTuple):
    """Pairwise work on spike trains: metrics or kernels, and the class method that computes a block of them."""

    values: tuple[Any, ...]
    method: str
    trains: Trains

    def compute(self, block: BLOCK) -> NDArray[np.float64]:
        """Return a block ``(n_values, n_rows, n_columns)``; values of one class are computed together."""
        rows, columns = block
        result = np.empty((len(self.values), len(rows), len(columns)))
        for kind in dict.fromkeys(type(value) for value in self.values):
            chosen = [k for k, value in enumerate(self.values) if type(value) is kind]
            same = [self.values[k] for k in chosen]
            result[chosen] = getattr(kind, self.method)(same, self.trains, rows, columns)
        return result


def compute_block(block: BLOCK, job: Job) -> NDArray[np.float64]:
    """Compute a block where it was sent to.

    Arrays that came over a network may lie at addresses that compiled code does not take; those are copied.
    """
    trains = job.trains
    times = np.require(trains.times, requirements=["A", "C"])
    offsets = np.require(trains.offsets, requirements=["A", "C"])
    return job._replace(trains=trains._replace(times=times, offsets=offsets)).compute(block)


def workers_kind(workers: Any) -> str:
    """Return how to talk to the workers: ``"none"``, ``"processes"``, ``"dask"`` or ``"execute"``.

    Raises
    ------
    InputError
        If they are none of these.
    """
    if workers is None:
        return "none"
    if isinstance(workers, int) and not isinstance(workers, bool) and workers >= 1:
        return "processes"
    if all(hasattr(workers, name) for name in ("scatter", "submit", "nthreads")):
        return "dask"
    if callable(getattr(workers, "execute", None)):
        return "execute"
    raise InputError(
        f"Execution.workers must be None, a number of processes from 1 on, a dask.distributed.Client or an object with "
        f"Elephant's .execute(handler, args_iterate); got {workers!r}."
    )


def results_in_order(job: Job, blocks: Iterable[BLOCK], workers: Any) -> Generator[NDArray[np.float64]]:
    """Yield the results of the blocks in their order; only a few that are ahead of their turn are held."""
    match workers_kind(workers):
        case "none":
            yield from (job.compute(block) for block in blocks)
        case "processes":
            yield from _in_processes(job, blocks, workers)
        case "dask":
            yield from _on_dask(job, blocks, workers)
        case "execute":
            yield from _executed(job, blocks, workers)


def _in_processes(job: Job, blocks: Iterable[BLOCK], n: int) -> Generator[NDArray[np.float64]]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    todo = list(blocks)
    if not todo:
        return
    pool = ProcessPoolExecutor(
        min(n, len(todo)), mp_context=get_context("spawn"), initializer=_receive, initargs=(job, n)
    )
    try:
        with closing(_windowed(lambda block: pool.submit(_compute_received, block), todo, 2 * n)) as done:
            yield from done
    except BrokenProcessPool as problem:
        raise UnsupportedError(
            "a worker process ended before its work was done: it ran out of memory (give a smaller Execution.memory or "
            "fewer workers), the script lacks its `if __name__ == '__main__'`, or a metric is defined where a new "
            "process cannot import it. With Execution.folder the next run goes on from here."
        ) from problem
    finally:
        pool.shutdown(cancel_futures=True)


_received: dict[str, Job] = {}
"""In a worker process: what it was started with, so that it travels once."""


def _receive(job: Job, n_processes: int) -> None:
    import numba

    numba.config.NUMBA_NUM_THREADS = max(1, min(numba.config.NUMBA_NUM_THREADS, (os.cpu_count() or 1) // n_processes))
    _received["job"] = job


def _compute_received(block: BLOCK) -> NDArray[np.float64]:
    return compute_block(block, _received["job"])


def _on_dask(job: Job, blocks: Iterable[BLOCK], client: Any) -> Generator[NDArray[np.float64]]:
    todo = list(blocks)
    if not todo:
        return
    [sent] = client.scatter([job], broadcast=True, hash=False)
    ahead = 2 * max(1, sum(client.nthreads().values()))
    with closing(_windowed(lambda block: client.submit(compute_block, block, sent, pure=False), todo, ahead)) as done:
        yield from done


def _windowed(submit: Callable[[BLOCK], Any], blocks: Iterable[BLOCK], ahead: int) -> Generator[NDArray[np.float64]]:
    """Keep ``ahead`` blocks submitted and hand out their results in order; what is left over is cancelled."""
    waiting, submitted = iter(blocks), deque[Any]()
    try:
        while True:
            submitted.extend(submit(block) for block in islice(waiting, ahead - len(submitted)))
            if not submitted:
                return
            yield submitted.popleft().result()
    finally:
        for future in submitted:
            future.cancel()


def _executed(job: Job, blocks: Iterable[BLOCK], executor: Any) -> Generator[NDArray[np.float64]]:
    waiting = iter(blocks)
    at_once = EXECUTED_AT_ONCE * (getattr(executor, "max_workers", None) or os.cpu_count() or 1)
    while batch := list(islice(waiting, at_once)):
        yield from executor.execute(compute_block, batch, job=job)
