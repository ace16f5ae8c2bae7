"""Templates keep their values and their secret; an acquisition is one thing or the other."""

import numpy as np
import pytest

from biometrics.face.acquisition import (
    Acquisition,
    AcquisitionFailure,
    InvalidTemplateError,
    Measurements,
    PhotographMeasurements,
    Template,
)
from biometrics.face.models import Box

DIGEST = "ab" * 32
NOTHING = Measurements(photographs=())


def template(*values: float) -> Template:
    return Template(vector=np.array(values, dtype=np.float32), model_digest=DIGEST)


def photograph(
    box_px: Box | None, width_px: int | None, **times_ms: float
) -> PhotographMeasurements:
    return PhotographMeasurements(
        failure=None,
        image_width_px=width_px,
        image_height_px=width_px,
        box_px=box_px,
        stage_times_ms=times_ms,
    )


def test_a_template_survives_the_way_through_bytes() -> None:
    original = template(0.5, -1.25, 3e-7)
    assert Template.from_bytes(original.to_bytes()) == original


def test_the_bytes_of_a_template_are_magic_digest_length_and_little_endian_values() -> None:
    expected = b"SFT1" + bytes.fromhex(DIGEST) + b"\x01\x00" + b"\x00\x00\x80\x3f"
    assert template(1.0).to_bytes() == expected


def test_templates_with_other_values_or_another_model_differ() -> None:
    other_model = Template(vector=np.ones(1, dtype=np.float32), model_digest="cd" * 32)
    assert template(1.0) == template(1.0)
    assert hash(template(1.0)) == hash(template(1.0))
    assert template(1.0) != template(2.0)
    assert template(1.0) != other_model
    assert template(1.0) != "a template"


def test_a_template_does_not_show_its_values() -> None:
    assert "0.625" not in repr(template(0.625))
    assert "vector" not in repr(template(0.625))


def test_a_template_cannot_be_changed_from_outside() -> None:
    values = np.ones(3, dtype=np.float32)
    kept = Template(vector=values, model_digest=DIGEST)
    values[0] = 9
    assert kept.vector[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        kept.vector[0] = 9


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(InvalidTemplateError, match="finite"):
        template(0.0, value)


@pytest.mark.parametrize("shape", [(0,), (2, 64), (), (70_000,)])
def test_anything_but_one_row_of_values_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidTemplateError, match="one row"):
        Template(vector=np.zeros(shape, dtype=np.float32), model_digest=DIGEST)


@pytest.mark.parametrize("digest", ["", "ab", "AB" * 32, "zz" * 32])
def test_a_digest_that_is_no_sha256_is_refused(digest: str) -> None:
    with pytest.raises(InvalidTemplateError, match="SHA-256"):
        Template(vector=np.zeros(1, dtype=np.float32), model_digest=digest)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:0],
        lambda data: data[:37],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: b"SFT2" + data[4:],
        lambda data: data[:-4] + b"\x00\x00\xc0\x7f",
    ],
    ids=["empty", "short prefix", "short values", "long values", "other version", "NaN"],
)
def test_damaged_bytes_are_no_template(damage: object) -> None:
    assert callable(damage)
    with pytest.raises(InvalidTemplateError):
        Template.from_bytes(damage(template(1.0, 2.0).to_bytes()))


def test_an_acquisition_has_a_template_or_a_failure() -> None:
    with pytest.raises(ValueError, match="never both or neither"):
        Acquisition(measurements=NOTHING)
    with pytest.raises(ValueError, match="never both or neither"):
        Acquisition(
            template=template(1.0), failure=AcquisitionFailure.NO_FACE, measurements=NOTHING
        )


def test_measurements_show_the_first_face_the_first_size_and_the_summed_times() -> None:
    box = Box(left_px=1, top_px=2, width_px=3, height_px=4)
    measured = Measurements(
        photographs=(
            photograph(None, None, decode=1.0),
            photograph(None, 10, decode=2.0, detect=4.0),
            photograph(box, 20, decode=8.0, detect=16.0, align=32.0),
        )
    )
    assert measured.box_px == box
    assert measured.image_size_px == (10, 10)
    assert measured.stage_times_ms == {"decode": 11.0, "detect": 20.0, "align": 32.0}


def test_measurements_of_nothing_are_empty() -> None:
    assert NOTHING.box_px is None
    assert NOTHING.image_size_px is None
    assert NOTHING.stage_times_ms == {}
