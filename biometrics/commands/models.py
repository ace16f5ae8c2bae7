"""`biometrics models`: which networks there are, put one in, check those that are there.

Owns asking for the licence, printing and exit codes. Nothing is fetched without being told to.
"""

from collections.abc import Callable, Iterator
from enum import IntEnum
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from biometrics.commands.networks import ModelsOption, default_models_directory
from biometrics.face.models import DLIB_RESNET29
from biometrics.face.plugins.install import InstallError, install
from biometrics.face.plugins.manifest import ManifestError, PluginManifest, parse_manifest
from biometrics.face.plugins.registry import (
    InstalledModel,
    ModelNotFoundError,
    installed_models,
    known_manifests,
    read_manifest,
)
from biometrics.face.weights import WeightsError, installed_weights

models_app = typer.Typer(no_args_is_help=True, help="Networks: list, install and verify them.")


class ExitCode(IntEnum):
    """How the commands end."""

    DONE = 0
    VERIFICATION_FAILED = 1
    REFUSED = 2


@models_app.command("list")
def list_models(models: ModelsOption = None) -> None:
    """Show the built-in network, the installed ones and those that can be installed."""
    installed = {model.manifest.name: model for model in _installed(_directory(models))}
    table = Table("name", "version", "kind", "licence", "state", "SHA-256 of the weights")
    built_in = DLIB_RESNET29
    table.add_row(
        built_in.name, built_in.version, "embedder", "CC0-1.0", "built in", built_in.weights_sha256
    )
    for model in installed.values():
        table.add_row(*_row(model.manifest, state="installed"))
    for manifest in known_manifests():
        if manifest.name not in installed:
            table.add_row(*_row(manifest, state="not installed"))
    Console(width=160).print(table)


@models_app.command("install")
def install_model(
    name: Annotated[str, typer.Argument(help="A name that `list` shows, or a manifest's path.")],
    source: Annotated[str, typer.Argument(help="The weights: a file or an https address.")],
    *,
    sha256: Annotated[
        str | None, typer.Option(help="What the SHA-256 must be, checked beside the manifest's.")
    ] = None,
    accept_licence: Annotated[
        str | None, typer.Option(help="The licence you accept, such as Apache-2.0.")
    ] = None,
    models: ModelsOption = None,
) -> None:
    """Install the weights of a model, when they have the digest that its manifest states."""
    try:
        manifest, text = _manifest(name)
        _refuse_other_digest(manifest, sha256)
        _accept(manifest, accept_licence)
        model = install(manifest, text=text, source=source, directory=_directory(models))
    except (InstallError, ManifestError, ModelNotFoundError, WeightsError, OSError) as error:
        _fail(str(error))
    typer.echo(f"installed {manifest.name} {manifest.version}: {model.path}")


@models_app.command("verify")
def verify_models(models: ModelsOption = None) -> None:
    """Check the weights of every model against its digest. Exit code 1: one is not what it says."""
    checks = [*_built_in_checks()]
    checks += [(model.manifest.name, model.verify) for model in _installed(_directory(models))]
    are_good = [_is_good(name, check) for name, check in checks]
    raise typer.Exit(ExitCode.DONE if all(are_good) else ExitCode.VERIFICATION_FAILED)


def _built_in_checks() -> Iterator[tuple[str, Callable[[], object]]]:
    """The network, and what finds and measures the face for every network."""
    # Imported on use: OpenCV and dlib cost 0.2 s, which the other commands need not pay.
    from biometrics.face import align, detect, embed  # noqa: PLC0415 - see above

    for manifest, file_name in (
        (DLIB_RESNET29, embed.WEIGHTS_FILE),
        (detect.MMOD, detect.WEIGHTS_FILE),
        (align.FIVE_POINTS, "shape_predictor_5_face_landmarks.dat"),
        (align.SIXTY_EIGHT_POINTS, "shape_predictor_68_face_landmarks.dat"),
    ):
        yield (
            manifest.name,
            partial(installed_weights, file_name, sha256=manifest.weights_sha256),
        )


def _is_good(name: str, check: Callable[[], object]) -> bool:
    try:
        check()
    except WeightsError as error:
        typer.echo(f"{name}: {error}")
        return False
    typer.echo(f"{name}: good")
    return True


def _installed(directory: Path) -> list[InstalledModel]:
    try:
        return list(installed_models(directory))
    except ManifestError as error:
        _fail(str(error))


def _directory(models: Path | None) -> Path:
    return models or default_models_directory()


def _row(manifest: PluginManifest, *, state: str) -> Iterator[Text]:
    """One line of the table; a manifest's brackets are text and no markup."""
    yield Text(manifest.name)
    yield Text(manifest.version)
    yield Text(manifest.kind)
    yield Text(manifest.licence)
    yield Text(state)
    yield Text(manifest.sha256)


def _manifest(name: str) -> tuple[PluginManifest, str]:
    """A manifest and its text: of a file when the name is the path of one, else one of ours."""
    path = Path(name)
    if path.suffix == ".toml":
        return read_manifest(path), path.read_text("utf-8")
    file = resources.files("biometrics.face.plugins") / "manifests" / f"{path.name}.toml"
    if path.name != name or not file.is_file():
        raise ModelNotFoundError(f"no manifest of {name} comes with the library")
    text = file.read_text("utf-8")
    return parse_manifest(text), text


def _refuse_other_digest(manifest: PluginManifest, sha256: str | None) -> None:
    if sha256 is not None and sha256.lower() != manifest.sha256:
        raise InstallError(f"--sha256 is not the manifest's {manifest.sha256}")


def _accept(manifest: PluginManifest, accepted: str | None) -> None:
    typer.echo(f"{manifest.name} {manifest.version}, {manifest.kind}, from {manifest.source}")
    typer.echo(f"licence of the weights: {manifest.licence}")
    if accepted is None:
        accepted = typer.prompt("Type the licence's name to accept it")
    if accepted != manifest.licence:
        raise InstallError(f"the licence {manifest.licence} was not accepted")


def _fail(message: str) -> NoReturn:
    typer.echo(f"error: {message}", err=True)
    raise typer.Exit(ExitCode.REFUSED)
