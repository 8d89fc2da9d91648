"""What packages say of their parts."""

import re
import runpy
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def test_every_dependency_has_a_licence() -> None:
    known = runpy.run_path(str(REPOSITORY / "Tools/dist/sbom.py"), run_name="sbom")["SWIFT_LICENCES"]
    urls = re.findall(r'url: "([^"]*)"', (REPOSITORY / "Package.swift").read_text())
    identities = {url.removesuffix(".git").rsplit("/", 1)[-1].lower() for url in urls}
    assert identities == set(known), f"no licence in sbom.py, or no such dependency: {sorted(identities ^ set(known))}"
