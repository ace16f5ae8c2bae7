"""Whose photographs the simulated people use.

Owns the library of photographed people: a folder given by the user, or a built-in set of three
well-known people, so that a demonstration works everywhere. It refuses to know which citizen
borrows which face. Two of the built-in people come from the test photographs in the source
distribution of face_recognition 1.3.0, fetched by pip from the user's package index, pinned by
digest, kept in a cache and read in place: nothing is unpacked to disk.
"""

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from PIL import Image, ImageOps

from telco_sim.camera import (
    FramedHead,
    HeadFinder,
    PortraitFormat,
    take_portrait,
    take_probe,
)

ARCHIVE_NAME = "face_recognition-1.3.0.tar.gz"
ARCHIVE_SHA256 = "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec"
ARCHIVE_BYTES_MAX = 8_000_000

_MEMBER_FOLDER = "face_recognition-1.3.0/tests/test_images"
_MEMBER_BYTES_MAX = 1_000_000
_BUILT_IN_MEMBERS = {
    "obama": ("obama.jpg", "obama3.jpg"),
    "biden": ("biden.jpg",),
}
"""Photographs with one whole face each, the portrait first, then those that lie near it.

`obama2.jpg` is left out: some probes made of it lie at the edge of a threshold of 0.40.
"""

_PHOTOGRAPH_SUFFIXES = (".jpg", ".jpeg", ".png")
_DOWNLOAD_TIMEOUT_S = 120

Source = Callable[[], Image.Image]
"""Reads and decodes one photograph, upright."""

Download = Callable[[Path], None]
"""Puts the archive into a folder, under `ARCHIVE_NAME`."""


class PhotographsUnavailableError(Exception):
    """No photographs can be had; the message says what the user can do."""


@dataclass(frozen=True)
class PhotographedPerson:
    """One person and where their photographs come from.

    Attributes:
        name: Folder name, or a built-in name.
        sources: Read one photograph each; the first gives the portrait, the others the probes.
            Of a person with a single photograph, probes are variations of that one.
        head_finder: Finds the face in each of them; shared by a library.
    """

    name: str
    sources: tuple[Source, ...]
    head_finder: HeadFinder

    def portrait(self, *, portrait_format: PortraitFormat = PortraitFormat.JPEG) -> bytes:
        """Return the chip portrait, 480 x 640, at most 30,000 bytes; the same at each call."""
        return take_portrait(self._heads[0], portrait_format=portrait_format)

    def probe(self, *, generator: Random) -> bytes:
        """Return a probe as a phone takes it, 480 x 640 JPEG, different at each call.

        Args:
            generator: Source of chance; the same state gives the same bytes.
        """
        candidates = self._heads[1:] or self._heads
        return take_probe(generator.choice(candidates), generator=generator)

    @cached_property
    def _heads(self) -> tuple[FramedHead, ...]:
        return tuple(self.head_finder.frame(read()) for read in self.sources)


@dataclass(frozen=True, slots=True)
class PhotographLibrary:
    """The people whose photographs there are, in a stable order."""

    people: tuple[PhotographedPerson, ...]

    def __post_init__(self) -> None:
        if not self.people:
            raise PhotographsUnavailableError("a photograph library needs at least one person")

    @classmethod
    def from_folder(cls, folder: Path, *, people_max: int | None = None) -> "PhotographLibrary":
        """Read a folder with one folder for each person, as Labeled Faces in the Wild has it.

        Nothing is decoded yet; folders without a photograph are left out.

        Args:
            folder: Its folders are people, their JPEG and PNG files photographs, both sorted.
            people_max: Take the first so many people.

        Raises:
            PhotographsUnavailableError: The folder is absent or holds no photograph.
        """
        if not folder.is_dir():
            raise PhotographsUnavailableError(f"no such folder of photographs: {folder}")
        head_finder = HeadFinder()
        people = []
        for person_folder in sorted(each for each in folder.iterdir() if each.is_dir()):
            files = sorted(_photographs_in(person_folder))
            if files:
                sources = tuple(_read_file(file) for file in files)
                people.append(PhotographedPerson(person_folder.name, sources, head_finder))
            if len(people) == people_max:
                break
        return cls(tuple(people))

    @classmethod
    def built_in(
        cls, *, cache: Path | None = None, download: Download | None = None
    ) -> "PhotographLibrary":
        """Return three people who are everywhere to be had.

        Args:
            cache: Folder that keeps the archive; by default `default_cache()`.
            download: Gets the archive; by default pip, from the package index it is set to.

        Raises:
            PhotographsUnavailableError: The archive is neither in the cache nor to be downloaded,
                or is not the one that is pinned.
        """
        archive = _archive(cache or default_cache(), download=download or download_with_pip)
        photographs = read_archive(archive)
        sources: dict[str, tuple[Source, ...]] = {"collins": (_read_astronaut,)}
        for name, members in _BUILT_IN_MEMBERS.items():
            sources[name] = tuple(_read_bytes(photographs[member]) for member in members)
        head_finder = HeadFinder()
        return cls(
            tuple(PhotographedPerson(name, each, head_finder) for name, each in sources.items())
        )


def default_cache(*, environment: Mapping[str, str] | None = None) -> Path:
    """Return the folder for downloads: `subid` in XDG_CACHE_HOME, or in ~/.cache.

    Args:
        environment: Environment variables; by default those of this process.
    """
    configured = (os.environ if environment is None else environment).get("XDG_CACHE_HOME")
    return (Path(configured) if configured else Path.home() / ".cache") / "subid"


def download_with_pip(folder: Path, *, options: Sequence[str] = ()) -> None:
    """Download the source distribution of face_recognition 1.3.0 with pip.

    pip asks a source distribution for its metadata, which runs its setup script; it does so
    only after the archive has shown the pinned digest.

    Args:
        folder: Where to put it.
        options: More options of `pip download`, for example another index.

    Raises:
        PhotographsUnavailableError: pip failed: not installed, offline, or another digest.
    """
    requirements = folder / "requirements.txt"
    requirements.write_text(f"face_recognition==1.3.0 --hash=sha256:{ARCHIVE_SHA256}\n")
    command = (
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--no-deps", "--no-build-isolation", "--no-binary", "face_recognition"),
        *("--require-hashes", "--requirement", str(requirements), "--dest", str(folder)),
        *("--retries", "1", *options),
    )
    try:
        subprocess.run(  # noqa: S603 - the command is all our own, nothing of it comes from outside
            command, check=True, capture_output=True, text=True, timeout=_DOWNLOAD_TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise PhotographsUnavailableError(_advice("pip took too long")) from error
    except subprocess.CalledProcessError as error:
        last_line = (error.stderr.strip().splitlines() or ["no message"])[-1]
        raise PhotographsUnavailableError(_advice(f"pip said: {last_line}")) from error


def read_archive(archive: Path) -> dict[str, bytes]:
    """Return the built-in photographs, encoded, by file name.

    Only the named members are read, each only if it is a regular file of a bounded size.

    Raises:
        PhotographsUnavailableError: The archive is not the pinned one, or a member is missing.
    """
    content = archive.read_bytes() if archive.stat().st_size <= ARCHIVE_BYTES_MAX else b""
    if hashlib.sha256(content).hexdigest() != ARCHIVE_SHA256:
        raise PhotographsUnavailableError(
            f"{archive} is not the pinned {ARCHIVE_NAME}: remove it and try again"
        )
    names = [name for members in _BUILT_IN_MEMBERS.values() for name in members]
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as opened:
        return {name: _read_member(opened, name) for name in names}


def _read_member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(f"{_MEMBER_FOLDER}/{name}")
    reader = archive.extractfile(member)
    if reader is None or not member.isreg() or member.size > _MEMBER_BYTES_MAX:
        raise PhotographsUnavailableError(f"{name} in {ARCHIVE_NAME} is not a photograph")
    return reader.read(_MEMBER_BYTES_MAX)


def _archive(cache: Path, *, download: Download) -> Path:
    """Return the archive from the cache, downloaded if need be.

    It is put in place by a rename, so that a second simulation never sees half of it.
    """
    archive = cache / ARCHIVE_NAME
    if archive.is_file():
        return archive
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as temporary:
        download(Path(temporary))
        downloaded = Path(temporary) / ARCHIVE_NAME
        if not downloaded.is_file():
            raise PhotographsUnavailableError(_advice(f"{ARCHIVE_NAME} did not arrive"))
        downloaded.replace(archive)
    return archive


def _advice(problem: str) -> str:
    return (
        f"the built-in photographs cannot be fetched ({problem}); go online once, or put "
        f"{ARCHIVE_NAME} into the cache, or give a folder of your own with --photos, "
        "one folder for each person"
    )


def _photographs_in(folder: Path) -> Sequence[Path]:
    return [each for each in folder.iterdir() if each.suffix.lower() in _PHOTOGRAPH_SUFFIXES]


def _read_file(path: Path) -> Source:
    return lambda: _decode(path.read_bytes())


def _read_bytes(content: bytes) -> Source:
    return lambda: _decode(content)


def _decode(content: bytes) -> Image.Image:
    """Decode a photograph and turn it upright as its camera noted."""
    with Image.open(io.BytesIO(content)) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _read_astronaut() -> Image.Image:
    """Return Eileen Collins (NASA, public domain), cropped to the head.

    A face detector takes the helmet beside her for a second face.
    """
    try:
        from skimage import data  # noqa: PLC0415 - an optional extra, and slow to import
    except ImportError as error:
        raise PhotographsUnavailableError(
            "one built-in photograph comes with scikit-image: install subid[sim]"
        ) from error
    left, upper, right, lower = 90, 0, 350, 300
    pixels = data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image types only a part
    return Image.fromarray(pixels[upper:lower, left:right])
