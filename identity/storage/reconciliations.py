"""What operators' networks do, against the registry: thousands of numbers in a few statements.

Owns the rows of `reconciliation` and the queries of a comparison. What a difference means is the
domain's to say (`identity.domain.drift`), and it is asked of the numbers that differ only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, RowMapping, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.drift import ORDER_INTO, KnownState
from identity.domain.enforcement import STATE_OF_DIRECTIVE, DirectiveKind
from identity.domain.msisdn import MSISDN
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState
from identity.storage.arrays import PACKED_REFERENCES, Reference, References, any_key, any_of, are
from identity.storage.enforcement_tables import reconciliation
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import open_own_msisdn
from identity.storage.tables import subscription

_STATES = tuple(ServiceState)
_STATE_CODES = {state: code for code, state in enumerate(_STATES)}

# Of each number the subscription that the operator has, or had until it was ordered to end it. What
# it let go itself, and what others have, it has not: both are as if they were not there.
_DIFFERING = text(
    "SELECT n.place, s.msisdn_key, s.subscription_id"
    " FROM (SELECT place, substr(CAST(:keys AS bytea), place * :key_bytes + 1, :key_bytes) AS key,"
    "  (CAST(:names AS text[]))[get_byte(CAST(:states AS bytea), place) + 1] AS state"
    "  FROM generate_series(0, :last) AS place) AS n"
    " LEFT JOIN LATERAL (SELECT * FROM subscription"
    "  WHERE msisdn_key = n.key AND operator_id = :operator_id AND (service_state <> 'terminated'"
    "   OR applied_state <> 'terminated' OR ended_by = 'terminated')"
    "  ORDER BY service_state <> 'terminated' DESC, created_at DESC LIMIT 1) AS s ON true"
    " WHERE s.subscription_id IS NULL OR s.service_state <> n.state OR s.applied_state <> n.state"
    " ORDER BY n.place"
)

_INTO = " ".join(f"WHEN '{state}' THEN '{kind}'" for state, kind in ORDER_INTO.items())
_OF_NUMBER = "msisdn_key = s.msisdn_key AND subscription_id = s.subscription_id"

_KNOWN = text(
    "SELECT s.subscription_id, s.service_state, s.applied_state, done.kind AS executed,"  # noqa: S608 - no input
    " coalesce(last.is_open, false) AS is_open, last.causes, last.policy_version, last.track,"
    " last.is_primary, last.is_last_number, last.wave_id"
    f" FROM {PACKED_REFERENCES} AS n"
    f" JOIN subscription AS s ON {are('s')}"
    f" LEFT JOIN LATERAL (SELECT kind FROM directive WHERE {_OF_NUMBER}"
    "  AND state = 'executed' AND kind <> 'notify' ORDER BY position DESC LIMIT 1) AS done ON true"
    " LEFT JOIN LATERAL (SELECT state IN ('pending', 'leased') AS is_open, causes, policy_version,"
    "   track, is_primary, is_last_number, wave_id"
    f"  FROM directive WHERE {_OF_NUMBER} AND kind = CASE s.service_state {_INTO} END"
    "  ORDER BY state IN ('pending', 'leased') DESC, position DESC LIMIT 1) AS last ON true"
)

_UNREPORTED = text(
    "SELECT msisdn_key, subscription_id, service_state, count(*) OVER () AS of_all"
    " FROM subscription WHERE operator_id = :operator_id"
    " AND service_state IN ('active', 'outgoing_blocked', 'suspended') AND created_at < :began_at"
    " AND NOT EXISTS (SELECT FROM import_row"
    "  WHERE row_key = subscription.msisdn_key AND import_id = :import_id)"
    " ORDER BY msisdn_key LIMIT :limit"
)


@dataclass(frozen=True, slots=True)
class Differing:
    """A number that differs, by its place among those reported; None when it is not known."""

    place: int
    reference: Reference | None


@dataclass(frozen=True, slots=True)
class Ground:
    """What an order was given for: what it needs to stand again."""

    causes: tuple[CaseCause, ...]
    policy_version: str | None
    track: str | None
    is_primary: bool
    is_last_number: bool
    wave_id: UUID | None


@dataclass(frozen=True, slots=True)
class Known:
    """How a number stands, and what its order was last given for; None when it never was."""

    state: KnownState
    ground: Ground | None


@dataclass(frozen=True, slots=True)
class Unreported:
    """A number that was not named."""

    reference: Reference
    ordered: ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a reconciliation found, in one batch or so far."""

    compared: int = 0
    drifts: int = 0
    false: int = 0


@dataclass(frozen=True, slots=True)
class Reconciliations:
    """The reconciliations of one transaction."""

    connection: Connection
    sealer: Sealer

    def differing(
        self, operator_id: str, keys: Sequence[bytes], reported: Sequence[ServiceState]
    ) -> Sequence[Differing]:
        """Numbers that are ordered or applied otherwise than reported, or are not known.

        Args:
            operator_id: Whose network it is.
            keys: Keys of the numbers, at least one.
            reported: The state of each.
        """
        given = {
            "operator_id": operator_id,
            "keys": b"".join(keys),
            "key_bytes": len(keys[0]),
            "states": bytes(_STATE_CODES[state] for state in reported),
            "names": [state.value for state in _STATES],
            "last": len(keys) - 1,
        }
        return [
            Differing(place, None if identity is None else (key, identity))
            for place, key, identity in self.connection.execute(_DIFFERING, given)
        ]

    def known(self, references: Sequence[Reference]) -> Mapping[UUID, Known]:
        """How numbers stand, with the order that led there."""
        if not references:
            return {}
        rows = self.connection.execute(_KNOWN, References.of(references).parameters).mappings()
        return {row["subscription_id"]: _known(row) for row in rows}

    def unreported(
        self, operator_id: str, *, import_id: int, began_at: datetime, limit: int
    ) -> tuple[Sequence[Unreported], int]:
        """Numbers in an operator's service that were not named, the first of them, and how many.

        What came in while the numbers were being sent is not among them.
        """
        given = {
            "operator_id": operator_id,
            "import_id": import_id,
            "began_at": began_at,
            "limit": limit,
        }
        rows = self.connection.execute(_UNREPORTED, given).all()
        found = [
            Unreported((row.msisdn_key, row.subscription_id), ServiceState(row.service_state))
            for row in rows
        ]
        return found, rows[0].of_all if rows else 0

    def numbers_of(self, references: Sequence[Reference]) -> Mapping[UUID, MSISDN]:
        """The numbers of subscriptions."""
        query = select(
            subscription.c.msisdn_key, subscription.c.subscription_id, subscription.c.msisdn_sealed
        ).where(
            any_key(subscription.c.msisdn_key, (key for key, _ in references)),
            any_of(subscription.c.subscription_id, (identity for _, identity in references)),
        )
        return {
            identity: open_own_msisdn(self.sealer, sealed, (key, identity.bytes))
            for key, identity, sealed in self.connection.execute(query)
        }

    def count(
        self, operator_id: str, request_id: UUID, found: Counts, *, began_at: datetime
    ) -> Counts:
        """Add what one batch found; returns what all of them have so far."""
        table = reconciliation.c
        statement = insert(reconciliation).values(
            operator_id=operator_id,
            request_id=request_id,
            began_at=began_at,
            compared_count=found.compared,
            drift_count=found.drifts,
            false_count=found.false,
            unreported_count=0,
        )
        new = statement.excluded
        counted = self.connection.execute(
            statement.on_conflict_do_update(
                index_elements=[table.operator_id, table.request_id],
                set_={
                    name: table[name] + new[name]
                    for name in ("compared_count", "drift_count", "false_count")
                },
            ).returning(table.compared_count, table.drift_count, table.false_count)
        ).one()
        return Counts(compared=counted[0], drifts=counted[1], false=counted[2])

    def finish(
        self, operator_id: str, request_id: UUID, *, unreported_count: int, at: datetime
    ) -> None:
        """Note the end of a reconciliation."""
        self.connection.execute(
            update(reconciliation)
            .where(
                reconciliation.c.operator_id == operator_id,
                reconciliation.c.request_id == request_id,
            )
            .values(unreported_count=unreported_count, finished_at=at)
        )


def _known(row: RowMapping) -> Known:
    executed = row["executed"]
    state = KnownState(
        ordered=ServiceState(row["service_state"]),
        applied=ServiceState(row["applied_state"]),
        acknowledged=None if executed is None else STATE_OF_DIRECTIVE[DirectiveKind(executed)],
        is_order_open=row["is_open"],
    )
    return Known(state, None if row["causes"] is None else _ground(row))


def _ground(row: RowMapping) -> Ground:
    return Ground(
        causes=tuple(CaseCause(cause) for cause in row["causes"]),
        policy_version=row["policy_version"],
        track=row["track"],
        is_primary=row["is_primary"],
        is_last_number=row["is_last_number"],
        wave_id=row["wave_id"],
    )
