"""What a trained CNN has learnt: its neurons' activations as arrays, its decisions explained.

Example::

    import neurodex

    store = neurodex.index("petshop.onnx", "photos/", "shop.sqlite", classes="labels.txt")
    store.top("conv4:3", k=9, where="label = 'cat'")
    store.activations("conv4")                   # images × channels, float32
    store.explain("occlusion", "photos/cat/1.jpg", target="class:cat")
"""

from __future__ import annotations

import os

from ._errors import NeurodexError, ProgramError, StoreError
from ._export import export
from ._extension import load_extension
from ._records import Hit, Image, Layer, Table
from ._results import Explanation, Picture, index
from ._store import Store
from ._version import __version__

__all__ = [
    "Explanation",
    "Hit",
    "Image",
    "Layer",
    "NeurodexError",
    "Picture",
    "ProgramError",
    "Store",
    "StoreError",
    "Table",
    "__version__",
    "export",
    "index",
    "load_extension",
    "open",
]


def open(path: str | os.PathLike[str]) -> Store:
    """Opens a store to read.

    Raises:
        StoreError: if there is no such file, or it is no store, is of another version, or damaged.
    """
    return Store(path)
