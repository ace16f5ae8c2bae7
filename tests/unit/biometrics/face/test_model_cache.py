"""A network is translated once, believed only when whole, and needs no cache to work."""

import os
from pathlib import Path

import pytest

from biometrics.face.model_cache import MAGIC, kept, user_cache_directory


class Counted:
    """Makes bytes and counts how often it was asked."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.calls = 0

    def __call__(self) -> bytes:  # noqa: D102 - the class says it
        self.calls += 1
        return self._body


def test_what_was_made_once_is_not_made_again(tmp_path: Path) -> None:
    make = Counted(b"network")
    assert [kept("key", make=make, directory=tmp_path / "new") for _ in range(3)] == [
        b"network"
    ] * 3
    assert make.calls == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["key.model"]
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700


def test_each_key_has_its_own_file(tmp_path: Path) -> None:
    assert kept("one", make=Counted(b"1"), directory=tmp_path) == b"1"
    assert kept("two", make=Counted(b"2"), directory=tmp_path) == b"2"
    assert kept("one", make=Counted(b"3"), directory=tmp_path) == b"1"


@pytest.mark.parametrize(
    "broken",
    [b"", b"network", MAGIC, MAGIC + bytes(32) + b"network", b"x" * 200],
)
def test_a_broken_file_is_made_again(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "key.model").write_bytes(broken)
    make = Counted(b"network")
    assert kept("key", make=make, directory=tmp_path) == b"network"
    assert kept("key", make=make, directory=tmp_path) == b"network"
    assert make.calls == 1


def test_one_changed_bit_is_noticed(tmp_path: Path) -> None:
    kept("key", make=Counted(b"network"), directory=tmp_path)
    path = tmp_path / "key.model"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    make = Counted(b"network")
    assert kept("key", make=make, directory=tmp_path) == b"network"
    assert make.calls == 1


def test_a_directory_that_cannot_be_made_changes_nothing_but_the_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    make = Counted(b"network")
    for _ in range(2):
        assert kept("key", make=make, directory=tmp_path / "file" / "below") == b"network"
    assert make.calls == 2


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "key.model").mkdir()  # a file cannot be moved onto a directory
    assert kept("key", make=Counted(b"network"), directory=tmp_path) == b"network"
    assert [path.name for path in tmp_path.iterdir()] == ["key.model"]


@pytest.mark.skipif(os.getuid() != 0, reason="only the superuser may give files away")
def test_a_file_of_somebody_else_is_not_believed(tmp_path: Path) -> None:
    kept("key", make=Counted(b"theirs"), directory=tmp_path)
    os.chown(tmp_path / "key.model", 12345, 12345)
    assert kept("key", make=Counted(b"ours"), directory=tmp_path) == b"ours"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/subid/models"),
        ({"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache/subid/models"),
        ({"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/subid/models"),
        ({"HOME": "/h"}, "/h/.cache/subid/models"),
        ({}, "/nonexistent/.cache/subid/models"),
    ],
)
def test_the_directory_follows_the_xdg_specification(
    environment: dict[str, str], expected: str
) -> None:
    assert user_cache_directory(environment) == Path(expected)
