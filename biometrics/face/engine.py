"""The door of the package: photographs in, templates and comparisons out.

Owns when the models are loaded and the difference between a reference and a probe. Refuses to
know what happens inside the stages. Importing it loads nothing; the first use of an engine does.
"""

import threading
from collections.abc import Callable, Sequence
from itertools import combinations

from biometrics.face.acquisition import Acquisition, AcquisitionFailure, Template
from biometrics.face.cohort import Cohort
from biometrics.face.compare import Comparison, ComparisonDecision, compare
from biometrics.face.models import FaceModels, Views
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.quality_demands import CHIP_REFERENCE, LIVE_PROBE, Demands
from biometrics.face.score import ModelMismatchError

PROBES_MAX = 5
"""Photographs of one probe: more frames bring little and cost the same each."""


def _default_models() -> FaceModels:
    # Imported on first use: OpenCV, dlib and Pillow cost 0.2 s, which a process that only holds
    # an engine, or only compares stored templates, need not pay.
    from biometrics.face.pipeline import dlib_models  # noqa: PLC0415 - see above
    from biometrics.face.plugins.loading import rehearse  # noqa: PLC0415 - see above

    return rehearse(dlib_models())


class FaceEngine:
    """Compares the face of a reference with the face of a probe. Safe between threads."""

    def __init__(
        self,
        *,
        operating_point: OperatingPoint = DEFAULT,
        load_models: Callable[[], FaceModels] = _default_models,
        views: Views = Views.PLAIN,
        cohort: Cohort | None = None,
        probe_demands: Demands = LIVE_PROBE,
    ) -> None:
        """Make an engine; nothing is loaded yet.

        Args:
            operating_point: Threshold for `compare`.
            load_models: Called once, at the first use of a photograph.
            views: Which pictures of a face are averaged into its template. More of them take more
                time and tell people better apart.
            cohort: What a cohort-centred operating point centres scores on; without it, that
                point's fallback decides.
            probe_demands: How good a live photograph must be. For photographs taken for other
                ends, as in evaluation, `NO_DEMANDS` or `CHIP_REFERENCE`.
        """
        self._probe_demands = probe_demands
        self._cohort = cohort
        self._views = views
        self._operating_point = operating_point
        self._load_models = load_models
        self._models: FaceModels | None = None
        self._lock = threading.Lock()

    @property
    def operating_point(self) -> OperatingPoint:
        """The thresholds that `compare` judges by."""
        return self._operating_point

    def warm_up(self) -> None:
        """Load the models now, so that the first photograph does not wait for them.

        Does nothing when they are loaded; a second thread waits for the first.

        Raises:
            ModelMismatchError: The views need two alignments and the network has one.
            WeightsError: The weights are missing or are not the pinned ones.
        """
        self._loaded_models()

    @property
    def template_digest(self) -> str:
        """Mark of the templates that this engine makes; loads the models."""
        return self._loaded_models().embedder.manifest.template_digest(self._views)

    def reference(self, image: bytes) -> Acquisition:
        """The template of a reference: the portrait of a document, taken as it is stored.

        EXIF orientation is ignored: the portrait on a chip is upright (ICAO Doc 9303-9), and an
        orientation tag in it could only turn the face away from what a person sees.

        Args:
            image: A JPEG, JPEG 2000, PNG, WebP or still GIF file of at most 8 MiB and 8 megapixels.

        Raises:
            WeightsError: The weights are missing or are not the pinned ones.
        """
        (acquisition,) = self._acquire(references=[image], probes=[])
        return acquisition

    def probe(self, images: Sequence[bytes]) -> Acquisition:
        """The template of a probe: live photographs of one person, fused.

        Photographs that are not usable are left out; `measurements` says why. Usable ones that do
        not match each other at the operating point are refused together.

        Args:
            images: 1 to 5 files as for `reference`; EXIF orientation is applied.

        Raises:
            ValueError: There are no images or more than 5.
            WeightsError: The weights are missing or are not the pinned ones.
        """
        _check_count(images)
        return self._fuse(self._acquire(references=[], probes=images))

    def reference_and_probe(
        self, image: bytes, probe_images: Sequence[bytes]
    ) -> tuple[Acquisition, Acquisition]:
        """`reference` of `image` and `probe` of `probe_images` in less time than one by one.

        Args:
            image: As for `reference`.
            probe_images: As for `probe`.

        Raises:
            ValueError: There are no probe images or more than 5.
            WeightsError: The weights are missing or are not the pinned ones.
        """
        _check_count(probe_images)
        reference, *probes = self._acquire(references=[image], probes=probe_images)
        return reference, self._fuse(probes)

    def compare(
        self, reference: Template, probe: Template, *, photographs: Sequence[Template] = ()
    ) -> Comparison:
        """Decide whether `probe` shows the person of `reference`, at the operating point.

        Args:
            reference: A template of `reference`.
            probe: A template of `probe`.
            photographs: The templates that were fused into `probe`; see `compare.compare`.

        Raises:
            ModelMismatchError: The templates or the threshold belong to different networks.
            InvalidTemplateError: The templates have different lengths.
        """
        return compare(
            reference,
            probe,
            photographs=photographs,
            operating_point=self._operating_point,
            cohort=self._cohort,
        )

    def _fuse(self, acquisitions: Sequence[Acquisition]) -> Acquisition:
        # Imported on first use, as in `_default_models`.
        from biometrics.face.pipeline import fuse  # noqa: PLC0415 - see above

        fused = fuse(acquisitions)
        is_one_person = all(
            self.compare(one, other).decision is ComparisonDecision.MATCH
            for one, other in combinations(fused.photographs, 2)
        )
        if is_one_person:
            return fused
        # The mean of several people lies near many others: photographs of five strangers, chosen
        # for it, matched 55 % of 585 people whom none of the five matched alone.
        return Acquisition(
            failure=AcquisitionFailure.SEVERAL_PEOPLE, measurements=fused.measurements
        )

    def _acquire(
        self, *, references: Sequence[bytes], probes: Sequence[bytes]
    ) -> list[Acquisition]:
        # Imported on first use, as in `_default_models`.
        from biometrics.face.pipeline import Photograph, acquire  # noqa: PLC0415 - see above

        photographs = [
            Photograph(image=image, has_orientation=False, demands=CHIP_REFERENCE)
            for image in references
        ] + [
            Photograph(image=image, has_orientation=True, demands=self._probe_demands)
            for image in probes
        ]
        return acquire(photographs, models=self._loaded_models(), views=self._views)

    def _loaded_models(self) -> FaceModels:
        # Loading under the lock, so that threads that arrive together load once.
        with self._lock:
            if self._models is None:
                models = self._load_models()
                network = models.embedder.manifest
                if not network.can_make(self._views):
                    raise ModelMismatchError(
                        f"{self._views} needs two alignments, {network.name} has one"
                    )
                self._models = models
            return self._models


def _check_count(images: Sequence[bytes]) -> None:
    if not 1 <= len(images) <= PROBES_MAX:
        raise ValueError(f"a probe is 1 to {PROBES_MAX} photographs, not {len(images)}")
