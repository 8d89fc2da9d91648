from __future__ import annotations

import numpy as np
import pytest

from neurodex import _checksum


def test_known_value() -> None:
    # RFC 3720, B.4: 32 bytes of zeros, of ones, and 0 to 31.
    rows = np.stack([np.zeros(32), np.full(32, 255), np.arange(32)]).astype(np.uint8)
    expected = [0x8A9136AA, 0x62A8AB43, 0x46DD794E]
    assert _checksum.checksums_by_numpy(rows).tolist() == expected
    assert _checksum.checksums(rows).tolist() == expected


@pytest.mark.parametrize("length", [0, 1, 3, 4, 5, 640, 2561])
def test_numpy_equals_extension(length: int) -> None:
    native = _checksum._native_checksums()
    assert native is not None, "the extension is not built: make extension"
    rows = np.random.default_rng(length).integers(0, 256, size=(7, length), dtype=np.uint8)
    assert native(rows).tolist() == _checksum.checksums_by_numpy(rows).tolist()
