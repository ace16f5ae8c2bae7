"""A command asks a network only for what it can do, and keeps the templates of each apart."""

from dataclasses import replace
from pathlib import Path

import pytest
import skimage.data
from PIL import Image
from typer.testing import CliRunner, Result

from biometrics.cli import app
from biometrics.face.models import Views
from biometrics.face.operating_point import DEFAULT
from biometrics.face.operating_point_file import to_json
from biometrics.face.plugins.manifest import parse_manifest
from biometrics.face.plugins.registry import embedder_manifest
from tests.unit.biometrics.face.plugins.conftest import manifest_text, network


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installed network, a list of pairs and its photographs."""
    weights = network()
    own = tmp_path / "models" / "test-network"
    own.mkdir(parents=True)
    (own / "network.onnx").write_bytes(weights)
    (own / "manifest.toml").write_text(manifest_text(weights))
    portrait = Image.fromarray(skimage.data.astronaut()).crop((130, 0, 330, 220))  # type: ignore[no-untyped-call] # scikit-image ships no types
    portrait.save(tmp_path / "a.png")
    portrait.resize((260, 260)).save(tmp_path / "b.png")
    (tmp_path / "pairs.csv").write_text("path_a,path_b,mated\na.png,b.png,1\n")
    return tmp_path


@pytest.mark.parametrize("command", ["evaluate", "calibrate", "verify"])
def test_views_of_two_alignments_end_with_one_line(folder: Path, command: str) -> None:
    manifest = embedder_manifest(parse_manifest(manifest_text(network())))
    views = Views.MIRROR_TWO_ALIGNMENTS
    point = replace(DEFAULT, views=views, model_digest=manifest.template_digest(views))
    (folder / "point.json").write_bytes(to_json(point))
    listed = ("--pairs", folder / "pairs.csv", "--views", views)
    words = {
        "evaluate": (*listed, "--out", folder / "report"),
        "calibrate": (*listed, "--target-fmr", "0.1"),
        "verify": (folder / "a.png", folder / "b.png", "--operating-point", folder / "point.json"),
    }[command]
    result = run(
        command, *map(str, words), "--model", "test-network", "--models", folder / "models"
    )
    assert (result.exit_code, result.output.count("\n")) == (2, 1), result.output
    assert result.output.startswith("MODEL_MISMATCH: mirror_two_alignments needs two alignments")


def test_templates_kept_of_a_network_are_not_those_of_an_edited_manifest(folder: Path) -> None:
    kept = folder / "kept"
    manifest = folder / "models" / "test-network" / "manifest.toml"
    words = ("--pairs", folder / "pairs.csv", "--out", folder / "report", "--templates", kept)
    chosen = ("--model", "test-network", "--models", folder / "models")
    counts = []
    for edit in (("", ""), ("", ""), ('"RGB"', '"BGR"'), ('"1"', '"2"')):
        manifest.write_text(
            manifest.read_text().replace(*edit) if edit[0] else manifest.read_text()
        )
        run("evaluate", *words, *chosen)
        counts.append(len(list(kept.iterdir())))
    assert counts == [2, 2, 4, 4]
