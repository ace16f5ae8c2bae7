"""How faces are compared: which network, at which operating point, centred on which cohort.

Owns the checks that these belong together and satisfy the policy, before anything is served. Knows
no citizen. Workers are given one of these and make their engine from it; so nothing here imports
the database's libraries, which would cost every worker their memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from biometrics.face.cohort import Cohort, InvalidCohortError
from biometrics.face.engine import FaceEngine
from biometrics.face.error_rate import percent
from biometrics.face.models import DLIB_RESNET29, EmbedderManifest, FaceModels, Precision
from biometrics.face.operating_point import DEFAULT, OperatingPoint
from biometrics.face.operating_point_file import OperatingPointFileError, from_json
from biometrics.face.plugins.manifest import ManifestError
from biometrics.face.plugins.registry import (
    BUILT_IN,
    ModelNotFoundError,
    embedder_manifest,
    installed_embedder,
)
from biometrics.face.weights import WeightsError
from identity.domain.verification import VerificationPolicy
from identity.state_directory import StateError


class FaceSetupError(StateError):
    """Faces cannot be compared as the settings say; one line tells an administrator why."""


@dataclass(frozen=True, kw_only=True)
class FaceSetup:
    """What an engine is made from. Travels to other processes.

    Attributes:
        models_directory: Where installed models lie.
        model: Name of the network.
        precision: The numbers the built-in network is run with.
        operating_point: The thresholds.
        cohort: What scores are centred on; None: the operating point needs none, or falls back.
    """

    models_directory: Path
    model: str = BUILT_IN
    precision: Precision = Precision.FP32
    operating_point: OperatingPoint = DEFAULT
    cohort: Cohort | None = field(default=None, repr=False)

    @property
    def model_digest(self) -> str:
        """Mark of the templates that are made; the operating point is checked to have the same."""
        return self.operating_point.model_digest

    def make_engine(self) -> FaceEngine:
        """An engine; nothing is loaded yet.

        Its first use, or `warm_up`, raises FaceSetupError when the network cannot be run.
        """
        return FaceEngine(
            operating_point=self.operating_point,
            load_models=self._load_models,
            views=self.operating_point.views,
            cohort=self.cohort,
        )

    def _load_models(self) -> FaceModels:
        # Imported here, in a worker: the networks cost time and memory that the server's own
        # process need not pay.
        from biometrics.face.plugins.loading import (  # noqa: PLC0415 - see above
            load_face_models,
            rehearse,
        )
        from biometrics.face.plugins.onnx_embedder import EmbeddingError  # noqa: PLC0415 - as above
        from biometrics.face.runtime import RuntimeUnavailableError  # noqa: PLC0415 - as above

        try:
            models = load_face_models(
                self.model, directory=self.models_directory, precision=self.precision
            )
            return rehearse(models)
        except (
            ModelNotFoundError,
            ManifestError,
            WeightsError,
            EmbeddingError,
            RuntimeUnavailableError,
        ) as error:
            raise FaceSetupError(f"{self.model} cannot be run: {error}") from error


def make_face_setup(
    *,
    models_directory: Path,
    model: str = BUILT_IN,
    precision: Precision = Precision.FP32,
    operating_point: OperatingPoint = DEFAULT,
) -> FaceSetup:
    """A setup whose network is there and is the operating point's; its cohort is not yet known.

    Raises:
        FaceSetupError: The network is missing or broken, cannot make the operating point's views,
            or the operating point is another's.
    """
    manifest = _manifest(model, models_directory, precision)
    if not manifest.can_make(operating_point.views):
        raise FaceSetupError(
            f"the operating point is for {operating_point.views}, which needs two alignments:"
            f" {model} has one"
        )
    if manifest.template_digest(operating_point.views) != operating_point.model_digest:
        raise FaceSetupError(
            f"the operating point was set for another network than {model} at {precision}:"
            " calibrate one for it and name it in SUBID_OPERATING_POINT"
        )
    return FaceSetup(
        models_directory=models_directory,
        model=model,
        precision=precision,
        operating_point=operating_point,
    )


def read_cohort(setup: FaceSetup, content: bytes) -> Cohort:
    """A cohort for the network of a setup.

    Raises:
        FaceSetupError: It is no cohort, too small, or one of another network.
    """
    try:
        cohort = Cohort.from_bytes(content)
    except InvalidCohortError as error:
        raise FaceSetupError(f"no cohort: {error}") from error
    if cohort.model_digest != setup.model_digest:
        raise FaceSetupError("the cohort was made with another network than the one in force")
    if not cohort.is_large_enough:
        raise FaceSetupError(f"a cohort of {len(cohort)} people is too small to centre scores")
    return cohort


def load_operating_point(path: Path | None, *, trusted_key: Path | None = None) -> OperatingPoint:
    """The operating point of a file, or the provisional one.

    Args:
        path: The file that `biometrics calibrate` wrote.
        trusted_key: PEM file of the Ed25519 key that must have signed it.

    Raises:
        FaceSetupError: A file cannot be read, the operating point is broken or not signed by that
            key, or there is a key and nothing to be signed.
    """
    if path is None:
        if trusted_key is not None:
            raise FaceSetupError(f"{trusted_key} is to have signed an operating point: name it too")
        return DEFAULT
    try:
        key = None if trusted_key is None else _public_key(trusted_key)
        return from_json(path.read_bytes(), trusted_key=key)
    except (OSError, OperatingPointFileError) as error:
        raise FaceSetupError(f"{path}: {error}") from error


def refuse_unproven(
    operating_point: OperatingPoint, policy: VerificationPolicy, *, is_trusted: bool
) -> None:
    """Hold the operating point to a regulation's rates, if the policy has any.

    Args:
        operating_point: The thresholds in force.
        policy: What is demanded.
        is_trusted: Whether a key that the administrator named has signed it.

    Raises:
        FaceSetupError: It does not show them; the message lists what is missing.
    """
    rates = policy.regulated
    if rates is None:
        return
    missing = list(operating_point.shortfalls(fmr_max=rates.far_max, fnmr_max=rates.frr_max))
    missing += _overruled(operating_point, policy)
    if not is_trusted:
        missing.append("nobody vouches for it: name the key that signed it")
    if missing:
        raise FaceSetupError(
            f"the policy is regulated (FAR at most {percent(rates.far_max)}, FRR below"
            f" {percent(rates.frr_max)}, at 95 % confidence), and the operating point does not"
            f" show it: {'; '.join(missing)}"
        )


def _overruled(point: OperatingPoint, policy: VerificationPolicy) -> Iterator[str]:
    """Where the pack's distance decides and not the threshold that the rates were measured at."""
    distance_max = policy.face_dissimilarity_max
    for each in (point, point.fallback):
        # A distance that is the pack's is a non-match already, and a match at a threshold; that
        # one value between them is nobody's face.
        if each is None or not each.score_type.is_dissimilarity:
            continue
        if each.decision_threshold > distance_max:
            yield (
                f"its rates are those of a distance of {each.decision_threshold:g}, and the policy"
                f" takes none above {distance_max:g} for a match"
            )


def _manifest(model: str, directory: Path, precision: Precision) -> EmbedderManifest:
    if model == BUILT_IN:
        return replace(DLIB_RESNET29, precision=precision)
    if precision is not Precision.FP32:
        raise FaceSetupError(f"{precision} is for {BUILT_IN} only")
    try:
        return embedder_manifest(installed_embedder(directory, model).manifest)
    except (ModelNotFoundError, ManifestError, WeightsError) as error:
        raise FaceSetupError(str(error)) from error


def _public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise FaceSetupError(f"{path} is no public key in PEM: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise FaceSetupError(f"{path} is no Ed25519 key")
    return key
