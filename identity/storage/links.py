"""Links by the thousand: which claims do not stand as they should, and how they are put right.

Owns the set-based comparison of claims with records and the writing of what came of it. This is the
one place that joins subscriptions with citizens, across both distribution keys: jobs and changes of
records need it, no call of an operator does. Knows no rule: what equal digests mean and what
follows is handed in.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from identity.domain.holder import HolderClaim
from identity.domain.link import Link, LinkState
from identity.storage.arrays import PACKED_REFERENCES, References, are
from identity.storage.conversions import link_fields, link_from
from identity.storage.sealing import Sealer
from identity.storage.subscriptions import open_claim

# What a link must be by what needs no decrypting; null where the names and dates have to be looked
# at. A row's own digest is empty when it was written before there were digests.
_BY_DIGEST = """CASE WHEN c.citizen_key IS NULL THEN 'not_found'
  WHEN s.holder_digest <> c.holder_digest OR s.holder_digest = '' THEN NULL
  WHEN c.is_deceased THEN 'deceased' ELSE 'linked' END"""

# The fields of such a link say the same for everybody, so a state that stands needs no second look,
# except where a person has died or is found again: those may have kept the fields of before.
_COMPARED = f"""SELECT s.msisdn_key, s.subscription_id, s.citizen_key, s.link_state,
 s.link_fields::text AS link_fields,
 s.service_state, s.verified_at IS NOT NULL AS is_verified, s.activated_on,
 {_BY_DIGEST} AS by_digest,
 CASE WHEN {_BY_DIGEST} IS NULL THEN s.claim_sealed END AS claim_sealed
"""
_DIFFERS = f"({_BY_DIGEST} IS DISTINCT FROM s.link_state OR s.link_state = 'deceased')"

_OF_CITIZENS = text(
    f"{_COMPARED} FROM holding AS h"  # noqa: S608 - no input
    " JOIN subscription AS s"
    "  ON s.msisdn_key = h.msisdn_key AND s.subscription_id = h.subscription_id"
    " LEFT JOIN citizen AS c ON c.citizen_key = s.citizen_key"
    " WHERE h.citizen_key IN ("
    "  SELECT substr(CAST(:keys AS bytea), place * :key_bytes + 1, :key_bytes)"
    f"  FROM generate_series(0, :last) AS place) AND {_DIFFERS}"
    " ORDER BY s.msisdn_key FOR UPDATE OF s"
)
_IN_RANGE = text(
    f"{_COMPARED} FROM subscription AS s"
    " LEFT JOIN citizen AS c ON c.citizen_key = s.citizen_key"
    " WHERE s.msisdn_key >= :low AND (CAST(:high AS bytea) IS NULL OR s.msisdn_key < :high)"
    f" AND s.service_state <> 'terminated' AND {_DIFFERS}"
    " ORDER BY s.msisdn_key FOR UPDATE OF s"
)
_SET_MAX = 1 << 16
"""Links written by one statement: as many as could be different."""

_COUNT_IN_RANGE = text(
    "SELECT count(*) FROM subscription WHERE msisdn_key >= :low"
    " AND (CAST(:high AS bytea) IS NULL OR msisdn_key < :high)"
    " AND service_state <> 'terminated'"
)
# Two octets for each row say which of the different links it gets.
_WHICH = (
    "256 * get_byte(CAST(:which AS bytea), 2 * place)"
    " + get_byte(CAST(:which AS bytea), 2 * place + 1)"
)
_SET = text(
    "UPDATE subscription AS s SET link_state = n.state, link_fields = n.fields::jsonb,"  # noqa: S608 - no input
    " updated_at = :at FROM (SELECT key, id, (CAST(:states AS text[]))[which] AS state,"
    "  (CAST(:fields AS text[]))[which] AS fields"
    f"  FROM (SELECT key, id, 1 + {_WHICH} AS which FROM {PACKED_REFERENCES} AS r) AS r) AS n"
    f" WHERE {are('s')}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A claim whose link may have to change.

    Attributes:
        msisdn_key: Key of its number.
        subscription_id: Its subscription.
        citizen_key: Key of the claimed person.
        link: As it stands.
        service_state: Whether the number is served.
        is_verified: Its holder was verified.
        activated_on: The first day of its contract.
        by_digest: What the link's state must be, where that needs no decrypting.
        claim: The claim itself, where it has to be looked at.
    """

    msisdn_key: bytes
    subscription_id: UUID
    citizen_key: bytes
    link: Link
    service_state: str
    is_verified: bool
    activated_on: date | None
    by_digest: LinkState | None
    claim: HolderClaim | None

    @property
    def reference(self) -> tuple[bytes, UUID]:
        """The full key of its subscription."""
        return (self.msisdn_key, self.subscription_id)


@dataclass(frozen=True, slots=True)
class Links:
    """The links of one transaction."""

    connection: Connection
    sealer: Sealer

    def list_doubtful_of(self, citizen_keys: Iterable[bytes]) -> Sequence[Claimed]:
        """Claims on some citizens that may stand otherwise than they should; locked."""
        keys = list(citizen_keys)
        length = len(keys[0]) if keys else 0
        names = {"keys": b"".join(keys), "key_bytes": length, "last": len(keys) - 1}
        return self._load(_OF_CITIZENS, names)

    def list_doubtful_in(self, low: bytes, high: bytes | None) -> Sequence[Claimed]:
        """The same of all numbers whose keys lie in a range; None is the end of all."""
        return self._load(_IN_RANGE, {"low": low, "high": high})

    def count_in(self, low: bytes, high: bytes | None) -> int:
        """How many claims are in service in a range."""
        names = {"low": low, "high": high}
        return int(self.connection.execute(_COUNT_IN_RANGE, names).scalar_one())

    def set_many(self, links: Sequence[tuple[Claimed, Link]], *, at: datetime) -> None:
        """Write links that have changed."""
        for begin in range(0, len(links), _SET_MAX):
            self._set(links[begin : begin + _SET_MAX], at=at)

    def _set(self, links: Sequence[tuple[Claimed, Link]], *, at: datetime) -> None:
        ordered = sorted(links, key=lambda each: each[0].reference)
        different = list(dict.fromkeys(link for _, link in ordered))
        place = {link: number.to_bytes(2, "big") for number, link in enumerate(different)}
        self.connection.execute(
            _SET,
            {
                **References.of(claimed.reference for claimed, _ in ordered).parameters,
                "which": b"".join(place[link] for _, link in ordered),
                "states": [link.state.value for link in different],
                "fields": [json.dumps(link_fields(link)) for link in different],
                "at": at,
            },
        )

    def _load(self, query: Any, names: Mapping[str, Any]) -> Sequence[Claimed]:  # noqa: ANN401 - a text()
        links: dict[tuple[str, str], Link] = {}
        return [self._claimed(row, links) for row in self.connection.execute(query, names)]

    def _claimed(self, row: Any, links: dict[tuple[str, str], Link]) -> Claimed:  # noqa: ANN401 - a row of columns by name
        sealed, stored = row.claim_sealed, (row.link_state, row.link_fields)
        if stored not in links:  # a million rows share some hundred links
            links[stored] = link_from(row.link_state, json.loads(row.link_fields))
        return Claimed(
            msisdn_key=row.msisdn_key,
            subscription_id=row.subscription_id,
            citizen_key=row.citizen_key,
            link=links[stored],
            service_state=row.service_state,
            is_verified=row.is_verified,
            activated_on=row.activated_on,
            by_digest=None if row.by_digest is None else LinkState(row.by_digest),
            claim=None
            if sealed is None
            else open_claim(self.sealer, sealed, (row.msisdn_key, row.subscription_id.bytes)),
        )
