"""Enforcement cases and how far their clock has run.

Owns the rows of `enforcement_case` and `enforcement_clock`. Knows no ladder: which step is due is
the domain's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.enforcement import Case, CaseState
from identity.domain.policy import CaseCause
from identity.domain.policy_book import Adoption
from identity.domain.subscription import Subscription
from identity.storage.arrays import (
    PACKED_REFERENCES,
    Reference,
    References,
    any_key,
    any_of,
    over_references,
)
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import msisdn_key
from identity.storage.tables import enforcement_case, enforcement_clock

CaseKind = tuple[str, str, str, int, bool]
"""Track, cause, version of the pack, steps taken, and whether a dispute holds its clock."""

_CHANGE_ALIKE = over_references(
    lambda are: (
        "UPDATE enforcement_case AS e SET cause = :cause, state = :state, closed_at = :closed_at,"  # noqa: S608 - no input
        " next_due_at = CASE WHEN :state = 'open' THEN e.next_due_at END,"
        " waits_for_wave = :waits_for_wave"
        f" FROM {PACKED_REFERENCES} AS n"
        f" WHERE {are('e')}"
        " AND e.track = :track AND e.state = 'open'"
    )
)

_STEP_ALIKE = over_references(
    lambda are: (
        "UPDATE enforcement_case AS e SET state = :state, closed_at = :closed_at,"  # noqa: S608 - no input
        " steps_taken = :steps_taken, next_due_at = :next_due_at, waits_for_wave = :waits_for_wave,"
        " wave_id = CAST(:wave_id AS uuid), wave_due_at ="
        " CASE WHEN e.wave_id IS DISTINCT FROM CAST(:wave_id AS uuid) THEN e.next_due_at"
        " ELSE e.wave_due_at END"
        f" FROM {PACKED_REFERENCES} AS n"
        f" WHERE {are('e')}"
        " AND e.track = :track AND e.state = 'open'"
    )
)

# The database makes the identifiers.
_OPEN_ALIKE = text(
    "INSERT INTO enforcement_case (msisdn_key, case_id, subscription_id, track, cause,"  # noqa: S608 - no input
    " policy_version, opened_at, steps_taken, next_due_at, state, waits_for_wave)"
    " SELECT n.key, gen_random_uuid(), n.id,"
    " :track, :cause, :policy_version, CAST(:opened_at AS timestamptz), :steps_taken,"
    " CAST(:next_due_at AS timestamptz), :state, :waits_for_wave"
    f" FROM {PACKED_REFERENCES} AS n"
)

_CASE_FIELDS = [field.name for field in fields(Case)]


@dataclass(frozen=True, slots=True)
class Cases:
    """The cases of one transaction."""

    connection: Connection
    sealer: Sealer

    def list_open(self, items: Iterable[Subscription]) -> Mapping[UUID, list[Case]]:
        """The open cases of some subscriptions, by subscription, oldest first."""
        ids = {item.subscription_id: msisdn_key(self.sealer, item.msisdn) for item in items}
        query = select(enforcement_case).where(
            any_of(enforcement_case.c.msisdn_key, ids.values()),
            any_of(enforcement_case.c.subscription_id, ids),
            enforcement_case.c.state == CaseState.OPEN.value,
        )
        query = query.order_by(enforcement_case.c.opened_at, enforcement_case.c.track)
        found: dict[UUID, list[Case]] = {subscription_id: [] for subscription_id in ids}
        for row in self.connection.execute(query).mappings():
            found[row["subscription_id"]].append(_case(row))
        return found

    def save_many(self, cases: Iterable[tuple[Case, Subscription]]) -> None:
        """Insert or replace cases."""
        rows = [_row(case, msisdn_key(self.sealer, item.msisdn)) for case, item in cases]
        if not rows:
            return
        statement = insert(enforcement_case)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=[enforcement_case.c.msisdn_key, enforcement_case.c.case_id],
            set_={name: new[name] for name in _CASE_FIELDS if name != "case_id"},
        )
        # Closing comes first: a ladder's place must be free before a new case takes it.
        rows.sort(key=lambda row: row["state"] == CaseState.OPEN.value)
        self.connection.execute(statement, rows)

    def kinds_open(self, references: Sequence[Reference]) -> Mapping[UUID, tuple[CaseKind, ...]]:
        """What tells the open cases of subscriptions apart, by subscription, oldest first."""
        query = (
            select(
                enforcement_case.c.subscription_id,
                enforcement_case.c.track,
                enforcement_case.c.cause,
                enforcement_case.c.policy_version,
                enforcement_case.c.steps_taken,
                enforcement_case.c.frozen_at.is_not(None),
            )
            .where(
                any_key(enforcement_case.c.msisdn_key, (key for key, _ in references)),
                enforcement_case.c.state == CaseState.OPEN.value,
            )
            .order_by(enforcement_case.c.opened_at, enforcement_case.c.track)
        )
        found: dict[UUID, tuple[CaseKind, ...]] = {identity: () for _, identity in references}
        for identity, *kind in self.connection.execute(query):
            if identity in found:
                found[identity] += ((kind[0], kind[1], kind[2], kind[3], kind[4]),)
        return found

    def change_alike(self, case: Case, references: References) -> None:
        """Give the open cases on one track, of many subscriptions, the cause and end of one."""
        self.connection.execute(
            _CHANGE_ALIKE(references),
            {
                **references.parameters,
                "track": case.track,
                "cause": case.cause.value,
                "state": case.state.value,
                "closed_at": case.closed_at,
                "waits_for_wave": case.waits_for_wave,
            },
        )

    def step_alike(self, case: Case, references: References) -> None:
        """Take the same steps of the open cases on one track, of many subscriptions.

        Args:
            case: The case of one of them, after its steps. Where a wave took them, each case keeps
                when its own step was due.
            references: Full keys of all of them.
        """
        self.connection.execute(
            _STEP_ALIKE(references),
            {
                **references.parameters,
                "track": case.track,
                "state": case.state.value,
                "closed_at": case.closed_at,
                "steps_taken": case.steps_taken,
                "next_due_at": case.next_due_at,
                "waits_for_wave": case.waits_for_wave,
                "wave_id": case.wave_id,
            },
        )

    def open_alike(self, case: Case, references: References) -> None:
        """Open the same case for each of many subscriptions that have none on its track.

        Args:
            case: The case of one of them.
            references: Full keys of all of them.
        """
        self.connection.execute(
            _OPEN_ALIKE,
            {
                **references.parameters,
                "track": case.track,
                "cause": case.cause.value,
                "policy_version": case.policy_version,
                "opened_at": case.opened_at,
                "steps_taken": case.steps_taken,
                "next_due_at": case.next_due_at,
                "state": case.state.value,
                "waits_for_wave": case.waits_for_wave,
            },
        )

    def adopt(self, adoption: Adoption) -> int:
        """Move the open cases at one rung of a ladder to a later pack; returns how many."""
        return self.connection.execute(
            update(enforcement_case)
            .where(
                enforcement_case.c.state == CaseState.OPEN.value,
                enforcement_case.c.policy_version == adoption.from_version,
                enforcement_case.c.track == adoption.track,
                enforcement_case.c.steps_taken == adoption.steps_taken,
            )
            .values(
                policy_version=adoption.to_version,
                next_due_at=enforcement_case.c.next_due_at + adoption.later,
                waits_for_wave=adoption.waits_for_wave,
            )
        ).rowcount

    def ran_until(self, *, lock: bool = False) -> datetime | None:
        """Up to which instant enforcement has run; `lock` keeps other runs waiting."""
        query = select(enforcement_clock.c.ran_until)
        return self.connection.execute(query.with_for_update() if lock else query).scalar()

    def set_ran_until(self, at: datetime) -> None:
        """Note up to which instant enforcement has run."""
        statement = insert(enforcement_clock).values(only_row=1, ran_until=at)
        self.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[enforcement_clock.c.only_row],
                # Two first runs find no row to wait for each other at; time goes on all the same.
                set_={"ran_until": func.greatest(enforcement_clock.c.ran_until, at)},
            )
        )


def _row(case: Case, key: bytes) -> dict[str, Any]:
    row = {name: getattr(case, name) for name in _CASE_FIELDS}
    return row | {"msisdn_key": key, "cause": case.cause.value, "state": case.state.value}


def _case(row: RowMapping) -> Case:
    stored = {name: row[name] for name in _CASE_FIELDS}
    return Case(**stored | {"cause": CaseCause(row["cause"]), "state": CaseState(row["state"])})
