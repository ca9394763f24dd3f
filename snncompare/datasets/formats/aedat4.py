"""Files of DV: events in AEDAT 4, read plain or packed with LZ4, written plain."""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snncompare.datasets.formats.event_arrays import checked_events, event_array
from snncompare.datasets.formats.lz4_frame import unpacked_frame
from snncompare.errors import FileError, InputError, UnsupportedError, one_line

__all__ = ["read_aedat4", "write_aedat4"]

_VERSION = b"#!AER-DAT4.0\r\n"
_EVENT = np.dtype([("t", "<i8"), ("x", "<i2"), ("y", "<i2"), ("on", "u1"), ("padding", "V3")])
_LZ4 = 2
"""Largest number of a kind of packing that is LZ4; 0 is none."""

_MOST_EVENTS_A_PACKET = 1 << 16


def read_aedat4(path: str | Path) -> tuple[NDArray[np.void], int, int]:
    """Return the events of the first stream of events in a file, and the pixels of its camera.

    Parameters
    ----------
    path : path

    Returns
    -------
    events : array of `event_arrays.EVENT`
        Times in microseconds; those of DV count from 1970.
    width, height : int

    Raises
    ------
    FileError
        For files that are no AEDAT 4, are damaged, or hold no events.
    UnsupportedError
        For files that are packed with Zstandard.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise FileError(f"the file '{path}' cannot be read: {problem.strerror}.") from problem
    if not data.startswith(_VERSION):
        raise FileError(f"'{path}' is no file of AEDAT 4.0; for 2.0 and 3.1 see formats.aedat.")
    try:
        packing, end, information, start = _header(data)
        if packing > _LZ4:
            raise UnsupportedError(f"'{path}' is packed with Zstandard; save it again with LZ4 or without packing.")
        stream, width, height = _stream(information)
        parts = [
            _events_of_packet(unpacked_frame(content) if packing else content)
            for number, content in _packets(data, start, end)
            if number == stream
        ]
    except (struct.error, ValueError) as problem:
        raise FileError(f"'{path}' cannot be read as AEDAT 4: {one_line(str(problem), 120)}.") from problem
    rows = np.concatenate([np.empty(0, dtype=_EVENT), *parts])
    try:
        events = event_array(rows["x"], rows["y"], rows["t"], rows["on"] != 0)
        return checked_events(events, width, height), width, height
    except InputError as problem:
        raise FileError(f"'{path}' holds no events of a camera of {width} x {height} pixels: {problem}") from problem


def _header(data: bytes) -> tuple[int, int, str, int]:
    """Return how packets are packed, where they end, what is told of the streams, and where packets start."""
    (size,) = _read("<I", data, len(_VERSION))
    start = len(_VERSION) + 4 + size
    table = _slice(data, len(_VERSION) + 4, size)
    packing, position, information = (_field(table, number) for number in range(3))
    if information is None:
        raise ValueError("its header tells of no streams")
    where = information + _read("<I", table, information)[0]
    (length,) = _read("<I", table, where)
    end = _read("<q", table, position)[0] if position is not None else -1
    return (
        _read("<i", table, packing)[0] if packing is not None else 0,
        end if end >= 0 else len(data),
        _slice(table, where + 4, length).decode("utf-8", errors="replace"),
        start,
    )


def _stream(information: str) -> tuple[int, int, int]:
    """Return number, width and height of the first stream of events."""
    for number, told in re.findall(r'<node name="([0-9]{1,9})"(.*?)(?=<node name="[0-9]|$)', information, re.DOTALL):
        sizes = [re.search(rf'key="{side}"[^>]*>([0-9]{{1,5}})<', told) for side in ("sizeX", "sizeY")]
        if re.search(r'key="typeIdentifier"[^>]*>EVTS<', told) and None not in sizes:
            width, height = (int(size[1]) for size in sizes if size is not None)
            return int(number), width, height
    raise ValueError("it holds no stream of events")


def _packets(data: bytes, position: int, end: int) -> Iterator[tuple[int, bytes]]:
    while position < end:
        number, size = _read("<ii", data, position)
        yield number, _slice(data, position + 8, size)
        position += 8 + size


def _events_of_packet(content: bytes) -> NDArray[np.void]:
    (size,) = _read("<I", content, 0)
    table = _slice(content, 4, size)
    elements = _field(table, 0)
    if elements is None:
        return np.empty(0, dtype=_EVENT)
    where = elements + _read("<I", table, elements)[0]
    (n_events,) = _read("<I", table, where)
    return np.frombuffer(_slice(table, where + 4, n_events * _EVENT.itemsize), dtype=_EVENT)


def _field(table: bytes, number: int) -> int | None:
    """Return where the value of a field of the root table of a flatbuffer lies, None where it has its default."""
    (root,) = _read("<I", table, 0)
    vtable = root - _read("<i", table, root)[0]
    entry = 4 + 2 * number
    if _read("<H", table, vtable)[0] < entry + 2:
        return None
    (offset,) = _read("<H", table, vtable + entry)
    return root + offset if offset else None


def _read(form: str, data: bytes, position: int) -> tuple[int, ...]:
    if position < 0:
        raise ValueError("an offset points outside")
    return struct.unpack_from(form, data, position)


def _slice(data: bytes, start: int, size: int) -> bytes:
    if start < 0 or size < 0 or start + size > len(data):
        raise ValueError("it is cut off or damaged")
    return data[start : start + size]


def write_aedat4(events: NDArray[np.void], path: str | Path, *, width: int, height: int) -> None:
    """Write events to a file of AEDAT 4.0 without compression.

    Parameters
    ----------
    events : structured array
        See `event_arrays.checked_events`.
    path : path
    width, height : int
        Pixels of the camera.

    Raises
    ------
    InputError
        For events that are none of this camera, and cameras beyond 32768 pixels a side.
    FileError
        If the file cannot be written.

    References
    ----------
    iniVation, AEDAT 4.0, https://docs.inivation.com/software/software-advanced-usage/file-formats/aedat-4.0.html;
    Flatbuffers, https://flatbuffers.dev/internals/
    """
    checked = checked_events(events, width, height)
    parts = [_VERSION, _table(b"IOHE", 2, _text(_information(width, height)), 1)]
    for first in range(0, len(checked), _MOST_EVENTS_A_PACKET):
        packet = _table(b"EVTS", 0, _rows(checked[first : first + _MOST_EVENTS_A_PACKET]), 8)
        parts += [struct.pack("<ii", 0, len(packet)), packet]
    try:
        Path(path).write_bytes(b"".join(parts))
    except OSError as problem:
        raise FileError(f"the file '{path}' cannot be written: {problem.strerror}.") from problem


def _table(identifier: bytes, field: int, vector: bytes, alignment: int) -> bytes:
    """Return a size-prefixed flatbuffer of a table whose only field is a vector (which begins with its length)."""
    vtable = struct.pack(f"<{3 + field}H", 6 + 2 * field, 8, *([0] * field), 4)
    start = 8 + len(vtable) + (-len(vtable)) % 4
    gap = (-(start + 8 + 4)) % alignment
    table = struct.pack("<iI", start - 8, 4 + gap)
    content = struct.pack("<I", start) + identifier + vtable.ljust(start - 8, b"\0") + table + bytes(gap) + vector
    return struct.pack("<I", len(content)) + content


def _text(text: str) -> bytes:
    encoded = text.encode("ascii")
    return struct.pack("<I", len(encoded)) + encoded + b"\0"


def _rows(events: NDArray[np.void]) -> bytes:
    rows: NDArray[Any] = np.zeros(len(events), dtype=_EVENT)
    for name, field in (("t", "t"), ("x", "x"), ("y", "y"), ("on", "p")):
        rows[name] = events[field]
    return struct.pack("<I", len(rows)) + rows.tobytes()


def _information(width: int, height: int) -> str:
    def attribute(key: str, kind: str, value: object) -> str:
        return f'<attr key="{key}" type="{kind}">{value}</attr>'

    size = attribute("sizeX", "int", width) + attribute("sizeY", "int", height)
    return (
        '<dv version="2.0"><node name="outInfo" path="/mainloop/Recorder/outInfo/">'
        '<node name="0" path="/mainloop/Recorder/outInfo/0/">'
        + attribute("compression", "string", "NONE")
        + attribute("originalModuleName", "string", "snncompare")
        + attribute("originalOutputName", "string", "events")
        + attribute("typeDescription", "string", "Array of events (polarity ON/OFF).")
        + attribute("typeIdentifier", "string", "EVTS")
        + f'<node name="info" path="/mainloop/Recorder/outInfo/0/info/">{size}</node></node></node></dv>'
    )
