"""Cohorts: faces of unrelated people that scores are centred on, without identities, sealed.

Owns the rows of `face_cohort`. Knows nothing of faces: a cohort is bytes with a version.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.storage.sealing import Sealer
from identity.storage.tables import face_cohort


@dataclass(frozen=True, slots=True, kw_only=True)
class FaceCohort:
    """One version of a cohort.

    Attributes:
        digest: SHA-256 (hex) of the content: its version.
        model_digest: Mark of the network that made the templates in it.
        member_count: How many people it was drawn from.
        content: The cohort.
    """

    digest: str
    model_digest: str
    member_count: int
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class FaceCohorts:
    """The cohorts of one transaction."""

    connection: Connection
    sealer: Sealer

    def add(self, cohort: FaceCohort, *, at: datetime) -> None:
        """Store a version; the same again is no change."""
        statement = insert(face_cohort).values(
            cohort_digest=cohort.digest,
            model_digest=cohort.model_digest,
            member_count=cohort.member_count,
            cohort_sealed=self.sealer.seal(cohort.content, context=_place(cohort.digest)),
            drawn_at=at,
        )
        self.connection.execute(statement.on_conflict_do_nothing())

    def find(self, digest: str) -> FaceCohort | None:
        """A version, if it is there."""
        query = select(face_cohort).where(face_cohort.c.cohort_digest == digest)
        row = self.connection.execute(query).mappings().one_or_none()
        if row is None:
            return None
        return FaceCohort(
            digest=digest,
            model_digest=row["model_digest"],
            member_count=row["member_count"],
            content=self.sealer.open(row["cohort_sealed"], context=_place(digest)),
        )

    def mark_used(self, digest: str, *, at: datetime) -> None:
        """Note that a server serves with this version."""
        self.connection.execute(
            update(face_cohort).where(face_cohort.c.cohort_digest == digest).values(last_used_at=at)
        )

    def remove_others(self, keep: Collection[str]) -> int:
        """Remove every version but some and the one used last; returns how many went.

        Whoever removes may have other settings than the server, which needs its cohort again when
        it is restarted.
        """
        used_last = (
            select(face_cohort.c.cohort_digest)
            .where(face_cohort.c.last_used_at.is_not(None))
            .order_by(face_cohort.c.last_used_at.desc(), face_cohort.c.cohort_digest)
            .limit(1)
        )
        removed = self.connection.execute(
            delete(face_cohort).where(
                face_cohort.c.cohort_digest.not_in(sorted(keep)),
                face_cohort.c.cohort_digest.not_in(used_last),
            )
        )
        return removed.rowcount


def _place(digest: str) -> bytes:
    return b"face_cohort.cohort|" + digest.encode()
