"""The pet shop of the repository, indexed once by the program that was built."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import neurodex

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_configure() -> None:
    build = REPOSITORY / ".build"
    os.environ.setdefault("NEURODEX_PROGRAM", str(build / "release" / "neurodex"))
    os.environ.setdefault("NEURODEX_EXTENSION", str(build / "activation.so"))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> neurodex.Store:
    """The pet shop: 300 images, with means of every layer."""
    return petshop(tmp_path_factory.mktemp("shop") / "shop.sqlite")


def petshop(path: Path, **options: object) -> neurodex.Store:
    """Indexes the pet shop."""
    fixtures = REPOSITORY / "fixtures"
    settings: dict[str, object] = {
        "classes": fixtures / "petshop/labels.txt",
        "resize": "none",
        "means": "all",
        **options,
    }
    return neurodex.index(fixtures / "petshop.onnx", fixtures / "petshop", path, progress=False, **settings)
