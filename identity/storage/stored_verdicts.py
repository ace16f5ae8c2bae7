"""Verdicts that were reached, each with the evidence that it can be reached from again.

Owns reading all of them in slices, whatever became of one, and deleting evidence whose time is
over. A slice crosses the distribution key: it goes through the whole table in the order of its
primary key. How a session comes to its verdict is `verifications.py`'s.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, func, literal, select, tuple_, update

from identity.domain.errors import RecordUnreadableError
from identity.domain.verification import Evidence, Verdict
from identity.storage.citizen_secrets import CitizenSecrets
from identity.storage.conversions import Judged, load_evidence, verdict_from
from identity.storage.sealing import Sealer
from identity.storage.tables import subscription, verification
from identity.storage.verifications import SessionState, evidence_place

VerdictKey = tuple[bytes, UUID]
"""What rows are listed in the order of."""

ForgetPlace = tuple[datetime, UUID]
"""What evidence is forgotten in the order of."""

_COLUMNS = verification.c


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredVerdict:
    """One verdict as it lies there.

    Attributes:
        key: Its place among all of them.
        verdict: None where what stands there is no verdict that the service could have written.
        evidence: None where it was erased, or does not open.
        judged: What was sealed with the evidence; None in evidence from before it was.
        erased_at: When the evidence was erased, by the clock of the policy.
    """

    key: VerdictKey
    verdict: Verdict | None
    evidence: Evidence | None
    judged: Judged | None
    erased_at: datetime | None

    @property
    def verification_id(self) -> UUID:
        """Which verification it is."""
        return self.key[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What came of some old evidence.

    Attributes:
        last: The last of it that was looked at; where the next slice begins.
        erased_count: How much was erased; the rest is what numbers in service are verified by.
    """

    last: ForgetPlace
    erased_count: int


@dataclass(frozen=True, slots=True)
class StoredVerdicts:
    """The verdicts of one transaction."""

    connection: Connection
    sealer: Sealer

    def count(self) -> int:
        """How many there are."""
        query = select(func.count()).select_from(verification).where(_is_completed())
        counted: int = self.connection.execute(query).scalar_one()
        return counted

    def list_after(self, after: VerdictKey | None, *, limit: int) -> Sequence[StoredVerdict]:
        """The next verdicts.

        Args:
            after: Where to begin: after this one, or at the first.
            limit: How many at most.
        """
        keys = (_COLUMNS.msisdn_key, _COLUMNS.verification_id)
        query = select(verification).where(_is_completed()).order_by(*keys).limit(limit)
        if after is not None:
            query = query.where(tuple_(*keys) > tuple_(*map(_literal, after, keys)))
        rows = self.connection.execute(query).mappings().all()
        secrets = CitizenSecrets(self.connection, self.sealer).find(
            row["citizen_key"] for row in rows if row["citizen_key"] is not None
        )
        return [self._stored(row, secrets.get(row["citizen_key"])) for row in rows]

    def _stored(self, row: RowMapping, secret: bytes | None) -> StoredVerdict:
        evidence, judged = self._open(row, secret)
        return StoredVerdict(
            key=(row["msisdn_key"], row["verification_id"]),
            verdict=_verdict(row),
            evidence=evidence,
            judged=judged,
            erased_at=row["evidence_erased_at"],
        )

    def _open(self, row: RowMapping, secret: bytes | None) -> tuple[Evidence | None, Judged | None]:
        if row["evidence_sealed"] is None:
            return None, None
        place = evidence_place(row["verification_id"])
        try:
            opened = self.sealer.open(row["evidence_sealed"], context=place, secret=secret)
        except RecordUnreadableError:
            return None, None
        return load_evidence(opened)

    def forget(
        self, *, before: datetime, after: ForgetPlace | None, limit: int, at: datetime
    ) -> Forgotten | None:
        """Erase old evidence, but for what a number in service is verified by.

        Args:
            before: Evidence of verdicts from before this instant is old.
            after: Where to begin: after this place, or at the oldest.
            limit: How much is looked at.
            at: The present.

        Returns:
            What came of it; None where nothing follows.
        """
        order = (_COLUMNS.decided_at, _COLUMNS.verification_id)
        query = (
            select(*order, _COLUMNS.msisdn_key, _is_relied_on().label("is_relied_on"))
            .where(_COLUMNS.evidence_sealed.is_not(None), _COLUMNS.decided_at < before)
            .order_by(*order)
            .limit(limit)
        )
        if after is not None:
            query = query.where(tuple_(*order) > tuple_(*map(_literal, after, order)))
        rows = self.connection.execute(query).all()
        if not rows:
            return None
        old = [(row.msisdn_key, row.verification_id) for row in rows if not row.is_relied_on]
        erased = self.connection.execute(
            update(verification)
            .where(
                tuple_(_COLUMNS.msisdn_key, _COLUMNS.verification_id).in_(old),
                # Another server's run may have been here meanwhile.
                _COLUMNS.evidence_sealed.is_not(None),
            )
            .values(evidence_sealed=None, evidence_erased_at=at)
        )
        last = (rows[-1].decided_at, rows[-1].verification_id)
        return Forgotten(last=last, erased_count=erased.rowcount)


def _is_completed() -> Any:  # noqa: ANN401 - a condition
    return _COLUMNS.state == SessionState.COMPLETED.value


def _is_relied_on() -> Any:  # noqa: ANN401 - a condition
    """Whether the verdict is the one that a number in service is verified by."""
    return (
        select(subscription.c.subscription_id)
        .where(
            and_(
                subscription.c.msisdn_key == _COLUMNS.msisdn_key,
                subscription.c.subscription_id == _COLUMNS.subscription_id,
                subscription.c.verified_at == _COLUMNS.decided_at,
                subscription.c.service_state != "terminated",
            )
        )
        .exists()
    )


def _literal(value: Any, column: Any) -> Any:  # noqa: ANN401 - a value of any column
    return literal(value, column.type)


def _verdict(row: RowMapping) -> Verdict | None:
    try:
        return verdict_from(row["verdict"], decided_at=row["decided_at"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # changed by hand: there is no such state, reason or result
