"""An engine with its models loaded once, one free face, and image files made on the spot.

Owns what several tests of the face package share; knows nothing of what they check.
"""

import io
import struct
import zlib
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from biometrics.face.engine import FaceEngine
from biometrics.face.models import FaceModels
from biometrics.face.pipeline import dlib_models
from biometrics.face.quality_demands import NO_DEMANDS


@pytest.fixture(scope="session")
def models() -> FaceModels:
    """The real models of dlib."""
    return dlib_models()


@pytest.fixture(scope="session")
def engine(models: FaceModels) -> FaceEngine:
    """An engine at the default operating point."""
    return FaceEngine(load_models=lambda: models)


@pytest.fixture(scope="session")
def press_engine(models: FaceModels) -> FaceEngine:
    """The same for photographs of the press, which nobody took for a comparison."""
    return FaceEngine(load_models=lambda: models, probe_demands=NO_DEMANDS)


@pytest.fixture(scope="session")
def face() -> Image.Image:
    """Eileen Collins (NASA, public domain), cropped so that her helmet is not a second face."""
    return Image.fromarray(skimage.data.astronaut()).crop((130, 0, 330, 220))  # type: ignore[no-untyped-call] # scikit-image ships no types


@pytest.fixture(scope="session")
def face_jpeg(face: Image.Image) -> bytes:
    """The free face as a JPEG file."""
    return _encoded(face, "JPEG", quality=95)


@pytest.fixture(scope="session")
def faces(shared_data: Path) -> Path:
    """The folder of real photographs."""
    return shared_data / "faces"


@pytest.fixture(scope="session")
def one_bit_bomb() -> bytes:
    """A whole, valid PNG of 50 KB that decodes to 20000 x 20000 pixels."""
    side = 20_000
    row = b"\0" + b"\0" * (side // 8)
    packer = zlib.compressobj(1)
    pixels = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file.getvalue()
