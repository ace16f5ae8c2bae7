"""Bytes to pixels, within limits that are checked before a decoder sees the bytes.

Owns the limits, the conversion of every pixel layout to red-green-blue and the turning upright.
Refuses to know what is in the picture. No photograph, however broken, makes it raise.

All formats go through Pillow: it refuses truncated files, where OpenCV fills the rest with grey
and goes on, and it is the one that reads JPEG 2000 safely.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import (
    GifImagePlugin,
    Image,
    ImageFile,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.image_header import (
    HeaderError,
    ImageFormat,
    ImageHeader,
    image_format,
    jpeg_picture,
    read_header,
)
from biometrics.face.models import RGBImage

IMAGE_BYTES_MAX = 8 * 1024 * 1024
"""8 MiB: a photograph of 8 megapixels at high JPEG quality."""

IMAGE_PIXELS_MAX = 8_000_000
"""8 megapixels, 24 MB of pixels: a front camera's full resolution (3264 x 2448)."""

PASSES_MAX = 32
"""Scans of a JPEG, tiles of a JPEG 2000. A progressive JPEG has about ten scans and a portrait
one tile; 250 scans of 8 megapixels in 36 KB were measured to cost 2.4 s."""

REDUCED_SIDE_PX_MIN = 720
"""A large JPEG is decoded at a half, a quarter or an eighth as long as its shorter side keeps
this many pixels: the finest look of `detect`, where a face has 80 pixels or more."""

# The plugins themselves and not `Image.open`, which first loads all of Pillow's plugins (60 ms) and
# reads a JPEG as a file of several pictures when its metadata says so.
_PLUGINS: dict[ImageFormat, Callable[[io.BytesIO], ImageFile.ImageFile]] = {
    ImageFormat.GIF: GifImagePlugin.GifImageFile,
    ImageFormat.JPEG: JpegImagePlugin.JpegImageFile,
    ImageFormat.JPEG2000: Jpeg2KImagePlugin.Jpeg2KImageFile,
    ImageFormat.PNG: PngImagePlugin.PngImageFile,
    ImageFormat.WEBP: WebPImagePlugin.WebPImageFile,
}

_SIDEWAYS = range(5, 9)
"""EXIF orientations that exchange width and height."""


@dataclass(frozen=True, eq=False)
class DecodedImage:
    """A photograph as pixels.

    Attributes:
        pixels: Height x width x 3, red-green-blue, 0..255, upright.
        width_px: Width in the file, upright.
        height_px: Height in the file, upright.
    """

    pixels: RGBImage
    width_px: int
    height_px: int

    @property
    def reduction(self) -> float:
        """Pixels of the file for one decoded pixel, 1 or more."""
        decoded_width_px: int = self.pixels.shape[1]
        return self.width_px / decoded_width_px


def decode(image: bytes, *, has_orientation: bool) -> DecodedImage | AcquisitionFailure:
    """The pixels, or the named reason why there are none.

    Args:
        image: A JPEG, JPEG 2000, PNG, WebP or still GIF file.
        has_orientation: Whether EXIF orientation counts. It does for a camera's photograph; the
            portrait on a chip is upright by ICAO Doc 9303 and its EXIF is not to be believed.
    """
    header = admit(image)
    if isinstance(header, AcquisitionFailure):
        return header
    try:
        pixels = _pixels(image, header)
    except Exception:  # noqa: BLE001 - on corrupt bytes Pillow raises what its plugins happen to raise (OSError, SyntaxError, struct.error, ...); the set is not documented
        return AcquisitionFailure.UNDECODABLE
    if not has_orientation:
        return DecodedImage(pixels, header.width_px, header.height_px)
    size = (header.width_px, header.height_px)
    width_px, height_px = size[::-1] if header.orientation in _SIDEWAYS else size
    return DecodedImage(upright(pixels, header.orientation), width_px, height_px)


def admit(image: bytes) -> ImageHeader | AcquisitionFailure:
    """The header of a file that is worth decoding, or why it is not.

    Looks at the bytes only; nothing is decoded and nothing of the announced size is allocated.
    """
    if len(image) > IMAGE_BYTES_MAX:
        return AcquisitionFailure.IMAGE_TOO_LARGE
    if not image:
        return AcquisitionFailure.UNDECODABLE
    format_ = image_format(image)
    if format_ is None:
        return AcquisitionFailure.UNSUPPORTED_FORMAT
    try:
        header = read_header(image, format_=format_)
    except HeaderError:
        return AcquisitionFailure.UNDECODABLE
    has_too_many_pixels = header.width_px * header.height_px > IMAGE_PIXELS_MAX
    if has_too_many_pixels or header.passes > PASSES_MAX or header.is_overcut:
        return AcquisitionFailure.IMAGE_TOO_LARGE
    return AcquisitionFailure.ANIMATED if header.is_animated else header


def _pixels(image: bytes, header: ImageHeader) -> RGBImage:
    picture = jpeg_picture(image) if header.format is ImageFormat.JPEG else image
    with _PLUGINS[header.format](io.BytesIO(picture)) as opened:
        if opened.size != (header.width_px, header.height_px):
            raise HeaderError("the decoder reads another size than the header announces")
        if header.format is ImageFormat.JPEG:
            opened.draft(None, (REDUCED_SIDE_PX_MIN, REDUCED_SIDE_PX_MIN))
        return _red_green_blue(opened)


def _red_green_blue(image: Image.Image) -> RGBImage:
    if image.mode.startswith("I;16"):
        # Pillow would clip 16-bit grey at 255, not scale it.
        grey = (np.asarray(image, dtype=np.uint16) >> 8).astype(np.uint8)
        return np.ascontiguousarray(np.stack((grey, grey, grey), axis=-1))
    if image.has_transparency_data:
        # White, as the printed card and every viewer show it. The colours under transparent
        # pixels are what nobody sees, so they must not decide either.
        page = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(page, image.convert("RGBA"))
    return np.array(image.convert("RGB"), dtype=np.uint8)


def upright(pixels: RGBImage, orientation: int) -> RGBImage:
    """The pixels turned as EXIF orientation 1..8 says (TIFF 6.0, tag 274)."""
    turned: npt.NDArray[np.uint8] = pixels
    if orientation in _SIDEWAYS:
        turned = turned.transpose(1, 0, 2)
    if orientation in {2, 3, 6, 7}:
        turned = turned[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        turned = turned[::-1]
    return np.ascontiguousarray(turned)
