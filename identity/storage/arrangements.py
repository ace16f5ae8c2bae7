"""What two sides have arranged.

Owns the rows of `arrangement`. Who may agree to what is the domain's. Whoever dies, and a number
that ends or gets another user, ends what holds in the same transaction: so what is read as agreed
here is over by its day alone, which the domain judges.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, Select, and_, func, or_, select, text, union_all
from sqlalchemy.dialects.postgresql import insert

from identity.domain.arrangement import (
    Arrangement,
    ArrangementKind,
    ArrangementPolicy,
    ArrangementState,
    EndCause,
    birthday,
    is_minor,
)
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.storage.arrangement_tables import arrangement
from identity.storage.arrays import any_key, any_of
from identity.storage.citizens import open_record
from identity.storage.contact_changes import note_changed
from identity.storage.sealing import Sealer
from identity.storage.tables import citizen, primary_number

_MUTABLE = (
    "state",
    "attested_at",
    "attester",
    "document_digest",
    "accepted_at",
    "agreed_at",
    "guardian_place",
    "majority_key",
    "closed_at",
    "end_cause",
)
_HAS_PLACE = arrangement.c.guardian_place.is_not(None)
_IS_OPEN = arrangement.c.state.in_([ArrangementState.PROPOSED.value, ArrangementState.AGREED.value])

# The clock's and the guardian's place go with the state.
_END = "state = 'ended', guardian_place = NULL, majority_key = NULL"
_LAPSE = text(
    "UPDATE arrangement AS a SET state = 'lapsed', closed_at = a.lapses_at"
    " FROM (SELECT citizen_key, arrangement_id FROM arrangement"
    "  WHERE state = 'proposed' AND lapses_at <= :at"
    "  ORDER BY lapses_at, citizen_key LIMIT :limit FOR UPDATE) AS due"
    " WHERE a.citizen_key = due.citizen_key AND a.arrangement_id = due.arrangement_id"
    " RETURNING a.citizen_key, a.arrangement_id, a.proposer_key, a.kind"
)
_END_MANY = text(
    f"UPDATE arrangement AS a SET {_END}, end_cause = g.cause, closed_at = g.at"  # noqa: S608 - no input
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:causes AS text[]),"
    "  CAST(:times AS timestamptz[])) AS g (key, id, cause, at)"
    " WHERE a.citizen_key = g.key AND a.arrangement_id = g.id"
)
_MOVE_MANY = text(
    "UPDATE arrangement AS a SET majority_key = g.day"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:days AS bytea[]))"
    "  AS g (key, id, day)"
    " WHERE a.citizen_key = g.key AND a.arrangement_id = g.id"
)
_END_LINES = text(
    f"UPDATE arrangement AS a SET {_END}, end_cause = 'number_gone', closed_at = g.at"  # noqa: S608 - no input
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[]), CAST(:times AS timestamptz[]))"
    "  AS g (key, id, at)"
    " WHERE a.citizen_key = g.key AND a.subscription_id = g.id"
    " AND a.kind = 'company_line' AND a.state = 'agreed'"
)
# The keys go packed (see `arrays.py`). Each is looked up by itself, in the partition that has it.
_GUARDIANS = text(
    "SELECT k.citizen_key, a.proposer_key, c.record_sealed FROM"
    " (SELECT substr(CAST(:keys AS bytea), place * :key_bytes + 1, :key_bytes) AS citizen_key"
    "  FROM generate_series(0, :last) AS place) AS k"
    " CROSS JOIN LATERAL (SELECT proposer_key, guardian_place FROM arrangement"
    "  WHERE citizen_key = k.citizen_key AND guardian_place IS NOT NULL"
    "  ORDER BY guardian_place LIMIT 10) AS a"
    " CROSS JOIN LATERAL (SELECT record_sealed FROM citizen"
    "  WHERE citizen_key = k.citizen_key LIMIT 1) AS c"
    " ORDER BY k.citizen_key, a.guardian_place"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who arranges what.

    Attributes:
        personal_id: The child or the employee, as named: there may be nobody of this personal ID.
        guardian: The guardian; None for a company's line.
        organisation_code: The organisation's tax code; None for a guardianship.
        msisdn: Its number; None for a guardianship.
    """

    personal_id: PersonalID
    guardian: PersonalID | None = None
    organisation_code: str | None = field(default=None, repr=False)
    msisdn: MSISDN | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where a company's number stands: its full key, and who serves it."""

    msisdn_key: bytes
    subscription_id: UUID
    operator_id: str

    @property
    def reference(self) -> tuple[bytes, UUID]:
        """The full key of the subscription."""
        return (self.msisdn_key, self.subscription_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Papers:
    """Who has seen the papers of a guardianship, and SHA-256 of them, 32 bytes."""

    attester: str
    document_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptArrangement:
    """An arrangement as it is kept.

    Attributes:
        arrangement: The arrangement.
        citizen_key: Key of the child or the employee.
        proposer_key: Key of the guardian, or of the organisation.
        parties: Who they are.
        line: The company's number; None for a guardianship.
        papers: Of a guardianship, once they are attested.
        guardian_place: Which guardian of the child this is, from 1; None where it does not hold.
    """

    arrangement: Arrangement
    citizen_key: bytes
    proposer_key: bytes
    parties: Parties
    line: Line | None = None
    papers: Papers | None = None
    guardian_place: int | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """What was closed for many at once."""

    arrangement_id: UUID
    citizen_key: bytes
    proposer_key: bytes
    kind: ArrangementKind

    @property
    def people(self) -> Sequence[bytes]:
        """Keys of the citizens among its sides."""
        is_line = self.kind is ArrangementKind.COMPANY_LINE
        return (self.citizen_key,) if is_line else (self.citizen_key, self.proposer_key)


def organisation_key(sealer: Sealer, code: str) -> bytes:
    """The blind index that stands for an organisation."""
    return sealer.blind_index("organisation", code)


@dataclass(frozen=True, slots=True)
class Arrangements:
    """The arrangements of one transaction."""

    connection: Connection
    sealer: Sealer

    def find(self, arrangement_id: UUID) -> KeptArrangement | None:
        """An arrangement, held by nobody."""
        query = select(arrangement).where(arrangement.c.arrangement_id == arrangement_id)
        return next(iter(self._load(query)), None)

    def lock(self, kept: KeptArrangement) -> KeptArrangement:
        """The same as it is now, and stays until the end."""
        query = select(arrangement).where(
            arrangement.c.citizen_key == kept.citizen_key,
            arrangement.c.arrangement_id == kept.arrangement.arrangement_id,
        )
        return self._load(query.with_for_update())[0]

    def save(self, kept: KeptArrangement, *, birth_date: date | None, majority_age: int) -> None:
        """Insert or replace an arrangement.

        Args:
            kept: The arrangement.
            birth_date: The child's; needed where a guardianship holds.
            majority_age: The age at which it ends.
        """
        values = self._row(kept)
        if kept.guardian_place is not None:
            assert birth_date is not None, "who has a guardian is known to be a child"
            values["majority_key"] = self._day_key(birthday(birth_date, majority_age))
        statement = insert(arrangement).values(values)
        statement = statement.on_conflict_do_update(
            index_elements=[arrangement.c.citizen_key, arrangement.c.arrangement_id],
            set_={name: statement.excluded[name] for name in _MUTABLE},
        )
        self.connection.execute(statement)
        self._note_reached_otherwise([kept])

    def list_alike(self, kept: KeptArrangement) -> Sequence[KeptArrangement]:
        """Those between the same two, about the same number if it is about one; locked."""
        query = select(arrangement).where(
            arrangement.c.citizen_key == kept.citizen_key,
            arrangement.c.kind == kept.arrangement.kind.value,
        )
        if kept.line is None:
            query = query.where(arrangement.c.proposer_key == kept.proposer_key)
        else:
            query = query.where(arrangement.c.subscription_id == kept.line.subscription_id)
        return self._load(query.order_by(arrangement.c.arrangement_id).with_for_update())

    def count_unanswered(self, proposer_key: bytes, *, at: datetime) -> int:
        """Proposals of one proposer that nobody has said yes to and whose time is not over."""
        query = select(func.count()).where(
            arrangement.c.proposer_key == proposer_key,
            arrangement.c.state.in_(
                [ArrangementState.PROPOSED.value, ArrangementState.REFUSED.value]
            ),
            arrangement.c.lapses_at > at,
        )
        return int(self.connection.execute(query).scalar_one())

    def list_of(self, key: bytes, *, after: UUID | None, limit: int) -> Sequence[KeptArrangement]:
        """Those that a citizen is a side of, by identifier: a look-up from each side."""
        sides = [
            select(arrangement).where(side == key)
            if after is None
            else select(arrangement).where(side == key, arrangement.c.arrangement_id > after)
            for side in (arrangement.c.citizen_key, arrangement.c.proposer_key)
        ]
        each = [
            side.order_by(arrangement.c.arrangement_id).limit(limit).subquery() for side in sides
        ]
        both = union_all(*(select(side) for side in each)).subquery()
        return self._load(select(both).order_by(both.c.arrangement_id).limit(limit))

    def taken_places(self, citizen_key: bytes) -> frozenset[int]:
        """The places of the guardians whom a child has."""
        query = select(arrangement.c.guardian_place).where(
            arrangement.c.citizen_key == citizen_key, _HAS_PLACE
        )
        return frozenset(self.connection.scalars(query))

    def guardianship(
        self, guardian_key: bytes, child_key: bytes, policy: ArrangementPolicy, *, at: datetime
    ) -> UUID | None:
        """The arrangement by which one acts for the other, if there is one that holds."""
        query = select(arrangement.c.arrangement_id, citizen.c.record_sealed).join_from(
            arrangement, citizen, arrangement.c.citizen_key == citizen.c.citizen_key
        )
        row = self.connection.execute(
            query.where(
                arrangement.c.citizen_key == child_key,
                arrangement.c.proposer_key == guardian_key,
                _HAS_PLACE,
            )
        ).first()
        if row is None or not self._is_minor(row.record_sealed, child_key, policy, at=at):
            return None
        return UUID(bytes=row.arrangement_id.bytes)

    def guardians_of(
        self, keys: Iterable[bytes], policy: ArrangementPolicy, *, at: datetime
    ) -> Mapping[bytes, bytes]:
        """By the keys of children: the key of a guardian whose arrangement holds.

        Of two guardians the first, unless only the second has a primary number.
        """
        listed = sorted(set(keys))
        if not listed:
            return {}
        names = {"keys": b"".join(listed), "key_bytes": len(listed[0]), "last": len(listed) - 1}
        rows = self.connection.execute(_GUARDIANS, names).all()
        reachable = self._with_primary({row.proposer_key for row in rows})
        found: dict[bytes, bytes] = {}
        for row in sorted(rows, key=lambda row: row.proposer_key not in reachable):
            if row.citizen_key not in found and self._is_minor(
                row.record_sealed, row.citizen_key, policy, at=at
            ):
                found[row.citizen_key] = row.proposer_key
        return found

    def lapse_due(self, *, at: datetime, limit: int) -> Sequence[Closed]:
        """Let proposals lapse whose time is over, those of the longest past first."""
        rows = self.connection.execute(_LAPSE, {"at": at, "limit": limit})
        return [_closed(row) for row in rows.mappings()]

    def list_of_age(self, days: Iterable[date], *, limit: int) -> Sequence[KeptArrangement]:
        """Guardianships whose children come of age on one of some days, as known; locked."""
        keys = [self._day_key(day) for day in days]
        # Chosen by their day alone, and put in order after: by both at once the planner may walk
        # through all of them in their order.
        due = (
            select(arrangement.c.citizen_key, arrangement.c.arrangement_id)
            .where(
                any_of(arrangement.c.majority_key, keys),
                arrangement.c.majority_key.is_not(None),
            )
            .limit(limit)
            .subquery()
        )
        is_due = and_(
            arrangement.c.citizen_key == due.c.citizen_key,
            arrangement.c.arrangement_id == due.c.arrangement_id,
        )
        query = select(arrangement).join(due, is_due)
        ordered = query.order_by(arrangement.c.citizen_key, arrangement.c.arrangement_id)
        return self._load(ordered.with_for_update(of=arrangement))

    def list_of_people(
        self, keys: Collection[bytes], *, lock: bool = False
    ) -> Sequence[KeptArrangement]:
        """What holds and has one of some citizens for a side."""
        query = select(arrangement).where(
            or_(any_of(arrangement.c.citizen_key, keys), any_of(arrangement.c.proposer_key, keys)),
            arrangement.c.state == ArrangementState.AGREED.value,
        )
        ordered = query.order_by(arrangement.c.citizen_key, arrangement.c.arrangement_id)
        return self._load(ordered.with_for_update() if lock else ordered)

    def end_many(self, ended: Sequence[KeptArrangement]) -> None:
        """Store that some have ended, as they say."""
        if ended:
            self.connection.execute(
                _END_MANY,
                {
                    "keys": [each.citizen_key for each in ended],
                    "ids": [each.arrangement.arrangement_id for each in ended],
                    "causes": [_cause(each.arrangement) for each in ended],
                    "times": [each.arrangement.closed_at for each in ended],
                },
            )
            self._note_reached_otherwise(ended)

    def move_days(self, days: Sequence[tuple[KeptArrangement, date]]) -> None:
        """Store other days on which guardianships end."""
        if days:
            self.connection.execute(
                _MOVE_MANY,
                {
                    "keys": [kept.citizen_key for kept, _ in days],
                    "ids": [kept.arrangement.arrangement_id for kept, _ in days],
                    "days": [self._day_key(day) for _, day in days],
                },
            )

    def _note_reached_otherwise(self, changed: Sequence[KeptArrangement]) -> None:
        """Where a guardianship begins or ends, another number may stand in for the child's."""
        held = (
            each.citizen_key
            for each in changed
            if each.arrangement.is_guardianship and each.arrangement.agreed_at is not None
        )
        note_changed(self.connection, held)

    def _with_primary(self, keys: Collection[bytes]) -> frozenset[bytes]:
        query = select(primary_number.c.citizen_key)
        return frozenset(
            self.connection.scalars(query.where(any_key(primary_number.c.citizen_key, keys)))
        )

    def _is_minor(
        self, sealed: bytes, key: bytes, policy: ArrangementPolicy, *, at: datetime
    ) -> bool:
        return is_minor(open_record(self.sealer, sealed, key).birth_date, policy, at=at)

    def _day_key(self, day: date) -> bytes:
        return self.sealer.blind_index("majority_day", day.isoformat())

    def _load(self, query: Select[Any]) -> Sequence[KeptArrangement]:
        return [self._kept(row) for row in self.connection.execute(query).mappings()]

    def _row(self, kept: KeptArrangement) -> dict[str, Any]:
        value, line, papers = kept.arrangement, kept.line, kept.papers
        return {
            "citizen_key": kept.citizen_key,
            "arrangement_id": value.arrangement_id,
            "kind": value.kind.value,
            "state": value.state.value,
            "proposer_key": kept.proposer_key,
            "parties_sealed": self.sealer.seal(_dump(kept.parties), context=_place(kept)),
            "msisdn_key": None if line is None else line.msisdn_key,
            "subscription_id": None if line is None else line.subscription_id,
            "operator_id": None if line is None else line.operator_id,
            "proposed_at": value.proposed_at,
            "lapses_at": value.lapses_at,
            "attested_at": value.attested_at,
            "attester": None if papers is None else papers.attester,
            "document_digest": None if papers is None else papers.document_digest,
            "accepted_at": value.accepted_at,
            "agreed_at": value.agreed_at,
            "guardian_place": kept.guardian_place,
            "majority_key": None,
            "closed_at": value.closed_at,
            "end_cause": None if value.end_cause is None else value.end_cause.value,
        }

    def _kept(self, row: RowMapping) -> KeptArrangement:
        context = _context(row["citizen_key"], row["arrangement_id"])
        return KeptArrangement(
            arrangement=_arrangement(row),
            citizen_key=row["citizen_key"],
            proposer_key=row["proposer_key"],
            parties=_parties(self.sealer.open(row["parties_sealed"], context=context)),
            line=_line(row),
            papers=_papers(row),
            guardian_place=row["guardian_place"],
        )


def end_lines(
    connection: Connection, ended: Sequence[tuple[bytes, UUID]], *, times: Mapping[UUID, datetime]
) -> None:
    """End company lines whose numbers are no longer their users'.

    Args:
        connection: The transaction's.
        ended: Keys of citizens, each with a subscription that was theirs.
        times: Since when, by subscription.
    """
    if ended:
        given = {
            "keys": [key for key, _ in ended],
            "ids": [identity for _, identity in ended],
            "times": [times[identity] for _, identity in ended],
        }
        connection.execute(_END_LINES, given)


def _arrangement(row: RowMapping) -> Arrangement:
    return Arrangement(
        arrangement_id=row["arrangement_id"],
        kind=ArrangementKind(row["kind"]),
        proposed_at=row["proposed_at"],
        lapses_at=row["lapses_at"],
        state=ArrangementState(row["state"]),
        attested_at=row["attested_at"],
        accepted_at=row["accepted_at"],
        agreed_at=row["agreed_at"],
        closed_at=row["closed_at"],
        end_cause=None if row["end_cause"] is None else EndCause(row["end_cause"]),
    )


def _line(row: RowMapping) -> Line | None:
    if row["subscription_id"] is None:
        return None
    return Line(
        msisdn_key=row["msisdn_key"],
        subscription_id=row["subscription_id"],
        operator_id=row["operator_id"],
    )


def _papers(row: RowMapping) -> Papers | None:
    if row["attester"] is None:
        return None
    return Papers(attester=row["attester"], document_digest=row["document_digest"])


def _closed(row: RowMapping) -> Closed:
    return Closed(
        arrangement_id=row["arrangement_id"],
        citizen_key=row["citizen_key"],
        proposer_key=row["proposer_key"],
        kind=ArrangementKind(row["kind"]),
    )


def _cause(value: Arrangement) -> str:
    assert value.end_cause is not None, "what has ended has a cause"
    return value.end_cause.value


def _dump(parties: Parties) -> bytes:
    values = {
        "personal_id": parties.personal_id.value,
        "guardian": None if parties.guardian is None else parties.guardian.value,
        "organisation_code": parties.organisation_code,
        "msisdn": None if parties.msisdn is None else parties.msisdn.value,
    }
    return json.dumps({name: value for name, value in values.items() if value}).encode()


def _parties(stored: bytes) -> Parties:
    values = json.loads(stored)
    guardian, msisdn = values.get("guardian"), values.get("msisdn")
    return Parties(
        personal_id=PersonalID(values["personal_id"]),
        guardian=None if guardian is None else PersonalID(guardian),
        organisation_code=values.get("organisation_code"),
        msisdn=None if msisdn is None else MSISDN(msisdn),
    )


def _place(kept: KeptArrangement) -> bytes:
    return _context(kept.citizen_key, kept.arrangement.arrangement_id)


def _context(key: bytes, arrangement_id: UUID) -> bytes:
    return b"|".join((b"arrangement.parties", key, arrangement_id.bytes))
