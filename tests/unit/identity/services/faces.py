"""Photographs for the tests of the service: one of a face, one of nobody."""

import io
from functools import cache

import numpy as np
import skimage.data
from PIL import Image


def encoded(image: Image.Image, *, quality: int = 95) -> bytes:
    """A JPEG file."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return file.getvalue()


@cache
def face_jpeg(*, quality: int = 95) -> bytes:
    """Eileen Collins (NASA, public domain)."""
    astronaut = skimage.data.astronaut()  # type: ignore[no-untyped-call] # scikit-image ships no types
    return encoded(Image.fromarray(astronaut).crop((130, 0, 330, 220)), quality=quality)


@cache
def blank_jpeg() -> bytes:
    """Sharp and colourful, but nobody."""
    tiles = np.random.default_rng(1).integers(0, 256, (16, 12, 3), dtype=np.uint8)
    return encoded(Image.fromarray(tiles).resize((480, 640), Image.Resampling.NEAREST))
