"""Photographs through all stages, with the time of each; and several fused into one.

Owns the order of the stages and what is recorded on the way. Refuses to know which models run and
when they are loaded.

The faces of all photographs, and all views of each, go through the network in one batch: it takes
less time for several than for one after another.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

import numpy as np

from biometrics.face import detect, embed
from biometrics.face.acquisition import (
    Acquisition,
    AcquisitionFailure,
    Measurements,
    PhotographMeasurements,
    Template,
)
from biometrics.face.align import (
    MeanFaceAligner,
    SixtyEightPointLandmarks,
    five_point_landmarks,
)
from biometrics.face.compare import dissimilarity
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.landmarks68 import COUNT
from biometrics.face.models import (
    DLIB_RESNET29,
    Box,
    FaceModels,
    Landmarks,
    Precision,
    RGBImage,
    RGBImages,
    Vector,
    Views,
)
from biometrics.face.network_cache import installed_network, user_cache_directory
from biometrics.face.quality import assess
from biometrics.face.quality_absence import explain_absence
from biometrics.face.quality_demands import NO_DEMANDS, Demands
from biometrics.face.runtime import load_network


def dlib_models(
    *, precision: Precision = Precision.FP32, cache_directory: Path | None = None
) -> FaceModels:
    """Detector, landmarks and network of dlib, from the installed package.

    Args:
        precision: The numbers that the embedder is run with.
        cache_directory: Where translated networks are kept; by default in the user's cache.

    Raises:
        WeightsError: The weights are missing or are not the pinned ones.
        RuntimeUnavailableError: The processor does not compute in `precision`.
    """
    directory = cache_directory or user_cache_directory(os.environ)
    detector = installed_network(
        detect.WEIGHTS_FILE,
        sha256=detect.MMOD.weights_sha256,
        form="int8",
        translate=detect.translate,
        directory=directory,
    )
    embedder = installed_network(
        embed.WEIGHTS_FILE,
        sha256=DLIB_RESNET29.weights_sha256,
        form="fp32",
        translate=embed.translate,
        directory=directory,
    )
    return FaceModels(
        detector=detect.MMODDetector(load_network(detector)),
        landmarks_5=five_point_landmarks(),
        landmarks_68=SixtyEightPointLandmarks(),
        aligner=MeanFaceAligner(side_px=DLIB_RESNET29.input_side_px),
        embedder=embed.ResNetEmbedder(
            load_network(embedder, precision=precision), precision=precision
        ),
    )


@dataclass
class _Record:
    """What one photograph has shown so far."""

    stage_times_ms: dict[str, float] = field(default_factory=dict)
    decoded: DecodedImage | None = None
    boxes_px: tuple[Box, ...] = ()
    faults: tuple[AcquisitionFailure, ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)

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
            faults=self.faults,
            quality=self.quality,
        )


def acquire(
    images: Sequence[bytes],
    *,
    models: FaceModels,
    has_orientation: bool,
    views: Views = Views.PLAIN,
    demands: Demands = NO_DEMANDS,
) -> list[Acquisition]:
    """For each image the template of its one face, or the named reason why there is none.

    Args:
        images: JPEG, JPEG 2000, PNG or WebP files.
        models: What detects, aligns and embeds.
        has_orientation: Whether EXIF orientation counts, see `decode`.
        views: Which pictures of each face are embedded.
        demands: How good a face must be; it is measured in any case.

    Raises:
        ValueError: `views` needs two alignments and the aligner has one.
    """
    records = [_Record() for _ in images]
    outcomes = [
        _aligned(
            _face(
                image,
                models=models,
                has_orientation=has_orientation,
                demands=demands,
                record=record,
            ),
            models=models,
            views=views,
            record=record,
        )
        for image, record in zip(images, records, strict=True)
    ]
    faces = [outcome for outcome in outcomes if not isinstance(outcome, AcquisitionFailure)]
    start = time.perf_counter()
    vectors = iter(_embedded(faces, models))
    # One batch for all: each photograph is charged with its share.
    share_ms = (time.perf_counter() - start) * 1e3 / max(1, len(faces))
    digest = models.embedder.manifest.template_digest(views)
    acquisitions: list[Acquisition] = []
    for outcome, record in zip(outcomes, records, strict=True):
        failure = outcome if isinstance(outcome, AcquisitionFailure) else None
        template = None
        if failure is None:
            record.stage_times_ms["embed"] = share_ms
            template = Template(vector=next(vectors), model_digest=digest)
        measurements = Measurements(photographs=(record.measurements(failure),))
        acquisitions.append(
            Acquisition(template=template, failure=failure, measurements=measurements)
        )
    return acquisitions


@dataclass(frozen=True, eq=False)
class _Face:
    """The one face of a photograph, with the landmarks that its quality was measured by."""

    pixels: RGBImage
    box: Box
    landmarks_68: Landmarks


def _face(
    image: bytes,
    *,
    models: FaceModels,
    has_orientation: bool,
    demands: Demands,
    record: _Record,
) -> _Face | AcquisitionFailure:
    """The one face in `image`, when it is good enough."""
    with record.stage("decode"):
        decoded = decode(image, has_orientation=has_orientation)
    if isinstance(decoded, AcquisitionFailure):
        return decoded
    record.decoded = decoded
    with record.stage("detect"):
        boxes = models.detector.detect(decoded.pixels)
    record.boxes_px = tuple(box.scaled(decoded.reduction) for box in boxes)
    box = detect.single_face(record.boxes_px)
    if box is AcquisitionFailure.NO_FACE:
        with record.stage("explain"):
            record.faults = explain_absence(decoded.pixels, models=models)
        return record.faults[0]
    if isinstance(box, AcquisitionFailure):
        return box
    with record.stage("quality"):
        landmarks_68 = models.landmarks_68.predict(decoded.pixels, boxes[0])
        report = assess(decoded.pixels, boxes[0], landmarks_68, demands=demands)
    record.faults, record.quality = report.reasons, report.values
    return report.failure or _Face(decoded.pixels, boxes[0], landmarks_68)


def _aligned(
    face: _Face | AcquisitionFailure, *, models: FaceModels, views: Views, record: _Record
) -> RGBImages | AcquisitionFailure:
    """The views of the face, ready for the network."""
    if isinstance(face, AcquisitionFailure):
        return face
    with record.stage("align"):
        return _views(face, models=models, views=views)


def _views(face: _Face, *, models: FaceModels, views: Views) -> RGBImages:
    counts = models.aligner.landmark_counts
    wanted = 2 if views is Views.MIRROR_TWO_ALIGNMENTS else 1
    if len(counts) < wanted:
        raise ValueError(f"{views} needs two alignments, the model has one")
    landmarks = [
        face.landmarks_68
        if count == COUNT
        else models.landmarks(count).predict(face.pixels, face.box)
        for count in counts[:wanted]
    ]
    aligned = [models.aligner.align(face.pixels, points) for points in landmarks]
    if views is not Views.PLAIN:
        aligned += [face[:, ::-1] for face in aligned]
    return np.stack(aligned)


def _embedded(faces: Sequence[RGBImages], models: FaceModels) -> list[Vector]:
    """One vector for each face: the mean over its views."""
    if not faces:
        return []
    vectors = models.embedder.embed(np.concatenate(faces))
    ends = np.cumsum([len(views) for views in faces])
    return [part.mean(axis=0) for part in np.split(vectors, ends[:-1])]


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
