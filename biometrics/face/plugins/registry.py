"""Which models there are: the built-in one, those we know the manifest of, those installed.

Owns the models directory: one folder for each model, holding `manifest.toml` and the weights.
Refuses to fetch anything and to decide which model is used.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from biometrics.face.models import DLIB_RESNET29, EmbedderManifest
from biometrics.face.plugins.manifest import (
    MANIFEST_BYTES_MAX,
    ManifestError,
    ModelKind,
    PluginManifest,
    parse_manifest,
)
from biometrics.face.weights import WeightsError, check_bytes

BUILT_IN = DLIB_RESNET29.name
"""The network that is always there."""

MANIFEST_NAME = "manifest.toml"


class ModelNotFoundError(LookupError):
    """No model of this name is known or installed."""


@dataclass(frozen=True, kw_only=True)
class InstalledModel:
    """A model in the models directory.

    Attributes:
        manifest: What it is.
        path: Its file of weights.
    """

    manifest: PluginManifest
    path: Path

    def verify(self) -> None:
        """Check the weights against the manifest.

        Raises:
            WeightsError: As `read_weights`.
        """
        self.read_weights()

    def read_weights(self) -> bytes:
        """The network's file, checked: the bytes that were checked are the bytes to run.

        Raises:
            WeightsError: The file is missing, its SHA-256 differs, it is no ONNX, or it keeps
                weights in other files.
        """
        # Imported on use: onnx costs 0.2 s, which whoever only reads manifests need not pay.
        from biometrics.face.plugins.self_contained import check_self_contained  # noqa: PLC0415 - see above

        if not self.path.is_file():
            raise WeightsError(f"{self.path} is missing")
        try:
            weights = self.path.read_bytes()
        except OSError as error:
            raise WeightsError(f"{self.path} cannot be read") from error
        check_bytes(weights, name=self.path.name, sha256=self.manifest.sha256)
        check_self_contained(weights, name=self.path.name)
        return weights


def read_manifest(path: Path) -> PluginManifest:
    """A manifest from a file.

    Raises:
        ManifestError: It is not one.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(MANIFEST_BYTES_MAX + 1)
    if len(content) > MANIFEST_BYTES_MAX:
        raise ManifestError(f"more than {MANIFEST_BYTES_MAX} bytes")
    try:
        return parse_manifest(content.decode())
    except UnicodeDecodeError as error:
        raise ManifestError("not UTF-8") from error


def known_manifests() -> tuple[PluginManifest, ...]:
    """The manifests that come with the library; their weights do not."""
    folder = resources.files("biometrics.face.plugins") / "manifests"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return tuple(parse_manifest(f.read_text("utf-8")) for f in files if f.name.endswith(".toml"))


def installed_models(directory: Path) -> Iterator[InstalledModel]:
    """The models of a directory, by name; none when there is no directory.

    Raises:
        ManifestError: A manifest is broken, or names another model than its folder.
    """
    for path in sorted(directory.glob(f"*/{MANIFEST_NAME}")):
        yield _installed(path.parent)


def installed_model(directory: Path, name: str) -> InstalledModel:
    """One model of a directory.

    Raises:
        ModelNotFoundError: It is not installed.
        ManifestError: Its manifest is broken.
    """
    for model in installed_models(directory):
        if model.manifest.name == name:
            return model
    raise ModelNotFoundError(f"{name} is not installed in {directory}")


def installed_embedder(directory: Path, name: str) -> InstalledModel:
    """One installed embedder, its weights checked.

    Raises:
        ModelNotFoundError: It is not installed, or is no embedder.
        ManifestError: Its manifest is broken.
        WeightsError: Its weights are missing, others, or partly in other files.
    """
    model = installed_model(directory, name)
    if model.manifest.kind is not ModelKind.EMBEDDER:
        raise ModelNotFoundError(f"{name} is a {model.manifest.kind}, not an embedder")
    model.verify()
    return model


def embedder_manifest(manifest: PluginManifest) -> EmbedderManifest:
    """What an engine knows of an installed embedder.

    Raises:
        ManifestError: It is a detector's.
    """
    embedding, side_px = manifest.embedding, manifest.input.side_px
    if embedding is None or side_px is None:
        raise ManifestError(f"{manifest.name} is no embedder")
    return EmbedderManifest(
        name=manifest.name,
        version=manifest.version,
        weights_sha256=manifest.sha256,
        dimension=embedding.dimension,
        input_side_px=side_px,
        feeding=manifest.feeding,
        alignment_count=1,
    )


def _installed(folder: Path) -> InstalledModel:
    try:
        manifest = read_manifest(folder / MANIFEST_NAME)
    except ManifestError as error:
        raise ManifestError(f"{folder / MANIFEST_NAME}: {error}") from error
    except OSError as error:
        raise ManifestError(f"{folder / MANIFEST_NAME}: {error.strerror}") from error
    if manifest.name != folder.name:
        raise ManifestError(f"{folder / MANIFEST_NAME}: names {manifest.name}, not its folder")
    return InstalledModel(manifest=manifest, path=folder / manifest.file)
