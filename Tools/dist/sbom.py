"""Writes what is in a package, in SPDX 2.3 JSON (https://spdx.github.io/spdx-spec/v2.3/): sbom.py VERSION STAGE RESOLVED SWIFT

RESOLVED is the Package.resolved of the build, SWIFT the version of the toolchain. Licence texts go to STAGE/share/doc/neurodex/licenses.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

# Debian's packages whose code is in the program, and in the libraries beside it.
DEBIAN = {
    "libjpeg62-turbo-dev": "IJG AND BSD-3-Clause AND Zlib",
    "libpng-dev": "libpng-2.0",
    "libwebp-dev": "BSD-3-Clause",
    "zlib1g-dev": "Zlib",
    "libsqlite3-dev": "blessing",
    "libssl-dev": "Apache-2.0",
    "libdnnl2": "Apache-2.0",
    "libgomp1": "GPL-3.0-or-later WITH GCC-exception-3.1",
}
SWIFT_LICENCES = {
    "swift-argument-parser": "Apache-2.0 WITH Swift-exception",
    "swiftcsv": "MIT",
    "grdb.swift": "MIT",
    "flyingfox": "MIT",
}


def debian_version(name):
    return subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", name], check=True, capture_output=True, text=True).stdout


def package(name, version, licence, purpose):
    return {
        "SPDXID": "SPDXRef-" + "".join(c if c.isalnum() else "-" for c in name),
        "name": name, "versionInfo": version, "licenseConcluded": licence, "licenseDeclared": licence,
        "downloadLocation": "NOASSERTION", "copyrightText": "NOASSERTION", "filesAnalyzed": False, "comment": purpose,
    }


def main():
    version, stage, resolved, swift = sys.argv[1:]
    licences = Path(stage, "share/doc/neurodex/licenses")
    licences.mkdir(parents=True, exist_ok=True)
    packages = [package("neurodex", version, "Apache-2.0", "the program")]
    for installed, licence in DEBIAN.items():
        packages.append(package(installed, debian_version(installed), licence, "from Debian"))
        shutil.copy(f"/usr/share/doc/{installed}/copyright", licences / f"{installed}.txt")
    packages.append(package("swift", swift, "Apache-2.0 WITH Swift-exception", "standard library, Foundation, Dispatch and ICU"))
    for pin in sorted(json.loads(Path(resolved).read_text())["pins"], key=lambda pin: pin["identity"]):
        name = pin["identity"]
        if name not in SWIFT_LICENCES:
            sys.exit(f"{name}, which the program is made of, has no licence in {__file__}: look it up in {pin['location']}, and add it")
        packages.append(package(name, pin["state"].get("version", "?"), SWIFT_LICENCES[name], pin["location"]))
        checkouts = Path(resolved).parent / ".build/checkouts" if not os.environ.get("CHECKOUTS") else Path(os.environ["CHECKOUTS"])
        folder = next(one for one in checkouts.iterdir() if one.name.lower() == name)
        text = next(file for file in sorted(folder.iterdir()) if file.name.upper().startswith("LICENSE"))
        shutil.copy(text, licences / f"{name}.txt")
    packages.append(package("inter", "4.0-beta7", "OFL-1.1", "outlines of its glyphs, for text on pictures"))
    shutil.copy(REPOSITORY / "Sources/Images/Drawing/Inter-OFL.txt", licences / "inter.txt")
    shutil.copy(REPOSITORY / "LICENSE", Path(stage, "share/doc/neurodex/LICENSE"))
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(int(os.environ.get("SOURCE_DATE_EPOCH", "0"))))
    document = {
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": f"neurodex-{version}",
        "documentNamespace": f"https://spdx.org/spdxdocs/neurodex-{version}",
        "creationInfo": {"created": created, "creators": ["Tool: neurodex-dist"]},
        "packages": packages,
        "relationships": [
            {"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-neurodex"},
            *({"spdxElementId": "SPDXRef-neurodex", "relationshipType": "CONTAINS", "relatedSpdxElement": one["SPDXID"]}
              for one in packages[1:]),
        ],
    }
    Path(stage, "share/doc/neurodex/sbom.spdx.json").write_text(json.dumps(document, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
