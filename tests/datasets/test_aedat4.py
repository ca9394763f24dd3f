"""AEDAT 4: what we write an independent decoder reads, what it reads packed we read too; broken files are refused."""

import struct

import numpy as np
import pytest

from snncompare.datasets.formats.aedat4 import read_aedat4, write_aedat4
from snncompare.datasets.formats.event_arrays import event_array
from snncompare.datasets.formats.lz4_frame import unpacked_frame
from snncompare.errors import FileError, InputError, UnsupportedError


def made(n):
    rng = np.random.default_rng(n)
    t = np.sort(rng.integers(0, 10**12, n))
    return event_array(rng.integers(0, 346, n), rng.integers(0, 260, n), t, rng.integers(0, 2, n))


def decoded(path):
    """Return the events that the independent decoder finds."""
    decoder = pytest.importorskip("aedat", reason="the independent decoder of AEDAT 4 is not installed").Decoder(
        str(path)
    )
    assert [(one["width"], one["height"]) for one in decoder.id_to_stream().values()] == [(346, 260)]
    packets = [packet["events"] for packet in decoder]
    parts = [event_array(*(one[name] for name in ("x", "y", "t", "on"))) for one in packets]
    return np.concatenate([made(0), *parts])


def packed_block(data):
    """Return data as a block of LZ4: literals, and matches of four bytes or more wherever they are."""
    out, seen, anchor, i = bytearray(), {}, 0, 0

    def length(value):
        return bytes([255] * ((value - 15) // 255) + [(value - 15) % 255]) if value >= 15 else b""

    while i < len(data) - 12:  # the last bytes of a block are literals
        key = data[i : i + 4]
        there = seen.get(key, -1 << 20)
        seen[key] = i
        if i - there > 65_535:
            i += 1
            continue
        size = 4
        while i + size < len(data) - 5 and data[there + size] == data[i + size]:
            size += 1
        literals = data[anchor:i]
        out.append((min(len(literals), 15) << 4) | min(size - 4, 15))
        out += length(len(literals)) + literals + struct.pack("<H", i - there) + length(size - 4)
        i += size
        anchor = i
    literals = data[anchor:]
    return bytes(out) + bytes([min(len(literals), 15) << 4]) + length(len(literals)) + literals


def packed_frame(data, *, stored=False):
    """Return data as a frame of LZ4 in blocks of 64 kB, without checksums but that of its header, 0x82."""
    frame = struct.pack("<IBBB", 0x184D2204, 0b01100000, 0x40, 0x82)
    for first in range(0, len(data), 1 << 16):
        part = data[first : first + (1 << 16)]
        block = packed_block(part)
        if stored or len(block) >= len(part):
            frame += struct.pack("<I", len(part) | 1 << 31) + part
        else:
            frame += struct.pack("<I", len(block)) + block
    return frame + bytes(4)


def packed(path, **options):
    """Pack the packets of a file that we wrote, and say so in its header."""
    content = path.read_bytes()
    (size,) = struct.unpack_from("<I", content, 14)
    start, out = 18 + size, b""
    # Our header has one field, the text, and takes 28 bytes before it; here the packing (1 is LZ4) is another.
    text = content[18 + 28 : start]
    body = struct.pack("<I4s5H2xiIi", 20, b"IOHE", 10, 12, 8, 0, 4, 12, 8, 1) + text
    new = content[:14] + struct.pack("<I", len(body)) + body
    while start < len(content):
        number, size = struct.unpack_from("<ii", content, start)
        frame = packed_frame(content[start + 8 : start + 8 + size], **options)
        out += struct.pack("<ii", number, len(frame)) + frame
        start += 8 + size
    path.write_bytes(new + out)


@pytest.fixture
def written(tmp_path):
    write_aedat4(made(1000), tmp_path / "a.aedat4", width=346, height=260)
    return tmp_path / "a.aedat4"


@pytest.mark.parametrize("n", [0, 1, 2, 3, 1000, 150_000])
def test_events_survive_exactly_for_us_and_for_another_decoder(tmp_path, n):
    write_aedat4(made(n), tmp_path / "a.aedat4", width=346, height=260)
    events, width, height = read_aedat4(tmp_path / "a.aedat4")
    assert np.array_equal(events, made(n))
    assert (width, height) == (346, 260)
    assert np.array_equal(decoded(tmp_path / "a.aedat4"), made(n))


def test_the_decoder_sees_the_bytes_and_not_something_else(written):
    """Negative control: another byte in the last event is another event."""
    content = bytearray(written.read_bytes())
    content[-8] ^= 1  # the lowest bit of x, before y (2), polarity (1) and padding (3)
    written.write_bytes(content)
    events, _, _ = read_aedat4(written)
    assert np.flatnonzero(events != made(1000)).tolist() == [999]


@pytest.mark.parametrize("missing", [1, 100, 15_000])
def test_a_file_that_is_cut_off_is_refused(written, missing):
    written.write_bytes(written.read_bytes()[:-missing])
    with pytest.raises(FileError, match="cannot be read as AEDAT 4") as caught:
        read_aedat4(written)
    assert "\n" not in str(caught.value)


def test_files_of_other_kinds_and_pixels_beyond_the_camera_are_refused(written, tmp_path):
    (tmp_path / "b.aedat4").write_bytes(b"#!AER-DAT3.1\r\n")
    with pytest.raises(FileError, match="no file of AEDAT 4"):
        read_aedat4(tmp_path / "b.aedat4")
    with pytest.raises(FileError, match="cannot be read"):
        read_aedat4(tmp_path / "absent.aedat4")
    content = written.read_bytes().replace(b'"sizeX" type="int">346', b'"sizeX" type="int">200')
    written.write_bytes(content)
    with pytest.raises(FileError, match="no events of a camera of 200 x 260"):
        read_aedat4(written)


def test_events_that_are_none_of_the_camera_are_not_written(tmp_path):
    with pytest.raises(InputError, match="100 x 100 pixels"):
        write_aedat4(made(100), tmp_path / "a.aedat4", width=100, height=100)
    with pytest.raises(InputError, match="pixels a side"):
        write_aedat4(made(0), tmp_path / "a.aedat4", width=0, height=100)
    with pytest.raises(FileError, match="cannot be written"):
        write_aedat4(made(10), tmp_path / "absent" / "a.aedat4", width=346, height=260)


@pytest.mark.parametrize("stored", [False, True])
def test_packed_files_are_read_by_us_and_by_another_decoder(tmp_path, stored):
    events = made(9000)
    events["y"] = 7  # something to pack
    write_aedat4(events, tmp_path / "a.aedat4", width=346, height=260)
    plain = (tmp_path / "a.aedat4").stat().st_size
    packed(tmp_path / "a.aedat4", stored=stored)
    assert stored == ((tmp_path / "a.aedat4").stat().st_size > plain)
    assert np.array_equal(read_aedat4(tmp_path / "a.aedat4")[0], events)
    assert np.array_equal(decoded(tmp_path / "a.aedat4"), events)


def test_frames_unpack_to_what_was_packed_also_long_runs():
    for data in (b"", b"a", bytes(100_000), b"abcabcabc" * 5000, np.random.default_rng(0).bytes(70_000)):
        assert unpacked_frame(packed_frame(data)) == data


def test_damaged_frames_are_refused_whatever_is_damaged():
    frame = packed_frame(b"abcabcabcdefabcdef" * 50)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(500):
        wrong = bytearray(frame)
        wrong[rng.integers(len(wrong))] = rng.integers(256)
        try:
            unpacked_frame(bytes(wrong[: rng.integers(1, len(wrong) + 1)]))
        except ValueError:
            refused += 1
    assert refused > 300


def test_files_damaged_anywhere_are_read_or_refused_and_never_worse(written):
    content, rng, refused = written.read_bytes(), np.random.default_rng(1), 0
    for _ in range(300):
        wrong = bytearray(content)
        wrong[rng.integers(700)] = rng.integers(256)
        written.write_bytes(wrong)
        try:
            read_aedat4(written)
        except (FileError, UnsupportedError):
            refused += 1
    assert refused > 30


def test_zstandard_is_named(written):
    packed(written)
    content = bytearray(written.read_bytes())
    content[18 + 28] = 3
    written.write_bytes(content)
    with pytest.raises(UnsupportedError, match="Zstandard"):
        read_aedat4(written)
