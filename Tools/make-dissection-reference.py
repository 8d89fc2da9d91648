"""Writes fixtures/expected/dissection.json: intersection over union of every neuron of a layer of fixtures/petshop-hans.onnx with the pet shop's
masks, by ONNX Runtime and NumPy, without anything of this repository's program.

    pip install numpy pillow onnx onnxruntime
    python Tools/make-dissection-reference.py

As Bau et al. 2017 (https://arxiv.org/abs/1704.05796) have it: a neuron's threshold is the value that at most 0.5 % of the places of its map exceed on
all images; its map is enlarged bilinearly from the centres of its receptive fields, going on as it ends beyond the outermost ones.
"""

import csv
import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
SIZE, STRIDE, FIRST = 96, 8, 4.0  # of conv4: after three poolings by 2, place p sees pixels around 8 p + 4
MEAN, STD = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])


def session():
    model = onnx.load(FIXTURES / "petshop-hans.onnx")
    relu = [n.output[0] for n in model.graph.node if n.op_type == "Relu"][3]
    model.graph.output.extend([onnx.ValueInfoProto(name=relu)])
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]), relu


def weights(places):
    """[SIZE, places]: what each pixel takes of each place."""
    at = np.clip((np.arange(SIZE) + 0.5 - FIRST) / STRIDE, 0, places - 1)
    return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(places)[None]))


def main():
    run, name = session()
    with open(FIXTURES / "masks" / "colors.csv", newline="") as rows:
        colors = [(row["concept"], bytes.fromhex(row["color"][1:])) for row in csv.DictReader(rows)]
    files = sorted((FIXTURES / "masks").glob("*/test/*/*.png"))
    maps, masks = [], []
    for file in files:
        picture = next((FIXTURES / file.relative_to(FIXTURES / "masks")).parent.glob(file.stem + ".*"))
        pixels = np.asarray(Image.open(picture).convert("RGB"), np.float32) / 255
        x = ((pixels - MEAN) / STD).transpose(2, 0, 1)[None]
        maps.append(run.run([name], {run.get_inputs()[0].name: x})[0][0])
        mask = np.asarray(Image.open(file).convert("RGB"))
        masks.append([(mask == np.frombuffer(color, np.uint8)).all(2) for _, color in colors])
    maps, masks = np.stack(maps), np.stack(masks)  # images, channels, height, width; images, concepts, SIZE, SIZE
    values = maps.transpose(1, 0, 2, 3).reshape(maps.shape[1], -1)
    thresholds = np.quantile(values, 1 - 0.005, axis=1, method="inverted_cdf")
    w = weights(maps.shape[2])
    iou = np.zeros((maps.shape[1], len(colors)))
    for channel, threshold in enumerate(thresholds):
        region = np.einsum("yi,nij,xj->nyx", w, maps[:, channel].astype(np.float64), w) > threshold
        for concept in range(len(colors)):
            both, either = (region & masks[:, concept]).sum(), (region | masks[:, concept]).sum()
            iou[channel, concept] = both / max(either, 1)
    result = {
        "images": len(files), "concepts": [name for name, _ in colors], "areas": masks.sum((0, 2, 3)).tolist(),
        "thresholds": [float(f"{t:.7g}") for t in thresholds], "iou": [[round(v, 6) for v in row] for row in iou.tolist()],
    }
    text = json.dumps(result, separators=(",", ":")).replace("],[", "],\n[")
    (FIXTURES / "expected" / "dissection.json").write_text(text + "\n")
    for channel in np.argsort(-iou.max(1))[:8]:
        print(f"conv4:{channel}", colors[iou[channel].argmax()][0], round(iou[channel].max(), 4), thresholds[channel])


main()
