"""A manifest says all that is needed to feed a network, or is refused with the place at fault."""

import re

import pytest

from biometrics.face.plugins.manifest import (
    AlignmentTemplate,
    ColourOrder,
    Layout,
    ManifestError,
    ModelKind,
    PluginScoreType,
    parse_manifest,
)
from biometrics.face.plugins.registry import known_manifests
from tests.unit.biometrics.face.plugins.conftest import manifest_text

GOOD = manifest_text(b"weights")


def test_a_manifest_says_how_a_network_is_fed() -> None:
    manifest = parse_manifest(GOOD)
    assert (manifest.name, manifest.kind) == ("test-network", ModelKind.EMBEDDER)
    assert (manifest.licence, manifest.file) == ("Apache-2.0", "network.onnx")
    assert (manifest.input.side_px, manifest.input.layout) == (112, Layout.NCHW)
    assert manifest.input.colour_order is ColourOrder.RGB
    assert (manifest.input.mean, manifest.input.scale) == ((127.5, 127.5, 127.5), 1 / 128)
    assert manifest.embedding is not None
    assert manifest.embedding.alignment is AlignmentTemplate.ARCFACE
    assert manifest.embedding.score_type is PluginScoreType.COSINE
    assert manifest.embedding.dimension == 128


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('name = "test-network"', 'name = "../etc"', "name"),
        ('name = "test-network"', "name = 7", "name"),
        ('version = "1"', 'version = " "', "version"),
        ('kind = "embedder"', 'kind = "oracle"', "kind must be one of embedder, detector"),
        ('file = "network.onnx"', 'file = "../network.onnx"', "file"),
        ('file = "network.onnx"', 'file = "network.pkl"', "file"),
        ('licence = "Apache-2.0"', "", "missing licence"),
        ('licence = "Apache-2.0"', 'licence = "Apache-2.0"\nlicense = "MIT"', "unknown license"),
        ("side_px = 112", "side_px = 0", "input.side_px"),
        ("side_px = 112", "side_px = true", "input.side_px"),
        ("side_px = 112", "side_px = 100000", "input.side_px"),
        ("side_px = 112", "", "input: missing side_px"),
        ('layout = "NCHW"', 'layout = "CHW"', "input.layout must be one of NCHW, NHWC"),
        ('colour_order = "RGB"', 'colour_order = "GBR"', "input.colour_order"),
        ("mean = [127.5, 127.5, 127.5]", "mean = [127.5]", "input.mean"),
        ("mean = [127.5, 127.5, 127.5]", "mean = [0, 0, 256]", "input.mean"),
        ("mean = [127.5, 127.5, 127.5]", "mean = [0, 0, nan]", "input.mean"),
        ("scale = 0.0078125", "scale = 0", "input.scale"),
        ("scale = 0.0078125", "scale = inf", "input.scale"),
        ("scale = 0.0078125", 'scale = "1"', "input.scale"),
        ('alignment = "arcface-five-points"', 'alignment = "none"', "embedding.alignment"),
        ("dimension = 128", "dimension = 5000", "embedding.dimension"),
        ('score_type = "cosine"', 'score_type = "confidence"', "embedding.score_type"),
        ("[embedding]", "[output]", "unknown output"),
        ("[input]", "[input", "not TOML"),
        ("scale = 0.0078125", f"scale = 1{'0' * 400}", "input.scale must be a finite number"),
        ('version = "1"', f"version = {'[' * 20_000}", "nested too deeply"),
        ('version = "1"', 'version = "1\\u001b[2J"', "version must be a text in one line"),
    ],
)
def test_a_manifest_that_is_wrong_names_the_place(old: str, new: str, place: str) -> None:
    assert old in GOOD
    with pytest.raises(ManifestError, match=re.escape(place)):
        parse_manifest(GOOD.replace(old, new))


@pytest.mark.parametrize("length", [0, 60, 61, 63, 65])
def test_a_digest_that_was_cut_short_is_refused(length: int) -> None:
    digest = re.search(r'sha256 = "([0-9a-f]+)"', GOOD)
    assert digest is not None
    with pytest.raises(ManifestError, match="sha256 must be"):
        parse_manifest(GOOD.replace(digest[1], (digest[1] * 2)[:length]))


def test_the_manifests_that_come_with_the_library_are_complete() -> None:
    manifests = {manifest.name: manifest for manifest in known_manifests()}
    assert set(manifests) == {"opencv-sface", "opencv-yunet"}
    sface, yunet = manifests["opencv-sface"], manifests["opencv-yunet"]
    assert (sface.kind, sface.licence) == (ModelKind.EMBEDDER, "Apache-2.0")
    assert (yunet.kind, yunet.licence, yunet.embedding) == (ModelKind.DETECTOR, "MIT", None)
    assert yunet.input.side_px is None
    assert sface.sha256 != yunet.sha256
