#!/usr/bin/env python3
"""Writes docs/networks.md: every CNN classifier and segmenter of torchvision and some of timm, how far neurodex is from PyTorch on them.

    pip install torch torchvision timm onnx onnxruntime onnxscript
    swift build -c release --build-tests
    Tools/make-network-table.py /tmp/networks                (all of torchvision; makes what Tools/make-pytorch-references.py makes, 40 GB with --keep)
    Tools/make-network-table.py /tmp/networks resnet18 timm.repvgg_a0       (one or some; other rows of the table stay)
    option: --keep (the references; else each is removed when its row is done)
"""
import argparse, json, pathlib, re, shutil, subprocess, sys
from importlib.metadata import version as installed
from pytorch_networks import is_transformer, names, parameters, segmenters

TOOLS = pathlib.Path(__file__).resolve().parent
ROOT = TOOLS.parent
PAGE = ROOT / "docs/networks.md"
HEAD = """# Networks beside PyTorch

<!-- Written by Tools/make-network-table.py; do not edit. -->

Every CNN classifier of torchvision {version} ({count}), its segmenters, one of every kind that timm {timm} has and torchvision has not, and transformers
and hybrids of timm, with random weights, warmed-up batch norm, and random numbers for what is 0 or 1 before training (position embeddings, class tokens, layer scales,
weights that are all 0), as PyTorch's first exporter (`dynamo=False`, operator set 17) and its second (`dynamo=True`) write it, on the first two random
images of 224×224 (Inception's networks: 299×299). Made by

```
Tools/make-network-table.py /tmp/networks
Tools/make-network-table.py /tmp/networks timm.resnest14d timm.repvgg_a0
```

What is recorded of a network, and under which names:

```sh
neurodex layers fixtures/petshop.onnx
```

- *Layers*, *neurons*: what `index` records by default; both exporters' where they differ.
- *Maxima*: the largest deviation of any neuron's maximum from ONNX Runtime's, as a share of the layer's largest value; of both exporters' files, of every
  layer with a map. What has none (the scores, an average that drops its axes) shows in the scores. Where it is above 10⁻⁴ both are compared with ONNX's
  reference evaluator in double precision (`Tools/exact-maxima.py`): the deviation from that, and ONNX Runtime's in brackets.
- *Positions*: neurons on both images and both files whose maximum stands elsewhere. In every one of them the map at the other place is the same within 10⁻⁴
  of the layer's largest value, a tie, unless it says how many are not.
- *Scores*: the largest deviation from PyTorch's, as a share of the largest score.
- *Gradient*: of the largest score by the image, relative L2 distance to PyTorch's in double precision; the worst of both images and files.
- *PyTorch's own*: the same distance of PyTorch's gradient in single precision, on the same image.
- *Flips*: gradients jump where a ReLU's input is 0 or two maxima are equal, and among millions of units there are some of which rounding decides on which side
  they stand. Where a gradient is off by more than 10⁻³, PyTorch says by what vector each such unit changes it, and `Tools/find-kinks.py` looks for those
  that stand on the other side: how many, on that image, and how far the farthest of a network's is from its kink, as a share of its layer's largest value.
- *Without*: the distance that the gradient has left when these units are put on the same side; that of all others is below 10⁻³ as it is.
- *Agrees*: maxima (of the layers that could be compared, all but two where it does not say) and scores within 10⁻⁴, every position a tie, and gradients within 10⁻³ once units stand on the same side. Where it names one exporter,
  PyTorch's other one cannot write the network.

Of a segmenter, the scores are the means of its map over the picture, put behind it, so that the gradient is that of such a mean.

Random weights may multiply rounding so much that programs in single precision part: where ONNX Runtime's own maxima (in brackets) and PyTorch's own
gradient are nearly as far from double precision, more units stand on another side than those within 10⁻⁵ of their kink, which are all that is looked for.

"""


def version(package):
    return installed(package).split("+")[0]


def one(values, form=str):
    found = list(dict.fromkeys(form(v) for v in values))
    return " / ".join(found)


def row(name, results):
    begin = f"| {name.removeprefix('timm.').removeprefix('segmentation.')} | {results[0]['parameters'] / 1e6:.1f} M |"
    errors = [r for r in results if "error" in r]
    if errors: return f"{begin} | | | | | | | | | refused: {errors[0]['error']} |"
    gradients = [gradient for r in results for gradient in zip(r["gradients"], r["spread"], r["flips"])]
    worst, own, flipped = max(gradients, key=lambda g: g[0])
    flips = [f for _, _, f in gradients if f]
    maximum, logits = max(r["maximum"] for r in results), max(r["logits"] for r in results)
    moved, odd = sum(r["positions"] for r in results), sum(r["unexplained"] for r in results)
    agrees = (maximum <= 1e-4 and logits <= 1e-4 and odd == 0 and all((f["rest"] if f else g) <= 1e-3 for g, _, f in gradients))
    fewest = min(results, key=lambda r: r["compared"] - r["layers"])
    verdict = "agrees" if agrees else "differs"
    # The scores alone, and the average before them, have no map.
    if fewest["compared"] < fewest["layers"] - 2: verdict += f" ({fewest['compared']} of {fewest['layers']} layers compared)"
    if len(results) == 1: verdict += ", " + {"old": "first", "new": "second"}[results[0]["exporter"]] + " exporter"
    positions = f"{moved}" + (f", {odd} no ties" if odd else "")
    last = f"{flipped['flips']} within {max(f['farthest'] for f in flips):.0e} | {max(f['rest'] for f in flips):.1e}" if flips else "|"
    runtime = max((r["runtime"] for r in results if "runtime" in r), default=None)
    maxima = f"{maximum:.1e}" + (f" ({runtime:.1e})" if runtime else "")
    return (f"{begin} {one(r['layers'] for r in results)} | {one(r['neurons'] for r in results)} | {maxima} "
            f"| {positions} | {logits:.1e} | {worst:.1e} | {own:.1e} | {last} | {verdict} |")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def compare(folder):
    """A row of each exporter's file: what agreement-check says, and of maxima and gradients that are too far off what Tools/exact-maxima.py and
    Tools/find-kinks.py do."""
    check = lambda: [json.loads(line) for line in output(ROOT / ".build/release/agreement-check", folder).splitlines()]
    tool = lambda name, exporters: json.loads(output(sys.executable, TOOLS / name, folder, *exporters))
    rows = check()
    far = [row["exporter"] for row in rows if row.get("maximum", 0) > 1e-4]
    if far:
        found, rows = tool("exact-maxima.py", far), check()
        for row in rows:
            if row["exporter"] in found: row["runtime"] = found[row["exporter"]]
    for row in rows: row["parameters"], row["flips"] = parameters(folder.name), [None] * len(row.get("gradients", []))
    far = [row["exporter"] for row in rows if any(g > 1e-3 for g in row.get("gradients", []))]
    if far:
        found = tool("find-kinks.py", far)
        for row in rows:
            row["flips"] = [f if g > 1e-3 else None for g, f in zip(row.get("gradients", []), found.get(row["exporter"], row["flips"]))]
    return rows


def table(rows, names):
    lines = [rows[name] for name in names if name in rows]
    verdicts = [re.split(r"[ ,:|]+", line.rsplit("| ", 1)[1])[0] for line in lines]
    counts = ", ".join(f"{verdicts.count(v)} {v}" for v in ("agrees", "differs", "refused") if v in verdicts)
    text = f"{len(lines)} networks: {counts}." + ("" if len(lines) == len(names) else f" The other {len(names) - len(lines)} were not run.") + "\n\n"
    text += "| Network | Parameters | Layers | Neurons | Maxima | Positions | Scores | Gradient | PyTorch's own | Flips | Without | Verdict |\n"
    text += "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n" + "\n".join(lines) + "\n"
    return text


def write(rows, torchvision, of_segmenters):
    text = HEAD.format(version=torchvision, count=len(names()), timm=version("timm")) + "## torchvision\n\n" + table(rows, names())
    if any(name in rows for name in segmenters()): text += f"\n## Segmenters of torchvision {of_segmenters}\n\n" + table(rows, segmenters())
    extra = sorted(name for name in rows if name.startswith("timm."))
    for title, names_ in (("timm", [n for n in extra if not is_transformer(n)]), ("Transformers and hybrids of timm", [n for n in extra if is_transformer(n)])):
        if names_: text += f"\n## {title}\n\n" + table(rows, names_)
    PAGE.write_text(text)


def written():
    """The rows of the page, by network."""
    rows, prefix = {}, ""
    for line in PAGE.read_text().splitlines() if PAGE.exists() else []:
        if line.startswith("## "): prefix = "timm." if "timm" in line else "segmentation." if "egmenters" in line else ""
        found = re.match(r"\| (\w\S*) \| [\d.]+ M \|", line)
        if found: rows[prefix + found[1]] = line
    return rows


def written_version(of):
    """The version of torchvision that the page's classifiers or segmenters are of."""
    found = re.search(of + r" of torchvision ([0-9.]+)", PAGE.read_text()) if PAGE.exists() else None
    return found[1] if found else version("torchvision")


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", type=pathlib.Path), ap.add_argument("names", nargs="*")
    ap.add_argument("--keep", action="store_true")
    a = ap.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for name in a.names or names():
        folder = a.out / name
        if not any((folder / exporter / "tensors.npz").exists() for exporter in ("old", "new")):
            subprocess.run([sys.executable, TOOLS / "make-pytorch-references.py", a.out, name, "--tries", "2"], check=True)
        line = row(name, compare(folder))
        print(line, flush=True)
        if not a.keep: shutil.rmtree(folder)
        now, is_segmenter = version("torchvision"), name.startswith("segmentation.")
        write(written() | {name: line}, written_version("classifier") if is_segmenter or name.startswith("timm.") else now,
              now if is_segmenter else written_version("Segmenters"))


if __name__ == "__main__":
    main()
