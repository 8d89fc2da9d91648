#!/usr/bin/env python3
"""Writes torchvision's networks with PyTorch's answers, to compare neurodex with: for PyTorchTests and Tools/make-network-table.py.

    pip install torch torchvision onnx onnxruntime onnxscript
    Tools/make-pytorch-references.py OUT alexnet vgg11_bn resnet18 googlenet      (no name: all CNN classifiers of torchvision)
    NEURODEX_ZOO=OUT swift test -c release --filter PyTorchTests
    options: --seed N  --size N (height and width of images; else the network's own)  --tries N  --exporter old|new|both

OUT/NAME/ holds
    input.npy      [2,3,H,W] float32, already normalised
    logits.npy     [2,K]
    grad.npy       [2,3,H,W] derivative of each image's largest score by the image, in double precision
    spread.npy     [2] how far PyTorch's own gradients are from each other, relative L2; see below
    old, new       of PyTorch's first exporter (weights inline) and its second (weights in a file beside it), each with
                   model.onnx     random weights (the seed's), batch norm's statistics warmed up
                   tensors.npz    for every tensor of four axes by ONNX Runtime (of tokens on a grid likewise, and NAME#0 and so on of those before it): NAME → [2,C] the maximum over each map, NAME@pos → [2,C] its first
                                  position, y * W + x, but for maps in windows; C is the axis of channels, the last one in [2,H,W,C]; NAME@last → the maxima along the last
                                  axis of others, which is that of channels in tokens of blocks

A gradient jumps where a unit stands on a kink (a ReLU at 0, two equal maxima), and among a random network's millions of units some do: there
PyTorch's gradients in single and in double precision, and under weights that differ by as much as rounding does, are up to 0.2 apart. Of
`--tries` random images the first two are taken where they agree within 1e-4; where there are none, those where they agree best. With
`--tries 2` they are the first two, and weights that differ are not tried; Tools/find-kinks.py then tells kinks from errors.
"""
import argparse, copy, pathlib, shutil, warnings
import numpy as np, onnx, onnxruntime, torch
from pytorch_networks import channels_first, extent, gradient, names, network, token_grid

warnings.filterwarnings("ignore")
WANTED, AGREE, ROUNDING = 2, 1e-4, 1e-6


def gradient_nearby(exact, model, seed, x):
    """The gradient under weights that differ from the model's by as much as rounding does; `exact`, the model in double precision, lends its memory."""
    random = torch.Generator().manual_seed(seed)
    for w in exact.parameters(): w.mul_(1 + ROUNDING * torch.randn(w.shape, dtype=w.dtype, generator=random))
    grad, _ = gradient(exact, x)
    exact.load_state_dict(model.state_dict())
    return grad


def images(model, seed, size, tries):
    """The images whose gradients PyTorch is most certain of: (image, logits, gradient, spread) each."""
    exact = copy.deepcopy(model).double()
    random, found = torch.Generator().manual_seed(seed + 1), []
    for tried in range(1, tries + 1):
        x = torch.randn(1, 3, size, size, generator=random)
        grad, logits = gradient(model, x)
        expected, _ = gradient(exact, x.double())
        off = lambda g: float(np.linalg.norm(g - expected) / np.linalg.norm(expected))
        spread = off(grad)
        if tries > WANTED and spread < AGREE: spread = max(spread, off(gradient_nearby(exact, model, seed + 2, x.double())))
        found = sorted(found + [(x.numpy(), logits, expected.astype(np.float32), spread)], key=lambda image: image[3])[:WANTED]
        if len(found) == WANTED and found[-1][3] < AGREE: break
    return found, tried


def export(model, x, path, exporter):
    if exporter == "old":
        torch.onnx.export(model, x, str(path), dynamo=False, opset_version=17, input_names=["input"], output_names=["logits"],
                          dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}})
    else:
        torch.onnx.export(model, (torch.cat([x, x]),), path, dynamo=True, input_names=["input"], output_names=["logits"],
                          dynamic_shapes=({0: torch.export.Dim("n")},), external_data=True, verbose=False)


def tensor_maxima(path, x):
    """Of every tensor with four axes, by ONNX Runtime with all of them made outputs."""
    model = onnx.load(path)
    known = {o.name for o in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=o) for n in model.graph.node for o in n.output if o and o not in known)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    options.intra_op_num_threads = torch.get_num_threads()
    every = path.with_name("all-outputs.onnx")
    onnx.save(model, every, save_as_external_data=True, location="all-outputs.data")
    del model
    session = onnxruntime.InferenceSession(str(every), options, providers=["CPUExecutionProvider"])
    outputs = [o.name for o in session.get_outputs()]
    found = {}
    for image in range(len(x)):
        for name, value in zip(outputs, session.run(None, {"input": x[image : image + 1]})):
            if isinstance(value, np.ndarray) and value.ndim == 4 and value.dtype == np.float32 and value.shape[0] > 1:
                # Windows of one map along the batch's axis: where a maximum stands in the map is not told.
                maps = channels_first(value)
                found.setdefault(name, []).append(maps.max((0, 2, 3)))
            elif isinstance(value, np.ndarray) and value.ndim == 4 and value.dtype == np.float32:
                maps = channels_first(value)
                flat = maps.reshape(maps.shape[1], -1)
                found.setdefault(name, []).append(flat.max(-1))
                found.setdefault(name + "@pos", []).append(flat.argmax(-1).astype(np.int32))
                # Tokens of blocks, [1, blocks, tokens, channels], whose places on the map are not told.
                if maps is value: found.setdefault(name + "@last", []).append(value.max((0, 1, 2)))
            elif isinstance(value, np.ndarray) and value.ndim == 3 and value.dtype == np.float32 and value.shape[0] == 1:
                grid = token_grid(value.shape)
                if grid is None: continue
                tokens = {name: value[0, grid[0]:]} | {f"{name}#{token}": value[0, token:token + 1] for token in range(grid[0])}
                for own, part in tokens.items():
                    found.setdefault(own, []).append(part.max(0))
                    found.setdefault(own + "@pos", []).append(part.argmax(0).astype(np.int32))
    every.unlink(), every.with_name("all-outputs.data").unlink(missing_ok=True)
    return {name: np.stack(values) for name, values in found.items()}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("out", type=pathlib.Path), ap.add_argument("names", nargs="*")
    ap.add_argument("--seed", type=int, default=0), ap.add_argument("--size", type=int, default=0)
    ap.add_argument("--tries", type=int, default=150), ap.add_argument("--exporter", choices=["old", "new", "both"], default="both")
    a = ap.parse_args()
    for name in a.names or names():
        size = a.size or extent(name)
        folder = a.out / name
        folder.mkdir(parents=True, exist_ok=True)
        model = network(name, a.seed, size)
        found, tried = images(model, a.seed, size, a.tries)
        for file, arrays in zip(("input", "logits", "grad"), zip(*found)): np.save(folder / f"{file}.npy", np.concatenate(arrays))
        np.save(folder / "spread.npy", np.array([image[3] for image in found], np.float32))
        x = np.concatenate([image[0] for image in found])
        for exporter in ("old", "new") if a.exporter == "both" else (a.exporter,):
            (folder / exporter).mkdir(exist_ok=True)
            path = folder / exporter / "model.onnx"
            try:
                export(model, torch.from_numpy(x[:1]), path, exporter)
            except Exception as error:
                # Some networks one of PyTorch's exporters cannot write.
                print(f"{name}: the exporter '{exporter}' fails: {type(error).__name__}: {str(error).strip().splitlines()[-1][:200]}", flush=True)
                shutil.rmtree(folder / exporter)
                continue
            np.savez_compressed(folder / exporter / "tensors.npz", **tensor_maxima(path, x))
        print(f"{name}: gradients {', '.join(f'{image[3]:.1e}' for image in found)} apart, the best of {tried} images", flush=True)


if __name__ == "__main__":
    main()
