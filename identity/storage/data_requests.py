"""What people have asked about their data, and what became of it.

Owns the rows of `data_request`. They outlive whom they are about: that somebody was erased can be
shown as long as the registry is there, by a key that says nothing of anybody.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, and_, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.data_request import DataRequest, DataRequestKind, DataRequestOutcome
from identity.storage.privacy_tables import data_request

_COLUMNS = data_request.c


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRequest:
    """A request, and whose it is."""

    citizen_key: bytes
    request: DataRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestCounts:
    """How it stands with the requests of everybody.

    Attributes:
        open_count: Those that are open.
        unacknowledged_count: Of these, those that nobody has acknowledged in time.
        late_count: Of these, those that should have been acted on by now.
        closed_late_count: Closed ones that were late with either.
    """

    open_count: int
    unacknowledged_count: int
    late_count: int
    closed_late_count: int


@dataclass(frozen=True, slots=True)
class DataRequests:
    """The requests of one transaction."""

    connection: Connection

    def add(self, key: bytes, asked: DataRequest) -> None:
        """Store a new request."""
        self.connection.execute(insert(data_request).values(citizen_key=key, **_values(asked)))

    def save(self, kept: KeptRequest) -> None:
        """Store what became of a request."""
        asked = kept.request
        self.connection.execute(
            update(data_request)
            .where(
                _COLUMNS.citizen_key == kept.citizen_key,
                _COLUMNS.data_request_id == asked.data_request_id,
            )
            .values(
                acknowledged_at=asked.acknowledged_at,
                closed_at=asked.closed_at,
                outcome=None if asked.outcome is None else asked.outcome.value,
                reason=asked.reason,
                proof=asked.proof,
            )
        )

    def find(self, key: bytes, data_request_id: UUID) -> DataRequest | None:
        """A citizen's own request."""
        query = select(data_request).where(
            _COLUMNS.citizen_key == key, _COLUMNS.data_request_id == data_request_id
        )
        row = self.connection.execute(query).mappings().first()
        return None if row is None else _request(row)

    def find_open_erasure(self, key: bytes) -> DataRequest | None:
        """The erasure that a citizen has asked for and nobody has decided."""
        query = select(data_request).where(
            _COLUMNS.citizen_key == key,
            _COLUMNS.kind == DataRequestKind.ERASURE.value,
            _COLUMNS.closed_at.is_(None),
        )
        row = self.connection.execute(query).mappings().first()
        return None if row is None else _request(row)

    def hold(self, data_request_id: UUID) -> KeptRequest | None:
        """A request of anybody's, by one index probe in each partition; nobody else changes it."""
        query = select(data_request).where(_COLUMNS.data_request_id == data_request_id)
        row = self.connection.execute(query.with_for_update()).mappings().first()
        if row is None:
            return None
        return KeptRequest(citizen_key=row["citizen_key"], request=_request(row))

    def list_of_citizen(
        self, key: bytes, *, after: UUID | None, limit: int
    ) -> Sequence[DataRequest]:
        """A citizen's requests, the newest first, after one of them."""
        query = select(data_request).where(_COLUMNS.citizen_key == key)
        if after is not None:
            last = select(_COLUMNS.opened_at, _COLUMNS.data_request_id).where(
                _COLUMNS.citizen_key == key, _COLUMNS.data_request_id == after
            )
            place = tuple_(_COLUMNS.opened_at, _COLUMNS.data_request_id)
            query = query.where(place < last.scalar_subquery())
        newest = query.order_by(_COLUMNS.opened_at.desc(), _COLUMNS.data_request_id.desc())
        return [_request(row) for row in self.connection.execute(newest.limit(limit)).mappings()]

    def list_open(self, *, limit: int) -> Sequence[DataRequest]:
        """Requests of everybody that are open, what must be done first in front."""
        query = select(data_request).where(_COLUMNS.closed_at.is_(None))
        first = query.order_by(_COLUMNS.act_by, _COLUMNS.data_request_id).limit(limit)
        return [_request(row) for row in self.connection.execute(first).mappings()]

    def count(self, *, at: datetime) -> RequestCounts:
        """How it stands with all of them at an instant."""
        is_unknown = and_(_COLUMNS.acknowledged_at.is_(None), _COLUMNS.acknowledge_by < at)
        waiting = select(
            func.count(),
            func.count().filter(is_unknown),
            func.count().filter(_COLUMNS.act_by < at),
        ).where(_COLUMNS.closed_at.is_(None))
        late = select(func.count()).where(
            or_(
                _COLUMNS.closed_at > _COLUMNS.act_by,
                _COLUMNS.acknowledged_at > _COLUMNS.acknowledge_by,
            ),
            _COLUMNS.closed_at.is_not(None),
        )
        counted = self.connection.execute(waiting).one()
        return RequestCounts(
            open_count=counted[0],
            unacknowledged_count=counted[1],
            late_count=counted[2],
            closed_late_count=self.connection.execute(late).scalar_one(),
        )


def _values(asked: DataRequest) -> Mapping[str, Any]:
    return {
        "data_request_id": asked.data_request_id,
        "kind": asked.kind.value,
        "opened_at": asked.opened_at,
        "acknowledge_by": asked.acknowledge_by,
        "act_by": asked.act_by,
        "acknowledged_at": asked.acknowledged_at,
        "closed_at": asked.closed_at,
        "outcome": None if asked.outcome is None else asked.outcome.value,
        "reason": asked.reason,
        # JSON's null would be a value, too.
        **({} if asked.proof is None else {"proof": asked.proof}),
    }


def _request(row: RowMapping) -> DataRequest:
    names = DataRequest.__dataclass_fields__.keys() - {"kind", "outcome"}
    outcome = row["outcome"]
    return DataRequest(
        kind=DataRequestKind(row["kind"]),
        outcome=None if outcome is None else DataRequestOutcome(outcome),
        **{name: row[name] for name in names},
    )
