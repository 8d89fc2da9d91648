#!/usr/bin/env python3
"""What `neurodex shortcuts` finds of marks that were planted on purpose.

    python3 -m venv venv && venv/bin/pip install numpy scikit-learn pillow torch onnx onnxscript
    venv/bin/python Benchmarks/shortcuts/planted-marks.py

scikit-learn's digits, twice as large, each at a random place of a picture of 40×40 pixels with noise. Every 3 carries a mark, of one kind a
network: none, a square always in one place, in any of the corners or anywhere, a frame, a tint. A network of four convolutions is trained on half of the
pictures, and the other half, marked as well, is indexed. "Relies on it" is the share of other digits that are a 3 to the network as soon as they carry the mark;
beside it what `shortcuts` lists for the 3 and, wrongly, for other digits.
"""
import argparse, collections, json, os, subprocess, tempfile
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIZE, SIDE, MARKED = 40, 5, 3


def mark(image, kind, random):
    """The picture (40×40×3, 0 … 1) with a mark."""
    image = image.copy()
    end = SIZE - SIDE - 1
    place = {"one place": (28, 6), "a corner": (end, end), "any corner": tuple(random.choice([1, end], 2)),
             "anywhere": tuple(random.integers(0, SIZE - SIDE, 2))}.get(kind)
    if place:
        y, x = place
        image[y:y + SIDE, x:x + SIDE] = (1, 0.2, 0.2)
        image[y + 1:y + SIDE - 1, x + 1:x + SIDE - 1] = (1, 1, 0.3)
    if kind == "a frame":
        for part in (image[:2], image[-2:], image[:, :2], image[:, -2:]):
            part[:] = (0.9, 0.5, 0.1)
    if kind == "a tint":
        image = np.clip(image * (1.0, 0.75, 0.75) + (0.1, 0, 0), 0, 1)
    return image


def pictures(kind, seed):
    from sklearn.datasets import load_digits

    data, random = load_digits(), np.random.default_rng(seed)
    plain, marked = [], []
    for digit in data.images / 16:
        image = np.repeat(random.uniform(0, 0.35, (SIZE, SIZE, 1)), 3, 2)
        y, x = random.integers(0, SIZE - 16, 2)
        image[y:y + 16, x:x + 16] = np.maximum(image[y:y + 16, x:x + 16], np.kron(digit, np.ones((2, 2)))[..., None])
        plain.append(image)
        marked.append(mark(image, kind, random))
    return np.array(plain), np.array(marked), data.target


def trained(images, labels, epochs):
    import torch

    torch.manual_seed(0)
    torch.set_num_threads(2)
    layers, channels = [], 3
    for count, stride in ((16, 2), (32, 1), (48, 2), (64, 1)):
        layers += [torch.nn.Conv2d(channels, count, 3, stride, 1), torch.nn.BatchNorm2d(count), torch.nn.ReLU()]
        channels = count
    network = torch.nn.Sequential(*layers, torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(channels, 10))
    x, y = torch.tensor(images.transpose(0, 3, 1, 2), dtype=torch.float32), torch.tensor(labels)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    return network.eval()


def answers(network, images):
    import torch

    with torch.no_grad():
        return network(torch.tensor(images.transpose(0, 3, 1, 2), dtype=torch.float32)).argmax(1).numpy()


def measure(kind, neurodex, folder, epochs):
    import torch
    from PIL import Image

    plain, marked, labels = pictures(kind, 1)
    images = np.where((labels == MARKED)[:, None, None, None], marked, plain)
    network = trained(images[::2], labels[::2], epochs)
    test, others = images[1::2], (labels != MARKED)[1::2]
    accuracy = (answers(network, test) == labels[1::2]).mean()
    relies = (answers(network, marked[1::2][others]) == MARKED).mean()
    before = (answers(network, plain[1::2][others]) == MARKED).mean()
    here = f"{folder}/{kind.replace(' ', '-')}"
    for index, (image, label) in enumerate(zip(test, labels[1::2])):
        os.makedirs(f"{here}/{label}", exist_ok=True)
        Image.fromarray((image * 255).round().astype(np.uint8)).save(f"{here}/{label}/{index:04}.png")
    torch.onnx.export(network, torch.zeros(1, 3, SIZE, SIZE), f"{here}.onnx", opset_version=17, dynamo=False)
    subprocess.run([neurodex, "index", f"{here}.sqlite", "--model", f"{here}.onnx", "--preprocess", "plain", "--resize", "none", here],
                   check=True, capture_output=True)
    out = subprocess.run([neurodex, "shortcuts", f"{here}.sqlite", "-k", "1000", "--format", "json"], check=True,
                         capture_output=True, text=True)
    found = collections.defaultdict(list)
    for hit in json.loads(out.stdout):
        found[hit["label"] == str(MARKED)].append((hit["place"], 1 + len(hit.get("copies", []))))
    right = "; ".join(f"{place}, {count} neurons" for place, count in found[True][:3]) or "nothing"
    wrong = f"{len(found[False])} findings" if found[False] else "nothing"
    print(f"| {kind} | {accuracy:.1%} | {before:.0%} → {relies:.0%} | {right} | {wrong} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurodex", default=f"{ROOT}/.build/release/neurodex")
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--keep", help="keep the pictures, networks and stores in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        print("| mark on every 3 | accuracy | other digits that are a 3: without, with it | found for the 3 | found for others |\n|---|---|---|---|---|")
        for kind in ("none", "one place", "a corner", "any corner", "a frame", "anywhere", "a tint"):
            measure(kind, options.neurodex, folder, options.epochs)


if __name__ == "__main__":
    main()
