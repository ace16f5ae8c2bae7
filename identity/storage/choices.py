"""Where citizens' choices stand, and the history of each.

Owns the rows of `citizen_choice` and `choice_event`, and that nobody writes a
line without holding the citizen's row: so choices come one after the other, and lines are numbered
without a gap. What may be chosen is the domain's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, bindparam, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.primary_choice import (
    GIVEN_UP,
    ChoiceKind,
    Choices,
    ClearCause,
    PendingChange,
)
from identity.storage.arrays import Reference, any_of
from identity.storage.choice_tables import choice_event, citizen_choice
from identity.storage.contact_changes import note_changed
from identity.storage.tables import holding, primary_number

# Whoever has a primary number has such a row. In the order of its keys, as everybody locks.
_HOLD_OF_PRIMARIES = text(
    "SELECT p.subscription_id FROM primary_number AS p JOIN citizen_choice AS c USING (citizen_key)"
    " WHERE p.subscription_id = ANY (CAST(:ids AS uuid[])) ORDER BY c.citizen_key FOR UPDATE OF c"
)
# What is not eligible any more goes before its holding does: the database refuses anything else.
_CLEAR = text(
    "WITH gone AS (DELETE FROM primary_number AS p"
    "  USING unnest(CAST(:ids AS uuid[]), CAST(:causes AS text[]), CAST(:times AS timestamptz[]))"
    "  AS g (id, cause, at) WHERE p.subscription_id = g.id"
    "  RETURNING p.citizen_key, p.subscription_id, g.cause, g.at),"
    " held AS (UPDATE citizen_choice AS c SET sequence = c.sequence + 1 FROM gone"
    "  WHERE c.citizen_key = gone.citizen_key RETURNING c.citizen_key, c.sequence)"
    " INSERT INTO choice_event"
    "  (citizen_key, sequence, happened_at, kind, subscription_id, cause)"
    " SELECT citizen_key, held.sequence, gone.at, 'cleared', gone.subscription_id, gone.cause"
    " FROM gone JOIN held USING (citizen_key) RETURNING citizen_key"
)

_CONFIRM_VERIFIED = text(
    "WITH confirmed AS (UPDATE primary_number SET verified_at = :at, confirmed_at = :at"
    "  WHERE subscription_id = :id RETURNING citizen_key),"
    " held AS (UPDATE citizen_choice AS c SET sequence = c.sequence + 1 FROM confirmed"
    "  WHERE c.citizen_key = confirmed.citizen_key RETURNING c.citizen_key, c.sequence)"
    " INSERT INTO choice_event (citizen_key, sequence, happened_at, kind, subscription_id)"
    " SELECT citizen_key, sequence, :at, 'confirmed', :id FROM held"
)
_STATE = (
    *("sequence", "has_chosen", "is_locked", "unlocked_until"),
    *("change_id", "subscription_id", "asked_at", "effective_at"),
)
_SAVE = (
    update(citizen_choice)
    .where(citizen_choice.c.citizen_key == bindparam("key"))
    .values({name: bindparam(f"to_{name}") for name in _STATE})
)
_REFERENCES = text(
    "SELECT h.citizen_key, h.subscription_id, h.msisdn_key"
    " FROM unnest(CAST(:keys AS bytea[]), CAST(:ids AS uuid[])) AS asked (key, id)"
    " JOIN holding AS h ON h.citizen_key = asked.key AND h.subscription_id = asked.id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChoiceEvent:
    """One line of a citizen's history.

    Attributes:
        happened_at: When.
        kind: What.
        sequence: Its number, from 1 on; 0 until it is written.
        caller: Who, as `role:name`; None for what followed from something else.
        subscription_id: The number that it is about.
        cause: Why a number was cleared.
        change_id: Of a change that waited.
        verification_id: The fresh verification that it took.
    """

    happened_at: datetime
    kind: ChoiceKind
    sequence: int = 0
    caller: str | None = None
    subscription_id: UUID | None = None
    cause: ClearCause | None = None
    change_id: UUID | None = None
    verification_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a choice.

    Attributes:
        citizen_key: Whose.
        choices: Where it stands now, with the `sequence` that it was held with.
        events: What happened, the first thing first.
    """

    citizen_key: bytes
    choices: Choices
    events: Sequence[ChoiceEvent]


@dataclass(frozen=True, slots=True)
class DueChange:
    """A change whose time has come.

    Attributes:
        citizen_key: Whose.
        subscription_id: What it marks.
        reference: Full key of that, while it is the citizen's.
    """

    citizen_key: bytes
    subscription_id: UUID
    reference: Reference | None


@dataclass(frozen=True, slots=True)
class CitizenChoices:
    """The choices of one transaction."""

    connection: Connection

    def hold(self, key: bytes) -> Choices:
        """Where a citizen's choice stands; nobody else changes it until the transaction ends."""
        held = self.hold_many([key])
        if not held:
            new = insert(citizen_choice).values(citizen_key=key).on_conflict_do_nothing()
            self.connection.execute(new)
            held = self.hold_many([key])
        return held[key]

    def hold_many(self, keys: Iterable[bytes]) -> Mapping[bytes, Choices]:
        """The same of those among some citizens who ever chose something, held in key order."""
        column = citizen_choice.c.citizen_key
        query = select(citizen_choice).where(any_of(column, keys)).order_by(column)
        rows = self.connection.execute(query.with_for_update()).mappings().all()
        # Looked up when they are held: what was marked before may be marked no more.
        marked = self._primaries(row["citizen_key"] for row in rows)
        return {row["citizen_key"]: _choices(row, marked) for row in rows}

    def find(self, key: bytes) -> Choices:
        """Where a citizen's choice stands, held by nobody."""
        query = select(citizen_choice).where(citizen_choice.c.citizen_key == key)
        row = self.connection.execute(query).mappings().first()
        return Choices() if row is None else _choices(row, self._primaries([key]))

    def save(self, key: bytes, choices: Choices, events: Sequence[ChoiceEvent]) -> None:
        """`save_many` for one."""
        self.save_many([Decided(key, choices, events)])

    def save_many(self, decided: Sequence[Decided]) -> None:
        """Store what was held and changed, each with the next lines of its history.

        The primary numbers themselves are `primaries`' to store.
        """
        if not decided:
            return
        self.connection.execute(_SAVE, [_row(each) for each in decided])
        lines = [line for each in decided for line in _lines(each)]
        if lines:
            self.connection.execute(insert(choice_event), lines)

    def history(self, key: bytes, *, before: int | None, limit: int) -> Sequence[ChoiceEvent]:
        """Lines of a citizen's history, the newest first; None begins with the last one."""
        query = select(choice_event).where(choice_event.c.citizen_key == key)
        if before is not None:
            query = query.where(choice_event.c.sequence < before)
        rows = self.connection.execute(query.order_by(choice_event.c.sequence.desc()).limit(limit))
        return [_event(row) for row in rows.mappings()]

    def given_up(self, key: bytes) -> UUID | None:
        """The last number that was cleared, if the citizen gave it up: it was not lost."""
        columns = choice_event.c
        query = select(columns.subscription_id, columns.cause).where(
            columns.citizen_key == key, columns.kind == ChoiceKind.CLEARED.value
        )
        last = self.connection.execute(query.order_by(columns.sequence.desc()).limit(1)).first()
        is_given_up = last is not None and ClearCause(last.cause) in GIVEN_UP
        return last.subscription_id if last is not None and is_given_up else None

    def is_used(self, key: bytes, verification_id: UUID) -> bool:
        """Whether a verification has let a citizen change the number before; it is held."""
        query = select(choice_event.c.sequence).where(
            choice_event.c.citizen_key == key, choice_event.c.verification_id == verification_id
        )
        return self.connection.execute(query).first() is not None

    def list_due(self, *, at: datetime, limit: int) -> Sequence[DueChange]:
        """Changes that take effect by an instant, those of the longest past first."""
        is_held = and_(
            holding.c.citizen_key == citizen_choice.c.citizen_key,
            holding.c.subscription_id == citizen_choice.c.subscription_id,
        )
        query = (
            select(
                citizen_choice.c.citizen_key, citizen_choice.c.subscription_id, holding.c.msisdn_key
            )
            .join_from(citizen_choice, holding, is_held, isouter=True)
            .where(citizen_choice.c.effective_at <= at)
            .order_by(citizen_choice.c.effective_at, citizen_choice.c.citizen_key)
            .limit(limit)
        )
        return [
            DueChange(key, identity, None if msisdn_key is None else (msisdn_key, identity))
            for key, identity, msisdn_key in self.connection.execute(query)
        ]

    def references_of(
        self, held: Iterable[tuple[bytes, UUID]]
    ) -> Mapping[tuple[bytes, UUID], Reference]:
        """The full keys of citizens' subscriptions, without those that are theirs no more."""
        asked = sorted(set(held))
        names = {"keys": [key for key, _ in asked], "ids": [identity for _, identity in asked]}
        rows = self.connection.execute(_REFERENCES, names) if asked else ()
        return {(key, identity): (msisdn_key, identity) for key, identity, msisdn_key in rows}

    def _primaries(self, keys: Iterable[bytes]) -> Mapping[bytes, UUID]:
        query = select(primary_number.c.citizen_key, primary_number.c.subscription_id)
        rows = self.connection.execute(query.where(any_of(primary_number.c.citizen_key, keys)))
        return {row.citizen_key: row.subscription_id for row in rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleared:
    """A subscription that is nobody's primary number any more, why, and since when."""

    subscription_id: UUID
    cause: ClearCause
    at: datetime


def clear_primaries(connection: Connection, items: Iterable[Cleared]) -> None:
    """Take the mark off subscriptions that have it, each with a line in its citizen's history."""
    by_id: Mapping[UUID, Cleared] = {item.subscription_id: item for item in items}
    if not by_id:
        return
    held = connection.scalars(_HOLD_OF_PRIMARIES, {"ids": list(by_id)})
    marked = [by_id[identity] for identity in held]
    if marked:
        given = {
            "ids": [item.subscription_id for item in marked],
            "causes": [item.cause.value for item in marked],
            "times": [item.at for item in marked],
        }
        note_changed(connection, connection.scalars(_CLEAR, given))


def confirm_verified_primary(connection: Connection, subscription_id: UUID, at: datetime) -> None:
    """Note on a subscription that is a primary number that its holder was verified."""
    if connection.scalars(_HOLD_OF_PRIMARIES, {"ids": [subscription_id]}).all():
        connection.execute(_CONFIRM_VERIFIED, {"id": subscription_id, "at": at})


def _row(decided: Decided) -> Mapping[str, object]:
    choices, pending = decided.choices, decided.choices.pending
    return {
        "key": decided.citizen_key,
        "to_sequence": choices.sequence + len(decided.events),
        "to_has_chosen": choices.has_chosen,
        "to_is_locked": choices.is_locked,
        "to_unlocked_until": choices.unlocked_until,
        "to_change_id": None if pending is None else pending.change_id,
        "to_subscription_id": None if pending is None else pending.subscription_id,
        "to_asked_at": None if pending is None else pending.asked_at,
        "to_effective_at": None if pending is None else pending.effective_at,
    }


def _lines(decided: Decided) -> Iterator[Mapping[str, object]]:
    for sequence, event in enumerate(decided.events, start=decided.choices.sequence + 1):
        yield {
            "citizen_key": decided.citizen_key,
            "sequence": sequence,
            "happened_at": event.happened_at,
            "kind": event.kind.value,
            "caller": event.caller,
            "subscription_id": event.subscription_id,
            "cause": None if event.cause is None else event.cause.value,
            "change_id": event.change_id,
            "verification_id": event.verification_id,
        }


def _choices(row: RowMapping, marked: Mapping[bytes, UUID]) -> Choices:
    pending = None
    if row["change_id"] is not None:
        pending = PendingChange(
            change_id=row["change_id"],
            subscription_id=row["subscription_id"],
            asked_at=row["asked_at"],
            effective_at=row["effective_at"],
        )
    return Choices(
        sequence=row["sequence"],
        primary=marked.get(row["citizen_key"]),
        has_chosen=row["has_chosen"],
        pending=pending,
        is_locked=row["is_locked"],
        unlocked_until=row["unlocked_until"],
    )


def _event(row: RowMapping) -> ChoiceEvent:
    return ChoiceEvent(
        sequence=row["sequence"],
        happened_at=row["happened_at"],
        kind=ChoiceKind(row["kind"]),
        caller=row["caller"],
        subscription_id=row["subscription_id"],
        cause=None if row["cause"] is None else ClearCause(row["cause"]),
        change_id=row["change_id"],
        verification_id=row["verification_id"],
    )
