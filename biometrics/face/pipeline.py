"""One photograph through all stages, with the time of each; and several fused into one.

Owns the order of the stages and what is recorded on the way. Refuses to know which models run and
when they are loaded.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np

from biometrics.face.acquisition import (
    Acquisition,
    AcquisitionFailure,
    Measurements,
    PhotographMeasurements,
    Template,
)
from biometrics.face.align import FivePointAligner
from biometrics.face.compare import dissimilarity
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.detect import HOGDetector, single_face
from biometrics.face.embed import DlibEmbedder
from biometrics.face.models import Box, FaceModels


def dlib_models() -> FaceModels:
    """Detector, five-point alignment and network of dlib, loaded from the installed package.

    Raises:
        WeightsError: The weights are missing or are not the pinned ones.
    """
    embedder = DlibEmbedder()
    return FaceModels(
        detector=HOGDetector(),
        aligner=FivePointAligner(side_px=embedder.manifest.input_side_px),
        embedder=embedder,
    )


@dataclass
class _Record:
    """What one photograph has shown so far."""

    stage_times_ms: dict[str, float] = field(default_factory=dict)
    decoded: DecodedImage | None = None
    boxes_px: tuple[Box, ...] = ()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.stage_times_ms[name] = (time.perf_counter() - start) * 1e3

    def measurements(self, failure: AcquisitionFailure | None) -> PhotographMeasurements:
        return PhotographMeasurements(
            failure=failure,
            image_width_px=self.decoded.width_px if self.decoded else None,
            image_height_px=self.decoded.height_px if self.decoded else None,
            box_px=max(self.boxes_px, key=lambda box: box.side_px, default=None),
            stage_times_ms=self.stage_times_ms,
        )


def acquire(image: bytes, *, models: FaceModels, has_orientation: bool) -> Acquisition:
    """The template of the one face in `image`, or the named reason why there is none.

    Args:
        image: A JPEG, JPEG 2000, PNG or WebP file.
        models: What detects, aligns and embeds.
        has_orientation: Whether EXIF orientation counts, see `decode`.
    """
    record = _Record()
    outcome = _template(image, models=models, has_orientation=has_orientation, record=record)
    failure = outcome if isinstance(outcome, AcquisitionFailure) else None
    return Acquisition(
        template=outcome if isinstance(outcome, Template) else None,
        failure=failure,
        measurements=Measurements(photographs=(record.measurements(failure),)),
    )


def _template(
    image: bytes, *, models: FaceModels, has_orientation: bool, record: _Record
) -> Template | AcquisitionFailure:
    with record.stage("decode"):
        decoded = decode(image, has_orientation=has_orientation)
    if isinstance(decoded, AcquisitionFailure):
        return decoded
    record.decoded = decoded
    with record.stage("detect"):
        boxes = models.detector.detect(decoded.pixels)
    record.boxes_px = tuple(box.scaled(decoded.reduction) for box in boxes)
    face = single_face(record.boxes_px)
    if isinstance(face, AcquisitionFailure):
        return face
    with record.stage("align"):
        aligned = models.aligner.align(decoded.pixels, boxes[0])
    with record.stage("embed"):
        vector = models.embedder.embed(aligned)
    return Template(vector=vector, model_digest=models.embedder.manifest.weights_sha256)


def fuse(acquisitions: Sequence[Acquisition]) -> Acquisition:
    """Several photographs of one person as one acquisition.

    The template is the mean of the usable ones. It is not brought to unit length: the Euclidean
    distance of dlib's network is defined on its raw values. Without a usable photograph, the
    failure is that of the photograph that came furthest, for that one was nearest to being good.

    Args:
        acquisitions: One for each photograph, at least one.
    """
    templates = [a.template for a in acquisitions if a.template is not None]
    failures = [a.failure for a in acquisitions if a.failure is not None]
    measurements = Measurements(
        photographs=tuple(p for a in acquisitions for p in a.measurements.photographs),
        dissimilarity_max=max(
            (dissimilarity(a, b) for a, b in combinations(templates, 2)), default=None
        ),
    )
    if not templates:
        return Acquisition(failure=max(failures, key=_progress), measurements=measurements)
    mean = np.stack([template.vector for template in templates]).mean(axis=0)
    template = Template(vector=mean, model_digest=templates[0].model_digest)
    return Acquisition(template=template, measurements=measurements)


def _progress(failure: AcquisitionFailure) -> int:
    return list(AcquisitionFailure).index(failure)
