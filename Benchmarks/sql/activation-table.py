"""What statements over the table `activation` cost, beside NumPy on the same blocks.

    make extension
    .build/release/question-benchmark questions.sqlite --divisor 8 --only opening
    python3 Benchmarks/sql/activation-table.py questions.sqlite

Needs NumPy, and a Python that uses the system's SQLite. CPU milliseconds, warm, the best of several rounds in turns; NumPy's part
reads the blocks with SQL, and checks none of them. Both answers are compared.
"""
import ctypes
import sqlite3
import sys
import time

import numpy

ROUNDS = 7
LAYER = "l3"

activation = ctypes.CDLL(".build/activation.so").sqlite3_activation_init
ctypes.CDLL("libsqlite3.so.0").sqlite3_auto_extension(activation)
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
store.execute("PRAGMA mmap_size = 2147418112")
first, channels, width = store.execute("SELECT first_neuron, channels, width FROM layer WHERE name = ?", (LAYER,)).fetchone()
size = store.execute("SELECT value FROM meta WHERE key = 'block_images'").fetchone()[0]
images = store.execute("SELECT count(*) FROM image").fetchone()[0]
blocks = -(-images // size)
one = f"FROM activation a WHERE layer = '{LAYER}' AND channel = 100"
joined = f"FROM activation a JOIN image i ON i.id = a.image_id WHERE layer = '{LAYER}' AND channel = 100"
ten = range(0, 70, 7)


def column(channel, name="value", type="<f4"):
    keys = [(block << 20 | first + channel,) for block in range(blocks)]
    read = f"SELECT {name} FROM activation_block WHERE id = ?"
    return numpy.concatenate([numpy.frombuffer(store.execute(read, key).fetchone()[0], type) for key in keys])


def best(values, count=5):
    order = numpy.argsort(-values, kind="stable")[:count]
    return [(int(i), float(values[i])) for i in order]


def kept(condition):
    values = column(100)
    keep = numpy.zeros(images, bool)
    keep[[row[0] for row in store.execute(f"SELECT i.id FROM image i WHERE {condition}")]] = True
    return best(numpy.where(keep, values, -numpy.inf))


def total(channels):
    sums = numpy.zeros(images)
    for channel in channels:
        sums += column(channel)
    return best(sums)


def whole_layer():
    rows = store.execute(
        "SELECT value FROM activation_block WHERE id >> 20 < ? AND id & 1048575 BETWEEN ? AND ?", (blocks, first, first + channels - 1))
    return max(float(numpy.frombuffer(row[0], "<f4").max()) for row in rows)


def one_image(image):
    block, lane = divmod(image, size)
    rows = store.execute("SELECT value FROM activation_block WHERE id BETWEEN ? AND ?", (block << 20, block << 20 | 1048575))
    return [float(numpy.frombuffer(row[0], "<f4")[lane]) for row in rows]


label = "i.label_id = (SELECT id FROM label WHERE name = 'label 7')"
questions = [
    ("top 5 of a neuron", f"SELECT image_id, value {one} ORDER BY value DESC LIMIT 5", lambda: best(column(100))),
    ("top 5 of a neuron where label = 'label 7'", f"SELECT image_id, value {joined} AND {label} ORDER BY value DESC LIMIT 5",
     lambda: kept(label)),
    ("top 5 of a neuron where id % 2 = 0", f"SELECT image_id, value {joined} AND i.id % 2 = 0 ORDER BY value DESC LIMIT 5",
     lambda: kept("i.id % 2 = 0")),
    ("all neurons of one image", "SELECT value FROM activation WHERE image_id = 7777", lambda: [(value,) for value in one_image(7777)]),
    ("sum over 10 neurons, top 5",
     f"SELECT image_id, sum(value) AS s FROM activation WHERE layer = '{LAYER}' AND channel IN {tuple(ten)} "
     "GROUP BY image_id ORDER BY s DESC LIMIT 5", lambda: total(ten)),
    ("top 5 of a layer", f"SELECT max(value) FROM (SELECT value FROM activation WHERE layer = '{LAYER}' ORDER BY value DESC LIMIT 5)",
     lambda: [(whole_layer(),)]),
    ("every row of a layer", f"SELECT max(value) FROM activation WHERE layer = '{LAYER}' AND +value > -1", lambda: [(whole_layer(),)]),
]


def cpu(ask):
    start = time.process_time()
    answer = ask()
    return (time.process_time() - start) * 1000, answer


print(f"{images} images, {channels} neurons in the layer of {images * channels / 1e6:.0f} million rows\n")
print("| statement | CPU ms | NumPy, CPU ms |\n|---|---|---|")
for name, sql, peer in questions:
    best_times = [float("inf")] * 2
    for _ in range(2 if "every row" in name else ROUNDS):
        (table, answer), (other, expected) = cpu(lambda: store.execute(sql).fetchall()), cpu(peer)
        assert numpy.allclose(numpy.array(answer, float), numpy.array(expected, float), rtol=1e-6), (name, answer[:5], expected[:5])
        best_times = [min(best_times[0], table), min(best_times[1], other)]
    print(f"| {name} | {best_times[0]:.2f} | {best_times[1]:.2f} |", flush=True)
    if "every row" in name:
        print(f"\nevery row of a layer: {best_times[0] * 1e6 / (images * channels):.1f} ns a row")
