"""What comes out of photographs: a template, or the named reason why there is none.

Owns the failure vocabulary, the measurements and the template with its byte form. Refuses to know
how a template is made or compared.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

import numpy as np

from biometrics.face.models import Box, Vector


class AcquisitionFailure(StrEnum):
    """Why no template came out (failure to acquire, ISO/IEC 19795-1).

    The order is the order in which the stages can fail, the earliest first: decode through
    UNDECODABLE, detect through FACE_TOO_SMALL, then quality. When a face has several faults of
    quality, the first in this order that fails is the failure: a fault that makes other measures
    doubtful, or explains them, comes before those.
    """

    IMAGE_TOO_LARGE = "image_too_large"
    """More bytes, pixels, tiles or scans than `decode` accepts; nothing was decoded."""
    UNSUPPORTED_FORMAT = "unsupported_format"
    """Not JPEG, JPEG 2000, PNG, WebP or GIF."""
    ANIMATED = "animated"
    """Several frames in one file."""
    UNDECODABLE = "undecodable"
    """Empty, truncated or corrupt."""
    NO_FACE = "no_face"
    """No face was found."""
    SEVERAL_FACES = "several_faces"
    """More than one face was found."""
    FACE_TOO_SMALL = "face_too_small"
    """The one face has too few pixels to tell people apart."""
    FACE_CUT_OFF = "face_cut_off"
    """Part of the face lies outside the picture."""
    MOUTH_COVERED = "mouth_covered"
    """A mask, a scarf or a hand hides mouth and chin."""
    EYES_COVERED = "eyes_covered"
    """Dark glasses, hair or a hand hide the eyes."""
    UNEVEN_LIGHT = "uneven_light"
    """Light from one side leaves half of the face in shadow."""
    TOO_DARK = "too_dark"
    """The face is under-exposed."""
    OVER_EXPOSED = "over_exposed"
    """The face is over-exposed."""
    LOW_CONTRAST = "low_contrast"
    """The face is as if seen through fog."""
    BLURRED = "blurred"
    """The face is out of focus or moved."""
    NOT_A_PHOTOGRAPH = "not_a_photograph"
    """A drawing or a computer's picture: flat areas without the noise of any camera."""
    TURNED_AWAY = "turned_away"
    """The person looks past the camera: to a side, up or down."""
    TILTED = "tilted"
    """The head leans to a shoulder, or the camera was held askew."""
    EYES_CLOSED = "eyes_closed"
    """At least one eye is closed."""
    EYEGLASSES = "eyeglasses"
    """The person wears glasses. Recorded only: it fails no live probe."""
    SEVERAL_PEOPLE = "several_people"
    """The photographs of one probe do not match each other."""


class InvalidTemplateError(ValueError):
    """The values or bytes are not a template."""


_MAGIC = b"SFT1"
_PREFIX = struct.Struct("<4s32sH")
"""Magic, SHA-256 of the network's weights, number of values."""


@dataclass(frozen=True, eq=False)
class Template:
    """A face as a vector: biometric data, so it never shows in `repr` or a log.

    Attributes:
        vector: The embedding, float32, one dimension, finite, read-only (a copy is made).
        model_digest: SHA-256 of the weights of the network that made it, in lower-case
            hexadecimal digits.

    Raises:
        InvalidTemplateError: The vector is empty, has more than one dimension or holds a value
            that is not finite; or the digest is not a SHA-256.
    """

    vector: Vector = field(repr=False)
    model_digest: str

    def __post_init__(self) -> None:
        """Copy the vector, close it for writing and check it."""
        vector = np.array(self.vector, dtype=np.float32)
        vector.flags.writeable = False
        object.__setattr__(self, "vector", vector)
        if vector.ndim != 1 or not 0 < vector.size <= np.iinfo(np.uint16).max:
            raise InvalidTemplateError(f"a template is one row of values, not {vector.shape}")
        if not np.isfinite(vector).all():
            raise InvalidTemplateError("a template holds finite values only")
        if len(self.model_digest) != 64 or not _is_hexadecimal(self.model_digest):  # noqa: PLR2004 - SHA-256 in hexadecimal digits
            raise InvalidTemplateError("model_digest is not a SHA-256 in hexadecimal digits")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and self.to_bytes() == other.to_bytes()

    def __hash__(self) -> int:
        return hash(self.to_bytes())

    def to_bytes(self) -> bytes:
        """The template as bytes: magic, digest, length, then float32 values, little-endian."""
        prefix = _PREFIX.pack(_MAGIC, bytes.fromhex(self.model_digest), self.vector.size)
        return prefix + self.vector.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The template that `to_bytes` wrote.

        Raises:
            InvalidTemplateError: `data` is anything else.
        """
        if len(data) < _PREFIX.size:
            raise InvalidTemplateError("too short for a template")
        magic, digest, size = _PREFIX.unpack_from(data)
        values = data[_PREFIX.size :]
        if magic != _MAGIC:
            raise InvalidTemplateError("not a template of this version")
        if len(values) != 4 * size:
            raise InvalidTemplateError(f"{size} values announced, {len(values)} bytes present")
        return cls(vector=np.frombuffer(values, dtype="<f4"), model_digest=digest.hex())


def _is_hexadecimal(text: str) -> bool:
    return all(character in "0123456789abcdef" for character in text)


@dataclass(frozen=True, kw_only=True)
class PhotographMeasurements:
    """What was seen in one photograph, as far as the stages came.

    Attributes:
        failure: Why this photograph was not usable, None when it was.
        image_width_px: Width in the file, upright; None when the header was not readable.
        image_height_px: Height in the file, upright; None when the header was not readable.
        box_px: The largest face found, in pixels of the file; None when none was found.
        faults: All that falls short in the quality of the face, `failure` first; those that are
            only recorded come last and may stand beside no failure. Empty for a good face and
            where the stages did not come as far.
        quality: The measures of quality by name (`quality.QualityReport.values`), as far as the
            stages came.
        stage_times_ms: Stage name to milliseconds, in the order they ran.
    """

    failure: AcquisitionFailure | None
    image_width_px: int | None
    image_height_px: int | None
    box_px: Box | None
    stage_times_ms: Mapping[str, float]
    faults: tuple[AcquisitionFailure, ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Measurements:
    """What was measured on the way to a template or a failure.

    Attributes:
        photographs: One entry for each photograph, in the order given.
        dissimilarity_max: The largest dissimilarity between two of the usable photographs; None
            with fewer than two. A large one is a sign that they do not show one person.
    """

    photographs: tuple[PhotographMeasurements, ...]
    dissimilarity_max: float | None = None

    @property
    def box_px(self) -> Box | None:
        """The face of the first photograph that shows one."""
        return next((p.box_px for p in self.photographs if p.box_px), None)

    @property
    def image_size_px(self) -> tuple[int, int] | None:
        """Width and height of the first photograph with a readable header."""
        for photograph in self.photographs:
            if photograph.image_width_px and photograph.image_height_px:
                return photograph.image_width_px, photograph.image_height_px
        return None

    @property
    def stage_times_ms(self) -> Mapping[str, float]:
        """Stage name to milliseconds, summed over the photographs."""
        totals: dict[str, float] = {}
        for photograph in self.photographs:
            for stage, time_ms in photograph.stage_times_ms.items():
                totals[stage] = totals.get(stage, 0.0) + time_ms
        return totals


@dataclass(frozen=True, kw_only=True)
class Acquisition:
    """A template or the reason why there is none: exactly one of the two.

    Attributes:
        template: The face, when at least one photograph was usable.
        failure: The named reason otherwise.
        measurements: What was seen on the way.
        photographs: The template of each usable photograph, when several were fused.

    Raises:
        ValueError: Both or neither of `template` and `failure` are given.
    """

    template: Template | None = None
    failure: AcquisitionFailure | None = None
    measurements: Measurements
    photographs: tuple[Template, ...] = ()

    def __post_init__(self) -> None:
        """Hold the either-or."""
        if (self.template is None) == (self.failure is None):
            raise ValueError("an acquisition has a template or a failure, never both or neither")
