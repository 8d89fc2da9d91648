#!/usr/bin/env python3
"""Tells maxima that are wrong from those of a network that makes much of rounding.

    Tools/exact-maxima.py OUT/NAME old new        (after Tools/make-pytorch-references.py OUT NAME)

ONNX's reference evaluator computes the network in double precision, and its maxima take the place of ONNX Runtime's in OUT/NAME/old/tensors.npz; a
second agreement-check then compares with these. Printed in JSON, of each file: the largest deviation of ONNX Runtime's maxima from them, as a share of
the layer's largest value. onnx 1.23's evaluator cannot run max pooling with ceil_mode as GoogLeNet has it.
"""
import argparse, json, pathlib
import numpy as np, onnx
from onnx import AttributeProto, TensorProto, numpy_helper
from onnx.reference import ReferenceEvaluator
from pytorch_networks import channels_first


def widened(path):
    """The network with doubles for floats."""
    model = onnx.load(path)
    attributes = [a.t for node in model.graph.node for a in node.attribute if a.type == AttributeProto.TENSOR]
    for tensor in [*model.graph.initializer, *attributes]:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        kind = value.type.tensor_type
        if kind.elem_type == TensorProto.FLOAT: kind.elem_type = TensorProto.DOUBLE
    return model


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("folder", type=pathlib.Path), ap.add_argument("exporters", nargs="+")
    a = ap.parse_args()
    images, deviations = np.load(a.folder / "input.npy").astype(np.float64), {}
    for exporter in a.exporters:
        path = a.folder / exporter / "tensors.npz"
        with np.load(path) as file: tensors = dict(file)
        model, worst = widened(a.folder / exporter / "model.onnx"), 0.0
        for name, value in ReferenceEvaluator(model).run(None, {model.graph.input[0].name: images}, intermediate=True).items():
            if name not in tensors: continue
            exact = channels_first(value).max(axis=(2, 3))
            worst = max(worst, float((np.abs(tensors[name] - exact) / np.abs(exact).max(1, keepdims=True)).max()))
            tensors[name] = np.ascontiguousarray(exact.astype(np.float32))
        np.savez_compressed(path, **tensors)
        deviations[exporter] = worst
    print(json.dumps(deviations))


if __name__ == "__main__":
    main()
