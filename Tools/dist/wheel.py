"""Makes the wheel of a staged installation: wheel.py STAGE OUT_FOLDER

STAGE is what Tools/dist/make lays out. The wheel has the Python package, in it the program, the libraries beside it and the SQLite
extension, and a console script that becomes the program. Times are SOURCE_DATE_EPOCH's, so that the same inputs give the same bytes.
"""

import base64
import hashlib
import os
import re
import sys
import time
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "python"


def glibc(files):
    """The newest version of glibc whose symbols the files need, as (major, minor): what the wheel's tag promises."""
    versions = {(2, 17)}
    for file in files:
        versions |= {(int(a), int(b)) for a, b in re.findall(rb"GLIBC_(\d+)\.(\d+)", file.read_bytes())}
    return max(versions)


def entries(stage, version):
    native = {file.name: file for file in [stage / "bin/neurodex", *(stage / "lib/neurodex").iterdir()]}
    major, minor = glibc(native.values())
    tag = f"py3-none-manylinux_{major}_{minor}_x86_64"
    files = {}
    for file in sorted((PACKAGE / "src/neurodex").rglob("*")):
        if file.is_file() and file.suffix in (".py", ".typed"):
            files["neurodex/" + str(file.relative_to(PACKAGE / "src/neurodex"))] = (file.read_bytes(), 0o644)
    for name, file in sorted(native.items()):
        files[f"neurodex/native/{name}"] = (file.read_bytes(), 0o755)
    info = f"neurodex-{version}.dist-info"
    readme = (PACKAGE / "README.md").read_text()
    project = (PACKAGE / "pyproject.toml").read_text()
    summary = re.search(r'^description = "(.*)"', project, re.M).group(1)
    requires = re.search(r'^requires-python = "(.*)"', project, re.M).group(1)
    files[f"{info}/METADATA"] = (
        f"Metadata-Version: 2.1\nName: neurodex\nVersion: {version}\nSummary: {summary}\nLicense: Apache-2.0\n"
        f"Requires-Python: {requires}\nRequires-Dist: numpy\nDescription-Content-Type: text/markdown\n\n{readme}".encode(), 0o644)
    files[f"{info}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: neurodex\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(), 0o644)
    files[f"{info}/entry_points.txt"] = (b"[console_scripts]\nneurodex = neurodex._program:main\n", 0o644)
    for file in sorted((stage / "share/doc/neurodex").rglob("*")):
        if file.is_file():
            files[f"{info}/licenses/{file.relative_to(stage / 'share/doc/neurodex')}"] = (file.read_bytes(), 0o644)
    return tag, info, files


def main():
    stage, out = Path(sys.argv[1]), Path(sys.argv[2])
    version = re.search(r'__version__ = "(.*)"', (PACKAGE / "src/neurodex/_version.py").read_text()).group(1)
    moment = time.gmtime(max(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), 315532800))[:6]
    tag, info, files = entries(stage, version)
    record = []
    path = out / f"neurodex-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name, (data, mode) in files.items():
            entry = zipfile.ZipInfo(name, moment)
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            record.append(f"{name},sha256={digest},{len(data)}")
        entry = zipfile.ZipInfo(f"{info}/RECORD", moment)
        entry.external_attr = 0o100644 << 16
        entry.compress_type = zipfile.ZIP_DEFLATED
        wheel.writestr(entry, "\n".join([*record, f"{info}/RECORD,,"]) + "\n")
    print(path)


main()
