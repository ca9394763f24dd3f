"""Unpacking of LZ4 frames, in which DV packs its events; nothing a frame announces is believed."""

import struct

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["unpacked_frame"]

_MAGIC = 0x184D2204
_BLOCK_BYTES = {4: 1 << 16, 5: 1 << 18, 6: 1 << 20, 7: 1 << 22}
_MOST_BYTES = 1 << 30


def unpacked_frame(frame: bytes) -> bytes:
    """Return the content of an LZ4 frame.

    Checksums are skipped. Parts of frames that need a dictionary are refused.

    Raises
    ------
    ValueError
        For anything but one whole frame, and content of more than 1 GiB.

    References
    ----------
    Collet, LZ4 frame format 1.6 and block format, https://github.com/lz4/lz4/tree/dev/doc
    """
    if len(frame) < 11 or struct.unpack_from("<I", frame)[0] != _MAGIC:
        raise ValueError("no LZ4 frame")
    flags, size_code = frame[4], (frame[5] >> 4) & 7
    if flags >> 6 != 1 or flags & 1 or size_code not in _BLOCK_BYTES:
        raise ValueError("an LZ4 frame of a kind that is not supported")
    position = 7 + (8 if flags & 8 else 0)
    source = np.frombuffer(frame, dtype=np.uint8)
    content, n_bytes = np.empty(2 * len(frame), dtype=np.uint8), 0
    while True:
        if position + 4 > len(frame):
            raise ValueError("an LZ4 frame that is cut off")
        (head,) = struct.unpack_from("<I", frame, position)
        position += 4
        if head == 0:
            break
        size, stored = head & 0x7FFFFFFF, bool(head >> 31)
        if size > _BLOCK_BYTES[size_code] or position + size > len(frame) or n_bytes > _MOST_BYTES:
            raise ValueError("a block of an LZ4 frame that is too large")
        content = _with_room(content, n_bytes + _BLOCK_BYTES[size_code])
        block = source[position : position + size]
        if stored:
            content[n_bytes : n_bytes + size] = block
            n_bytes += size
        else:
            n_bytes = _unpack(block, content, n_bytes, n_bytes + _BLOCK_BYTES[size_code])
            if n_bytes < 0:
                raise ValueError("a damaged block of an LZ4 frame")
        position += size + (4 if flags & 16 else 0)
    return content[:n_bytes].tobytes()


def _with_room(content: NDArray[np.uint8], needed: int) -> NDArray[np.uint8]:
    if needed <= content.size:
        return content
    larger = np.empty(max(needed, 2 * content.size), dtype=np.uint8)
    larger[: content.size] = content
    return larger


@njit(cache=True)
def _length(block, i, length):  # type: ignore[no-untyped-def] # pragma: no cover
    """Return a length of 15 or more with the bytes that continue it, and where they end (beyond the block: damaged)."""
    more = 255
    while more == 255 and i < block.size:
        more = int(block[i])
        length += more
        i += 1
    return length, i + (more == 255)


@njit(cache=True)
def _unpack(block, content, n, end):  # type: ignore[no-untyped-def] # pragma: no cover
    """Append the content of a block from byte `n` on, up to `end`; return where it stops, -1 where it is damaged."""
    i = 0
    while i < block.size:
        token = int(block[i])
        length, i = token >> 4, i + 1
        if length == 15:
            length, i = _length(block, i, length)
        if i + length > block.size or n + length > end:
            return -1
        content[n : n + length] = block[i : i + length]
        n, i = n + length, i + length
        if i == block.size:
            return n
        if i + 2 > block.size:
            return -1
        offset = int(block[i]) + 256 * int(block[i + 1])
        length, i = token & 15, i + 2
        if length == 15:
            length, i = _length(block, i, length)
        length += 4
        if offset == 0 or offset > n or n + length > end or i > block.size:
            return -1
        for _ in range(length):  # what is copied may be written by this very copy
            content[n] = content[n - offset]
            n += 1
    return -1
