"""Subscriptions, and each citizen's holding of them.

Owns the rows of `subscription` and `holding` and keeps the two in step: a holding exists exactly
for a subscription that is in service, under the personal ID that it is claimed for, and says
whether the number may be a primary. A primary that stops being eligible is cleared in the same
transaction; the database would refuse anything else. Knows no rule of its own: eligibility is the
domain's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, select, text
from sqlalchemy.dialects.postgresql import insert

from identity.domain.errors import RecordUnreadableError
from identity.domain.holder import HolderClaim
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.primary_choice import why_cleared
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from identity.storage.arrangements import end_lines
from identity.storage.arrays import PACKED_REFERENCES, References, any_of, over_references
from identity.storage.choices import Cleared, clear_primaries
from identity.storage.citizens import citizen_key, holder_digest
from identity.storage.contact_changes import note_changed
from identity.storage.conversions import dump_claim, link_fields, link_from, load_claim
from identity.storage.sealing import Sealer
from identity.storage.tables import holding, subscription

RowKey = tuple[bytes, bytes]
"""The primary key of a subscription, as octets: key of its number, identifier."""

_IN_SERVICE = subscription.c.service_state != ServiceState.TERMINATED.value
_MUTABLE = (
    "citizen_key",
    "claim_sealed",
    "claim_digest",
    "holder_digest",
    "link_state",
    "link_fields",
    "service_state",
    "applied_state",
    "activated_on",
    "point_of_sale",
    "province_code",
    "verified_at",
    "sim_swapped_at",
    "device_changed_at",
    "ended_at",
    "ended_by",
    "is_company_line",
    "updated_at",
)

_DELETE_STALE_HOLDINGS = text(
    "DELETE FROM holding USING"
    " unnest(CAST(:ids AS uuid[]), CAST(:keys AS bytea[]), CAST(:held AS boolean[]))"
    " AS now (subscription_id, citizen_key, is_held)"
    " WHERE holding.subscription_id = now.subscription_id"
    " AND (NOT now.is_held OR holding.citizen_key <> now.citizen_key)"
    " RETURNING holding.citizen_key, holding.subscription_id"
)

# A number that stands in for a primary one, and is reachable or its citizen's no more, or again.
_STAND_IN_OTHERWISE = text(
    "SELECT DISTINCT f.citizen_key FROM"
    " unnest(CAST(:ids AS uuid[]), CAST(:keys AS bytea[]), CAST(:eligible AS boolean[]))"
    " AS now (subscription_id, citizen_key, is_eligible)"
    " JOIN fallback_number AS f USING (subscription_id)"
    " JOIN holding AS h ON h.citizen_key = f.citizen_key"
    "  AND h.subscription_id = f.subscription_id"
    " WHERE h.citizen_key <> now.citizen_key OR h.is_eligible <> now.is_eligible"
)


def msisdn_key(sealer: Sealer, msisdn: MSISDN) -> bytes:
    """The blind index that stands for a number wherever one is needed as a key."""
    return sealer.blind_index("msisdn", msisdn.value)


def seal_msisdn(sealer: Sealer, msisdn: MSISDN, *, place: bytes) -> bytes:
    """A number, sealed for one place."""
    return sealer.seal(msisdn.value.encode(), context=place)


def open_msisdn(sealer: Sealer, sealed: bytes, *, place: bytes) -> MSISDN:
    """Read what `seal_msisdn` made for the same place."""
    return MSISDN(sealer.open(sealed, context=place).decode())


def claim_digest(sealer: Sealer, claim: bytes) -> bytes:
    """Tells a changed claim from the same; of what `dump_claim` made."""
    return sealer.blind_index("claim", claim.decode())


def seal_claim(sealer: Sealer, claim: bytes, row: RowKey) -> bytes:
    """What `dump_claim` made, sealed for one subscription."""
    return sealer.seal(claim, context=_place("claim", row))


def open_claim(sealer: Sealer, sealed: bytes, row: RowKey) -> HolderClaim:
    """Read what `seal_claim` made for the same subscription."""
    return load_claim(_open(sealer, sealed, "claim", row))


def seal_own_msisdn(sealer: Sealer, msisdn: MSISDN, row: RowKey) -> bytes:
    """A number, sealed for its own subscription."""
    return seal_msisdn(sealer, msisdn, place=_place("msisdn", row))


def _place(column: str, row: Sequence[bytes]) -> bytes:
    return b"|".join((f"subscription.{column}".encode(), *row))


def _open(sealer: Sealer, sealed: bytes, column: str, row: RowKey) -> bytes:
    """Open a value of a row, also one from when values were sealed for their number alone."""
    try:
        return sealer.open(sealed, context=_place(column, row))
    except RecordUnreadableError:
        return sealer.open(sealed, context=_place(column, row[:1]))


def open_own_msisdn(sealer: Sealer, sealed: bytes, row: RowKey) -> MSISDN:
    """Read what `seal_own_msisdn` made for the same subscription."""
    return MSISDN(_open(sealer, sealed, "msisdn", row).decode())


_LOCK = over_references(
    lambda are: (
        "SELECT count(*) FROM (SELECT FROM subscription AS s"  # noqa: S608 - no input
        f" JOIN {PACKED_REFERENCES} AS n ON {are('s')}"
        " ORDER BY s.msisdn_key FOR UPDATE OF s) AS locked"
    )
)
_ORDER_ALIKE = over_references(
    lambda are: (
        "UPDATE subscription AS s SET service_state = :state, updated_at = :at"  # noqa: S608 - no input
        f" FROM {PACKED_REFERENCES} AS n WHERE {are('s')}"
    )
)
_APPLY_ALIKE = over_references(
    lambda are: (
        "UPDATE subscription AS s SET applied_state = :state, updated_at = :at,"  # noqa: S608 - no input
        " ended_at = CASE WHEN :state = 'terminated' AND s.ended_at IS NOT NULL"
        "  THEN CAST(:at AS timestamptz) ELSE s.ended_at END"
        f" FROM {PACKED_REFERENCES} AS n WHERE {are('s')}"
    )
)


def lock_all(connection: Connection, references: References) -> None:
    """Lock subscriptions in the order of their keys, without reading them."""
    if references:
        connection.execute(_LOCK(references), references.parameters)


@dataclass(frozen=True, slots=True)
class Subscriptions:
    """The subscriptions of one transaction."""

    connection: Connection
    sealer: Sealer

    def find_in_service(
        self, msisdn: MSISDN, *, lock: bool = False, operator_id: str | None = None
    ) -> Subscription | None:
        """Who has the number now, if anybody; `lock` keeps it so until the transaction ends."""
        return self.find_many_in_service([msisdn], lock=lock, operator_id=operator_id).get(msisdn)

    def find_many_in_service(
        self, numbers: Iterable[MSISDN], *, lock: bool = False, operator_id: str | None = None
    ) -> Mapping[MSISDN, Subscription]:
        """Who has the numbers now; with an operator, only what it has.

        Locks in key order, so that two callers cannot deadlock. Whoever locks citizens too locks
        them before subscriptions, and directives after.
        """
        keys = [msisdn_key(self.sealer, msisdn) for msisdn in set(numbers)]
        query = _everything().where(any_of(subscription.c.msisdn_key, keys), _IN_SERVICE)
        if operator_id is not None:
            query = query.where(subscription.c.operator_id == operator_id)
        query = query.order_by(subscription.c.msisdn_key)
        found = self._load(query.with_for_update() if lock else query)
        return {item.msisdn: item for item in found}

    def find_many_ended(self, numbers: Iterable[MSISDN]) -> Mapping[MSISDN, Subscription]:
        """Who had the numbers last, of those subscriptions that have ended."""
        keys = [msisdn_key(self.sealer, msisdn) for msisdn in set(numbers)]
        query = _everything().where(any_of(subscription.c.msisdn_key, keys), ~_IN_SERVICE)
        query = query.order_by(subscription.c.updated_at, subscription.c.created_at)
        return {item.msisdn: item for item in self._load(query)}

    def find_many_served_last(self, numbers: Iterable[MSISDN]) -> Mapping[MSISDN, Subscription]:
        """Who was served last under some numbers, of those subscriptions that have ended."""
        keys = [msisdn_key(self.sealer, msisdn) for msisdn in set(numbers)]
        query = _everything().where(
            any_of(subscription.c.msisdn_key, keys), subscription.c.ended_at.is_not(None)
        )
        found = self._load(query.order_by(subscription.c.ended_at))
        return {item.msisdn: item for item in found}

    def find_of_operator(self, msisdn: MSISDN, operator_id: str) -> Subscription | None:
        """The operator's newest subscription of a number, in service or not."""
        query = _everything().where(
            subscription.c.msisdn_key == msisdn_key(self.sealer, msisdn),
            subscription.c.operator_id == operator_id,
        )
        query = query.order_by(_IN_SERVICE.desc(), subscription.c.created_at.desc()).limit(1)
        return next(iter(self._load(query)), None)

    def list_of_operator(
        self,
        operator_id: str,
        *,
        after: UUID | None,
        limit: int,
        link_states: Iterable[LinkState] = (),
    ) -> Sequence[Subscription]:
        """The operator's subscriptions in the order of their identifiers, after one of them."""
        conditions: list[ColumnElement[bool]] = [subscription.c.operator_id == operator_id]
        if after is not None:
            conditions.append(subscription.c.subscription_id > after)
        if states := [state.value for state in link_states]:
            conditions.append(subscription.c.link_state.in_(states))
        query = _everything().where(*conditions).order_by(subscription.c.subscription_id)
        return self._load(query.limit(limit))

    def list_of_citizen(
        self, personal_id: PersonalID, *, after: UUID | None, limit: int
    ) -> Sequence[Subscription]:
        """What is in service under a personal ID, in the order of identifiers, after one of them.

        Two look-ups, one on each distribution key, instead of a join across them.
        """
        query = select(holding.c.msisdn_key, holding.c.subscription_id).where(
            holding.c.citizen_key == citizen_key(self.sealer, personal_id)
        )
        if after is not None:
            query = query.where(holding.c.subscription_id > after)
        held = self.connection.execute(query.order_by(holding.c.subscription_id).limit(limit))
        return self.find_by_reference([(row.msisdn_key, row.subscription_id) for row in held])

    def list_of_citizens(
        self, ids: Iterable[PersonalID], *, lock: bool = False
    ) -> Sequence[Subscription]:
        """What is in service under any of some personal IDs."""
        keys = [citizen_key(self.sealer, personal_id) for personal_id in set(ids)]
        query = select(holding.c.msisdn_key, holding.c.subscription_id)
        held = self.connection.execute(query.where(any_of(holding.c.citizen_key, keys)))
        return self.find_by_reference(
            [(row.msisdn_key, row.subscription_id) for row in held], lock=lock
        )

    def find_by_reference(
        self, references: Sequence[tuple[bytes, UUID]], *, lock: bool = False
    ) -> Sequence[Subscription]:
        """Subscriptions by their full keys, in the order of identifiers, or of locking."""
        if not references:
            return ()
        # Identifiers are unique by themselves; the keys let the planner go to their partitions.
        query = _everything().where(
            any_of(subscription.c.msisdn_key, (key for key, _ in references)),
            any_of(subscription.c.subscription_id, (identity for _, identity in references)),
        )
        if lock:
            return self._load(query.order_by(subscription.c.msisdn_key).with_for_update())
        return self._load(query.order_by(subscription.c.subscription_id))

    def lock(self, references: Sequence[tuple[bytes, UUID]]) -> None:
        """Lock many subscriptions at once, in key order, without reading them."""
        lock_all(self.connection, References.of(references))

    def order_alike(self, references: References, state: ServiceState, *, at: datetime) -> None:
        """Write the same new order for many that stay in service and are nobody's primary."""
        names = {"state": state.value, "at": at}
        self.connection.execute(_ORDER_ALIKE(references), {**references.parameters, **names})

    def apply_alike(self, references: References, state: ServiceState, *, at: datetime) -> None:
        """`Subscription.applied` for many: what their operator says that its network does."""
        names = {"state": state.value, "at": at}
        self.connection.execute(_APPLY_ALIKE(references), {**references.parameters, **names})

    def save_many(self, items: Iterable[Subscription]) -> None:
        """Insert or replace subscriptions and bring holdings and primaries in step."""
        saved = list(items)
        rows = sorted((self._row(item) for item in saved), key=lambda row: bytes(row["msisdn_key"]))
        if not rows:
            return
        clear_primaries(self.connection, _ineligible(saved))
        self._upsert(rows)
        self._refresh_holdings(rows)

    def save(self, item: Subscription) -> None:
        """`save_many` for one."""
        self.save_many([item])

    def _upsert(self, rows: Sequence[Mapping[str, Any]]) -> None:
        columns = [column.name for column in subscription.c]
        statement = insert(subscription)
        statement = statement.on_conflict_do_update(
            index_elements=[subscription.c.msisdn_key, subscription.c.subscription_id],
            set_={name: statement.excluded[name] for name in _MUTABLE},
        )
        self.connection.execute(statement, [{name: row[name] for name in columns} for row in rows])

    def _refresh_holdings(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Drop holdings that moved or ended, then write those that stand."""
        given = {
            "ids": [row["subscription_id"] for row in rows],
            "keys": [row["citizen_key"] for row in rows],
        }
        eligible = [row["is_held"] and row["is_eligible"] for row in rows]
        # Before the holdings go, and their fallbacks with them.
        others = self.connection.scalars(_STAND_IN_OTHERWISE, {**given, "eligible": eligible})
        note_changed(self.connection, others)
        are_held = [row["is_held"] for row in rows]
        gone = self.connection.execute(_DELETE_STALE_HOLDINGS, {**given, "held": are_held})
        times = {row["subscription_id"]: row["updated_at"] for row in rows}
        end_lines(self.connection, [(key, identity) for key, identity in gone], times=times)
        columns = [column.name for column in holding.c]
        held = [{name: row[name] for name in columns} for row in rows if row["is_held"]]
        if held:
            statement = insert(holding)
            statement = statement.on_conflict_do_update(
                index_elements=[holding.c.citizen_key, holding.c.subscription_id],
                set_={"is_eligible": statement.excluded.is_eligible},
                # An update that changes nothing would still wait for readers of the key.
                where=holding.c.is_eligible != statement.excluded.is_eligible,
            )
            self.connection.execute(statement, held)

    def _load(self, query: Select[Any]) -> Sequence[Subscription]:
        return [self._from_row(row) for row in self.connection.execute(query).mappings()]

    def _row(self, item: Subscription) -> dict[str, Any]:
        key = msisdn_key(self.sealer, item.msisdn)
        place = (key, item.subscription_id.bytes)
        claim = dump_claim(item.claim)
        return {
            "msisdn_key": key,
            "subscription_id": item.subscription_id,
            "operator_id": item.operator_id,
            "msisdn_sealed": seal_own_msisdn(self.sealer, item.msisdn, place),
            "citizen_key": citizen_key(self.sealer, item.claim.personal_id),
            "claim_sealed": seal_claim(self.sealer, claim, place),
            "claim_digest": claim_digest(self.sealer, claim),
            "holder_digest": holder_digest(
                self.sealer,
                item.claim.personal_id,
                item.claim.full_name,
                item.claim.birth_date,
            ),
            "link_state": item.link.state.value,
            "link_fields": link_fields(item.link),
            "service_state": item.service_state.value,
            "applied_state": item.applied_state.value,
            "activated_on": item.activated_on,
            "point_of_sale": item.point_of_sale,
            "province_code": item.province_code,
            "absent_since": None,
            "verified_at": item.verified_at,
            "sim_swapped_at": item.sim_swapped_at,
            "device_changed_at": item.device_changed_at,
            "ended_at": item.ended_at,
            "ended_by": None if item.ended_by is None else item.ended_by.value,
            "is_company_line": item.is_company_line,
            "created_at": item.created_at,
            "updated_at": item.updated_at,
            "is_eligible": item.is_eligible_as_primary,
            "is_held": item.is_in_service,
        }

    def _from_row(self, row: RowMapping) -> Subscription:
        place = (row["msisdn_key"], row["subscription_id"].bytes)
        return Subscription(
            subscription_id=row["subscription_id"],
            msisdn=open_own_msisdn(self.sealer, row["msisdn_sealed"], place),
            operator_id=row["operator_id"],
            claim=open_claim(self.sealer, row["claim_sealed"], place),
            link=link_from(row["link_state"], row["link_fields"]),
            service_state=ServiceState(row["service_state"]),
            applied_state=ServiceState(row["applied_state"]),
            activated_on=row["activated_on"],
            point_of_sale=row["point_of_sale"],
            province_code=row["province_code"],
            verified_at=row["verified_at"],
            sim_swapped_at=row["sim_swapped_at"],
            device_changed_at=row["device_changed_at"],
            ended_at=row["ended_at"],
            ended_by=None if row["ended_by"] is None else SubscriptionEnd(row["ended_by"]),
            is_company_line=row["is_company_line"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )


def _ineligible(items: Iterable[Subscription]) -> Iterator[Cleared]:
    for item in items:
        if not item.is_eligible_as_primary:
            cause = why_cleared(item)
            yield Cleared(subscription_id=item.subscription_id, cause=cause, at=item.updated_at)


def _everything() -> Select[Any]:
    return select(subscription)
