"""The portrait as pixels, decoded where it can do no harm.

Owns the limits on decoding and the process it happens in: a child that is given the signed octets
and nothing else, that may not use more memory or time than a portrait needs, and that is killed
when it does. Decoders of JPEG 2000 have been taken over by crafted pictures before
(CVE-2025-54874), so no picture of a stranger is decoded in the caller's own process, and none is
given to OpenCV.

A caller that compares faces in a killable process of its own gives that process the octets of
`Portrait.image` and does not call this: the portrait that was hashed is decoded once.
"""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from biometrics.chip import portrait_process
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg2 import Portrait

MEMORY_OCTETS_MAX = 384 * 1024 * 1024
"""Address space of the child. Measured: 32 MB do for 96 x 128 pixels, 48 MB for 413 x 531 of JPEG
2000, and 256 MB for its worst case within our limits, eight megapixels of four components."""
TIME_S_MAX = 5.0
"""Measured on a busy machine: 0.15 s for the start of the child, 0.03 s for a JPEG 2000 portrait.
A data group is too small to hold a picture that takes a second."""

_PROCESS = Path(portrait_process.__file__)
_CHANNELS = 3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Picture:
    """Pixels. Its repr shows nothing of them.

    Attributes:
        rgb: Rows from the top, three octets for each pixel, as stored: never turned by EXIF.
        width_px: Columns.
        height_px: Rows.
    """

    rgb: bytes
    width_px: int
    height_px: int


@dataclass(frozen=True, kw_only=True)
class DecodeLimits:
    """What a child may use.

    Attributes:
        memory_octets: Address space.
        time_s: Seconds on the clock, from its start.
    """

    memory_octets: int = MEMORY_OCTETS_MAX
    time_s: float = TIME_S_MAX


DEFAULT_LIMITS = DecodeLimits()


def decode_portrait(portrait: Portrait, *, limits: DecodeLimits = DEFAULT_LIMITS) -> Picture:
    """Decode the portrait in a process of its own.

    Its header was read before: what announces more than `image.PIXELS_MAX` never comes here.

    Raises:
        ChipError: IMAGE_DECODE when the decoder refuses it, dies, or uses more than its limits.
    """
    command = [
        sys.executable,
        "-I",  # isolated: no environment, no user's packages, no current directory
        str(_PROCESS),
        portrait.format,
        str(portrait.width_px),
        str(portrait.height_px),
        str(limits.memory_octets),
    ]
    try:
        child = subprocess.run(  # noqa: S603 - our own script; the picture is data on its input
            command, input=portrait.image, capture_output=True, timeout=limits.time_s, check=False
        )
    except subprocess.TimeoutExpired as error:
        # `run` has killed the child by now.
        raise ChipError(ChipCode.IMAGE_DECODE, f"decoding took over {limits.time_s} s") from error
    if child.returncode != 0:
        raise ChipError(ChipCode.IMAGE_DECODE, f"the decoder ended with {child.returncode}")
    if len(child.stdout) != portrait.width_px * portrait.height_px * _CHANNELS:
        raise ChipError(ChipCode.IMAGE_DECODE, "the decoder found another size than the header")
    return Picture(rgb=child.stdout, width_px=portrait.width_px, height_px=portrait.height_px)
