#!/usr/bin/env python3
"""Writes docs/networks.md: every CNN classifier of torchvision, how far neurodex is from PyTorch on it.

    pip install torch torchvision onnx onnxruntime onnxscript
    swift build -c release --build-tests
    Tools/make-network-table.py /tmp/networks                (all; makes what Tools/make-pytorch-references.py makes, 40 GB with --keep)
    Tools/make-network-table.py /tmp/networks resnet18       (one or some, beside those that are in /tmp/networks/rows.jsonl)
    options: --keep (the references; else each is removed when its row is done)  --tries N (images that are looked at for one off all kinks)
"""
import argparse, json, pathlib, shutil, subprocess, sys
import torchvision

ROOT = pathlib.Path(__file__).resolve().parent.parent
HEAD = """# Networks beside PyTorch

<!-- Written by Tools/make-network-table.py; do not edit. -->

Every CNN classifier of torchvision {version} ({count}), at its own input size, with random weights and warmed-up batch norm, as PyTorch's first exporter
(`dynamo=False`, operator set 17) and its second (`dynamo=True`) write it, on two random images. Made by

```
Tools/make-network-table.py /tmp/networks
```

What is recorded of a network, and under which names:

```sh
neurodex layers fixtures/petshop.onnx
```

- *Layers*, *neurons*: what `index` records by default; both exporters' where they differ.
- *Maxima*: the largest deviation of any neuron's maximum from ONNX Runtime's, as a share of the layer's largest value; of both exporters' files, of every
  layer with a map. What has none (the scores, an average that drops its axes) shows in the scores.
- *Positions*: neurons on both images and both files whose maximum stands elsewhere. In every one of them the map at the other place is the same within 10⁻⁴
  of the layer's largest value, a tie, unless it says how many are not.
- *Scores*: the largest deviation from PyTorch's, as a share of the largest score.
- *Gradient*: of the largest score by the image, relative L2 distance to PyTorch's; the worse of two images.
- *PyTorch's own*: on the same image the distance of PyTorch's gradients in single and in double precision. Where a ReLU's input is 0 or two maxima are equal but
  for rounding, the gradient jumps. Random networks have millions of units, and images on which none stands there are rare.
- *Agrees*: maxima and scores within 10⁻⁴, every position a tie, gradients within 10⁻³. *Kink*: so too, but for a gradient that is no further from PyTorch's
  than twice what PyTorch's is from itself.

"""


def names():
    no_cnns = ("vit_", "swin", "maxvit")
    return [n for n in torchvision.models.list_models(module=torchvision.models) if not n.startswith(no_cnns)]


def one(values, form=str):
    found = list(dict.fromkeys(form(v) for v in values))
    return " / ".join(found)


def row(name, results):
    parameters = torchvision.models.get_model_weights(name).DEFAULT.meta["num_params"]
    errors = [r for r in results if "error" in r]
    if errors: return f"| {name} | {parameters / 1e6:.1f} M | | | | | | | | refused: {errors[0]['error']} |", "refused"
    worst = max(((g, s) for r in results for g, s in zip(r["gradients"], r["spread"])), key=lambda pair: pair[0])
    maximum, logits = max(r["maximum"] for r in results), max(r["logits"] for r in results)
    moved, odd = sum(r["positions"] for r in results), sum(r["unexplained"] for r in results)
    fine = maximum <= 1e-4 and logits <= 1e-4 and odd == 0 and all(r["compared"] >= r["layers"] - 2 for r in results)
    smooth = all(g <= 1e-3 for r in results for g in r["gradients"])
    kinks = all(g <= max(1e-3, 2 * s) for r in results for g, s in zip(r["gradients"], r["spread"]))
    verdict = "agrees" if fine and smooth else "kink" if fine and kinks else "differs"
    positions = f"{moved}" + (f", {odd} no ties" if odd else "")
    return (f"| {name} | {parameters / 1e6:.1f} M | {one(r['layers'] for r in results)} | {one(r['neurons'] for r in results)} | {maximum:.1e} "
            f"| {positions} | {logits:.1e} | {worst[0]:.1e} | {worst[1]:.1e} | {verdict} |"), verdict


def write(rows):
    lines, verdicts = [], []
    for name in names():
        results = [r for r in rows if r["network"] == name]
        if not results: continue
        line, verdict = row(name, results)
        lines.append(line), verdicts.append(verdict)
    text = HEAD.format(version=torchvision.__version__.split("+")[0], count=len(names()))
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in ("agrees", "kink", "differs", "refused") if v in verdicts)
    text += f"{len(lines)} networks: {counts}." + ("" if len(lines) == len(names()) else f" The other {len(names()) - len(lines)} were not run.") + "\n\n"
    text += "| Network | Parameters | Layers | Neurons | Maxima | Positions | Scores | Gradient | PyTorch's own | Verdict |\n"
    text += "|---|--:|--:|--:|--:|--:|--:|--:|--:|---|\n" + "\n".join(lines) + "\n"
    (ROOT / "docs/networks.md").write_text(text)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", type=pathlib.Path), ap.add_argument("names", nargs="*")
    ap.add_argument("--keep", action="store_true"), ap.add_argument("--tries", default="6")
    a = ap.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    store = a.out / "rows.jsonl"
    rows = [json.loads(line) for line in store.read_text().splitlines()] if store.exists() else []
    for name in a.names or names():
        folder = a.out / name
        if not (folder / "new/tensors.npz").exists():
            subprocess.run([sys.executable, ROOT / "Tools/make-pytorch-references.py", a.out, name, "--tries", a.tries], check=True)
        lines = subprocess.run([ROOT / ".build/release/agreement-check", folder], check=True, capture_output=True, text=True).stdout
        rows = [r for r in rows if r["network"] != name] + [json.loads(line) for line in lines.splitlines()]
        store.write_text("".join(json.dumps(r) + "\n" for r in rows))
        print(row(name, [r for r in rows if r["network"] == name])[0], flush=True)
        if not a.keep: shutil.rmtree(folder)
        write(rows)
    write(rows)


if __name__ == "__main__":
    main()
