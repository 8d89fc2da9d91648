"""Adds metadata to an ONNX file without the package onnx."""

from __future__ import annotations

from pathlib import Path


def add_metadata(path: Path, key: str, value: str) -> None:
    """Appends an entry to the model's ``metadata_props``.

    Fields of a protobuf message may come in any order, and those of a repeated field again: what is appended to the file is
    part of the model (https://protobuf.dev/programming-guides/encoding/#last-one-wins).
    """
    entry = _field(1, key.encode()) + _field(2, value.encode())
    with path.open("ab") as file:
        file.write(_field(14, entry))  # ModelProto.metadata_props


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)
