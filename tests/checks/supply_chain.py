"""Fails when something could be installed that nobody has pinned.

Owns four comparisons: every package of `uv.lock` comes from the one registry and every file of it
has a digest, so has every package of `package-lock.json`, what installs them all is that of the
lock too, by its digests, and `Containerfile` begins with images of one version each and copies only
what is there.
"""

import json
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REGISTRY = {"registry": "https://pypi.org/simple"}
INSTALLER = "requirements-uv.txt"
NPM_REGISTRY = "https://registry.npmjs.org/"

_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")
_INTEGRITY = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
_PIP_INSTALL = re.compile(r"\bpip install\b([^;&|\n]*)")
_FROM = re.compile(r"^FROM +(\S+)", re.MULTILINE)
_COPY = re.compile(r"^COPY +(?!--from)((?:--\S+ +)*)(.+)$", re.MULTILINE)
_PINNED = re.compile(r"[a-z0-9./-]+:[0-9]+\.[0-9]+\.[0-9]+[a-z0-9.-]*\$\{[A-Z_]+\}")


def main() -> int:
    """Check everything and print each fault."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    npm = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    recipe = (ROOT / "Containerfile").read_text(encoding="utf-8")
    installer = (ROOT / INSTALLER).read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    found = [
        *lock_faults(lock),
        *installer_faults(installer, lock),
        *bootstrap_faults("Makefile", makefile),
        *bootstrap_faults("Containerfile", recipe),
        *npm_faults(npm),
        *recipe_faults(recipe, ROOT),
    ]
    packages = len(lock["package"]) + len(npm["packages"])
    print("\n".join(found) or f"supply chain: {packages} packages pinned, with their digests")
    return 1 if found else 0


def lock_faults(lock: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a `uv.lock`."""
    for package in lock["package"]:
        name = f"uv.lock: {package['name']} {package.get('version', '')}".rstrip()
        if package["source"] == {"editable": "."}:
            continue  # this project
        if package["source"] != REGISTRY:
            yield f"{name} does not come from {REGISTRY['registry']}"
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        if not files:
            yield f"{name} has no file"
        for file in files:
            if not _SHA256.fullmatch(file.get("hash", "")):
                yield f"{name}: {file.get('url')} has no SHA-256"


def installer_faults(installer: str, lock: Mapping[str, Any]) -> Iterator[str]:
    """Where `requirements-uv.txt` is not what a `uv.lock` says of uv."""
    (locked,) = (package for package in lock["package"] if package["name"] == "uv")
    said = [line for line in installer.splitlines() if not line.startswith("#")]
    name, *digests = " ".join(said).replace("\\", " ").split()
    if name != f"uv=={locked['version']}":
        yield f"{INSTALLER}: {name} is not uv=={locked['version']} of uv.lock"
    if sorted(digests) != sorted(f"--hash={wheel['hash']}" for wheel in locked["wheels"]):
        yield f"{INSTALLER}: the digests are not those of uv.lock"


def bootstrap_faults(name: str, text: str) -> Iterator[str]:
    """Where a file installs something by another way than `requirements-uv.txt`."""
    installs = _PIP_INSTALL.findall(text)
    if not installs:
        yield f"{name}: nothing installs {INSTALLER}"
    for options in installs:
        if not {"--require-hashes", "-r", INSTALLER} <= set(options.split()):
            yield f"{name}: pip install{options} is not by {INSTALLER} with --require-hashes"


def npm_faults(lock: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a `package-lock.json`."""
    for name, package in lock["packages"].items():
        if not name:
            continue  # this project
        # Without the field it is whichever mirror of the registry this machine uses.
        if not package.get("resolved", NPM_REGISTRY).startswith(NPM_REGISTRY):
            yield f"package-lock.json: {name} does not come from {NPM_REGISTRY}"
        if not _INTEGRITY.fullmatch(package.get("integrity", "")):
            yield f"package-lock.json: {name} has no SHA-512"


def recipe_faults(recipe: str, root: Path) -> Iterator[str]:
    """What is wrong with a container's recipe."""
    stages = set(re.findall(r"^FROM .* AS (\S+)", recipe, re.MULTILINE))
    for image in _FROM.findall(recipe):
        if image not in stages and not _PINNED.fullmatch(image):
            yield f"Containerfile: {image} is not one version, with room for a digest"
    for _, names in _COPY.findall(recipe):
        for name in names.split()[:-1]:
            if not (root / name).exists():
                yield f"Containerfile: there is no {name}"


if __name__ == "__main__":
    sys.exit(main())
