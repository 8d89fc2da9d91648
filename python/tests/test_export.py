from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import neurodex
from neurodex import _export, _onnx


def test_metadata_is_part_of_the_model(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x08\x08")  # ir_version 8
    _onnx.add_metadata(path, "key", "v" * 300)
    entry = b"\x0a\x03key" + b"\x12\xac\x02" + b"v" * 300
    assert path.read_bytes() == b"\x08\x08" + b"\x72" + b"\xb4\x02" + entry


class Transforms:
    crop_size = (224,)
    resize_size = (232,)
    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)
    interpolation = "bilinear"


class Weights:
    def transforms(self) -> Transforms:
        return Transforms()


def test_recipe_of_torchvision() -> None:
    recipe, source = _export._recipe(None, (1, 3, 224, 224), Weights(), None)
    assert recipe == {
        "resize": "232", "crop": "224x224", "interpolation": "bilinear", "pillow": 13, "channels": "rgb", "divisor": 255.0,
        "mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225],
    }  # fmt: skip
    assert "transforms" in source
    with pytest.raises(neurodex.NeurodexError, match="crops to 224 × 224, and the example is 96 × 96"):
        _export._recipe(None, (1, 3, 96, 96), Weights(), None)


def test_recipe_of_timm() -> None:
    config = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5), "interpolation": "bicubic", "crop_pct": 0.9}
    module = type("Module", (), {"pretrained_cfg": config})()
    recipe, _ = _export._recipe(module, (1, 3, 224, 224), None, None)
    assert recipe is not None
    assert (recipe["resize"], recipe["interpolation"], recipe["mean"]) == ("248", "bicubic", [0.5, 0.5, 0.5])


def test_recipe_given() -> None:
    given: dict[str, Any] = {"mean": [0.5], "std": [0.25], "resize": (28, 32)}
    recipe, _ = _export._recipe(None, (1, 1, 28, 32), None, given)
    assert recipe is not None
    assert (recipe["resize"], recipe["crop"], recipe["channels"]) == ("28x32", "28x32", "grey")
    with pytest.raises(neurodex.NeurodexError, match="3 channels, and the recipe 1 means"):
        _export._recipe(None, (1, 3, 28, 28), None, {"mean": [0.5], "std": [0.5]})
    with pytest.raises(neurodex.NeurodexError, match="has mean and std"):
        _export._recipe(None, (1, 3, 28, 28), None, {"means": [0.5]})


def test_export(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    module = torch.nn.Sequential()
    module.add_module("first", torch.nn.Conv2d(3, 4, 3))
    module.add_module("drop", torch.nn.Dropout(0.5))
    module.add_module("pool", torch.nn.AdaptiveAvgPool2d(1))
    module.train()
    path = tmp_path / "model.onnx"
    written = neurodex.export(
        module,
        path,
        example=torch.zeros(1, 3, 16, 16),
        preprocessing={"mean": [0, 0, 0], "std": [1, 1, 1], "resize": None},
    )
    assert module.training
    assert written.preprocessing is not None
    text = json.dumps(written.preprocessing, sort_keys=True, separators=(",", ":")).encode()
    assert text in path.read_bytes()
    from neurodex import _program

    layers = _program.run_json(["layers", str(path)])
    assert layers[0]["layer"] == "first"
    from PIL import Image

    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "a.png")
    store = neurodex.index(path, tmp_path / "a.png", tmp_path / "s.sqlite", progress=False, preprocess="plain", resize="none")
    with torch.no_grad():
        expected = module.eval().first(torch.tensor(picture.transpose(2, 0, 1)[None] / 255, dtype=torch.float32))
    assert np.allclose(store.activations("first")[0], expected.amax((2, 3)).numpy()[0], atol=1e-5)
