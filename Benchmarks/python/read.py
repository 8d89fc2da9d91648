"""How fast the Python package reads a layer, beside a copy of the same bytes: python3 Benchmarks/python/read.py WORK

Makes WORK/layer.sqlite (once): one layer of 2 048 channels on 50 000 images, as the program packs it. Needs NumPy and the
extension (make extension).
"""

import os
import sqlite3
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "python" / "src"))
os.environ.setdefault("NEURODEX_EXTENSION", str(REPOSITORY / ".build" / "activation.so"))

import numpy as np  # noqa: E402

import neurodex  # noqa: E402
from neurodex._checksum import checksum_of_columns, checksums  # noqa: E402

IMAGES, CHANNELS, BLOCK = 50_000, 2_048, 640


def make(path):
    connection = sqlite3.connect(path)
    connection.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + (REPOSITORY / "schema.sql").read_text())
    facts = {"block_images": BLOCK, "neurons": CHANNELS, "preprocessing": "{}"}
    connection.executemany("INSERT INTO meta VALUES (?, ?)", facts.items())
    connection.execute("INSERT INTO model VALUES (1, 'made', 'made.onnx', '', 3, 224, 224, 17)")
    connection.execute(
        "INSERT INTO layer (id, ordinal, name, tensor, operator, first_neuron, channels, height, width, position_bytes, has_mean,"
        " is_logits) VALUES (1, 0, 'layer', 't', 'Conv', 0, ?, 7, 7, 1, 0, 0)", (CHANNELS,))
    random = np.random.default_rng(0)
    for id in range(IMAGES):
        row = (id, f"{id}.jpg", random.bytes(32), 1, 1, 1, 1, None, None, None, None)
        connection.execute(
            "INSERT INTO image VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)", (*row[:7], *row[8:], checksum_of_columns(row)))
    for block, start in enumerate(range(0, IMAGES, BLOCK)):
        n = min(BLOCK, IMAGES - start)
        values = random.standard_normal((CHANNELS, n), dtype=np.float32)
        cells = random.integers(0, 49, (CHANNELS, n), dtype=np.uint8)
        sums = checksums(np.concatenate([values.view(np.uint8), cells], axis=1))
        connection.executemany(
            "INSERT INTO activation_block (id, n, value_max, checksum, value, position) VALUES (?, ?, ?, ?, ?, ?)",
            ((block << 20 | c, n, float(values[c].max()), int(sums[c]), values[c].tobytes(), cells[c].tobytes())
             for c in range(CHANNELS)))
    connection.commit()
    connection.close()


def main():
    path = Path(sys.argv[1]) / "layer.sqlite"
    if not path.exists():
        make(path)
    store = neurodex.open(path)
    best = {"read": 1e9, "file": 1e9}
    for _ in range(5):
        began = time.perf_counter()
        values = store.activations("layer")
        best["read"] = min(best["read"], time.perf_counter() - began)
        began = time.perf_counter()
        data = path.read_bytes()
        best["file"] = min(best["file"], time.perf_counter() - began)
    assert values.shape == (IMAGES, CHANNELS)
    print(f"activations: {values.nbytes / best['read'] / 1e9:.2f} GB/s of floats ({best['read']:.2f} s); "
          f"reading the file alone: {len(data) / best['file'] / 1e9:.2f} GB/s ({best['file']:.2f} s)")


main()
