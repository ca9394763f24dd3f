"""Files of N-MNIST and N-Caltech101: five bytes an event."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snncompare.datasets.formats.event_arrays import checked_events, event_array
from snncompare.errors import FileError, InputError

__all__ = ["events_of_bytes", "read_n_mnist", "write_n_mnist"]

_BYTES = 5
_OVERFLOW_ROW = 240
_OVERFLOW_TIME = 1 << 13
_LARGEST_TIME = (1 << 23) - 1


def read_n_mnist(path: str | Path, *, width: int = 34, height: int = 34) -> NDArray[np.void]:
    """Return the events of a file.

    Byte 0 is x, byte 1 is y, bit 7 of byte 2 the polarity (1 ON), the other 23 bits the time in microseconds, highest
    byte first. A row of 240 is no event: it adds 8192 microseconds to all times from there on.

    Parameters
    ----------
    path : path
    width, height : int
        Pixels of the camera; default those of N-MNIST.

    Returns
    -------
    array of `event_arrays.EVENT`

    Raises
    ------
    FileError
        For a file that cannot be read, ends within an event, or holds what this camera cannot have sent.

    References
    ----------
    Orchard, Jayawant, Cohen & Thakor (2015) Front Neurosci 9:437; the authors' readers for MATLAB and Python.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise FileError(f"the file '{path}' cannot be read: {problem.strerror}.") from problem
    return events_of_bytes(data, str(path), width=width, height=height)


def events_of_bytes(data: bytes, name: str, *, width: int = 34, height: int = 34) -> NDArray[np.void]:
    """Return the events in the content of a file called `name`; see `read_n_mnist`.

    Raises
    ------
    FileError
    """
    if len(data) % _BYTES:
        raise FileError(f"'{name}' is no whole number of events of five bytes but {len(data)} bytes; get it again.")
    x, y, high, middle, low = np.frombuffer(data, dtype=np.uint8).reshape(-1, _BYTES).T.astype(np.int64)
    overflow = y == _OVERFLOW_ROW
    t = ((high & 127) << 16) + (middle << 8) + low + _OVERFLOW_TIME * np.cumsum(overflow)
    kept = ~overflow
    try:
        return checked_events(event_array(x[kept], y[kept], t[kept], high[kept] >> 7), width, height)
    except InputError as problem:
        raise FileError(f"'{name}' is no file of N-MNIST: {problem}") from problem


def write_n_mnist(events: NDArray[np.void], path: str | Path, *, width: int = 34, height: int = 34) -> None:
    """Write events to a file as `read_n_mnist` reads them.

    Raises
    ------
    InputError
        For events that are none of this camera, and cameras beyond 256 x 240 pixels.
    FileError
        If the file cannot be written.
    """
    if not (1 <= width <= 256 and 1 <= height <= _OVERFLOW_ROW):
        raise InputError(f"files of N-MNIST hold up to 256 x 240 pixels, got {width} x {height}.")
    checked = checked_events(events, width, height)
    # How often 8192 microseconds have to be added before each event, so that the rest fits into 23 bits.
    added = np.maximum(0, -((_LARGEST_TIME - checked["t"]) // _OVERFLOW_TIME))
    n_before = np.diff(added, prepend=0)
    where = np.arange(len(checked)) + np.cumsum(n_before)
    rows = np.zeros((len(checked) + int(n_before.sum()), _BYTES), dtype=np.uint8)
    rows[:, 1] = _OVERFLOW_ROW
    t = checked["t"] - added * _OVERFLOW_TIME
    rows[where] = np.stack(
        [checked["x"], checked["y"], (checked["p"].astype(np.int64) << 7) | (t >> 16), (t >> 8) & 255, t & 255], axis=1
    )
    try:
        Path(path).write_bytes(rows.tobytes())
    except OSError as problem:
        raise FileError(f"the file '{path}' cannot be written: {problem.strerror}.") from problem
