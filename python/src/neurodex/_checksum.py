"""CRC-32C (Castagnoli), the checksum of a store's rows: by the extension's C code, or by NumPy where it is not there."""

from __future__ import annotations

import ctypes
import functools
import struct
from typing import Callable, Union, cast

import numpy as np
import numpy.typing as npt

from . import _native

Bytes = npt.NDArray[np.uint8]
Sums = npt.NDArray[np.uint32]
Column = Union[int, float, str, bytes, None]

POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41, its bits reversed


def checksums(rows: Bytes) -> Sums:
    """Computes the checksum of each row of a C-contiguous array of bytes, rows × length."""
    native = _native_checksums()
    return native(rows) if native else checksums_by_numpy(rows)


def checksum_of_columns(columns: tuple[Column, ...]) -> int:
    """Computes the checksum of a table's row, as schema.sql says: numbers are 8 bytes, little-endian; text and blobs are
    their length, then their bytes; NULL is the length -1.
    """
    parts: list[bytes] = []
    for column in columns:
        if column is None:
            parts.append(struct.pack("<q", -1))
        elif isinstance(column, int):
            parts.append(struct.pack("<q", column))
        elif isinstance(column, float):
            parts.append(struct.pack("<d", column + 0.0))
        else:
            data = column.encode() if isinstance(column, str) else column
            parts += [struct.pack("<q", len(data)), data]
    return int(checksums(np.frombuffer(b"".join(parts), dtype=np.uint8).reshape(1, -1))[0])


def checksums_by_numpy(rows: Bytes) -> Sums:
    """The same without the extension: all rows at once, four bytes at a time (slicing-by-4)."""
    tables = _tables()
    count, length = rows.shape
    state = np.full(count, 0xFFFFFFFF, dtype=np.uint32)
    words = np.ascontiguousarray(rows[:, : length - length % 4].reshape(count, -1, 4).view("<u4")[:, :, 0].T)
    for word in words:
        state ^= word
        state = (
            tables[3][state & 0xFF] ^ tables[2][(state >> 8) & 0xFF] ^ tables[1][(state >> 16) & 0xFF] ^ tables[0][state >> 24]
        )
    for i in range(length - length % 4, length):
        state = (state >> 8) ^ tables[0][(state ^ rows[:, i]) & 0xFF]
    return cast(Sums, state ^ np.uint32(0xFFFFFFFF))


@functools.lru_cache(maxsize=1)
def _tables() -> tuple[Sums, Sums, Sums, Sums]:
    first: Sums = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        first = (first >> np.uint32(1)) ^ (first & np.uint32(1)) * np.uint32(POLYNOMIAL)
    tables = [first]
    for _ in range(3):
        last = tables[-1]
        tables.append((last >> 8) ^ tables[0][last & 0xFF])
    return (tables[0], tables[1], tables[2], tables[3])


@functools.lru_cache(maxsize=1)
def _native_checksums() -> Callable[[Bytes], Sums] | None:
    path = _native.extension()
    if path is None:
        return None
    try:
        function = ctypes.CDLL(str(path)).ndx_checksum_rows
    except (OSError, AttributeError):
        return None
    function.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
    function.restype = None

    def sums(rows: Bytes) -> Sums:
        rows = np.ascontiguousarray(rows)
        result = np.empty(rows.shape[0], dtype=np.uint32)
        function(rows.ctypes.data, rows.shape[0], rows.shape[1], result.ctypes.data)
        return result

    return sums
