"""Imports as wholes: how far each has come, and what a snapshot has named.

Owns the rows of `import_run` and `import_row`, and reads `import_batch` back. Knows nothing of what
a row of an import holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, delete, literal, select, text, update
from sqlalchemy.dialects.postgresql import insert

from identity.storage.bulk_tables import import_row, import_run
from identity.storage.tables import import_batch

_BATCHES = text(
    "SELECT batch_index, result - 'row_errors' AS counts,"
    " CASE WHEN refused_before < :errors_max THEN result -> 'row_errors' ELSE '[]' END AS errors,"
    " jsonb_array_length(result -> 'row_errors') AS refused"
    " FROM (SELECT batch_index, result, sum(jsonb_array_length(result -> 'row_errors'))"
    "  OVER (ORDER BY batch_index) - jsonb_array_length(result -> 'row_errors') AS refused_before"
    "  FROM import_batch WHERE caller = :caller AND request_id = :request_id"
    "  AND batch_index < :before) AS batch"
    " ORDER BY batch_index"
)

_FIRST_MISSING = text(
    "SELECT coalesce(min(place), 0) FROM (SELECT batch_index + 1 AS place,"
    " lead(batch_index) OVER (ORDER BY batch_index) AS following"
    " FROM import_batch WHERE caller = :caller AND request_id = :request_id"
    "  AND EXISTS (SELECT FROM import_batch"
    "   WHERE caller = :caller AND request_id = :request_id AND batch_index = 0)) AS batch"
    " WHERE following IS DISTINCT FROM place"
)

_ERRORS = text(
    "SELECT batch_index, received_before, result -> 'row_errors' AS errors"
    " FROM (SELECT batch_index, result, sum((result ->> 'received_count')::bigint)"
    "  OVER (ORDER BY batch_index) - (result ->> 'received_count')::bigint AS received_before"
    "  FROM import_batch WHERE caller = :caller AND request_id = :request_id) AS batch"
    " WHERE batch_index > :after AND jsonb_array_length(result -> 'row_errors') > 0"
    " ORDER BY batch_index LIMIT 2"
)

_HOLD = "SELECT pg_advisory_xact_lock{}(hashtext('subid.import'), hashtext(:caller))"
_HOLD_SHARED = text(_HOLD.format("_shared"))
_HOLD_ALONE = text(_HOLD.format(""))

_UNIDENTIFIED = text(
    "SELECT coalesce(sum((result ->> 'unidentified_count')::bigint), 0)::bigint FROM import_batch"
    " WHERE caller = :caller AND request_id = :request_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRun:
    """One import.

    Attributes:
        caller: Who sends it.
        request_id: Its name there.
        import_id: Its number here; a later import has a higher one.
        method: What it imports.
        is_snapshot: It names everything that its sender holds.
        began_at: When its first stream began.
        completed_at: When its last batch was stored; None until then.
        gone_count: What a complete snapshot did not name.
    """

    caller: str
    request_id: UUID
    import_id: int
    method: str
    is_snapshot: bool
    began_at: datetime
    completed_at: datetime | None
    gone_count: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBatch:
    """One batch that is stored.

    Attributes:
        counts: What `BatchResult.to_fields` made, without the refused rows.
        errors: The refused rows, or none of them when enough came before.
        refused_count: All of them.
    """

    counts: Mapping[str, Any]
    errors: Sequence[Mapping[str, Any]]
    refused_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedRows:
    """The refused rows of one batch.

    Attributes:
        batch_index: Which batch.
        received_before: Rows of the batches before it.
        errors: The rows; their indexes count from the batch's first.
        has_more: Another batch with refused rows follows.
    """

    batch_index: int
    received_before: int
    errors: Sequence[Mapping[str, Any]]
    has_more: bool


_RUNS = select(*(import_run.c[each.name] for each in fields(ImportRun)))


@dataclass(frozen=True, slots=True)
class ImportRuns:
    """The imports of one transaction."""

    connection: Connection

    def begin(
        self, caller: str, request_id: UUID, *, method: str, is_snapshot: bool, at: datetime
    ) -> ImportRun:
        """The import of that name; begun now unless it was before."""
        known = self.find(caller, request_id)
        if known is not None:
            return known
        statement = insert(import_run).values(
            caller=caller,
            request_id=request_id,
            method=method,
            is_snapshot=is_snapshot,
            began_at=at,
        )
        self.connection.execute(statement.on_conflict_do_nothing())
        run = self.find(caller, request_id)
        assert run is not None, "a row just inserted, or found in its way"
        return run

    def find(self, caller: str, request_id: UUID) -> ImportRun | None:
        """The import of that name, if anybody began it."""
        query = _RUNS.where(import_run.c.caller == caller, import_run.c.request_id == request_id)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else ImportRun(**row)

    def hold_sender(self, caller: str, *, alone: bool) -> None:
        """Until the transaction ends, store batches of one sender beside others, or one alone.

        The end of a snapshot is alone: what another batch names is either seen by it, or sees its
        marks. Taken before any lock on what batches write.
        """
        self.connection.execute(_HOLD_ALONE if alone else _HOLD_SHARED, {"caller": caller})

    def hold(self, run: ImportRun, *, alone: bool) -> ImportRun:
        """The import as it is now, held until the transaction ends.

        Its batches hold it beside each other, its last one alone: either the last sees another one
        that was stored, or that one sees that the import is complete.
        """
        query = _RUNS.where(import_run.c.import_id == run.import_id)
        row = self.connection.execute(query.with_for_update(read=not alone)).mappings().one()
        return ImportRun(**row)

    def newer_snapshots(self, run: ImportRun) -> Sequence[ImportRun]:
        """Snapshots of the same sender that began after one."""
        query = _RUNS.where(
            import_run.c.caller == run.caller,
            import_run.c.method == run.method,
            import_run.c.is_snapshot,
            import_run.c.import_id > run.import_id,
        )
        return [ImportRun(**row) for row in self.connection.execute(query).mappings()]

    def unidentified_count(self, run: ImportRun) -> int:
        """Refused rows of the stored batches that do not say what they are about."""
        names = {"caller": run.caller, "request_id": run.request_id}
        return int(self.connection.execute(_UNIDENTIFIED, names).scalar_one())

    def next_batch_index(self, caller: str, request_id: UUID) -> int:
        """The place of the first batch that is not stored; later ones may be."""
        names = {"caller": caller, "request_id": request_id}
        return int(self.connection.execute(_FIRST_MISSING, names).scalar_one())

    def has_batch_after(self, caller: str, request_id: UUID, batch_index: int) -> bool:
        """Whether any batch after one is stored."""
        query = select(import_batch.c.batch_index).where(
            import_batch.c.caller == caller,
            import_batch.c.request_id == request_id,
            import_batch.c.batch_index > batch_index,
        )
        return self.connection.execute(query.limit(1)).first() is not None

    def stored(
        self, caller: str, request_id: UUID, *, before: int, errors_max: int
    ) -> Iterator[StoredBatch]:
        """The batches before a place, in their order; refused rows until there are enough."""
        rows = self.connection.execute(
            _BATCHES,
            {
                "caller": caller,
                "request_id": request_id,
                "before": before,
                "errors_max": errors_max,
            },
        )
        for row in rows:
            yield StoredBatch(counts=row.counts, errors=row.errors, refused_count=row.refused)

    def refused_rows(self, caller: str, request_id: UUID, *, after: int) -> RefusedRows | None:
        """The refused rows of the next batch that has any."""
        names = {"caller": caller, "request_id": request_id, "after": after}
        rows = self.connection.execute(_ERRORS, names).all()
        if not rows:
            return None
        return RefusedRows(
            batch_index=rows[0].batch_index,
            received_before=int(rows[0].received_before),
            errors=rows[0].errors,
            has_more=len(rows) > 1,
        )

    def name_rows(self, import_id: int, keys: Iterable[bytes]) -> int:
        """Note what a snapshot names; returns how many of it were not named before."""
        named = self.connection.execute(
            text(
                "INSERT INTO import_row (row_key, import_id)"
                " SELECT DISTINCT key, CAST(:import_id AS bigint)"
                " FROM unnest(CAST(:keys AS bytea[])) AS key ORDER BY key"
                " ON CONFLICT DO NOTHING"
            ),
            {"keys": list(keys), "import_id": import_id},
        )
        return named.rowcount

    def name_rows_of(self, import_id: int, others: Iterable[int]) -> None:
        """Note what other snapshots under way have named so far as named by one."""
        named = select(import_row.c.row_key, literal(import_id)).where(
            import_row.c.import_id.in_(others)
        )
        columns = [import_row.c.row_key, import_row.c.import_id]
        statement = insert(import_row).from_select(columns, named.distinct())
        self.connection.execute(statement.on_conflict_do_nothing())

    def complete(self, run: ImportRun, *, gone_count: int | None, at: datetime) -> None:
        """The last batch is stored: what the snapshot named is no longer needed."""
        self.connection.execute(
            update(import_run)
            .where(import_run.c.import_id == run.import_id)
            .values(completed_at=at, gone_count=gone_count)
        )
        if run.is_snapshot:
            self.connection.execute(
                delete(import_row).where(import_row.c.import_id == run.import_id)
            )
