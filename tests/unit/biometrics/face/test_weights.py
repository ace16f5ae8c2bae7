"""Only the pinned weights of the installed package are ever loaded."""

from pathlib import Path

import pytest

from biometrics.face.align import FIVE_POINTS
from biometrics.face.models import DLIB_RESNET29
from biometrics.face.weights import WeightsError, check_digest, installed_weights


@pytest.mark.parametrize(
    ("name", "sha256"),
    [
        ("dlib_face_recognition_resnet_model_v1.dat", DLIB_RESNET29.weights_sha256),
        ("shape_predictor_5_face_landmarks.dat", FIVE_POINTS.weights_sha256),
    ],
)
def test_the_installed_weights_are_the_pinned_ones(name: str, sha256: str) -> None:
    assert installed_weights(name, sha256=sha256).name == name


def test_a_missing_file_is_named() -> None:
    with pytest.raises(WeightsError, match=r"no absent\.dat"):
        installed_weights("absent.dat", sha256="00" * 32)


def test_weights_that_were_exchanged_are_refused() -> None:
    with pytest.raises(WeightsError, match="expected 00"):
        installed_weights("shape_predictor_5_face_landmarks.dat", sha256="00" * 32)


def test_one_changed_byte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.dat"
    path.write_bytes(b"hello")
    check_digest(path, sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")
    path.write_bytes(b"hellp")
    with pytest.raises(WeightsError):
        check_digest(
            path, sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        )
