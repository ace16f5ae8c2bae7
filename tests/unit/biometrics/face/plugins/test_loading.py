"""An engine runs an operator's network without a change to its code."""

from pathlib import Path

import pytest
from PIL import Image

from biometrics.face.engine import FaceEngine
from biometrics.face.models import Views
from biometrics.face.plugins.install import install
from biometrics.face.plugins.loading import load_face_models
from biometrics.face.plugins.registry import (
    BUILT_IN,
    ModelNotFoundError,
    embedder_manifest,
    known_manifests,
)
from biometrics.face.score import ModelMismatchError, check_comparable
from tests.unit.biometrics.face.plugins.conftest import DIMENSION, Write, network


def test_templates_of_an_installed_network_carry_its_digest_and_never_meet_others(
    write: Write, tmp_path: Path, face_jpeg: bytes, engine: FaceEngine
) -> None:
    path, manifest, text = write(network())
    install(manifest, text=text, source=str(path), directory=tmp_path / "models")
    own = FaceEngine(
        load_models=lambda: load_face_models("test-network", directory=tmp_path / "models")
    )
    template = own.reference(face_jpeg).template
    assert template is not None
    assert template.model_digest == embedder_manifest(manifest).template_digest()
    assert template.vector.size == DIMENSION
    other = engine.reference(face_jpeg).template
    assert other is not None
    with pytest.raises(ModelMismatchError):
        check_comparable(template, other)


def test_views_of_two_alignments_are_refused_for_a_network_with_one(
    write: Write, tmp_path: Path
) -> None:
    path, manifest, text = write(network())
    install(manifest, text=text, source=str(path), directory=tmp_path / "models")
    own = FaceEngine(
        load_models=lambda: load_face_models("test-network", directory=tmp_path / "models"),
        views=Views.MIRROR_TWO_ALIGNMENTS,
    )
    with pytest.raises(ModelMismatchError, match="two alignments, test-network has one"):
        own.warm_up()


def test_the_built_in_network_needs_no_directory(tmp_path: Path, face: Image.Image) -> None:
    models = load_face_models(BUILT_IN, directory=tmp_path / "absent")
    assert models.embedder.manifest.name == BUILT_IN
    assert face.size[0] > models.embedder.manifest.input_side_px


def test_a_name_that_is_only_known_is_not_loaded(tmp_path: Path) -> None:
    for manifest in known_manifests():
        with pytest.raises(ModelNotFoundError):
            load_face_models(manifest.name, directory=tmp_path)
