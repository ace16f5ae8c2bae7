"""One photograph goes through the stages as far as it can; several are fused into their mean."""

import io

import numpy as np
import pytest
from PIL import Image

from biometrics.face.acquisition import (
    Acquisition,
    AcquisitionFailure,
    Measurements,
    PhotographMeasurements,
    Template,
)
from biometrics.face.models import DLIB_RESNET29, FaceModels
from biometrics.face.pipeline import Photograph, acquire, fuse


def photograph(failure: AcquisitionFailure | None) -> Measurements:
    measurements = PhotographMeasurements(
        failure=failure, image_width_px=1, image_height_px=1, box_px=None, stage_times_ms={}
    )
    return Measurements(photographs=(measurements,))


def taken(image: bytes) -> Photograph:
    return Photograph(image=image, has_orientation=True)


def usable(*values: float) -> Acquisition:
    vector = np.array(values, dtype=np.float32)
    template = Template(vector=vector, model_digest=DLIB_RESNET29.weights_sha256)
    return Acquisition(template=template, measurements=photograph(None))


def failed(failure: AcquisitionFailure) -> Acquisition:
    return Acquisition(failure=failure, measurements=photograph(failure))


def test_a_face_comes_out_as_a_template_with_its_measurements(
    models: FaceModels, face_jpeg: bytes
) -> None:
    (acquisition,) = acquire([taken(face_jpeg)], models=models)
    assert acquisition.template is not None
    assert acquisition.template.model_digest == DLIB_RESNET29.weights_sha256
    assert acquisition.measurements.image_size_px == (200, 220)
    stages = ["decode", "detect", "landmarks", "quality", "align", "embed"]
    assert list(acquisition.measurements.stage_times_ms) == stages
    assert all(time_ms > 0 for time_ms in acquisition.measurements.stage_times_ms.values())


def test_the_measured_box_is_in_pixels_of_the_file(
    models: FaceModels, face: Image.Image, face_jpeg: bytes
) -> None:
    file = io.BytesIO()
    face.resize((face.width * 9, face.height * 9)).save(file, "JPEG")
    large, small = (
        acquisition.measurements.box_px
        for acquisition in acquire([taken(file.getvalue()), taken(face_jpeg)], models=models)
    )
    assert large is not None
    assert small is not None
    assert large.side_px / small.side_px == pytest.approx(9, rel=0.1)
    assert large.left_px / small.left_px == pytest.approx(9, rel=0.2)


def test_a_photograph_that_fails_shows_how_far_it_came(models: FaceModels) -> None:
    (acquisition,) = acquire([taken(b"")], models=models)
    assert acquisition.failure is AcquisitionFailure.UNDECODABLE
    (measured,) = acquisition.measurements.photographs
    assert measured.failure is AcquisitionFailure.UNDECODABLE
    assert measured.image_width_px is None
    assert list(measured.stage_times_ms) == ["decode"]


def test_usable_photographs_are_fused_into_their_mean_without_rescaling() -> None:
    fused = fuse([usable(1.0, 0.0), failed(AcquisitionFailure.NO_FACE), usable(0.0, 3.0)])
    assert fused.template is not None
    assert fused.template.vector.tolist() == [0.5, 1.5]
    assert fused.measurements.dissimilarity_max == pytest.approx(10**0.5)
    assert [photograph.failure for photograph in fused.measurements.photographs] == [
        None,
        AcquisitionFailure.NO_FACE,
        None,
    ]


def test_one_photograph_is_fused_into_itself() -> None:
    fused = fuse([usable(1.0, 2.0)])
    assert fused.template == usable(1.0, 2.0).template
    assert fused.measurements.dissimilarity_max is None


def test_the_largest_disagreement_of_three_photographs_is_measured() -> None:
    fused = fuse([usable(0.0), usable(1.0), usable(5.0)])
    assert fused.measurements.dissimilarity_max == 5.0


@pytest.mark.parametrize("reverse", [False, True])
def test_without_a_usable_photograph_the_one_that_came_furthest_names_the_failure(
    reverse: bool,  # noqa: FBT001 - pytest passes parameters by name
) -> None:
    failures = [AcquisitionFailure.UNDECODABLE, AcquisitionFailure.FACE_TOO_SMALL]
    acquisitions = [failed(failure) for failure in (failures[::-1] if reverse else failures)]
    assert fuse(acquisitions).failure is AcquisitionFailure.FACE_TOO_SMALL


def test_a_photograph_does_not_show_in_its_text_form() -> None:
    assert "secret" not in repr(Photograph(image=b"secret", has_orientation=True))
