"""The policy packs that a server was ever started with, each with the digest of what it said.

Owns the rows of `policy_pack`. Never sees a pack's text.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select
from sqlalchemy.dialects.postgresql import insert

from identity.state_directory import StateError
from identity.storage.enforcement_tables import policy_pack


class ChangedPackError(StateError):
    """A pack that is not what it was when it was first used."""


class MissingPackError(StateError):
    """A pack that was used is not here any more."""


@dataclass(frozen=True, slots=True)
class PolicyPacks:
    """The packs in use, of one transaction."""

    connection: Connection

    def keep(self, version: str, digest: bytes, *, at: datetime) -> None:
        """Write down what a pack says when it is first used; later, see that it still says so.

        Servers that start together may all call it: the first one's word counts.

        Args:
            version: The pack's name.
            digest: `PolicyPack.digest`.
            at: The present.

        Raises:
            ChangedPackError: It was used before and said something else.
        """
        row = {"version": version, "text_digest": digest, "first_used_at": at}
        self.connection.execute(insert(policy_pack).values(row).on_conflict_do_nothing())
        query = select(policy_pack).where(policy_pack.c.version == version)
        _refuse_changed(self.connection.execute(query).one(), digest)

    def digests(self) -> Mapping[str, bytes]:
        """What each pack that was ever used said, by its name."""
        rows = self.connection.execute(select(policy_pack)).all()
        return {row.version: row.text_digest for row in rows}

    def refuse_missing(self, known: Mapping[str, bytes]) -> None:
        """See that every pack that was ever used is still here and what it was, chosen or not.

        Args:
            known: Digests of those that are here, by name.

        Raises:
            MissingPackError: One is not: cases that it opened could not go on.
            ChangedPackError: One says something else: they would go on otherwise.
        """
        for kept in self.connection.execute(select(policy_pack).order_by(policy_pack.c.version)):
            if kept.version not in known:
                raise MissingPackError(
                    f"the policy pack {kept.version} was in use and is not here: put it back"
                )
            _refuse_changed(kept, known[kept.version])


def _refuse_changed(kept: Row[Any], digest: bytes) -> None:
    if kept.text_digest != digest:
        raise ChangedPackError(
            f"the policy pack {kept.version} is in use since {kept.first_used_at:%Y-%m-%d}"
            " and is not what it was: put it back, and give what is new a name of its own"
        )
