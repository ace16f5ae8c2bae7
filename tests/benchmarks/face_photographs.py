"""The photographs of the face benchmarks: one person, twice, at the sizes that are asked for.

Owns where they come from: the studio photographs in the folder of real vectors where it is there,
else one free photograph, scaled up. Refuses to know what is measured with them.
"""

import io

import cv2
import numpy as np
import skimage.data
from PIL import Image

from tests.benchmarks.harness import ROOT

STUDIO = ROOT.parent / "shared" / "data" / "faces" / "london"

FACE_SHARE = 0.36
"""Height of the face (as a detector's box) in a square studio photograph."""


def portrait(file_format: str = "JPEG") -> bytes:
    """A chip portrait, 480 x 640."""
    picture = _pictures()[0]
    side = picture.width
    cut = picture.crop((side // 8, 0, side - side // 8, side)).resize((480, 640))
    return _encoded(cut, file_format)


def selfie(width_px: int, height_px: int, *, share: float) -> bytes:
    """A JPEG in which the face takes `share` of the height, on a soft background."""
    picture = _pictures()[1]
    side = round(share * height_px / FACE_SHARE)
    coarse = np.random.default_rng(0).integers(60, 190, (12, 16, 3), dtype=np.uint8)
    soft = cv2.resize(coarse, (width_px, height_px), interpolation=cv2.INTER_CUBIC)
    canvas = Image.fromarray(soft)
    canvas.paste(picture.resize((side, side)), ((width_px - side) // 2, (height_px - side) // 2))
    return _encoded(canvas, "JPEG")


def _pictures() -> tuple[Image.Image, Image.Image]:
    if STUDIO.is_dir():
        folder = min(STUDIO.iterdir())
        first, second = sorted(folder.glob("*.jpg"))[:2]
        return Image.open(first).convert("RGB"), Image.open(second).convert("RGB")
    face = Image.fromarray(skimage.data.astronaut()).crop((75, -10, 375, 290))  # type: ignore[no-untyped-call] # scikit-image ships no types
    square = face.resize((1350, 1350), Image.Resampling.LANCZOS)
    return square, square


def _encoded(picture: Image.Image, file_format: str) -> bytes:
    file = io.BytesIO()
    options = {"quality": 90} if file_format == "JPEG" else {}
    picture.save(file, file_format, **options)
    return file.getvalue()
