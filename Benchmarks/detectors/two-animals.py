#!/usr/bin/env python3
"""Do the maps of two boxes of one picture differ, and does each lie in its own box?

    pip install numpy pillow
    Benchmarks/detectors/two-animals.py NEURODEX OUT [PAIRS]

Pairs of the pet shop's test pictures of two classes, side by side (192×96), through fixtures/petshop-detector.onnx. Of pairs whose two strongest boxes lie
in different halves, each box is explained by Grad-CAM, LayerCAM (at the layer that its head reads, and at convs.2) and occlusion. Printed: the share of
a map (above zero) inside its own box and inside the other, on average, and the correlation of both maps of a picture.
"""
import csv, io, pathlib, subprocess, sys
import numpy as np
from PIL import Image

program, out, most = sys.argv[1], pathlib.Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 30
root = pathlib.Path(__file__).resolve().parents[2] / "fixtures"
folder, store = out / "pairs", out / "pairs.sqlite"
folder.mkdir(parents=True, exist_ok=True)
store.unlink(missing_ok=True)
run = lambda *words: subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=True).stdout

classes = sorted(p.name for p in (root / "petshop/test").iterdir())
for index in range(most):
    names = classes[index % 5], classes[(index + 1 + index // 5 % 4) % 5]
    sheet = Image.new("RGB", (192, 96))
    for column, name in enumerate(names):
        files = sorted((root / "petshop/test" / name).iterdir())
        sheet.paste(Image.open(files[(7 * index + 3 * column) % len(files)]).convert("RGB"), (96 * column, 0))
    sheet.save(folder / f"{index:03d}-{names[0]}-{names[1]}.png")

run("index", store, "--model", root / "petshop-detector.onnx", folder)
boxes = {}
for row in csv.DictReader(io.StringIO(run("detect", store, folder, "--format", "csv"))):
    boxes.setdefault(row["image"], []).append(tuple(float(row[edge]) for edge in ("x0", "y0", "x1", "y1")))
halves = lambda b: [(box[0] + box[2]) / 2 > 96 for box in b[:2]]
chosen = {image: b[:2] for image, b in boxes.items() if len(b) > 1 and len(set(halves(b))) == 2}
print(f"{len(chosen)} of {most} pictures have their two strongest boxes in different halves")


def map_of(method, image, box):
    """In the letterbox's frame of 128×128, in which a picture of 192×96 is 128×64 from row 32 on."""
    raw = out / "map.npy"
    run(*method[:1], store, image, "--target", f"box:{box}", *method[1:], "--raw", raw, "--no-keep")
    values = np.load(raw)
    return np.maximum(np.kron(values, np.ones((128 // values.shape[0], 128 // values.shape[1]))), 0)


def share(values, box):
    """Of pixels whose middle is in the box."""
    y, x = np.mgrid[0:128, 0:128] + 0.5
    inside = (x > box[0] / 1.5) & (x < box[2] / 1.5) & (y > 32 + box[1] / 1.5) & (y < 32 + box[3] / 1.5)
    return values[inside].sum() / values.sum()


for method in [("cam", "--method", "grad-cam"), ("cam", "--method", "layer-cam"), ("cam", "--method", "layer-cam", "--layer", "convs.2"),
               ("occlusion", "--window", "12", "--stride", "6", "--fill", "blur")]:
    own, other, likeness = [], [], []
    for image, pair in chosen.items():
        maps = [map_of(method, image, box) for box in (1, 2)]
        if any(m.sum() == 0 for m in maps): continue
        own += [share(maps[0], pair[0]), share(maps[1], pair[1])]
        other += [share(maps[0], pair[1]), share(maps[1], pair[0])]
        likeness.append(np.corrcoef(maps[0].ravel(), maps[1].ravel())[0, 1])
    print(f"{' '.join(method)}: {100 * np.mean(own):.1f} % in its own box, {100 * np.mean(other):.1f} % in the other's, "
          f"correlation of the two maps {np.mean(likeness):.2f} ({len(likeness)} pictures)")
