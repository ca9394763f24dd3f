"""Files of jAER and cAER: polarity events of DVS and DAVIS cameras, AEDAT 2.0 and 3.1."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snncompare.datasets.formats.event_arrays import checked_events, event_array
from snncompare.errors import FileError, InputError, unknown

__all__ = ["CHIPS", "Chip", "read_aedat", "write_aedat"]


class Chip(NamedTuple):
    """A camera: pixels, its name in jAER, and where AEDAT 2.0 keeps x, y and polarity (lowest bit, number of bits)."""

    width: int
    height: int
    jaer: str
    x: tuple[int, int]
    y: tuple[int, int]
    polarity: int
    not_events: int
    """Bits that are set where the record is no polarity event."""


_DAVIS = {"x": (12, 10), "y": (22, 9), "polarity": 11, "not_events": (1 << 31) | (1 << 10)}

CHIPS = {
    "DVS128": Chip(128, 128, "ch.unizh.ini.jaer.chip.retina.DVS128", (1, 7), (8, 7), 0, 1 << 15),
    "DAVIS240": Chip(240, 180, "eu.seebetter.ini.chips.davis.Davis240C", **_DAVIS),  # type: ignore[arg-type]
    "DAVIS346": Chip(346, 260, "eu.seebetter.ini.chips.davis.Davis346B", **_DAVIS),  # type: ignore[arg-type]
    "DAVIS640": Chip(640, 480, "eu.seebetter.ini.chips.davis.Davis640", **_DAVIS),  # type: ignore[arg-type]
}
"""Cameras by name."""

_END = b"#!END-HEADER\r\n"
_PACKET = np.dtype(
    [
        ("type", "<i2"),
        ("source", "<i2"),
        ("size", "<i4"),
        ("time_offset", "<i4"),
        ("time_overflow", "<i4"),
        ("capacity", "<i4"),
        ("number", "<i4"),
        ("valid", "<i4"),
    ]
)
_POLARITY_EVENT = 1
_MOST_EVENTS_A_PACKET = 1 << 20


def read_aedat(path: str | Path, *, chip: str | None = None) -> tuple[NDArray[np.void], str]:
    """Return the polarity events of a file, and the camera they are from.

    AEDAT 2.0: records of a 32-bit address and a 32-bit time, big-endian, row 0 at the bottom. AEDAT 3.1: packets of
    little-endian events with row 0 at the top, of which other kinds than polarity events, and events marked invalid,
    are left out. Times are microseconds; rows are counted from the top here.

    Parameters
    ----------
    path : path
    chip : str, optional
        One of `CHIPS`, where the file does not name its camera.

    Returns
    -------
    events : array of `event_arrays.EVENT`
    chip : str

    Raises
    ------
    FileError
        For other versions and cameras, files that are cut off, and times that fall or pixels beyond the camera.

    References
    ----------
    iniVation, AEDAT file formats, https://docs.inivation.com/software/software-advanced-usage/file-formats/
    """
    try:
        data = Path(path).read_bytes()
    except OSError as problem:
        raise FileError(f"the file '{path}' cannot be read: {problem.strerror}.") from problem
    version = re.match(rb"#!AER-DAT(\d\.\d)\r?\n", data)
    if version is None or version[1] not in {b"2.0", b"3.1"}:
        found = "no AEDAT file" if version is None else f"AEDAT {version[1].decode()}"
        raise FileError(f"'{path}' is {found}; versions 2.0 and 3.1 are read here, 4.0 by formats.aedat4.")
    header, body = _header(data, version[1] == b"3.1", path)
    name = chip or _named(header, path)
    if name not in CHIPS:
        raise InputError(unknown("camera", name, CHIPS))
    read = _read_2 if version[1] == b"2.0" else _read_3
    events = read(body, CHIPS[name], path)
    try:
        return checked_events(events, CHIPS[name].width, CHIPS[name].height), name
    except InputError as problem:
        raise FileError(f"'{path}' holds no events of a {name}: {problem}") from problem


def write_aedat(events: NDArray[np.void], path: str | Path, *, chip: str, version: str = "3.1") -> None:
    """Write events to a file as `read_aedat` reads them.

    Parameters
    ----------
    events : structured array
        See `event_arrays.checked_events`; `event_arrays.events_of` makes it from a recording.
    path : path
    chip : str
        One of `CHIPS`, which says how many pixels there are.
    version : str
        ``"2.0"`` or ``"3.1"``.

    Raises
    ------
    InputError
        For cameras and versions that do not exist, events that are none of this camera, and times beyond 2147 s.
    FileError
        If the file cannot be written.
    """
    if chip not in CHIPS:
        raise InputError(unknown("camera", chip, CHIPS))
    if version not in {"2.0", "3.1"}:
        raise InputError(unknown("version of AEDAT", version, ("2.0", "3.1")))
    checked = checked_events(events, CHIPS[chip].width, CHIPS[chip].height)
    if checked.size and checked["t"][-1] >= 1 << 31:
        raise InputError(f"times in AEDAT {version} are below 2147.48 s; the last event is at {checked['t'][-1]} us.")
    content = _bytes_2(checked, CHIPS[chip]) if version == "2.0" else _bytes_3(checked, chip)
    try:
        Path(path).write_bytes(content)
    except OSError as problem:
        raise FileError(f"the file '{path}' cannot be written: {problem.strerror}.") from problem


def _header(data: bytes, ends_with_mark: bool, path: str | Path) -> tuple[bytes, bytes]:
    if ends_with_mark:
        end = data.find(_END)
        if end < 0:
            raise FileError(f"the header of '{path}' does not end with #!END-HEADER; get the file again.")
        return data[:end], data[end + len(_END) :]
    end = 0
    while data[end : end + 1] == b"#":
        line = data.find(b"\n", end)
        if line < 0:
            raise FileError(f"the header of '{path}' is cut off; get the file again.")
        end = line + 1
    return data[:end], data[end:]


def _named(header: bytes, path: str | Path) -> str:
    found = re.search(rb"(?m)^# ?(?:AEChip|Source \d+):.*?(DVS128|DAVIS(?:240|346|640))", header, flags=re.IGNORECASE)
    if found is None:
        raise FileError(f"'{path}' names no camera that is known ({', '.join(CHIPS)}); give chip=...")
    return found[1].decode().upper()


def _read_2(body: bytes, chip: Chip, path: str | Path) -> NDArray[np.void]:
    if len(body) % 8:
        raise FileError(f"'{path}' ends within an event ({len(body)} bytes of events of 8); get it again.")
    address, t = np.frombuffer(body, dtype=">u4").reshape(-1, 2).T.astype(np.int64)
    kept = (address & chip.not_events) == 0
    address, t = address[kept], t[kept]
    x, y = ((address >> low) & ((1 << n_bits) - 1) for low, n_bits in (chip.x, chip.y))
    return event_array(x, chip.height - 1 - y, t, (address >> chip.polarity) & 1)


def _bytes_2(events: NDArray[np.void], chip: Chip) -> bytes:
    header = (
        "#!AER-DAT2.0\r\n# This is a raw AE data file - do not edit\r\n"
        "# Data format is int32 address, int32 timestamp (8 bytes total), repeated for each event\r\n"
        f"# Timestamps tick is 1 us\r\n# AEChip: {chip.jaer}\r\n"
    )
    x, y = events["x"].astype(np.int64), chip.height - 1 - events["y"].astype(np.int64)
    address = (x << chip.x[0]) | (y << chip.y[0]) | (events["p"].astype(np.int64) << chip.polarity)
    return header.encode("ascii") + np.stack([address, events["t"]], axis=1).astype(">u4").tobytes()


def _read_3(body: bytes, chip: Chip, path: str | Path) -> NDArray[np.void]:  # noqa: ARG001 (the layout is the same)
    position, found = 0, [np.empty((4, 0), dtype=np.int64)]
    while position < len(body):
        packet = np.frombuffer(body[position : position + _PACKET.itemsize].ljust(_PACKET.itemsize, b"\xff"), _PACKET)[
            0
        ]
        start = position + _PACKET.itemsize
        n_bytes = int(packet["size"]) * int(packet["capacity"])
        if packet["size"] < 0 or packet["capacity"] < 0 or start + n_bytes > len(body):
            raise FileError(f"'{path}' is cut off within a packet, {position} bytes after its header; get it again.")
        if packet["type"] == _POLARITY_EVENT:
            if packet["size"] != 8 or not 0 <= packet["number"] <= packet["capacity"] or packet["time_overflow"] < 0:
                raise FileError(
                    f"'{path}' has a packet of polarity events that is none, {position} bytes after its header."
                )
            word, t = np.frombuffer(body, "<u4", 2 * int(packet["number"]), start).reshape(-1, 2).T.astype(np.int64)
            columns = np.stack(
                [word >> 17, (word >> 2) & 0x7FFF, t + (int(packet["time_overflow"]) << 31), (word >> 1) & 1]
            )
            found.append(columns[:, (word & 1) == 1])
        position = start + n_bytes
    return event_array(*np.concatenate(found, axis=1))


def _bytes_3(events: NDArray[np.void], name: str) -> bytes:
    header = (
        f"#!AER-DAT3.1\r\n#Format: RAW\r\n#Source 0: {name}\r\n#Start-Time: 1970-01-01 00:00:00 (TZ+0000)\r\n"
    ).encode("ascii")
    parts = [header, _END]
    for first in range(0, len(events), _MOST_EVENTS_A_PACKET):
        some = events[first : first + _MOST_EVENTS_A_PACKET]
        packet = np.array([(_POLARITY_EVENT, 0, 8, 4, 0, len(some), len(some), len(some))], dtype=_PACKET)
        word = (
            (some["x"].astype(np.int64) << 17)
            | (some["y"].astype(np.int64) << 2)
            | (some["p"].astype(np.int64) << 1)
            | 1
        )
        parts += [packet.tobytes(), np.stack([word, some["t"]], axis=1).astype("<u4").tobytes()]
    return b"".join(parts)
