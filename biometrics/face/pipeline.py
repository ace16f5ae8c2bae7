"""Photographs through all stages, with the time of each; and several fused into one.

Owns the order of the stages and what is recorded on the way. Refuses to know which models run and
when they are loaded.

Several photographs go through each stage together, and their faces, with all views of each, through
the network in one batch: a landmark model takes 9 MB and the network 22 MB, which the processor
then fetches once and not for each photograph.
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
    FIVE,
    FIVE_POINTS,
    SIXTY_EIGHT_POINTS,
    MeanFaceAligner,
    closer_box,
    dlib_landmarks,
)
from biometrics.face.compare import dissimilarity
from biometrics.face.decode import DecodedImage, decode
from biometrics.face.landmarks68 import COUNT
from biometrics.face.model_cache import installed_model, user_cache_directory
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
        cache_directory: Where translated models are kept; by default in the user's cache.

    Raises:
        WeightsError: The weights are missing or are not the pinned ones.
        RuntimeUnavailableError: The processor does not compute in `precision`.
    """
    directory = cache_directory or user_cache_directory(os.environ)
    detector = installed_model(
        detect.WEIGHTS_FILE,
        sha256=detect.MMOD.weights_sha256,
        form="int8",
        translate=detect.translate,
        directory=directory,
    )
    embedder = installed_model(
        embed.WEIGHTS_FILE,
        sha256=DLIB_RESNET29.weights_sha256,
        form="fp32",
        translate=embed.translate,
        directory=directory,
    )
    return FaceModels(
        detector=detect.MMODDetector(load_network(bytes(detector))),
        landmarks_5=dlib_landmarks(FIVE_POINTS, directory=directory),
        landmarks_68=dlib_landmarks(SIXTY_EIGHT_POINTS, directory=directory),
        aligner=MeanFaceAligner(side_px=DLIB_RESNET29.input_side_px),
        embedder=embed.ResNetEmbedder(
            load_network(bytes(embedder), precision=precision), precision=precision
        ),
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Photograph:
    """A file and what is asked of it.

    Attributes:
        image: A JPEG, JPEG 2000, PNG, WebP or still GIF file.
        has_orientation: Whether EXIF orientation counts, see `decode`.
        demands: How good a face must be; it is measured in any case.
    """

    image: bytes = field(repr=False)
    has_orientation: bool
    demands: Demands = NO_DEMANDS


@dataclass
class _Record:
    """One photograph and what it has shown so far."""

    photograph: Photograph
    failure: AcquisitionFailure | None = None
    stage_times_ms: dict[str, float] = field(default_factory=dict)
    decoded: DecodedImage | None = None
    boxes: tuple[Box, ...] = ()
    box: Box | None = None
    landmarks: dict[int, Landmarks] = field(default_factory=dict)
    faults: tuple[AcquisitionFailure, ...] = ()
    quality: Mapping[str, float] = field(default_factory=dict)
    faces: RGBImages = field(default_factory=lambda: np.empty((0, 0, 0, 3), np.uint8))
    vector: Vector | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.stage_times_ms[name] = (time.perf_counter() - start) * 1e3

    @property
    def boxes_px(self) -> tuple[Box, ...]:
        """The faces in pixels of the file."""
        if self.decoded is None:
            return ()
        return tuple(box.scaled(self.decoded.reduction) for box in self.boxes)

    def face(self) -> tuple[RGBImage, Box]:
        """The decoded pixels and the one face in them."""
        assert self.decoded is not None
        assert self.box is not None
        return self.decoded.pixels, self.box

    def acquisition(self, *, model_digest: str) -> Acquisition:
        measurements = PhotographMeasurements(
            failure=self.failure,
            image_width_px=self.decoded.width_px if self.decoded else None,
            image_height_px=self.decoded.height_px if self.decoded else None,
            box_px=max(self.boxes_px, key=lambda box: box.side_px, default=None),
            stage_times_ms=self.stage_times_ms,
            faults=self.faults,
            quality=self.quality,
        )
        return Acquisition(
            template=None
            if self.vector is None
            else Template(vector=self.vector, model_digest=model_digest),
            failure=self.failure,
            measurements=Measurements(photographs=(measurements,)),
        )


def acquire(
    photographs: Sequence[Photograph], *, models: FaceModels, views: Views = Views.PLAIN
) -> list[Acquisition]:
    """For each photograph the template of its one face, or the named reason why there is none.

    Args:
        photographs: What to look at; they need not show one person.
        models: What detects, aligns and embeds.
        views: Which pictures of each face are embedded.

    Raises:
        ValueError: `views` needs two alignments and the aligner has one.
    """
    stages = _Stages(models, views)
    records = [_Record(photograph) for photograph in photographs]
    for stage in (stages.locate, stages.point, stages.judge, stages.align):
        for record in records:
            if record.failure is None:
                stage(record)
    usable = [record for record in records if record.failure is None]
    stages.embed(usable)
    digest = models.embedder.manifest.template_digest(views)
    return [record.acquisition(model_digest=digest) for record in records]


class _Stages:
    """What is done with a photograph, one stage after another."""

    def __init__(self, models: FaceModels, views: Views) -> None:
        self._models = models
        self._views = views
        counts = models.aligner.landmark_counts
        wanted = 2 if views is Views.MIRROR_TWO_ALIGNMENTS else 1
        if len(counts) < wanted:
            raise ValueError(f"{views} needs two alignments, the model has one")
        self._counts = counts[:wanted]

    def locate(self, record: _Record) -> None:
        """Decode the file and find its one face."""
        with record.stage("decode"):
            decoded = decode(
                record.photograph.image, has_orientation=record.photograph.has_orientation
            )
        if isinstance(decoded, AcquisitionFailure):
            record.failure = decoded
            return
        record.decoded = decoded
        with record.stage("detect"):
            record.boxes = self._models.detector.detect(decoded.pixels)
        face = detect.single_face(record.boxes_px)
        if face is AcquisitionFailure.NO_FACE:
            with record.stage("explain"):
                record.faults = explain_absence(decoded.pixels, models=self._models)
            record.failure = record.faults[0]
        elif isinstance(face, AcquisitionFailure):
            record.failure = face
        else:
            record.box = record.boxes[0]

    def point(self, record: _Record) -> None:
        """Find eyes and nose, and with them a box that fits better than the detector's."""
        pixels, box = record.face()
        with record.stage("landmarks"):
            predict = self._models.landmarks_5.predict
            record.box = closer_box(predict(pixels, box))
            record.landmarks[FIVE] = predict(pixels, record.box)

    def judge(self, record: _Record) -> None:
        """Measure how good the face is."""
        pixels, box = record.face()
        with record.stage("quality"):
            outlines = self._models.landmarks_68.predict(pixels, box)
            report = assess(pixels, box, outlines, demands=record.photograph.demands)
        record.landmarks[COUNT] = outlines
        record.faults, record.quality = report.reasons, report.values
        record.failure = report.failure

    def align(self, record: _Record) -> None:
        """Cut the face out, in all its views."""
        pixels, _ = record.face()
        with record.stage("align"):
            faces = [
                self._models.aligner.align(pixels, record.landmarks[count])
                for count in self._counts
            ]
            if self._views is not Views.PLAIN:
                faces += [face[:, ::-1] for face in faces]
            record.faces = np.stack(faces)

    def embed(self, records: Sequence[_Record]) -> None:
        """One vector for each face: the mean over its views."""
        if not records:
            return
        start = time.perf_counter()
        vectors = self._models.embedder.embed(np.concatenate([record.faces for record in records]))
        parts = np.split(vectors, np.cumsum([len(record.faces) for record in records])[:-1])
        # One batch for all: each photograph is charged with its share.
        share_ms = (time.perf_counter() - start) * 1e3 / len(records)
        for record, part in zip(records, parts, strict=True):
            record.vector = part.mean(axis=0)
            record.stage_times_ms["embed"] = share_ms


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
    return Acquisition(template=template, measurements=measurements, photographs=tuple(templates))


def _progress(failure: AcquisitionFailure) -> int:
    return list(AcquisitionFailure).index(failure)
