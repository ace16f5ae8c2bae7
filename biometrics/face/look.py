"""What a photograph looks like, as bits that its copies share.

Owns how a file becomes these bits. Knows no face: they tell a copy of a photograph, compressed or
sized anew, from another photograph of the same person a moment later.
"""

import numpy as np
from PIL import Image

from biometrics.face.decode import DecodedImage, decode

LOOK_SIDE = 16
"""Coefficients of the picture's cosine transform in each direction; 256 bits in all."""

LOOK_BYTES = LOOK_SIDE * LOOK_SIDE // 8


def look_of(image: bytes) -> bytes:
    """The perceptual hash of a photograph: `imagehash`'s pHash of 16 x 16 bits.

    Returns:
        32 bytes; none when the file does not decode.
    """
    # Imported on first use: with SciPy it takes 0.3 s.
    import imagehash  # noqa: PLC0415 - see above

    decoded = decode(image, has_orientation=True)
    if not isinstance(decoded, DecodedImage):
        return b""
    bits = imagehash.phash(Image.fromarray(decoded.pixels), hash_size=LOOK_SIDE).hash
    return bytes(np.packbits(bits))
