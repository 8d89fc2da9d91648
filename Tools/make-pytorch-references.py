#!/usr/bin/env python3
"""Writes torchvision's networks (random weights, warmed-up batch norm) with PyTorch's scores and gradients, for PyTorchTests.

    pip install torch torchvision onnx
    Tools/make-pytorch-references.py OUT alexnet vgg11_bn resnet18 googlenet
    NEURODEX_ZOO=OUT swift test -c release --filter PyTorchTests

OUT/NAME/: model.onnx, input.npy [2,3,224,224], logits.npy [2,1000], grad.npy, the derivative of each image's largest score by the image.

A gradient jumps where a unit stands on a kink (a ReLU at 0, two equal maxima), and among a random network's millions of units some do:
PyTorch's own gradients in single and double precision differ by 0.002 to 0.2 on most images. Kept are random images where they agree
within 1e-4, and stay so under weights that differ by as much as rounding does.
"""
import copy, pathlib, sys, warnings
import numpy as np, torch, torchvision

warnings.filterwarnings("ignore")
TRIES, WANTED, AGREE, ROUNDING = 150, 2, 1e-4, 1e-6


def network(name):
    torch.manual_seed(0)
    # GoogLeNet's own initial weights are so small that its maps are nearly flat, and every pooling a tie.
    extra = {"init_weights": False} if name == "googlenet" else {}
    model = torchvision.models.get_model(name, weights=None, **extra).train()
    for m in model.modules():
        if isinstance(m, torch.nn.Dropout): m.p = 0.0
        if isinstance(m, torch.nn.modules.batchnorm._BatchNorm): m.momentum = 0.5
    with torch.no_grad():
        for _ in range(2): model(torch.randn(4, 3, 224, 224))
    return model.eval()


def gradient(model, x):
    x = x.clone().requires_grad_(True)
    y = model(x)
    y.gather(1, y.argmax(1, keepdim=True)).sum().backward()
    return x.grad.numpy(), y.detach().numpy()


def near(model):
    """The model with weights that differ by as much as rounding does."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for w in model.parameters(): w.mul_(1 + ROUNDING * torch.randn(w.shape, dtype=w.dtype))
    return model


def main():
    out, names = pathlib.Path(sys.argv[1]), sys.argv[2:]
    for name in names:
        model = network(name)
        exact = copy.deepcopy(model).double()
        others = [near(exact) for _ in range(3)]
        random, kept = torch.Generator().manual_seed(1), []
        for tried in range(1, TRIES + 1):
            x = torch.randn(1, 3, 224, 224, generator=random)
            grad, logits = gradient(model, x)
            expected, _ = gradient(exact, x.double())
            off = lambda g: float(np.linalg.norm(g - expected) / np.linalg.norm(expected))
            if off(grad) < AGREE and all(off(gradient(m, x.double())[0]) < AGREE for m in others): kept.append((x.numpy(), logits, grad))
            if len(kept) == WANTED: break
        print(f"{name}: {len(kept)} of {tried} images", flush=True)
        if not kept: continue
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, arrays in zip(("input", "logits", "grad"), zip(*kept)): np.save(folder / f"{file}.npy", np.concatenate(arrays))
        torch.onnx.export(model, torch.zeros(1, 3, 224, 224), folder / "model.onnx", dynamo=False, opset_version=17, input_names=["input"],
                          output_names=["logits"], dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}})


if __name__ == "__main__":
    main()
