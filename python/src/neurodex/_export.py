"""Exports a PyTorch network as ONNX, with what has to be done to pictures written into the file."""

from __future__ import annotations

import inspect
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from ._errors import NeurodexError
from ._onnx import add_metadata

METADATA_KEY = "neurodex.preprocessing"
_SHORTER_SIDE = 256 / 224  # What torchvision's own recipe resizes to, of what it crops.


class Export(NamedTuple):
    """What :func:`export` wrote."""

    path: str
    #: The recipe that is in the file's metadata now, as the program writes it; None if none was found.
    preprocessing: dict[str, Any] | None
    #: Where the recipe comes from, in words.
    source: str
    #: The input's shape: batch, channels, height, width.
    input_shape: tuple[int, ...]
    opset: int


def export(
    module: Any,
    path: str | os.PathLike[str],
    *,
    example: Any,
    weights: Any = None,
    preprocessing: dict[str, Any] | None = None,
    opset: int = 17,
) -> Export:
    """Exports a network so that neurodex can read it: in eval mode, with the names of its modules, for any number of images.

    Args:
        module: a ``torch.nn.Module``.
        path: the ONNX file to write.
        example: an input, such as ``torch.zeros(1, 3, 224, 224)``.
        weights: torchvision's weights, such as ``ResNet50_Weights.DEFAULT``: their transforms are the preprocessing.
        preprocessing: the recipe itself: mean, std, and perhaps resize (``256``, ``(height, width)`` or None), interpolation,
            channels (``"rgb"``, ``"bgr"`` or ``"grey"``) and divisor.
            Without it and ``weights``, timm's ``pretrained_cfg`` of the module is asked.
        opset: ONNX's operator set.

    Returns:
        What was written. ``preprocessing`` is None, and ``source`` says so, where no recipe was to be found: give it to
        ``neurodex.index`` then.

    Raises:
        NeurodexError: if torch is not installed, or the recipe contradicts itself.
    """
    try:
        import torch
    except ImportError as error:
        raise NeurodexError("neurodex.export needs PyTorch: pip install torch") from error
    shape = tuple(int(side) for side in example.shape)
    if len(shape) != 4:
        raise NeurodexError(f"an example is a batch of pictures (batch, channels, height, width), not of shape {shape}")
    recipe, source = _recipe(module, shape, weights, preprocessing)
    settings: dict[str, Any] = {
        "input_names": ["input"],
        "output_names": ["output"],
        "dynamic_axes": {"input": {0: "batch"}, "output": {0: "batch"}},
        "opset_version": opset,
    }
    # The exporter by tracing keeps the modules' scopes in the names of nodes.
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        settings["dynamo"] = False
    was_training = bool(module.training)
    module.eval()
    try:
        with torch.no_grad():
            torch.onnx.export(module, (example,), os.fspath(path), **settings)
    finally:
        module.train(was_training)
    if recipe is not None:
        add_metadata(Path(path), METADATA_KEY, json.dumps(recipe, sort_keys=True, separators=(",", ":")))
    return Export(os.fspath(path), recipe, source, shape, opset)


def _recipe(
    module: Any, shape: tuple[int, ...], weights: Any, preprocessing: dict[str, Any] | None
) -> tuple[dict[str, Any] | None, str]:
    if preprocessing is not None:
        return _given(preprocessing, shape), "as given"
    if weights is not None:
        return _of_torchvision(weights, shape), f"the transforms of {weights}"
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None)
    if config is not None:
        return _of_timm(dict(config), shape), "timm's configuration of the network"
    return None, "no recipe found: pass weights=, preprocessing=, or tell neurodex.index"


def _given(wanted: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    unknown = set(wanted) - {"mean", "std", "resize", "interpolation", "channels", "divisor"}
    if unknown or "mean" not in wanted or "std" not in wanted:
        raise NeurodexError(
            "a preprocessing has mean and std, and perhaps resize, interpolation, channels and divisor; "
            f"found {', '.join(sorted(wanted)) or 'nothing'}"
        )
    height, width = shape[2:]
    resize = wanted.get("resize", round(max(height, width) * _SHORTER_SIDE))
    text = "none" if resize is None else str(int(resize)) if isinstance(resize, (int, float)) else _size(*resize)
    channels = str(wanted.get("channels", "grey" if shape[1] == 1 else "rgb"))
    return _checked(text, shape, str(wanted.get("interpolation", "bilinear")), wanted["mean"], wanted["std"], channels,
                    float(wanted.get("divisor", 255)))  # fmt: skip


def _of_torchvision(weights: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    transforms = weights.transforms()
    try:
        resize, crop = transforms.resize_size, transforms.crop_size
        mean, deviation = transforms.mean, transforms.std
        interpolation = getattr(transforms.interpolation, "value", str(transforms.interpolation))
    except AttributeError as error:
        raise NeurodexError(f"the transforms of {weights} are not those of a classifier: {error}") from error
    expected = [int(side) for side in (crop if len(crop) == 2 else list(crop) * 2)]
    if expected != list(shape[2:]):
        raise NeurodexError(
            f"{weights} crops to {expected[0]} × {expected[1]}, and the example is {shape[2]} × {shape[3]}: "
            "give an example of that size"
        )
    text = str(int(resize[0])) if len(resize) == 1 else _size(*resize)
    return _checked(text, shape, interpolation, mean, deviation, "rgb", 255.0)


def _of_timm(config: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    height, width = shape[2:]
    crop = float(config.get("crop_pct") or 0.875)
    if config.get("crop_mode", "center") == "squash":
        text = _size(int(height / crop), int(width / crop))
    else:
        text = str(int(min(height, width) / crop))
    return _checked(
        text, shape, str(config.get("interpolation") or "bicubic"), config.get("mean", (0.5, 0.5, 0.5)),
        config.get("std", (0.5, 0.5, 0.5)), "grey" if shape[1] == 1 else "rgb", 255.0,
    )  # fmt: skip


def _checked(
    resize: str, shape: tuple[int, ...], interpolation: str, mean: Any, deviation: Any, channels: str, divisor: float
) -> dict[str, Any]:
    recipe = {
        "resize": resize,
        "crop": _size(*shape[2:]),
        "interpolation": interpolation,
        "pillow": 13,  # the version whose resize the program follows
        "channels": channels,
        "divisor": divisor,
        "mean": [float(value) for value in mean],
        "deviation": [float(value) for value in deviation],
    }
    if len(recipe["mean"]) != shape[1] or len(recipe["deviation"]) != shape[1]:  # type: ignore[arg-type]
        raise NeurodexError(
            f"the example has {shape[1]} channels, and the recipe {len(list(mean))} means and {len(list(deviation))} deviations"
        )
    if interpolation not in ("nearest", "box", "bilinear", "bicubic", "lanczos"):
        raise NeurodexError(f"neurodex resizes by nearest, box, bilinear, bicubic or lanczos, not {interpolation}")
    return recipe


def _size(height: int, width: int) -> str:
    """As the program writes sizes: height × width."""
    return f"{int(height)}x{int(width)}"
