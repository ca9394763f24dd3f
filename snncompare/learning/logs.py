"""The course of training as a folder that TensorBoard reads."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snncompare.errors import FileError, MissingDependencyError

__all__ = ["Log", "opened_log", "tag_of"]

_GROUPS = {"loss": "loss", "accuracy": "accuracy"}


class Log:
    """Scalars per epoch: ``loss/training``, ``accuracy/test``, ``rate/hidden``, ``learning_rate`` and so on.

    Parameters
    ----------
    writer : torch.utils.tensorboard.SummaryWriter or None
        None writes nothing.
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def write(self, row: Mapping[str, float], learning_rate: float) -> None:
        """Write the row of an epoch, at once."""
        if self._writer is None:
            return
        epoch = int(row["epoch"])
        for name, value in {**row, "learning_rate": learning_rate}.items():
            if name != "epoch":
                self._writer.add_scalar(tag_of(name), value, epoch)
        self._writer.flush()


def tag_of(column: str) -> str:
    """Return what a column of the history is called in the log."""
    if column.startswith("rate"):
        return f"rate/{column.removeprefix('rate_') if column != 'rate' else 'mean'}"
    part, _, quantity = column.rpartition("_")
    if quantity in _GROUPS:
        return f"{quantity}/{ {'train': 'training', '': 'training'}.get(part, part) }"
    return column


@contextmanager
def opened_log(folder: str | Path | None, finished: int) -> Iterator[Log]:
    """Give a log to write to; None writes nothing.

    Parameters
    ----------
    folder : path or None
    finished : int
        Epochs that are over when training goes on: what an interrupted training wrote after them is left out.

    Raises
    ------
    MissingDependencyError
        If the package tensorboard is not installed.
    FileError
        If the folder cannot be written to.
    """
    if folder is None:
        yield Log(None)
        return
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as problem:
        raise MissingDependencyError(
            "logs need 'tensorboard'; install it with: pip install -e '.[logs]', or leave out logs=."
        ) from problem
    try:
        writer = SummaryWriter(str(folder), purge_step=finished + 1 if finished else None)
    except OSError as problem:
        raise FileError(
            f"logs cannot be written to the folder '{folder}': {problem.strerror}; name another."
        ) from problem
    try:
        yield Log(writer)
    finally:
        writer.close()
