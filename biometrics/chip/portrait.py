"""The portrait as pixels, decoded where it can do no harm.

Owns the limits on decoding and the process it happens in: a child that is given the signed octets
and nothing else, that may not use more memory or time than a portrait needs, and that is killed
when it does. Decoders of JPEG 2000 have been taken over by crafted pictures before
(CVE-2025-54874), so no picture of a stranger is decoded in the caller's own process, and none is
given to OpenCV.

A caller that compares faces in a killable process of its own gives that process the octets of
`Portrait.image` and does not call this: the portrait that was hashed is decoded once.
"""

import contextlib
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg2 import Portrait

MEMORY_OCTETS_MAX = 384 * 1024 * 1024
"""Address space of the child. Measured: 32 MB do for 96 x 128 pixels, 48 MB for 413 x 531 of JPEG
2000, and 256 MB for its worst case within our limits, eight megapixels of four components."""
TIME_S_MAX = 5.0
"""Measured on a busy machine: 0.15 s for the start of the child, 0.03 s for a JPEG 2000 portrait.
A data group is too small to hold a picture that takes a second."""

_PROCESS = Path(__file__).with_name("portrait_process.py")
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
    octets = portrait.width_px * portrait.height_px * _CHANNELS
    returncode, rgb = _run(command, portrait.image, octets_max=octets + 1, time_s=limits.time_s)
    if returncode is None:
        raise ChipError(ChipCode.IMAGE_DECODE, f"decoding took over {limits.time_s} s")
    if returncode != 0:
        raise ChipError(ChipCode.IMAGE_DECODE, f"the decoder ended with {returncode}")
    if len(rgb) != octets:
        raise ChipError(ChipCode.IMAGE_DECODE, "the decoder found another size than the header")
    return Picture(rgb=rgb, width_px=portrait.width_px, height_px=portrait.height_px)


def _run(
    command: list[str], image: bytes, *, octets_max: int, time_s: float
) -> tuple[int | None, bytes]:
    """Give the child the picture and take no more from it than it should have to say.

    A decoder that was taken over would write for ever. Its words on standard error are nobody's.

    Returns:
        Exit code, None when it had to be killed for its time, and what it wrote.
    """
    is_late = threading.Event()
    with subprocess.Popen(  # noqa: S603 - our own script; the picture is data on its input
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def kill() -> None:
            is_late.set()
            child.kill()

        timer = threading.Timer(time_s, kill)
        timer.start()
        try:
            with contextlib.suppress(BrokenPipeError):  # it ended before it had read all
                child.stdin.write(image)
                child.stdin.close()
            rgb = child.stdout.read(octets_max)
            if len(rgb) == octets_max:
                child.kill()
            child.wait()
        finally:
            timer.cancel()
    return None if is_late.is_set() else child.returncode, rgb
