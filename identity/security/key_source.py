"""Where the key ring is kept: the one interface that a KMS or an HSM implements.

Owns that interface, its two default implementations (a file, an environment variable) and how a
setting names one. Knows nothing of what keys are used for. An implementation of somebody else's is
an entry point of the group `subid.key_sources`: a function that takes the state directory and
returns a `KeySource`. How one with a KMS has to work: docs/operating/keys.md.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Protocol

from identity.security.keys import (
    KeyRing,
    generate_key_ring,
    parse_key_ring,
    read_key_ring,
    write_key_ring,
)
from identity.state_directory import StateError, locked

ENTRY_POINTS = "subid.key_sources"
FILE = "file"
ENVIRONMENT = "environment"


class KeySourceError(StateError):
    """Keys that cannot be had or changed where they are kept."""


class KeySource(Protocol):
    """Keeps the key ring.

    Attributes:
        name: What an administrator knows the place by; never a secret.
    """

    @property
    def name(self) -> str:
        """What an administrator knows the place by."""
        ...

    def read(self) -> KeyRing | None:
        """The ring as it is now, or None when none was ever made.

        A running service asks every few seconds, from several threads.

        Raises:
            StateError: It cannot be had, or is damaged: never to be taken for None.
        """
        ...

    def exchange(self, old: KeyRing | None, new: KeyRing) -> None:
        """Put a ring in the place of another, as a whole and for good.

        Raises:
            StateError: It was not `old` that was there, or the place cannot be written. What was
                there is there still.
        """
        ...


@dataclass(frozen=True, slots=True)
class FileKeys:
    """A ring in a file that only its owner can read."""

    path: Path

    @property
    def name(self) -> str:
        """The path."""
        return str(self.path)

    def read(self) -> KeyRing | None:
        """The ring in the file, or None without a file.

        Raises:
            KeyFileError: Others may read the file, or it is damaged.
        """
        try:
            return read_key_ring(self.path)
        except FileNotFoundError:
            return None

    def exchange(self, old: KeyRing | None, new: KeyRing) -> None:
        """Write the file anew, alone.

        Raises:
            KeySourceError: Somebody else changed it in between.
            KeyFileError: As for `read`.
        """
        with locked(self.path.parent):
            if self.read() != old:
                raise KeySourceError(f"{self.path} was changed by somebody else: try again")
            write_key_ring(self.path, new, may_replace=old is not None)


@dataclass(frozen=True, slots=True)
class EnvironmentKeys:
    """A ring in an environment variable, put there by whoever starts the service.

    Attributes:
        name: The variable.
        text: Its value: what a key file holds.
    """

    name: str
    text: str = field(repr=False)

    def read(self) -> KeyRing | None:
        """The ring in the variable.

        Raises:
            KeyFileError: It is no ring.
        """
        return parse_key_ring(self.text, origin=self.name)

    def exchange(self, old: KeyRing | None, new: KeyRing) -> None:
        """Refuse.

        Raises:
            KeySourceError: A process cannot change what it will be started with.
        """
        del old, new
        raise KeySourceError(f"the keys come from {self.name}: change them where it is set")


def first_key_ring(source: KeySource) -> KeyRing:
    """Fresh keys, kept; of several processes that come at once one makes them.

    Raises:
        StateError: They cannot be kept.
    """
    ring = generate_key_ring()
    try:
        source.exchange(None, ring)
    except StateError:
        made = source.read()
        if made is None:
            raise
        return made
    return ring


def open_key_source(
    kind: str,
    *,
    state: Path,
    ring_text: str | None = None,
    plugins: Callable[..., Iterable[EntryPoint]] = entry_points,
) -> KeySource:
    """The source that a setting names.

    Args:
        kind: `file`, `environment`, or an entry point of `subid.key_sources`.
        state: The state directory.
        ring_text: What the environment holds of a ring.
        plugins: Finds entry points, as `importlib.metadata.entry_points` does.

    Raises:
        KeySourceError: There is no such source, or it does not start.
    """
    if kind == FILE:
        return FileKeys(state / "keys.json")
    if kind == ENVIRONMENT:
        if ring_text is None:
            raise KeySourceError("the keys are to come from SUBID_KEY_RING, and it is not set")
        return EnvironmentKeys("SUBID_KEY_RING", ring_text)
    for found in plugins(group=ENTRY_POINTS, name=kind):
        return _started(found, state)
    raise KeySourceError(f"no key source {kind!r} is installed")


def _started(found: EntryPoint, state: Path) -> KeySource:
    try:
        source: KeySource = found.load()(state)
    except StateError:
        raise
    except Exception as error:
        # Its text may hold an address with a password in it.
        raise KeySourceError(
            f"the key source {found.name!r} does not start: {type(error).__name__}"
        ) from error
    return source
