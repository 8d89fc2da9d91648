from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY, petshop

import neurodex
from neurodex import _program

CAT = REPOSITORY / "fixtures/petshop/test/cat/cat-43.jpg"


def test_explain(shop: neurodex.Store) -> None:
    why = shop.explain("occlusion", CAT, target="class:cat", window=16, stride=8)
    assert why.map.shape == (96, 96)
    assert why.map.dtype == np.float32
    assert why.target == "class:cat"
    assert why.png.startswith(b"\x89PNG")
    assert why._repr_png_() == why.png
    peak = np.unravel_index(why.map.argmax(), why.map.shape)
    assert (why.facts["peak_y"], why.facts["peak_x"]) == peak
    assert np.asarray(why).shape == (96, 96)


def test_explain_kind(shop: neurodex.Store) -> None:
    smooth = shop.explain("saliency", shop.images[3].id, kind="smoothgrad", samples=4)
    assert smooth.map.shape == (3, 96, 96)


def test_sheet(shop: neurodex.Store) -> None:
    picture = shop.sheet(["conv4:3", "conv2:5"], k=4, where="label = 'cat'")
    assert picture.png.startswith(b"\x89PNG")


def test_errors_are_the_programs(shop: neurodex.Store, tmp_path: Path) -> None:
    with pytest.raises(neurodex.ProgramError, match="cow") as caught:
        shop.explain("occlusion", CAT, target="class:cow")
    assert caught.value.status == 1
    assert not str(caught.value).startswith("Error")
    with pytest.raises(neurodex.ProgramError) as caught:
        neurodex.index(tmp_path / "none.onnx", CAT, tmp_path / "x.sqlite", progress=False)
    assert "none.onnx" in str(caught.value)
    with pytest.raises(neurodex.ProgramError) as caught:
        shop.explain("occlusion", CAT, windw=16)
    assert caught.value.status == 64


def test_skipped_files_are_said(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "good.jpg").write_bytes(CAT.read_bytes())
    (folder / "bad.jpg").write_bytes(b"no picture")
    fixtures = REPOSITORY / "fixtures"
    store = neurodex.index(fixtures / "petshop.onnx", folder, tmp_path / "s.sqlite", progress=False, resize="none")
    assert len(store) == 1
    assert any("bad.jpg" in remark for remark in store.remarks)


def test_progress_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fixtures = REPOSITORY / "fixtures"
    neurodex.index(fixtures / "petshop.onnx", fixtures / "petshop", tmp_path / "p.sqlite", progress=True, resize="none")
    assert "300/300 images" in capsys.readouterr().err


def test_options() -> None:
    values = {"where": "-1 < id", "full": True, "no_keep": False, "layers": ["a", "b"], "out": Path("x.png"), "k": None}
    assert _program.options(values) == ["--where=-1 < id", "--full", "--layers=a", "--layers=b", "--out=x.png"]


def test_no_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NEURODEX_PROGRAM", str(tmp_path / "nothing"))
    with pytest.raises(neurodex.NeurodexError, match="not a program that can be run"):
        petshop(tmp_path / "x.sqlite")
    monkeypatch.delenv("NEURODEX_PROGRAM")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(neurodex.NeurodexError, match="not in this package and not in PATH"):
        petshop(tmp_path / "x.sqlite")
