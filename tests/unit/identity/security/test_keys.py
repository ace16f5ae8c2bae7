"""The key file: private, whole or refused, and never overwritten."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from identity.security.keys import (
    KEY_BYTES,
    KeyFileError,
    generate_key_ring,
    read_key_ring,
    with_new_key,
    without_key,
    write_key_ring,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def test_keys_come_back_as_they_were_written(path: Path) -> None:
    ring = generate_key_ring()
    write_key_ring(path, ring)
    assert read_key_ring(path) == ring


def test_fresh_keys_are_long_and_unlike(path: Path) -> None:
    first, second = generate_key_ring(), generate_key_ring()
    keys = [first.index, second.index, first.sealing[1], second.sealing[1]]
    assert {len(key) for key in keys} == {KEY_BYTES}
    assert len(set(keys)) == 4
    assert not path.exists()


def test_the_file_is_its_owners_alone_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        write_key_ring(path, generate_key_ring())
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o602, 0o601])
def test_a_file_that_others_can_touch_is_refused(path: Path, mode: int) -> None:
    write_key_ring(path, generate_key_ring())
    path.chmod(mode)
    with pytest.raises(KeyFileError, match="chmod 600"):
        read_key_ring(path)


def test_keys_are_never_overwritten(path: Path) -> None:
    write_key_ring(path, first := generate_key_ring())
    with pytest.raises(FileExistsError):
        write_key_ring(path, generate_key_ring())
    assert read_key_ring(path) == first


def test_a_damaged_file_is_refused_and_left_as_it_is(path: Path) -> None:
    write_key_ring(path, generate_key_ring())
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:length])
        with pytest.raises(KeyFileError):
            read_key_ring(path)
        assert path.read_bytes() == whole[:length]


def drop(name: str) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.pop(name)


def put(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda document: document.update({name: value})


@pytest.mark.parametrize(
    "damage",
    [
        drop("active_id"),
        drop("sealing"),
        drop("index"),
        put("active_id", 2),
        put("active_id", None),
        put("sealing", {}),
        put("sealing", {"1": "c2hvcnQ="}),
        put("sealing", {"one": "A" * 43 + "="}),
        put("sealing", {"1": "not base64!"}),
        put("sealing", ["A" * 43 + "="]),
        put("index", "c2hvcnQ="),
        put("index", 7),
        put("index", "é" * 44),
    ],
)
def test_a_file_that_lacks_what_it_must_hold_is_refused(
    path: Path, damage: Callable[[dict[str, Any]], object]
) -> None:
    write_key_ring(path, generate_key_ring())
    document = json.loads(path.read_text())
    damage(document)
    path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError):
        read_key_ring(path)


@pytest.mark.parametrize("active_id", [0, -1, 2**32])
def test_a_key_number_that_the_sealed_format_cannot_hold_is_refused(
    path: Path, active_id: int
) -> None:
    write_key_ring(path, generate_key_ring())
    document = json.loads(path.read_text())
    document["sealing"] = {str(active_id): document["sealing"]["1"]}
    document["active_id"] = active_id
    path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError):
        read_key_ring(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"{}"])
def test_anything_else_is_no_key_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError):
        read_key_ring(path)


def test_no_message_and_no_repr_shows_a_key(path: Path) -> None:
    ring = generate_key_ring()
    write_key_ring(path, ring)
    document = json.loads(path.read_text())
    assert document["index"] not in repr(ring)
    assert ring.index.hex() not in repr(ring)
    assert repr(ring.index) not in repr(ring)
    document["sealing"]["1"] = document["sealing"]["1"][:-4]
    path.write_text(json.dumps(document))
    with pytest.raises(KeyFileError) as caught:
        read_key_ring(path)
    assert document["index"][:12] not in str(caught.value)
    assert document["sealing"]["1"][:12] not in str(caught.value)


def test_an_empty_key_file_is_refused_and_left(path: Path) -> None:
    path.touch(mode=0o600)
    with pytest.raises(KeyFileError, match="is not a key file"):
        read_key_ring(path)
    assert path.read_bytes() == b""


def test_a_new_key_seals_at_once_or_waits_and_the_old_ones_stay() -> None:
    ring = generate_key_ring()
    active = with_new_key(ring, key_id=2, is_active=True)
    staged = with_new_key(ring, key_id=7, is_active=False)
    assert (active.active_id, staged.active_id) == (2, 1)
    assert active.sealing[1] == staged.sealing[1] == ring.sealing[1]
    assert len({ring.sealing[1], active.sealing[2], staged.sealing[7]}) == 3
    assert active.index == staged.index == ring.index


@pytest.mark.parametrize("key_id", [1, 0, -1, 2**32])
def test_no_new_key_takes_the_number_of_another_or_one_that_no_value_can_name(key_id: int) -> None:
    with pytest.raises(KeyFileError, match="can have the number"):
        with_new_key(generate_key_ring(), key_id=key_id, is_active=True)


def test_only_an_old_key_leaves_the_ring() -> None:
    ring = with_new_key(generate_key_ring(), key_id=2, is_active=True)
    assert set(without_key(ring, 1).sealing) == {2}
    with pytest.raises(KeyFileError, match="rotate first"):
        without_key(ring, 2)
    with pytest.raises(KeyFileError, match="no key 3"):
        without_key(ring, 3)
