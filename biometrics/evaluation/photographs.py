"""The photographs of an evaluation as templates, each read once.

Owns reading files, the failures to acquire and a folder of templates that are already made. Refuses
to know pairs and scores. A folder of templates holds biometric data: it is written only where the
caller asked for it.
"""

import errno
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from biometrics.face.acquisition import Acquisition, InvalidTemplateError, Template

PHOTOGRAPH_BYTES_READ_MAX = 8 * 1024 * 1024 + 1
"""One byte more than an engine accepts, so that it refuses a larger file and not half of one."""


class PhotographError(ValueError):
    """A photograph of the list could not be read."""


class Acquirer(Protocol):
    """What makes a template of photographs; `FaceEngine` does."""

    def probe(self, images: list[bytes]) -> Acquisition:
        """The template of one person's photographs."""
        ...


@dataclass(frozen=True, kw_only=True)
class Photographs:
    """What became of the photographs.

    Attributes:
        templates: Path to template, for those that gave one.
        failures: Path to the reason, for the others.
        digest: SHA-256 over the content of all photographs, in the order of their paths.
    """

    templates: Mapping[str, Template]
    failures: Mapping[str, str]
    digest: str


class TemplateFolder:
    """Templates and failures by content of the photograph and by engine, in a private folder."""

    def __init__(self, folder: Path, *, engine_mark: str) -> None:
        """Use a private folder, made when absent.

        A folder that others may enter is refused and not closed: it may be theirs as well.

        Args:
            folder: Where the files lie.
            engine_mark: What changes when the engine would give another answer.

        Raises:
            OSError: The folder cannot be made, or is open to others.
        """
        self._folder = folder
        self._mark = engine_mark
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            raise PermissionError(errno.EACCES, "open to other users: needs mode 0700", str(folder))

    def read(self, image: bytes) -> Template | str | None:
        """The template, or the failure, of a photograph seen before; None for a new one."""
        path = self._path(image)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if data.startswith(b"failure:"):
            return data.removeprefix(b"failure:").decode("ascii", "replace")
        try:
            return Template.from_bytes(data)
        except InvalidTemplateError:
            # A file that was cut off while it was written is made again.
            return None

    def write(self, image: bytes, outcome: Template | str) -> None:
        """Keep the outcome of a photograph."""
        if isinstance(outcome, Template):
            data = outcome.to_bytes()
        else:
            data = b"failure:" + outcome.encode("ascii")
        path = self._path(image)
        path.touch(mode=0o600)
        path.write_bytes(data)

    def _path(self, image: bytes) -> Path:
        name = hashlib.sha256(self._mark.encode() + b"\0" + image).hexdigest()
        return self._folder / name


def acquire_photographs(
    paths: Iterable[str],
    *,
    root: Path,
    engine: Acquirer,
    folder: TemplateFolder | None = None,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Photographs:
    """A template, or the reason why there is none, for each photograph.

    Args:
        paths: Relative to `root`.
        root: Where the photographs lie.
        engine: What makes templates.
        folder: Templates already made; without one, each is made.
        on_progress: Told how many photographs are done, after each.

    Raises:
        PhotographError: A file cannot be read or lies outside the root.
        OSError: The folder of templates cannot be used.
    """
    templates: dict[str, Template] = {}
    failures: dict[str, str] = {}
    digest = hashlib.sha256()
    for done, path in enumerate(sorted(set(paths)), start=1):
        image = read_photograph(path, root=root)
        digest.update(hashlib.sha256(image).digest())
        outcome = _outcome(image, engine=engine, folder=folder)
        if isinstance(outcome, Template):
            templates[path] = outcome
        else:
            failures[path] = outcome
        on_progress(done)
    return Photographs(templates=templates, failures=failures, digest=digest.hexdigest())


def read_photograph(path: str, *, root: Path) -> bytes:
    """The bytes of a file below `root`.

    Raises:
        PhotographError: The file cannot be read or lies outside the root.
    """
    try:
        file = (root / path).resolve(strict=True)
        if not file.is_relative_to(root.resolve()):
            raise PhotographError(f"{path} leads out of the folder of the photographs")
        if not file.is_file():
            # A pipe would make the tool wait for ever, a device would fill its memory.
            raise PhotographError(f"{path} is not a file")
        with file.open("rb") as stream:
            return stream.read(PHOTOGRAPH_BYTES_READ_MAX)
    except OSError as error:
        raise PhotographError(f"{path}: {error.strerror}") from error
    except RuntimeError as error:  # what Python 3.11 makes of links that lead in a circle
        raise PhotographError(f"{path}: {error}") from error


def _outcome(image: bytes, *, engine: Acquirer, folder: TemplateFolder | None) -> Template | str:
    known = folder.read(image) if folder else None
    if known is not None:
        return known
    acquisition = engine.probe([image])
    outcome = acquisition.template or str(acquisition.failure)
    if folder:
        folder.write(image, outcome)
    return outcome
