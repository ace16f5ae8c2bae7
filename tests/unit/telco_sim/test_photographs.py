"""The library of photographed people: built in, from a folder, and unavailable."""

import hashlib
import io
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image

from telco_sim.camera import PortraitFormat
from telco_sim.photographs import (
    ARCHIVE_BYTES_MAX,
    ARCHIVE_NAME,
    ARCHIVE_SHA256,
    PhotographLibrary,
    PhotographsUnavailableError,
    default_cache,
    download_with_pip,
    read_archive,
)


@pytest.fixture(scope="module")
def built_in() -> PhotographLibrary:
    """The built-in library, or a skip where its photographs cannot be fetched."""
    try:
        return PhotographLibrary.built_in()
    except PhotographsUnavailableError as error:
        pytest.skip(str(error))


def save_photograph(path: Path, *, grey: int, size: tuple[int, int] = (250, 250)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (grey, grey, grey)).save(path)


def brightness(encoded: bytes) -> int:
    with Image.open(io.BytesIO(encoded)) as image:
        return int(np.asarray(image.convert("L"))[320, 240])


def test_three_people_are_built_in(built_in: PhotographLibrary) -> None:
    assert [person.name for person in built_in.people] == ["collins", "obama", "biden"]
    assert len({person.portrait() for person in built_in.people}) == 3


def test_a_built_in_portrait_is_chip_like(built_in: PhotographLibrary) -> None:
    for person in built_in.people:
        for portrait_format, name in (
            (PortraitFormat.JPEG, "JPEG"),
            (PortraitFormat.JPEG2000, "JPEG2000"),
        ):
            encoded = person.portrait(portrait_format=portrait_format)
            with Image.open(io.BytesIO(encoded)) as image:
                assert (image.format, image.size) == (name, (480, 640))
            assert 15_000 <= len(encoded) <= 30_000


def test_the_archive_in_the_cache_is_the_pinned_one(built_in: PhotographLibrary) -> None:
    assert built_in.people
    archive = default_cache() / ARCHIVE_NAME
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == ARCHIVE_SHA256
    assert set(read_archive(archive)) == {"obama.jpg", "obama3.jpg", "biden.jpg"}


def test_a_cached_archive_is_not_downloaded_again(
    built_in: PhotographLibrary, tmp_path: Path
) -> None:
    (tmp_path / ARCHIVE_NAME).write_bytes((default_cache() / ARCHIVE_NAME).read_bytes())

    def refuse(folder: Path) -> None:
        raise AssertionError(f"asked to download into {folder}")

    again = PhotographLibrary.built_in(cache=tmp_path, download=refuse)
    assert [person.name for person in again.people] == [person.name for person in built_in.people]


def test_being_offline_says_what_to_do(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half.tar.gz").write_bytes(b"half")

    with pytest.raises(PhotographsUnavailableError, match=r"did not arrive.*--photos"):
        PhotographLibrary.built_in(cache=tmp_path / "cache", download=fail)
    assert list((tmp_path / "cache").iterdir()) == []  # nothing half-done stays


def test_another_archive_is_refused_unread(tmp_path: Path) -> None:
    def deliver(folder: Path) -> None:
        (folder / ARCHIVE_NAME).write_bytes(b"\x1f\x8b not the one")

    with pytest.raises(PhotographsUnavailableError, match="not the pinned"):
        PhotographLibrary.built_in(cache=tmp_path, download=deliver)


def test_an_archive_that_is_too_large_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / ARCHIVE_NAME
    with archive.open("wb") as file:
        file.truncate(ARCHIVE_BYTES_MAX + 1)
    with pytest.raises(PhotographsUnavailableError, match="not the pinned"):
        read_archive(archive)


def test_the_cache_follows_the_users_setting(tmp_path: Path) -> None:
    assert default_cache(environment={"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "subid"
    assert default_cache(environment={}) == Path.home() / ".cache" / "subid"


def test_what_pip_says_is_passed_on(tmp_path: Path) -> None:
    with pytest.raises(PhotographsUnavailableError, match=r"pip said: ERROR.*face_recognition"):
        download_with_pip(tmp_path, options=("--isolated", "--no-index"))


def test_a_folder_holds_one_folder_for_each_person(tmp_path: Path) -> None:
    save_photograph(tmp_path / "Bình" / "Bình_0002.jpg", grey=200)
    save_photograph(tmp_path / "Bình" / "Bình_0001.jpg", grey=40)
    save_photograph(tmp_path / "An" / "An_0001.PNG", grey=120)
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "readme.txt").write_text("no photograph")
    save_photograph(tmp_path / "stray.jpg", grey=1)
    library = PhotographLibrary.from_folder(tmp_path)
    assert [(person.name, len(person.sources)) for person in library.people] == [
        ("An", 1),
        ("Bình", 2),
    ]


def test_the_first_photograph_is_the_portrait_and_the_others_are_probes(tmp_path: Path) -> None:
    save_photograph(tmp_path / "Bình" / "1.png", grey=20)
    save_photograph(tmp_path / "Bình" / "2.png", grey=220)
    [person] = PhotographLibrary.from_folder(tmp_path).people
    assert brightness(person.portrait()) < 40
    assert all(brightness(person.probe(generator=Random(seed))) > 120 for seed in range(5))


def test_a_single_photograph_gives_portrait_and_probes(tmp_path: Path) -> None:
    save_photograph(tmp_path / "An" / "1.png", grey=120)
    [person] = PhotographLibrary.from_folder(tmp_path).people
    generator = Random(3)
    probes = {person.probe(generator=generator) for _ in range(5)}
    assert len(probes) == 5
    assert person.portrait() not in probes


def test_a_library_can_be_limited(tmp_path: Path) -> None:
    for name in "abcde":
        save_photograph(tmp_path / name / "1.png", grey=120)
    library = PhotographLibrary.from_folder(tmp_path, people_max=2)
    assert [person.name for person in library.people] == ["a", "b"]


def test_a_folder_that_is_absent_or_empty_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PhotographsUnavailableError, match="no such folder"):
        PhotographLibrary.from_folder(tmp_path / "nowhere")
    with pytest.raises(PhotographsUnavailableError, match="at least one person"):
        PhotographLibrary.from_folder(tmp_path)


def test_a_turned_photograph_is_set_upright(tmp_path: Path) -> None:
    """EXIF orientation 6: the camera was held upright and stored the picture lying."""
    orientation_tag, turn_right = 0x0112, 6
    exif = Image.Exif()
    exif[orientation_tag] = turn_right
    (tmp_path / "An").mkdir()
    Image.new("RGB", (300, 200)).save(tmp_path / "An" / "1.jpg", exif=exif)
    [person] = PhotographLibrary.from_folder(tmp_path).people
    assert person.sources[0]().size == (200, 300)
