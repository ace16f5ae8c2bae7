"""Put a model's weights into the models directory, checked.

Owns fetching, the digest check and the move into place: a model is there whole or not at all.
Refuses to ask anybody: whether the licence was accepted is the caller's to know.
"""

import hashlib
import os
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from biometrics.face.plugins.manifest import PluginManifest
from biometrics.face.plugins.registry import (
    BUILT_IN,
    MANIFEST_NAME,
    InstalledModel,
    installed_models,
)
from biometrics.face.weights import WeightsError

WEIGHTS_BYTES_MAX = 1024 * 1024 * 1024
"""The largest published face networks take some 400 MB."""

FETCH_TIMEOUT_S = 60.0
"""For each read, so that a silent server does not hold the command for ever."""

_CHUNK_BYTES = 1024 * 1024

Open = Callable[[str], IO[bytes]]
"""Opens an https address for reading."""


class InstallError(Exception):
    """A model that was not installed; the message says why."""


def open_url(url: str) -> IO[bytes]:
    """Open an https address.

    Raises:
        InstallError: The address, or one that it redirects to, is not https.
    """
    response = urllib.request.urlopen(url, timeout=FETCH_TIMEOUT_S)  # noqa: S310 - `_source` admits https only, and a redirect is checked below
    if urlsplit(response.url).scheme != "https":
        response.close()
        raise InstallError("the address redirects to one that is not https")
    stream: IO[bytes] = response
    return stream


def install(
    manifest: PluginManifest, *, text: str, source: str, directory: Path, opener: Open = open_url
) -> InstalledModel:
    """Copy weights from a file or an https address into the models directory.

    Args:
        manifest: What is installed; its SHA-256 decides.
        text: The manifest as it is written, kept beside the weights.
        source: Path of a file, or an https address.
        directory: The models directory; made when there is none.
        opener: Opens the address.

    Raises:
        InstallError: The source cannot be read, is too large, or clashes with what is installed.
        WeightsError: The SHA-256 differs, it is no ONNX, or it keeps weights in other files;
            nothing was installed.
    """
    _refuse_clash(manifest, directory)
    directory.mkdir(parents=True, exist_ok=True)
    # Beside its final place, so that the move is one rename on one file system.
    with tempfile.TemporaryDirectory(dir=directory, prefix=".installing-") as temporary:
        staged = Path(temporary) / manifest.name
        staged.mkdir()
        try:
            with _source(source, opener) as stream:
                digest = _copy(stream, staged / manifest.file)
        except OSError as error:
            raise InstallError(f"{source}: {error}") from error
        if digest != manifest.sha256:
            raise WeightsError(f"{source} has SHA-256 {digest}, expected {manifest.sha256}")
        InstalledModel(manifest=manifest, path=staged / manifest.file).verify()
        (staged / MANIFEST_NAME).write_text(text, encoding="utf-8")
        _move(staged, directory / manifest.name)
    return InstalledModel(manifest=manifest, path=directory / manifest.name / manifest.file)


def _refuse_clash(manifest: PluginManifest, directory: Path) -> None:
    """One name, one model; one network, one way to feed it.

    A network was trained with one way. A second is a slip, and its templates compare with no
    others.
    """
    if manifest.name == BUILT_IN:
        raise InstallError(f"{BUILT_IN} is built in")
    for model in installed_models(directory):
        other = model.manifest
        if other.name == manifest.name and other.sha256 != manifest.sha256:
            raise InstallError(f"another {manifest.name} is installed: remove {model.path.parent}")
        if other.sha256 == manifest.sha256 and other.feeding != manifest.feeding:
            raise InstallError(f"{other.name} has the same weights and feeds them in another way")


@contextmanager
def _source(source: str, opener: Open) -> Iterator[IO[bytes]]:
    scheme = urlsplit(source).scheme
    if "://" in source and scheme != "https":
        raise InstallError(f"{source}: a file or an https address, not {scheme}")
    with opener(source) if scheme == "https" else Path(source).open("rb") as stream:
        yield stream


def _copy(stream: IO[bytes], path: Path) -> str:
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as file:
        while chunk := stream.read(_CHUNK_BYTES):
            size += len(chunk)
            if size > WEIGHTS_BYTES_MAX:
                raise InstallError(f"more than {WEIGHTS_BYTES_MAX} bytes")
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()


def _move(staged: Path, place: Path) -> None:
    if place.exists():
        shutil.rmtree(place)
    staged.rename(place)
