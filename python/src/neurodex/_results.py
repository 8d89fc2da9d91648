"""What the program draws and computes: explanations, sheets, indexing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union

import numpy as np
import numpy.typing as npt

from . import _program
from ._store import Store

if TYPE_CHECKING:
    PathLike = Union[str, os.PathLike[str]]


class Picture:
    """A PNG. A notebook shows it; ``save`` writes it."""

    def __init__(self, png: bytes) -> None:
        self.png = png

    def save(self, path: PathLike) -> None:
        """Writes the PNG; the arguments that make it again are in it, for ``neurodex verify``."""
        Path(path).write_bytes(self.png)

    def _repr_png_(self) -> bytes:
        return self.png

    def __repr__(self) -> str:
        return f"<PNG of {len(self.png)} bytes>"


class Explanation(Picture):
    """A map of why the network answered as it did.

    Attributes:
        map: float32, the map in the network's input frame: height × width, or 3 × height × width if it is signed a channel.
        target: the score that is explained, such as ``class:cat``.
        value: that score on the image.
        facts: all that the program says of the map: image, method, peak, box, checks.
    """

    def __init__(self, png: bytes, values: npt.NDArray[np.float32], facts: dict[str, Any]) -> None:
        super().__init__(png)
        self.map = values
        self.facts = facts
        self.target = str(facts.get("target"))
        self.value = facts.get("value")

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.array(self.map, dtype=dtype or self.map.dtype)

    def __repr__(self) -> str:
        method, image = self.facts.get("method"), self.facts.get("image")
        return f"<{method} of {self.target} = {self.value} on {image}: map of {' × '.join(map(str, self.map.shape))}>"


def explain(
    store: Store, method: str, image: str | int | os.PathLike[str], target: str | None, options: dict[str, Any]
) -> Explanation:
    """Runs ``neurodex METHOD STORE IMAGE``."""
    named = {"target": target, **options}
    if method == "saliency" and "kind" in named:
        named["method"] = named.pop("kind")
    with tempfile.TemporaryDirectory(prefix="neurodex-") as folder:
        raw, png = Path(folder) / "map.npy", Path(folder) / "map.png"
        facts = _program.run_json(
            [method, *_program.options({**named, "raw": raw, "out": png}), "--", store.path, os.fspath(image)
             if not isinstance(image, int) else str(image)]
        )  # fmt: skip
        return Explanation(png.read_bytes(), np.load(raw), facts[0])


def sheet(store: Store, neurons: list[str], k: int, where: str | None) -> Picture:
    """Runs ``neurodex top STORE NEURONS… --sheet``."""
    with tempfile.TemporaryDirectory(prefix="neurodex-") as folder:
        png = Path(folder) / "sheet.png"
        _program.run(["top", *_program.options({"where": where, "sheet": png}), "-k", str(k), "--", store.path, *neurons])
        return Picture(png.read_bytes())


def index(
    model: PathLike,
    images: PathLike | Sequence[PathLike],
    store: PathLike,
    *,
    progress: bool = True,
    **options: Any,
) -> Store:
    """Runs a network over images and keeps every neuron's maximum on each: ``neurodex index``.

    Args:
        model: the network, an ONNX file.
        images: images, and folders with images.
        store: the file to make or to add to.
        progress: show a progress bar.
        options: the command's options without their hyphens: ``classes="names.txt"``, ``labels="labels.csv"``,
            ``preprocess="plain"``, ``layers=["features.*"]``, ``jobs=2`` …

    Returns:
        The store. ``store.remarks`` has what the program said, one sentence each: files that it skipped, and why.

    Raises:
        ProgramError: with what the program said. What was indexed until then is kept.
    """
    paths = [images] if isinstance(images, (str, os.PathLike)) else list(images)
    arguments = ["index", *_program.options({"model": model, **options})]
    arguments += ["--", os.fspath(store), *(os.fspath(path) for path in paths)]
    output, remarks = _program.run(arguments, progress, accepted=(0, 2))
    made = Store(store)
    made.remarks = [*output.splitlines(), *remarks]
    return made
