"""First answers: what makes a repeated request harmless, also after a crash.

Owns the rows of `request` and `import_batch`. A request's row and its effect are committed in one
transaction; a second request with the same identifier waits for the first and gets its answer.

A body is stored as a keyed digest only: from a plain one, a number or a personal ID could be tried
out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, RowMapping, literal, select, text, update
from sqlalchemy.dialects.postgresql import Insert, insert

from identity.storage.sealing import Sealer
from identity.storage.tables import import_batch, request

_FORGET = text(
    "DELETE FROM request USING"
    " (SELECT caller, request_id FROM request WHERE created_at < :before LIMIT :limit) AS old"
    " WHERE request.caller = old.caller AND request.request_id = old.request_id"
    " RETURNING request.request_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """Names one request.

    Attributes:
        caller: Who sent it.
        request_id: Its identifier, chosen by the caller.
        method: The method it was sent to.
        body_digest: SHA-256 of its body; it stays in memory.
    """

    caller: str
    request_id: UUID
    method: str
    body_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAnswer:
    """What is stored of an earlier request with the same identifier.

    Attributes:
        is_same: It was the same request: same method, same body.
        response: What was answered.
    """

    is_same: bool
    response: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstBatch:
    """What is stored of an earlier batch with the same place in the same import.

    Attributes:
        is_same: It was the same batch: same method, same body.
        result: What became of it.
    """

    is_same: bool
    result: Mapping[str, Any]


def keyed_digest(sealer: Sealer, body_digest: bytes) -> bytes:
    """The form in which the digest of a body may be stored."""
    return sealer.blind_index("request", body_digest.hex())


@dataclass(frozen=True, slots=True)
class Requests:
    """The request rows of one transaction."""

    connection: Connection
    sealer: Sealer

    def begin(self, key: RequestKey, *, at: datetime) -> FirstAnswer | None:
        """Take the identifier, or return what was answered under it.

        Waits while another transaction holds the same identifier.
        """
        statement = insert(request).values(
            caller=key.caller,
            request_id=key.request_id,
            method=key.method,
            body_digest=keyed_digest(self.sealer, key.body_digest),
            created_at=at,
        )
        return None if self._is_taken(statement) else self._first_answer(key)

    def find(self, key: RequestKey) -> FirstAnswer | None:
        """What was answered under an identifier, if anything, without taking it."""
        query = select(request.c.request_id).where(*_is(key))
        is_known = self.connection.execute(query).scalar() is not None
        return self._first_answer(key) if is_known else None

    def finish(self, key: RequestKey, response: bytes) -> None:
        """Store the answer of a request taken in this transaction."""
        sealed = self.sealer.seal(response, context=_place(key))
        self.connection.execute(update(request).where(*_is(key)).values(response_sealed=sealed))

    def forget(self, *, before: datetime, limit: int) -> int:
        """Delete some of the answers that were given before an instant; returns how many.

        Such a request, sent once more, is acted on once more.
        """
        forgotten = self.connection.execute(_FORGET, {"before": before, "limit": limit})
        return len(forgotten.all())

    def _first_answer(self, key: RequestKey) -> FirstAnswer:
        row = self.connection.execute(select(request).where(*_is(key))).mappings().one()
        return FirstAnswer(
            is_same=self._is_same(row, key),
            response=self.sealer.open(row["response_sealed"], context=_place(key)),
        )

    def _is_same(self, row: RowMapping, key: RequestKey) -> bool:
        digest = keyed_digest(self.sealer, key.body_digest)
        return bool(row["method"] == key.method and row["body_digest"] == digest)

    def begin_batch(self, key: RequestKey, batch_index: int, *, at: datetime) -> FirstBatch | None:
        """Take one batch of an import, or return what became of it before."""
        statement = insert(import_batch).values(
            caller=key.caller,
            request_id=key.request_id,
            batch_index=batch_index,
            method=key.method,
            body_digest=keyed_digest(self.sealer, key.body_digest),
            result={},
            created_at=at,
        )
        if self._is_taken(statement):
            return None
        query = select(import_batch).where(*_is_batch(key, batch_index))
        row = self.connection.execute(query).mappings().one()
        return FirstBatch(is_same=self._is_same(row, key), result=row["result"])

    def _is_taken(self, statement: Insert) -> bool:
        # RETURNING, not the row count: drivers leave that undefined once the cursor is closed.
        returning = statement.on_conflict_do_nothing().returning(literal(1))
        return self.connection.execute(returning).scalar() is not None

    def finish_batch(self, key: RequestKey, batch_index: int, result: Mapping[str, Any]) -> None:
        """Store what became of a batch taken in this transaction."""
        self.connection.execute(
            update(import_batch).where(*_is_batch(key, batch_index)).values(result=dict(result))
        )


def _is(key: RequestKey) -> tuple[Any, Any]:
    return (request.c.caller == key.caller, request.c.request_id == key.request_id)


def _is_batch(key: RequestKey, batch_index: int) -> tuple[Any, Any, Any]:
    return (
        import_batch.c.caller == key.caller,
        import_batch.c.request_id == key.request_id,
        import_batch.c.batch_index == batch_index,
    )


def _place(key: RequestKey) -> bytes:
    return f"request.response|{key.caller}|".encode() + key.request_id.bytes
