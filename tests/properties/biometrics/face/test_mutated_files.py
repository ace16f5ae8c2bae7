"""Ten thousand damaged photographs, the same ones each time: pixels or a named reason.

Owns the count and the seed. The damage is of the kinds a file meets on its way or an attacker
makes: bits, cuts, repeated, removed and swapped parts, foreign headers, sizes that lie.
"""

import io
import struct
import tracemalloc
import zlib
from random import Random

import numpy as np
import pytest
import skimage.data
from PIL import Image

from biometrics.face.acquisition import AcquisitionFailure
from biometrics.face.decode import IMAGE_PIXELS_MAX, DecodedImage, decode

FILES = 10_000
SEED = 20260401
MEMORY_BYTES_MAX = 200 * 1024 * 1024


def _saved(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()


def originals() -> dict[str, bytes]:
    """Small whole files of every kind that comes in."""
    face = Image.fromarray(skimage.data.astronaut()).crop((130, 0, 330, 220)).resize((48, 52))  # type: ignore[no-untyped-call] # scikit-image ships no types
    deep = np.asarray(face.convert("L"), np.uint16) * 257
    orientation = Image.Exif()
    orientation[0x0112] = 6
    return {
        "jpeg": _saved(face, "JPEG", exif=orientation),
        "jpeg_progressive": _saved(face, "JPEG", progressive=True),
        "jpeg_grey": _saved(face.convert("L"), "JPEG"),
        "jpeg_cmyk": _saved(face.convert("CMYK"), "JPEG"),
        "png": _saved(face, "PNG"),
        "png_alpha": _saved(face.convert("RGBA"), "PNG"),
        "png_palette": _saved(face.convert("P"), "PNG"),
        "png_16_bit": _saved(Image.fromarray(deep), "PNG"),
        "png_animated": _saved(face, "PNG", save_all=True, append_images=[face.rotate(9)]),
        "webp": _saved(face, "WEBP", exif=orientation),
        "webp_lossless": _saved(face, "WEBP", lossless=True),
        "webp_animated": _saved(face, "WEBP", save_all=True, append_images=[face.rotate(9)]),
        "gif": _saved(face, "GIF"),
        "gif_animated": _saved(face, "GIF", save_all=True, append_images=[face.rotate(9)]),
        "jp2": _saved(face, "JPEG2000"),
        "j2k": _saved(face, "JPEG2000", no_jp2=True),
    }


def damaged(data: bytes, random: Random, others: list[bytes]) -> bytes:
    """`data` with one to four kinds of damage, half of it in the first 200 bytes."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 4)):
        end = len(changed) if random.random() < 0.5 else min(200, len(changed))
        at = random.randrange(max(1, end))
        length = random.randint(1, 64)
        kind = random.randrange(7)
        if kind == 0 and changed:
            changed[at % len(changed)] ^= 1 << random.randrange(8)
        elif kind == 1:
            changed[at : at + length] = random.randbytes(length)
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            changed[at:at] = changed[max(0, at - length) : at]
        elif kind == 4:
            del changed[at : at + length]
        elif kind == 5:
            changed[at : at + 4] = struct.pack(
                ">I", random.choice((0, 1, 20_000, 2**31, 2**32 - 1))
            )
        else:
            changed[: length % 24] = random.choice(others)[: length % 24]
    return bytes(changed)


def with_true_checksums(png: bytes) -> bytes:
    """A PNG whose damage hides behind correct checksums, so that it gets past them."""
    out, at = bytearray(png[:8]), 8
    while at + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + length]
        if len(body) < length:
            break
        out += struct.pack(">I", length) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        at += 12 + length
    return bytes(out)


@pytest.mark.timeout(60)
def test_ten_thousand_damaged_files_give_pixels_or_a_named_reason_in_bounded_memory() -> None:
    files = originals()
    names, contents = list(files), list(files.values())
    random = Random(SEED)
    outcomes: dict[str, int] = {}
    tracemalloc.start()
    for index in range(FILES):
        name = names[index % len(names)]
        data = damaged(files[name], random, contents)
        if name.startswith("png") and index % 3:
            data = with_true_checksums(data)
        outcome = decode(data, has_orientation=True)
        if isinstance(outcome, DecodedImage):
            assert outcome.pixels.dtype == np.uint8
            assert 0 < outcome.pixels.size <= 3 * IMAGE_PIXELS_MAX
        else:
            assert isinstance(outcome, AcquisitionFailure)
        kind = "decoded" if isinstance(outcome, DecodedImage) else outcome.value
        outcomes[kind] = outcomes.get(kind, 0) + 1
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(outcomes.values()) == FILES
    assert peak_bytes < MEMORY_BYTES_MAX
    # The damage reaches every way to end, so the test looks where it means to.
    for kind in ("decoded", "undecodable", "unsupported_format", "image_too_large", "animated"):
        assert outcomes.get(kind, 0) > FILES / 200, outcomes


@pytest.mark.parametrize("name", list(originals()))
def test_the_whole_files_are_decoded_or_known_as_animated(name: str) -> None:
    outcome = decode(originals()[name], has_orientation=True)
    if "animated" in name:
        assert outcome is AcquisitionFailure.ANIMATED
    else:
        assert isinstance(outcome, DecodedImage)
        assert sorted(outcome.pixels.shape) == [3, 48, 52]
