"""A good face passes; each fault gives its reason; the poor photographs of the set get theirs.

Synthetic faults are made of one free face, so that they need no folder.
"""

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from biometrics.face.acquisition import AcquisitionFailure as Reason
from biometrics.face.align import closer_box
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.engine import FaceEngine
from biometrics.face.landmarks68 import COUNT, Points, mean_face
from biometrics.face.models import Box, FaceModels, RGBImage
from biometrics.face.quality import QualityReport, assess
from biometrics.face.quality_demands import CHIP_REFERENCE, LIVE_PROBE, NO_DEMANDS, Demands

SIDE_PX = 480


@pytest.fixture(scope="module")
def good(face: Image.Image) -> RGBImage:
    """The free face as a camera would take it: 436 x 480, the face 40 % of the height."""
    return np.array(face.resize((436, SIDE_PX), Image.Resampling.LANCZOS))


@pytest.fixture(scope="module")
def located(good: RGBImage, models: FaceModels) -> tuple[Box, Points]:
    """Where the face is in it."""
    (box,) = models.detector.detect(good)
    return box, outlines(good, box, models)


def outlines(pixels: RGBImage, box: Box, models: FaceModels) -> Points:
    """The landmarks as the pipeline finds them."""
    closer = closer_box(models.landmarks_5.predict(pixels, box))
    return models.landmarks_68.predict(pixels, closer).astype(np.float64)


def report(
    pixels: RGBImage, located: tuple[Box, Points], demands: Demands = LIVE_PROBE
) -> QualityReport:
    box, landmarks68 = located
    return assess(pixels, box, landmarks68.astype(np.float32), demands=demands)


def with_patch(pixels: RGBImage, points: Points, colour: tuple[int, int, int]) -> RGBImage:
    patched = pixels.copy()
    corners = np.round(cv2.convexHull(points.astype(np.float32))).astype(np.int32)
    cv2.fillConvexPoly(patched, corners, colour)
    return patched


def scaled(pixels: RGBImage, factor: float, offset: float = 0) -> RGBImage:
    return (pixels * factor + offset).clip(0, 255).astype(np.uint8)


def test_a_good_face_has_no_fault_and_every_measure_a_value(
    good: RGBImage, located: tuple[Box, Points]
) -> None:
    found = report(good, located)
    assert found.reasons == ()
    assert found.failure is None
    assert len(found.values) >= 19
    assert all(np.isfinite(value) for value in found.values.values())
    assert abs(found.pose.yaw_deg) < 15
    assert 60 < found.subject.inter_eye_distance_px < 130
    assert found.subject.face_inside == 1


def test_a_blurred_face_is_blurred(good: RGBImage, located: tuple[Box, Points]) -> None:
    blurred = np.asarray(cv2.GaussianBlur(good, (0, 0), 6), np.uint8)
    assert report(blurred, located).failure is Reason.BLURRED


@pytest.mark.parametrize("kernel", [(19, 1), (1, 19)], ids=["across", "down"])
def test_a_face_that_moved_in_one_direction_is_blurred(
    good: RGBImage, located: tuple[Box, Points], kernel: tuple[int, int]
) -> None:
    moved = np.asarray(cv2.blur(good, kernel), np.uint8)
    assert Reason.BLURRED in report(moved, located).reasons


def test_a_dark_face_is_too_dark(good: RGBImage, located: tuple[Box, Points]) -> None:
    assert Reason.TOO_DARK in report(scaled(good, 0.12), located).reasons


def test_a_burnt_out_face_is_over_exposed(good: RGBImage, located: tuple[Box, Points]) -> None:
    assert Reason.OVER_EXPOSED in report(scaled(good, 2.2), located).reasons


def test_a_face_in_fog_has_low_contrast(good: RGBImage, located: tuple[Box, Points]) -> None:
    assert Reason.LOW_CONTRAST in report(scaled(good, 0.2, 110), located).reasons


def test_light_from_one_side_is_uneven(good: RGBImage, located: tuple[Box, Points]) -> None:
    middle = located[1][30, 0]
    columns = np.arange(good.shape[1]) - middle
    shade = 1 / (1 + np.exp(columns / 12)) * 0.85 + 0.15
    lit = (good * shade[None, :, None]).astype(np.uint8)
    assert Reason.UNEVEN_LIGHT in report(lit, located).reasons


@pytest.mark.parametrize("colour", [(235, 235, 235), (30, 30, 32), (150, 195, 220)])
def test_a_box_over_the_mouth_covers_it(
    good: RGBImage, located: tuple[Box, Points], colour: tuple[int, int, int]
) -> None:
    landmarks68 = located[1]
    mask = np.concatenate((landmarks68[3:14], landmarks68[[30]]))
    found = report(with_patch(good, mask, colour), located)
    assert Reason.MOUTH_COVERED in found.reasons
    assert found.subject.mouth_occlusion > report(good, located).subject.mouth_occlusion + 3


def test_dark_boxes_over_the_eyes_cover_them(good: RGBImage, located: tuple[Box, Points]) -> None:
    covered = good
    for eye in (slice(36, 42), slice(42, 48)):
        middle = located[1][eye].mean(axis=0)
        lens = (located[1][eye] - middle) * (1.8, 4.5) + middle
        covered = with_patch(covered, lens, (12, 12, 12))
    assert Reason.EYES_COVERED in report(covered, located).reasons


def test_closed_eyes_are_closed(good: RGBImage, located: tuple[Box, Points]) -> None:
    box, landmarks68 = located
    shut = landmarks68.copy()
    for upper, lower in ((37, 41), (38, 40)):
        shut[upper] = shut[lower]
    assert Reason.EYES_CLOSED in report(good, (box, shut)).reasons


def test_a_bar_across_the_nose_is_a_pair_of_glasses_which_is_recorded_and_does_not_fail(
    good: RGBImage, located: tuple[Box, Points]
) -> None:
    left, right = located[1][36:42].mean(axis=0), located[1][42:48].mean(axis=0)
    framed = good.copy()
    colour, width_px = (25, 20, 20), 5
    radius_px = int(np.hypot(*(right - left)) * 0.36)
    for eye in (left, right):
        cv2.circle(framed, tuple(np.round(eye).astype(int)), radius_px, colour, width_px)
    inner = [np.round(left + share * (right - left)).astype(int) for share in (0.36, 0.64)]
    cv2.line(framed, tuple(inner[0]), tuple(inner[1]), colour, width_px)
    found = report(framed, located)
    assert Reason.EYEGLASSES in found.warnings
    assert found.failure is None


def test_a_head_on_one_shoulder_is_tilted(good: RGBImage, models: FaceModels) -> None:
    tilted = np.array(Image.fromarray(good).rotate(20, fillcolor=(90, 90, 90)))
    (box,) = models.detector.detect(tilted)
    found = report(tilted, (box, outlines(tilted, box, models)))
    assert Reason.TILTED in found.failures


def test_a_face_seen_from_the_side_is_turned_away(
    good: RGBImage, located: tuple[Box, Points]
) -> None:
    box, landmarks68 = located
    turned = landmarks68.copy()
    turned[27:36, 0] += 60
    assert Reason.TURNED_AWAY in report(good, (box, turned)).reasons


def test_half_a_face_is_cut_off(good: RGBImage, located: tuple[Box, Points]) -> None:
    middle = int(located[1][30, 0])
    half = np.ascontiguousarray(good[:, :middle])
    found = report(half, located)
    assert Reason.FACE_CUT_OFF in found.reasons
    assert found.subject.face_inside == pytest.approx(0.5, abs=0.1)


def test_eyes_18_pixels_apart_are_too_small(good: RGBImage, located: tuple[Box, Points]) -> None:
    factor = 18 / report(good, located).subject.inter_eye_distance_px
    small = cv2.resize(good, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    found = report(np.asarray(small, np.uint8), (located[0].scaled(factor), located[1] * factor))
    assert Reason.FACE_TOO_SMALL in found.reasons


def test_a_drawing_is_not_a_photograph(located: tuple[Box, Points]) -> None:
    drawing = np.full((SIDE_PX, 436, 3), (250, 210, 170), np.uint8)
    for part in (slice(36, 42), slice(42, 48), slice(48, 60)):
        drawing = with_patch(drawing, located[1][part], (60, 30, 30))
    assert Reason.NOT_A_PHOTOGRAPH in report(drawing, located).reasons


def test_the_reasons_stand_in_the_order_of_the_vocabulary_and_the_first_is_the_failure(
    good: RGBImage, located: tuple[Box, Points]
) -> None:
    bad = scaled(np.asarray(cv2.GaussianBlur(good, (0, 0), 9), np.uint8), 0.1)
    found = report(bad, located)
    assert len(found.reasons) >= 2
    assert list(found.reasons) == sorted(found.reasons, key=list(Reason).index)
    assert found.failure is found.reasons[0]


@pytest.mark.parametrize(
    "degrade",
    [
        lambda pixels: scaled(pixels, 0.45),
        lambda pixels: scaled(pixels, 1.35),
        lambda pixels: np.asarray(cv2.GaussianBlur(pixels, (0, 0), 2.5), np.uint8),
        lambda pixels: np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2).astype(np.uint8),
        lambda pixels: np.roll(pixels, 1, axis=2),
    ],
    ids=["dark", "bright", "soft", "grey", "discoloured"],
)
def test_an_old_portrait_is_not_refused_for_its_style(
    good: RGBImage,
    located: tuple[Box, Points],
    degrade: Callable[[RGBImage], RGBImage],
) -> None:
    assert report(degrade(good), located, CHIP_REFERENCE).reasons == ()


def test_what_only_advised_limits_refuse_is_recorded_after_what_fails(
    good: RGBImage, located: tuple[Box, Points]
) -> None:
    demands = Demands(yaw_deg_max=0.0, advised=Demands(yaw_deg_max=0.0, eyes_open_min=1.0))
    found = report(good, located, demands)
    assert found.failures == (Reason.TURNED_AWAY,)
    assert found.warnings == (Reason.EYES_CLOSED,)
    assert found.reasons == (Reason.TURNED_AWAY, Reason.EYES_CLOSED)


@pytest.mark.parametrize(
    "limit", [field.name for field in fields(Demands) if field.name != "advised"]
)
def test_every_limit_limits_a_measure_and_gives_one_reason(
    good: RGBImage, located: tuple[Box, Points], limit: str
) -> None:
    harsh = replace(NO_DEMANDS)
    object.__setattr__(harsh, limit, 1e9 if limit.endswith("_min") else -1e9)
    assert len(report(good, located, harsh).failures) == 1


def test_without_demands_nothing_is_refused_and_all_is_measured(
    good: RGBImage, located: tuple[Box, Points]
) -> None:
    dark = report(scaled(good, 0.05), located, NO_DEMANDS)
    assert dark.reasons == ()
    assert dark.capture.under_exposure > 0.5


def test_landmarks_far_outside_the_photograph_end_in_a_report(good: RGBImage) -> None:
    for shift in (-5000.0, 5000.0):
        found = report(
            good, (Box(left_px=0, top_px=0, width_px=9, height_px=9), mean_face() + shift)
        )
        assert Reason.FACE_CUT_OFF in found.reasons
        assert all(np.isfinite(value) for value in found.values.values())


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (7, 5)])
def test_the_smallest_photographs_end_in_a_report(size: tuple[int, int]) -> None:
    pixels = np.full((*size, 3), 90, np.uint8)
    box = Box(left_px=0, top_px=0, width_px=1, height_px=1)
    found = report(pixels, (box, mean_face() * 40 + 20))
    assert found.failure is not None


@pytest.mark.parametrize(
    "landmarks68", [np.zeros((5, 2)), np.zeros((COUNT, 3)), np.full((COUNT, 2), np.nan)]
)
def test_other_than_68_finite_landmarks_are_refused(good: RGBImage, landmarks68: Points) -> None:
    with pytest.raises(ValueError, match="68 finite landmarks"):
        report(good, (Box(left_px=0, top_px=0, width_px=9, height_px=9), landmarks68))


def test_no_photograph_of_the_studio_gives_a_false_alarm(faces: Path, models: FaceModels) -> None:
    portraits = sorted((faces / "london").glob("*/*.jpg"))
    assert len(portraits) == 100
    for portrait in portraits:
        decoded = decode(portrait.read_bytes(), has_orientation=True)
        assert isinstance(decoded, DecodedImage), portrait
        (box,) = models.detector.detect(decoded.pixels)
        where = box, outlines(decoded.pixels, box, models)
        assert report(decoded.pixels, where).reasons == (), portrait


RIGHT = {
    "blurred": Reason.BLURRED,
    "glasses": Reason.EYEGLASSES,
    "mask": Reason.MOUTH_COVERED,
    "multi_face": Reason.SEVERAL_FACES,
    "over_exposed": Reason.OVER_EXPOSED,
    "partial_face": Reason.FACE_CUT_OFF,
    "side_or_hard_light": Reason.UNEVEN_LIGHT,
    "very_dark": Reason.TOO_DARK,
}


def test_photographs_with_a_labelled_defect_get_a_reason_and_most_the_labelled_one(
    faces: Path, engine: FaceEngine
) -> None:
    named = right = 0
    files = sorted(path for path in (faces / "defects").iterdir() if path.suffix != ".csv")
    for path in files:
        acquisition = engine.probe([path.read_bytes()])
        (photograph,) = acquisition.measurements.photographs
        reasons = {*photograph.faults, *filter(None, [acquisition.failure])}
        named += bool(reasons)
        right += RIGHT[path.stem.rsplit("_", 1)[0]] in reasons
    assert len(files) == 90
    # Measured: 87 and 76. A label is one of several faults, and some are not to be seen.
    assert named >= 85
    assert right >= 75
