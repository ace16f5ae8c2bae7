"""An operator's book against the registry: thousands of rows in a few statements.

Owns what is read of the numbers in a batch, as little as tells known from new, and how new
subscriptions are written with their holdings. What is neither new nor as it was goes through
`subscriptions.py`, one by one.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb
from sqlalchemy import Connection, RowMapping, select, text, update

from identity.domain.holder import HolderClaim
from identity.domain.link import Link
from identity.domain.msisdn import MSISDN
from identity.domain.subscription import ServiceState
from identity.storage.arrays import any_key
from identity.storage.citizens import citizen_key, holder_digest
from identity.storage.conversions import dump_claim, link_fields
from identity.storage.copying import copy_rows
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import claim_digest, msisdn_key, seal_claim, seal_own_msisdn
from identity.storage.tables import subscription

_IN_SERVICE = subscription.c.service_state != ServiceState.TERMINATED.value

# Identifiers are written as the sixteen octets that they are; as objects they take longer to make
# than a row takes to write.
_RAW_UUID = "bytea"
_VERSION_4 = bytes(octet & 0x0F | 0x40 for octet in range(256))
_VARIANT_1 = bytes(octet & 0x3F | 0x80 for octet in range(256))

_SUBSCRIPTION: Mapping[LiteralString, str] = {
    "msisdn_key": "bytea",
    "subscription_id": _RAW_UUID,
    "operator_id": "text",
    "msisdn_sealed": "bytea",
    "citizen_key": "bytea",
    "claim_sealed": "bytea",
    "claim_digest": "bytea",
    "holder_digest": "bytea",
    "link_state": "text",
    "link_fields": "jsonb",
    "service_state": "text",
    "applied_state": "text",
    "activated_on": "date",
    "point_of_sale": "text",
    "province_code": "text",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
}
_HOLDING: Mapping[LiteralString, str] = {
    "citizen_key": "bytea",
    "subscription_id": _RAW_UUID,
    "msisdn_key": "bytea",
    "is_eligible": "boolean",
}

_MARK_ABSENT = text(
    "UPDATE subscription SET absent_since = :at"
    " WHERE operator_id = :operator_id AND service_state <> 'terminated'"
    " AND absent_since IS NULL AND created_at < :began_at"
    " AND NOT EXISTS (SELECT FROM import_row"
    "  WHERE row_key = subscription.msisdn_key AND import_id = :import_id)"
)
# Not those that it names and another one, sent at the same time, has marked since.
_COUNT_ABSENT = text(
    "SELECT count(*) FROM subscription"
    " WHERE operator_id = :operator_id AND service_state <> 'terminated'"
    " AND absent_since IS NOT NULL"
    " AND NOT EXISTS (SELECT FROM import_row"
    "  WHERE row_key = subscription.msisdn_key AND import_id = :import_id)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """One row of an operator's book."""

    msisdn: MSISDN
    claim: HolderClaim
    activated_on: date | None = None
    point_of_sale: str | None = None
    province_code: str | None = None


@dataclass(frozen=True, slots=True)
class IndexedRow:
    """A row with its keyed digests.

    Attributes:
        row: The row.
        msisdn_key: Key of the number.
        citizen_key: Key of the claimed person.
        claim: What `dump_claim` makes of the claim.
        claim_digest: Tells a changed claim from the same.
        holder_digest: Equal to the record's where name and birth date match.
    """

    row: BookRow
    msisdn_key: bytes
    citizen_key: bytes
    claim: bytes = field(repr=False)
    claim_digest: bytes
    holder_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of a number, as far as a book's row is compared with it.

    Attributes:
        operator_id: Who has it, or had it last.
        is_in_service: It is in service.
        is_absent: The operator's last whole book did not name it.
        link_state: How its claim stands.
        row: What the operator's book would have to say to change nothing.
    """

    operator_id: str
    is_in_service: bool
    is_absent: bool
    link_state: str
    row: tuple[bytes, date | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class NewNumber:
    """A row that is to become a subscription, linked."""

    indexed: IndexedRow
    subscription_id: bytes
    link: Link

    @property
    def identity(self) -> UUID:
        """Its identifier."""
        return UUID(bytes=self.subscription_id)


def new_ids(count: int) -> Sequence[bytes]:
    """Random identifiers (RFC 9562, version 4), many at once: their octets."""
    octets = bytearray(os.urandom(16 * count))
    octets[6::16] = octets[6::16].translate(_VERSION_4)
    octets[8::16] = octets[8::16].translate(_VARIANT_1)
    return [bytes(octets[place : place + 16]) for place in range(0, 16 * count, 16)]


def index_row(sealer: Sealer, row: BookRow) -> IndexedRow:
    """Make the keyed digests of a row: work that needs no transaction."""
    claim = row.claim
    dumped = dump_claim(claim)
    return IndexedRow(
        row,
        msisdn_key(sealer, row.msisdn),
        citizen_key(sealer, claim.personal_id),
        dumped,
        claim_digest(sealer, dumped),
        holder_digest(sealer, claim.personal_id, claim.full_name, claim.birth_date),
    )


def content(indexed: IndexedRow) -> tuple[bytes, date | None, str | None, str | None]:
    """What a row says, in the form of `Standing.row`."""
    row = indexed.row
    return (indexed.claim_digest, row.activated_on, row.point_of_sale, row.province_code)


@dataclass(frozen=True, slots=True)
class Book:
    """The registry as an import meets it, in one transaction."""

    connection: Connection
    sealer: Sealer

    def standing(self, keys: Iterable[bytes]) -> Mapping[bytes, Standing]:
        """What is known of numbers, in service or not; a number that nobody had is left out."""
        query = (
            select(
                subscription.c.msisdn_key,
                subscription.c.operator_id,
                _IN_SERVICE.label("is_in_service"),
                subscription.c.absent_since.is_not(None).label("is_absent"),
                subscription.c.link_state,
                subscription.c.claim_digest,
                subscription.c.activated_on,
                subscription.c.point_of_sale,
                subscription.c.province_code,
            )
            .where(any_key(subscription.c.msisdn_key, keys))
            .order_by(_IN_SERVICE, subscription.c.updated_at)  # what is in service comes last
        )
        rows = self.connection.execute(query).mappings()
        return {row["msisdn_key"]: _standing(row) for row in rows}

    def add_new(self, numbers: Sequence[NewNumber], *, operator_id: str, at: datetime) -> None:
        """Write numbers that nobody had, in service, and whose they are."""
        copy_rows(
            self.connection, "subscription", _SUBSCRIPTION, self._rows(numbers, operator_id, at)
        )
        copy_rows(
            self.connection,
            "holding",
            _HOLDING,
            [
                (each.indexed.citizen_key, each.subscription_id, each.indexed.msisdn_key, False)
                for each in numbers
            ],
        )

    def mark_present(self, keys: Iterable[bytes]) -> None:
        """Numbers that a book names again, after one that did not."""
        self.connection.execute(
            update(subscription)
            .where(
                any_key(subscription.c.msisdn_key, keys), subscription.c.absent_since.is_not(None)
            )
            .values(absent_since=None)
        )

    def mark_absent(
        self, operator_id: str, *, import_id: int, began_at: datetime, at: datetime
    ) -> int:
        """What an operator's whole book did not name; returns how many numbers that is.

        Numbers that came in while the book was being sent are not in it, and are not absent.
        """
        names = {
            "operator_id": operator_id,
            "import_id": import_id,
            "began_at": began_at,
            "at": at,
        }
        self.connection.execute(_MARK_ABSENT, names)
        return int(self.connection.execute(_COUNT_ABSENT, names).scalar_one())

    def _rows(
        self, numbers: Sequence[NewNumber], operator_id: str, at: datetime
    ) -> Iterator[tuple[Any, ...]]:
        stored: dict[int, tuple[str, Jsonb]] = {}
        active = ServiceState.ACTIVE.value
        for each in numbers:
            indexed, row = each.indexed, each.indexed.row
            if id(each.link) not in stored:  # most rows share a few objects; hashing costs more
                stored[id(each.link)] = (each.link.state.value, _jsonb(each.link))
            link_state, fields = stored[id(each.link)]
            place = (indexed.msisdn_key, each.subscription_id)
            yield (
                indexed.msisdn_key,
                each.subscription_id,
                operator_id,
                seal_own_msisdn(self.sealer, row.msisdn, place),
                indexed.citizen_key,
                seal_claim(self.sealer, indexed.claim, place),
                indexed.claim_digest,
                indexed.holder_digest,
                link_state,
                fields,
                active,
                active,
                row.activated_on,
                row.point_of_sale,
                row.province_code,
                at,
                at,
            )


def _jsonb(link: Link) -> Jsonb:
    """The outcomes of a link, serialised once for all rows that share them."""
    dumped = json.dumps(link_fields(link))
    return Jsonb(None, dumps=lambda _: dumped)


def _standing(row: RowMapping) -> Standing:
    return Standing(
        operator_id=row["operator_id"],
        is_in_service=row["is_in_service"],
        is_absent=row["is_absent"],
        link_state=row["link_state"],
        row=(
            row["claim_digest"],
            row["activated_on"],
            row["point_of_sale"],
            row["province_code"],
        ),
    )
