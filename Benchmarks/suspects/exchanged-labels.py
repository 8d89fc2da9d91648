#!/usr/bin/env python3
"""Average precision of `neurodex suspects` on labels that were exchanged on purpose, beside two baselines.

    python3 -m venv venv && venv/bin/pip install numpy scikit-learn pillow torch onnx onnxscript
    venv/bin/python Benchmarks/suspects/exchanged-labels.py [--photographs FOLDER --model squeezenet1.1.onnx]

Data: scikit-learn's 1797 digits with a small network that this trains on half of them; the same network stopped early; the pet shop of
fixtures/; and, where they are named, photographs with a network of ImageNet's classes (FOLDER holds manifest.csv with the columns file and
class_index). For each share and seed, so many images are given another label, drawn evenly from all others; the network knows nothing of it.

The baselines are the network's own probability of the given label (self-confidence; Northcutt, Jiang and Chuang, "Confident learning", 2021,
https://arxiv.org/abs/1911.00068), and that of a logistic regression on the maxima of the last layer before the class scores, cross-validated in
five parts (scikit-learn's, C = 0.1 on standardised maxima), where labels have five images. Images that `suspects` does not list count as not found.
The last column is `suspects --by neurons`: what version 0.1 did.
"""
import argparse, collections, csv, json, os, sqlite3, subprocess, tempfile
import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def digits(folder, epochs):
    """Pictures of 8×8 pixels, twice as large, and a network of three convolutions."""
    import torch
    from PIL import Image
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    torch.set_num_threads(2)
    data = load_digits()
    images = np.kron(data.images / 16, np.ones((1, 2, 2))).astype(np.float32)
    files = []
    for index, (image, label) in enumerate(zip(images, data.target)):
        path = f"{folder}/{label}/{index:04}.png"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        Image.fromarray((image * 255).round().astype(np.uint8)).convert("RGB").save(path)
        files.append((path, str(label)))
    c = torch.nn.Conv2d
    network = torch.nn.Sequential(
        c(3, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2), c(16, 32, 3, padding=1), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        c(32, 64, 3, padding=1), torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 10))
    x, y = torch.tensor(images)[:, None].repeat(1, 3, 1, 1), torch.tensor(data.target)
    chosen = torch.arange(0, len(x), 2)
    optimizer = torch.optim.Adam(network.parameters(), 3e-3)
    for _ in range(epochs):
        for batch in chosen[torch.randperm(len(chosen))].split(64):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(x[batch]), y[batch]).backward()
            optimizer.step()
    model = f"{folder}.onnx"
    torch.onnx.export(network.eval(), torch.zeros(1, 3, 16, 16), model, opset_version=17, dynamo=False)
    classes = f"{folder}.txt"
    open(classes, "w").write("\n".join(map(str, range(10))) + "\n")
    return files, ["--model", model, "--classes", classes, "--preprocess", "plain", "--resize", "none"]


def petshop():
    base = f"{ROOT}/fixtures/petshop"
    files = [(f"{at}/{name}", os.path.basename(at)) for at, _, names in sorted(os.walk(base)) for name in sorted(names)
             if name.lower().endswith((".jpg", ".jpeg", ".png", ".webp"))]
    return files, ["--model", f"{ROOT}/fixtures/petshop.onnx", "--classes", f"{base}/labels.txt", "--resize", "none"]


def photographs(base, model, folder):
    rows = list(csv.DictReader(open(f"{base}/manifest.csv", encoding="utf-8")))
    classes = f"{folder}/imagenet.txt"
    open(classes, "w").write("".join(f"class {i}\n" for i in range(1000)))
    return [(f"{base}/{row['file']}", f"class {row['class_index']}") for row in rows], ["--model", model, "--classes", classes]


def exchanged(files, share, seed):
    """Which labels are exchanged, and the labels after it."""
    random = np.random.default_rng(seed)
    labels = [label for _, label in files]
    names = sorted(set(labels))
    wrong = set(random.choice(len(files), max(1, round(share * len(files))), replace=False).tolist())
    return wrong, [names[(names.index(label) + random.integers(1, len(names))) % len(names)] if index in wrong else label
                   for index, label in enumerate(labels)]


def maxima(store, layer):
    """The maxima of a layer, images × channels."""
    with sqlite3.connect(store) as database:
        condition = "is_logits" if layer is None else "NOT is_logits"
        first, channels = database.execute(
            f"SELECT first_neuron, channels FROM layer WHERE {condition} ORDER BY ordinal DESC LIMIT 1").fetchone()
        blocks = collections.defaultdict(list)
        for block, value in database.execute(
                "SELECT block_id, value FROM activation_block WHERE neuron_id >= ? AND neuron_id < ? ORDER BY id",
                (first, first + channels)):
            blocks[block].append(np.frombuffer(value, "<f4"))
        return np.concatenate([np.stack(columns, 1) for columns in blocks.values()]).astype(float)


def average_precision(order, wrong):
    found, total = 0, 0.0
    for place, image in enumerate(order):
        if image in wrong:
            found += 1
            total += found / (place + 1)
    return total / len(wrong)


def regression(features, labels):
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_predict
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if min(collections.Counter(labels).values()) < 5:
        return None
    names = sorted(set(labels))
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=2000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    found = cross_val_predict(model, features, labels, cv=folds, method="predict_proba")
    return np.array([found[i, names.index(label)] for i, label in enumerate(labels)])


def measure(name, files, arguments, neurodex, folder, shares, seeds):
    for share in shares:
        results, ranked = collections.defaultdict(list), set()
        for seed in range(seeds):
            wrong, labels = exchanged(files, share, seed)
            table, store = f"{folder}/labels.csv", f"{folder}/{'-'.join(name.replace(',', '').split())}-{seed}.sqlite"
            with open(table, "w", newline="") as out:
                csv.writer(out).writerows([["file", "label"]] + [[path, label] for (path, _), label in zip(files, labels)])
            if os.path.exists(store):
                os.remove(store)
            subprocess.run([neurodex, "index", store, *arguments, "--labels", table, *(path for path, _ in files)],
                           check=True, capture_output=True)
            with sqlite3.connect(store) as database:
                ids = dict(database.execute("SELECT path, id FROM image"))
                classes = [n for n, in database.execute("SELECT name FROM class ORDER BY id")]
            place = {ids[path]: index for index, (path, _) in enumerate(files)}
            for key, choice in (("suspects", []), ("neurons", ["--by", "neurons"])):
                out = subprocess.run([neurodex, "suspects", store, *choice, "-k", str(len(files)), "--format", "json"],
                                     check=True, capture_output=True, text=True)
                hits = json.loads(out.stdout)
                results[key].append(average_precision([place[hit["image_id"]] for hit in hits], wrong))
                if key == "suspects":
                    ranked |= {hit["ranked_by"] for hit in hits}
            rows = [ids[path] for path, _ in files]
            logits = maxima(store, None)[rows]
            scores = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
            own = np.array([scores[i, classes.index(label)] for i, label in enumerate(labels)])
            results["network"].append(average_precision(np.argsort(own, kind="stable"), wrong))
            held_out = regression(maxima(store, "last")[rows], labels)
            if held_out is not None:
                results["regression"].append(average_precision(np.argsort(held_out, kind="stable"), wrong))
        cells = [f"{np.mean(results[key]):.2f}" if results[key] else "–" for key in ("suspects", "network", "regression", "neurons")]
        cells[0] += f" ({', '.join(sorted(ranked))})"
        print(f"| {name} | {share:.0%} | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurodex", default=f"{ROOT}/.build/release/neurodex")
    parser.add_argument("--photographs")
    parser.add_argument("--model")
    parser.add_argument("--shares", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", help="keep the pictures, networks and stores in this folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or temporary
        os.makedirs(folder, exist_ok=True)
        sets = [("digits", *digits(f"{folder}/digits", 12)), ("digits, network stopped early", *digits(f"{folder}/early", 2)),
                ("pet shop", *petshop())]
        if options.photographs:
            sets.append(("photographs", *photographs(options.photographs, options.model, folder)))
        print("| images | exchanged | `suspects` (ranked by) | network's probability | regression | `--by neurons` |\n|---|--:|---|--:|--:|--:|")
        for one in sets:
            measure(*one, options.neurodex, folder, options.shares, options.seeds)


if __name__ == "__main__":
    main()
