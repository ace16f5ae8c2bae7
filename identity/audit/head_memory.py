"""The newest head that somebody signed or saw, remembered in a file beside their key.

Owns the file: one signed note, there as a whole or not at all, for who seals and for a witness.
Judges no head, and knows no database: a memory that lay there could be cut off with the log.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from identity.audit.checkpoint import NOTE_LENGTH_MAX, NoteRefusedError, TreeHead, parse_note
from identity.state_directory import locked, read_whole, sync_directory, write_whole


@dataclass(frozen=True, slots=True)
class HeadMemory:
    """The last head, as a signed note in a file."""

    path: Path

    def read(self) -> TreeHead | None:
        """It; None before the first.

        Raises:
            NoteRefusedError: The file is no note. Who has forgotten would sign a fork.
        """
        try:
            content = read_whole(self.path, bytes_max=NOTE_LENGTH_MAX)
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise NoteRefusedError(f"{self.path} is no signed note") from error
        return parse_note(content.decode("utf-8", "replace")).head

    def write(self, note: str) -> None:
        """Remember another one; there as a whole or not at all."""
        write_whole(self.path, note.encode(), mode=0o600, may_replace=True)

    def archive(self, *, at: datetime) -> Path:
        """Put what is remembered aside, under a name with the instant.

        Raises:
            FileNotFoundError: Nothing is remembered.
        """
        aside = self.path.with_name(f"{self.path.name}.{at:%Y%m%dT%H%M%S%f}Z")
        self.path.rename(aside)
        sync_directory(self.path.parent)
        return aside

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be the only one with this memory during the block.

        Raises:
            DirectoryBusyError: Somebody else is.
        """
        with locked(self.path.parent, may_wait=False):
            yield
