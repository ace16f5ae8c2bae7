"""Portraits are decoded in a child that cannot do harm, and whatever it does is one code."""

import io
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from biometrics.chip import portrait as portrait_module
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.dg2 import Portrait, parse_dg2
from biometrics.chip.image import ImageFormat
from biometrics.chip.portrait import DecodeLimits, decode_portrait
from biometrics.chip.portrait_process import REFUSED
from tests.unit.biometrics.chip import chip_files as chip

PACKAGE = Path(portrait_module.__file__).parent


def portrait_of(image: bytes) -> Portrait:
    return parse_dg2(chip.make_dg2(image))


def evidence_of(portrait: Portrait, **limits: float) -> str:
    with pytest.raises(ChipError) as caught:
        decode_portrait(portrait, limits=DecodeLimits(**limits))  # type: ignore[arg-type] # shorthand
    assert caught.value.code is ChipCode.IMAGE_DECODE
    return caught.value.evidence


@pytest.mark.parametrize("image_format", ["JPEG", "JPEG2000"])
def test_the_pixels_are_those_of_the_signed_octets(image_format: str) -> None:
    octets = chip.picture(image_format)

    picture = decode_portrait(portrait_of(octets))

    with Image.open(io.BytesIO(octets)) as opened:
        assert picture.rgb == opened.convert("RGB").tobytes()
    assert (picture.width_px, picture.height_px) == (96, 128)
    assert "rgb" not in repr(picture)


def test_a_portrait_is_never_turned_by_its_exif() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # sideways
    buffer = io.BytesIO()
    Image.new("RGB", (40, 60)).save(buffer, "JPEG", exif=exif)

    picture = decode_portrait(portrait_of(buffer.getvalue()))

    assert (picture.width_px, picture.height_px) == (40, 60)


def test_a_picture_whose_data_is_broken_is_refused_by_the_child() -> None:
    whole = chip.picture("JPEG")
    broken = Portrait(
        image=whole[: len(whole) // 2],
        format=ImageFormat.JPEG,
        width_px=96,
        height_px=128,
    )

    assert evidence_of(broken) == f"the decoder ended with {REFUSED}"


def test_a_size_that_the_decoder_does_not_find_is_refused() -> None:
    lying = Portrait(
        image=chip.picture("JPEG"), format=ImageFormat.JPEG, width_px=95, height_px=128
    )

    assert evidence_of(lying) == f"the decoder ended with {REFUSED}"


def test_a_child_that_takes_too_long_is_killed() -> None:
    started = time.monotonic()

    evidence = evidence_of(portrait_of(chip.picture("JPEG")), time_s=0.001)

    assert "took over" in evidence
    assert time.monotonic() - started < 30


def test_a_child_that_wants_more_memory_than_it_may_dies_alone() -> None:
    evidence = evidence_of(portrait_of(chip.picture("JPEG")), memory_octets=16 * 1024 * 1024)

    assert "ended with" in evidence


def test_a_child_that_writes_for_ever_is_not_listened_to(tmp_path: Path) -> None:
    script = tmp_path / "takeover.py"
    script.write_text("import sys\nwhile True:\n    sys.stdout.buffer.write(bytes(1 << 16))\n")

    returncode, octets = portrait_module._run(  # noqa: SLF001 - a decoder that was taken over cannot be had otherwise
        [sys.executable, "-I", str(script)], chip.picture(), octets_max=1001, time_s=30
    )

    assert len(octets) == 1001
    assert returncode not in (0, None)


def test_a_child_that_never_reads_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "deaf.py"
    script.write_text("import signal\nsignal.pause()\n")

    returncode, octets = portrait_module._run(  # noqa: SLF001 - as above
        [sys.executable, "-I", str(script)], bytes(1 << 20), octets_max=1001, time_s=0.2
    )

    assert (returncode, octets) == (None, b"")


def test_the_child_needs_nothing_of_ours_and_writes_no_file() -> None:
    script = PACKAGE / "portrait_process.py"
    probe = (
        "import runpy, sys, resource\n"
        f"runpy.run_path({str(script)!r})['_give_up_rights'](1 << 29)\n"
        "assert resource.getrlimit(resource.RLIMIT_AS) == (1 << 29, 1 << 29)\n"
        "assert resource.getrlimit(resource.RLIMIT_FSIZE) == (0, 0)\n"
        "assert not [name for name in sys.modules if name.startswith('biometrics')]\n"
    )

    ended = subprocess.run([sys.executable, "-I", "-c", probe], capture_output=True, check=False)

    assert ended.returncode == 0, ended.stderr


def test_no_module_of_the_chip_knows_opencv() -> None:
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.glob("*.py")]

    assert len(sources) > 20
    assert not [source for source in sources if "import cv2" in source or "from cv2" in source]
