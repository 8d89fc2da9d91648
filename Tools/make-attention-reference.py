#!/usr/bin/env python3
"""Writes two tiny vision transformers of random weights, a picture, and what PyTorch says of their attention: for AttentionTests.

    pip install torch onnx onnxscript pillow
    Tools/make-attention-reference.py fixtures/attention

class-token.onnx   a class token before 4×4 patches, three blocks of two heads, scores of the class token; PyTorch's first exporter
mean.onnx          no class token; scores of the mean over patches; F.scaled_dot_product_attention, PyTorch's second exporter
picture.png        32×32, noise
expected.json      of each network, all in double precision:
    scores      [5]
    weights     [block][head][query][key], softmaxes
    rollout     [query][key] of Abnar and Zuidema 2020: the product of (mean over heads + identity) / 2, the last block first
    gradient    by class, [query][key], of Chefer, Gur and Wolf 2021: R = I, then R += mean over heads of max(0, ∂score/∂A · A) times R,
                less the identity
    cam         mean.onnx alone: by class, [patch]; weights of the class times what is averaged
"""
import json, pathlib, sys
import numpy as np, onnx, torch
import torch.nn.functional as F
from PIL import Image
from torch import nn

SIDE, PATCH, WIDTH, HEADS, BLOCKS, CLASSES = 32, 8, 12, 2, 3, 5


class Attention(nn.Module):
    def __init__(self, fused):
        super().__init__()
        self.qkv, self.proj, self.fused, self.weights = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH), fused, None

    def forward(self, x):
        n = x.shape[1]
        q, k, v = self.qkv(x).reshape(1, n, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v)
        else:
            self.weights = (q @ k.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5).softmax(-1)
            if self.weights.requires_grad: self.weights.retain_grad()
            y = self.weights @ v
        return self.proj(y.transpose(1, 2).reshape(1, n, WIDTH))


class Block(nn.Module):
    def __init__(self, fused):
        super().__init__()
        self.norm1, self.attn, self.norm2 = nn.LayerNorm(WIDTH), Attention(fused), nn.LayerNorm(WIDTH)
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Transformer(nn.Module):
    def __init__(self, has_class_token, fused=False):
        super().__init__()
        places = (SIDE // PATCH) ** 2
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.token = nn.Parameter(torch.zeros(1, 1, WIDTH)) if has_class_token else None
        self.positions = nn.Parameter(torch.zeros(1, places + has_class_token, WIDTH))
        self.blocks = nn.ModuleList(Block(fused) for _ in range(BLOCKS))
        self.norm, self.head, self.last = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES), None

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        if self.token is not None: x = torch.cat([self.token, x], 1)
        x = x + self.positions
        for block in self.blocks: x = block(x)
        self.last = self.norm(x)
        return self.head(self.last[:, 0] if self.token is not None else self.last.mean(1))


def made(has_class_token, seed):
    model, random = Transformer(has_class_token), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, w in model.named_parameters():
            # Large enough that queries and keys make sharp softmaxes.
            scale = (2.5 if "qkv" in name else 1) / max(w[0].numel(), 1) ** 0.5 if w.dim() > 1 and "positions" not in name else 0.3
            w.copy_(scale * torch.randn(w.shape, generator=random) + ("norm" in name and name.endswith("weight")))
    return model


def expected(model, x):
    model = model.double()
    scores = model(x)[0]
    tokens = model.blocks[0].attn.weights.shape[-1]
    identity = torch.eye(tokens, dtype=torch.float64)
    rollout = identity
    for block in model.blocks: rollout = (block.attn.weights[0].mean(0) + identity) / 2 @ rollout
    result = {
        "scores": scores.tolist(), "weights": [b.attn.weights[0].tolist() for b in model.blocks], "rollout": rollout.tolist(),
        "gradient": [],
    }
    for index in range(CLASSES):
        for block in model.blocks: block.attn.weights.grad = None
        scores[index].backward(retain_graph=True)
        relevance = identity
        for block in model.blocks:
            own = (block.attn.weights.grad * block.attn.weights)[0].clamp(min=0).mean(0)
            relevance = relevance + own @ relevance
        result["gradient"].append((relevance - identity).tolist())
    if model.token is None: result["cam"] = (model.last[0] @ model.head.weight.T).T.tolist()
    return result


def trimmed(path):
    """Without the exporter's notes of where in which file each node was made, which are most of the second exporter's file."""
    file = onnx.load(path)
    for node in file.graph.node:
        kept = [p for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
        del node.metadata_props[:]
        node.metadata_props.extend(kept)
        node.doc_string = ""
    for value in [*file.graph.value_info, *file.graph.input, *file.graph.output]: del value.metadata_props[:]
    del file.graph.value_info[:], file.graph.metadata_props[:], file.metadata_props[:]
    for weight in file.graph.initializer: del weight.metadata_props[:]
    onnx.save(file, path)


def rounded(value):
    return [rounded(v) for v in value] if isinstance(value, list) else float(f"{value:.7g}")


out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
pixels = np.random.default_rng(5).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
Image.fromarray(pixels).save(out / "picture.png")
mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
x = torch.from_numpy(((pixels / 255 - mean) / deviation).transpose(2, 0, 1)[None])
answers = {}
for name, has_class_token, dynamo in [("class-token", True, False), ("mean", False, True)]:
    model = made(has_class_token, 3)
    exported = Transformer(has_class_token, fused=dynamo)
    exported.load_state_dict(model.state_dict())
    options = dict(external_data=False) if dynamo else dict(opset_version=17)
    torch.onnx.export(exported.eval(), (x.float(),), str(out / f"{name}.onnx"), dynamo=dynamo, input_names=["image"],
                      output_names=["scores"], **options)
    trimmed(str(out / f"{name}.onnx"))
    answers[name] = {key: rounded(value) for key, value in expected(model, x).items()}
(out / "expected.json").write_text(json.dumps(answers, separators=(",", ":"), sort_keys=True) + "\n")
