"""Where keys are kept: every source by one contract, a ring that a KMS has wrapped among them."""

import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap_with_padding,
    aes_key_wrap_with_padding,
)

from identity.security.key_source import (
    EnvironmentKeys,
    FileKeys,
    KeySource,
    KeySourceError,
    first_key_ring,
    open_key_source,
)
from identity.security.keys import (
    KeyFileError,
    KeyRing,
    format_key_ring,
    generate_key_ring,
    parse_key_ring,
    with_new_key,
)
from identity.state_directory import StateError, locked, write_whole


@dataclass(frozen=True)
class WrappedKeys:
    """What an adapter of a KMS does: the ring lies wrapped, and only the KMS can unwrap it.

    The KMS is AES key wrap (RFC 5649) with a key of its own.
    """

    path: Path
    key_encryption_key: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """The path."""
        return f"{self.path}, wrapped"

    def read(self) -> KeyRing | None:
        """Have the KMS unwrap the ring."""
        if not self.path.exists():
            return None
        try:
            text = aes_key_unwrap_with_padding(self.key_encryption_key, self.path.read_bytes())
        except InvalidUnwrap as error:
            raise KeySourceError(f"{self.name}: the KMS does not unwrap it") from error
        return parse_key_ring(text.decode("ascii"), origin=self.name)

    def exchange(self, old: KeyRing | None, new: KeyRing) -> None:
        """Have the KMS wrap another."""
        with locked(self.path.parent):
            if self.read() != old:
                raise KeySourceError(f"{self.name} was changed")
            text = format_key_ring(new).encode()
            wrapped = aes_key_wrap_with_padding(self.key_encryption_key, text)
            write_whole(self.path, wrapped, mode=0o600, may_replace=old is not None)


MakeSource = Callable[[Path], KeySource]
KEY_ENCRYPTION_KEY = os.urandom(32)
SOURCES: list[MakeSource] = [
    lambda path: FileKeys(path / "keys.json"),
    lambda path: WrappedKeys(path / "keys.wrapped", KEY_ENCRYPTION_KEY),
]


@pytest.fixture(params=SOURCES, ids=["file", "wrapped"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> KeySource:
    made: KeySource = request.param(tmp_path)
    return made


def test_nothing_is_there_until_keys_are_made(source: KeySource) -> None:
    assert source.read() is None
    ring = first_key_ring(source)
    assert source.read() == ring


def test_of_many_first_starts_one_makes_the_keys(source: KeySource) -> None:
    with ThreadPoolExecutor(8) as threads:
        rings = [threads.submit(first_key_ring, source) for _ in range(8)]
    assert {ring.result().index for ring in rings} == {first_key_ring(source).index}


def test_a_ring_is_exchanged_for_another_as_a_whole(source: KeySource) -> None:
    old = first_key_ring(source)
    new = with_new_key(old, key_id=2, is_active=True)
    source.exchange(old, new)
    assert source.read() == new


def test_a_ring_that_somebody_changed_meanwhile_is_not_overwritten(source: KeySource) -> None:
    old = first_key_ring(source)
    theirs = with_new_key(old, key_id=2, is_active=True)
    source.exchange(old, theirs)
    with pytest.raises(StateError):
        source.exchange(old, with_new_key(old, key_id=2, is_active=True))
    with pytest.raises(StateError):
        source.exchange(None, generate_key_ring())
    assert source.read() == theirs


def test_of_two_rotations_at_once_one_is_told(source: KeySource) -> None:
    old = first_key_ring(source)

    def rotate(_number: int) -> bool:
        try:
            source.exchange(old, with_new_key(old, key_id=2, is_active=True))
        except StateError:
            return False
        return True

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(rotate, range(4))) == [False, False, False, True]


def test_an_exchanged_file_is_still_its_owners_alone(tmp_path: Path) -> None:
    source = FileKeys(tmp_path / "keys.json")
    old = first_key_ring(source)
    source.exchange(old, with_new_key(old, key_id=2, is_active=True))
    assert stat.S_IMODE(source.path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.json"]


def test_a_file_that_others_can_read_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    source = FileKeys(tmp_path / "keys.json")
    old = first_key_ring(source)
    source.path.chmod(0o644)
    for act in (source.read, lambda: source.exchange(old, old), lambda: first_key_ring(source)):
        with pytest.raises(KeyFileError, match="chmod 600"):
            act()


def test_a_wrapped_ring_shows_no_key_and_needs_its_kms(tmp_path: Path) -> None:
    source = WrappedKeys(tmp_path / "keys.wrapped", KEY_ENCRYPTION_KEY)
    ring = first_key_ring(source)
    assert ring.index not in source.path.read_bytes()
    assert b"active_id" not in source.path.read_bytes()
    with pytest.raises(KeySourceError, match="does not unwrap"):
        WrappedKeys(source.path, os.urandom(32)).read()


def test_the_environment_holds_what_a_key_file_holds_and_is_never_changed() -> None:
    ring = generate_key_ring()
    source = EnvironmentKeys("SUBID_KEY_RING", format_key_ring(ring))
    assert source.read() == ring
    for old in (ring, None):
        with pytest.raises(KeySourceError, match="come from SUBID_KEY_RING"):
            source.exchange(old, generate_key_ring())
    assert source.read() == ring
    assert first_key_ring(source) == ring


@pytest.mark.parametrize("text", ["", "{}", "secret", '{"active_id": 1}'])
def test_an_environment_without_a_ring_is_told_and_not_shown(text: str) -> None:
    source = EnvironmentKeys("SUBID_KEY_RING", text)
    with pytest.raises(KeyFileError) as caught:
        source.read()
    assert str(caught.value) == "SUBID_KEY_RING is not a key file"
    assert "text" not in repr(source)


def test_a_setting_names_the_source(tmp_path: Path) -> None:
    assert open_key_source("file", state=tmp_path) == FileKeys(tmp_path / "keys.json")
    ring = generate_key_ring()
    source = open_key_source("environment", state=tmp_path, ring_text=format_key_ring(ring))
    assert source.read() == ring
    with pytest.raises(KeySourceError, match="SUBID_KEY_RING, and it is not set"):
        open_key_source("environment", state=tmp_path)
    with pytest.raises(KeySourceError, match="no key source 'vault'"):
        open_key_source("vault", state=tmp_path)


def wrapped_in(state: Path) -> KeySource:
    """What an installed adapter offers."""
    return WrappedKeys(state / "keys.wrapped", KEY_ENCRYPTION_KEY)


def broken_in(_state: Path) -> KeySource:
    """An adapter that trips over its own settings."""
    raise RuntimeError("https://user:password@kms.example")


def away_in(_state: Path) -> KeySource:
    """An adapter that says itself what is wrong."""
    raise KeySourceError("the KMS does not answer")


def installed(name: str) -> Callable[..., Iterable[EntryPoint]]:
    """Entry points as if an adapter were installed."""
    point = EntryPoint(name=name, value=f"{__name__}:{name}", group="subid.key_sources")

    def find(*, group: str, name: str) -> list[EntryPoint]:
        return [point] if (group, name) == (point.group, point.name) else []

    return find


def test_an_installed_adapter_is_a_source_like_the_others(tmp_path: Path) -> None:
    source = open_key_source("wrapped_in", state=tmp_path, plugins=installed("wrapped_in"))
    assert first_key_ring(source) == source.read()
    assert (tmp_path / "keys.wrapped").exists()


def test_an_adapter_that_does_not_start_is_told_without_its_secrets(tmp_path: Path) -> None:
    with pytest.raises(KeySourceError) as caught:
        open_key_source("broken_in", state=tmp_path, plugins=installed("broken_in"))
    assert str(caught.value) == "the key source 'broken_in' does not start: RuntimeError"
    with pytest.raises(KeySourceError, match="the KMS does not answer"):
        open_key_source("away_in", state=tmp_path, plugins=installed("away_in"))
