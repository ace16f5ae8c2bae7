"""Whatever changes what a template is changes its mark."""

from pathlib import Path

import pytest

from biometrics.face.models import DLIB_RESNET29, Views
from biometrics.face.plugins.manifest import ManifestError, parse_manifest
from biometrics.face.plugins.registry import embedder_manifest, installed_models
from tests.unit.biometrics.face.plugins.conftest import manifest_text

GOOD = manifest_text(b"weights")


def digest(text: str, views: Views = Views.PLAIN) -> str:
    return embedder_manifest(parse_manifest(text)).template_digest(views)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("side_px = 112", "side_px = 128"),
        ('layout = "NCHW"', 'layout = "NHWC"'),
        ('colour_order = "RGB"', 'colour_order = "BGR"'),
        ("mean = [127.5, 127.5, 127.5]", "mean = [127.5, 127.5, 128.0]"),
        ("scale = 0.0078125", "scale = 0.00784313725490196"),
        ("dimension = 128", "dimension = 256"),
        ('score_type = "cosine"', 'score_type = "distance"'),
    ],
)
def test_a_manifest_edited_where_it_counts_makes_other_templates(old: str, new: str) -> None:
    edited = GOOD.replace(old, new)
    assert edited != GOOD
    assert len({digest(text, views) for text in (GOOD, edited) for views in Views}) == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('name = "test-network"', 'name = "other-name"'),
        ('version = "1"', 'version = "2"'),
        ('licence = "Apache-2.0"', 'licence = "MIT"'),
        ("scale = 0.0078125", "scale = 7.8125e-3"),
    ],
)
def test_a_manifest_edited_elsewhere_makes_the_same_templates(old: str, new: str) -> None:
    edited = GOOD.replace(old, new)
    assert edited != GOOD
    assert digest(edited) == digest(GOOD)


def test_the_mark_of_the_alignment_is_among_them() -> None:
    assert '"alignment":"arcface-five-points"' in parse_manifest(GOOD).feeding


def test_the_built_in_network_is_marked_by_its_weights_alone() -> None:
    assert DLIB_RESNET29.template_digest() == DLIB_RESNET29.weights_sha256


def test_a_manifest_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "own" / "manifest.toml").mkdir(parents=True)
    with pytest.raises(ManifestError, match=r"own/manifest\.toml: Is a directory"):
        list(installed_models(tmp_path))
