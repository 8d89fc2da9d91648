"""Where the program and the SQLite extension are: in the package, or where the environment says."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from ._errors import NeurodexError

FOLDER = Path(__file__).resolve().parent / "native"
EXTENSION_NAME = "activation.dylib" if sys.platform == "darwin" else "activation.so"


def program() -> str:
    """Finds the program: ``NEURODEX_PROGRAM``, the package's own, or ``neurodex`` in PATH, in this order.

    Raises:
        NeurodexError: if there is none.
    """
    named = os.environ.get("NEURODEX_PROGRAM")
    if named:
        if not os.access(named, os.X_OK):
            raise NeurodexError(f"NEURODEX_PROGRAM is {named}, which is not a program that can be run")
        return named
    own = FOLDER / "neurodex"
    if own.is_file() and os.access(own, os.X_OK):
        return str(own)
    here = Path(sys.argv[0]).resolve()
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        # The console script of this package only runs the program: it must not find itself.
        found = shutil.which("neurodex", path=folder)
        if found and Path(found).resolve() != here and not _is_script(found):
            return found
    raise NeurodexError(
        "the program neurodex is not in this package and not in PATH: "
        "install the wheel, or set NEURODEX_PROGRAM to where it was built"
    )


def extension() -> Path | None:
    """Finds the SQLite extension: ``NEURODEX_EXTENSION``, or the package's own; None where there is neither.

    Raises:
        NeurodexError: if ``NEURODEX_EXTENSION`` names nothing.
    """
    named = os.environ.get("NEURODEX_EXTENSION")
    if named:
        if not Path(named).is_file():
            raise NeurodexError(f"NEURODEX_EXTENSION is {named}, and there is no such file")
        return Path(named).resolve()
    own = FOLDER / EXTENSION_NAME
    return own if own.is_file() else None


def _is_script(path: str) -> bool:
    with open(path, "rb") as file:
        return file.read(2) == b"#!"
