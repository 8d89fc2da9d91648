"""What the documentation says of the package works, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from conftest import REPOSITORY


def test_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "fixtures").symlink_to(REPOSITORY / "fixtures")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```py\n(.*?)^```", (REPOSITORY / "docs/use-it-from-python.md").read_text(), re.M | re.S)
    assert len(blocks) == 4
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    printed = capsys.readouterr().out
    assert "300 images" in printed
    assert "class:cat" in printed
    assert (tmp_path / "why.png").read_bytes().startswith(b"\x89PNG")
