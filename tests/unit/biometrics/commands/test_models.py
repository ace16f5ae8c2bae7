"""`biometrics models` shows, installs and checks networks, and asks before it takes a licence."""

import hashlib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from biometrics.cli import app
from tests.unit.biometrics.face.plugins.conftest import manifest_text, network, split_network


def run(models: Path, *arguments: str | Path, typed: str | None = None) -> Result:
    words = ["models", *(str(argument) for argument in arguments), "--models", str(models)]
    return CliRunner().invoke(app, words, input=typed)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return tmp_path / "models"


@pytest.fixture
def brought(tmp_path: Path) -> tuple[Path, Path]:
    """A network that an operator brings: its manifest and its weights."""
    weights = network()
    (tmp_path / "own.toml").write_text(manifest_text(weights))
    (tmp_path / "own.onnx").write_bytes(weights)
    return tmp_path / "own.toml", tmp_path / "own.onnx"


def test_a_network_is_installed_when_its_licence_is_accepted(
    models: Path, brought: tuple[Path, Path]
) -> None:
    result = run(models, "install", *brought, "--accept-licence", "Apache-2.0")
    assert result.exit_code == 0, result.output
    assert "licence of the weights: Apache-2.0" in result.output
    assert "installed test-network 1" in result.output
    listed = run(models, "list")
    for word in ("dlib-resnet29", "built in", "test-network", "opencv-sface", "opencv-yunet"):
        assert word in listed.output
    assert listed.output.count("not installed") == 2


def test_a_licence_is_asked_for_and_another_answer_installs_nothing(
    models: Path, brought: tuple[Path, Path]
) -> None:
    refused = run(models, "install", *brought, typed="yes\n")
    assert refused.exit_code == 2
    assert "was not accepted" in refused.output
    assert not models.exists()
    accepted = run(models, "install", *brought, typed="Apache-2.0\n")
    assert accepted.exit_code == 0, accepted.output


def test_weights_of_another_digest_are_refused(models: Path, brought: tuple[Path, Path]) -> None:
    manifest, weights = brought
    accepted = ("--accept-licence", "Apache-2.0")
    told = run(models, "install", manifest, weights, *accepted, "--sha256", "0" * 64)
    assert (told.exit_code, models.exists()) == (2, False)
    sface = run(models, "install", "opencv-sface", weights, *accepted)
    assert sface.exit_code == 2
    assert "expected 0ba9fbfa" in sface.output


@pytest.mark.parametrize("name", ["nothing", "../opencv-sface", "absent.toml"])
def test_a_name_that_stands_for_nothing_is_refused(
    models: Path, brought: tuple[Path, Path], name: str
) -> None:
    result = run(models, "install", name, brought[1], "--accept-licence", "MIT")
    assert result.exit_code == 2
    assert "error:" in result.output


def test_verify_tells_good_weights_from_changed_ones(
    models: Path, brought: tuple[Path, Path]
) -> None:
    run(models, "install", *brought, "--accept-licence", "Apache-2.0")
    good = run(models, "verify")
    assert good.exit_code == 0
    assert good.output.splitlines() == [
        "dlib-resnet29: good",
        "dlib-mmod-face: good",
        "dlib-5-face-landmarks: good",
        "dlib-68-face-landmarks: good",
        "test-network: good",
    ]
    (models / "test-network" / "network.onnx").write_bytes(b"changed")
    bad = run(models, "verify")
    assert bad.exit_code == 1
    assert "dlib-resnet29: good" in bad.output
    assert "test-network: network.onnx has SHA-256" in bad.output


def test_a_broken_manifest_is_named(models: Path) -> None:
    (models / "broken").mkdir(parents=True)
    (models / "broken" / "manifest.toml").write_text("name = ")
    for command in ("list", "verify"):
        result = run(models, command)
        assert result.exit_code == 2
        assert "manifest.toml: not TOML" in result.output


def test_a_manifest_that_is_a_folder_is_one_line(models: Path) -> None:
    (models / "broken" / "manifest.toml").mkdir(parents=True)
    for command in ("list", "verify"):
        result = run(models, command)
        assert (result.exit_code, result.output.count("\n")) == (2, 1)
        assert "manifest.toml: Is a directory" in result.output


def test_brackets_in_a_manifest_are_shown_as_they_are(
    models: Path, brought: tuple[Path, Path]
) -> None:
    text = brought[0].read_text()
    text = text.replace('version = "1"', 'version = "[/b]"').replace('"Apache-2.0"', '"[red]MIT"')
    brought[0].write_text(text)
    installed = run(models, "install", *brought, "--accept-licence", "[red]MIT")
    assert installed.exit_code == 0, installed.output
    listed = run(models, "list")
    assert listed.exit_code == 0, listed.output
    assert "[/b]" in listed.output
    assert "[red]MIT" in listed.output


def test_weights_in_other_files_are_neither_installed_nor_good(
    models: Path, brought: tuple[Path, Path], tmp_path: Path
) -> None:
    run(models, "install", *brought, "--accept-licence", "Apache-2.0")
    split = split_network(tmp_path / "elsewhere")
    folder = models / "test-network"
    (folder / "network.onnx").write_bytes(split)
    text = manifest_text(split)
    assert hashlib.sha256(split).hexdigest() in text
    (folder / "manifest.toml").write_text(text)
    checked = run(models, "verify")
    assert checked.exit_code == 1
    assert "test-network: network.onnx keeps weights in other files" in checked.output
    brought[0].write_text(text)
    brought[1].write_bytes(split)
    refused = run(tmp_path / "fresh", "install", *brought, "--accept-licence", "Apache-2.0")
    assert refused.exit_code == 2
    assert "error: network.onnx keeps weights in other files" in refused.output
