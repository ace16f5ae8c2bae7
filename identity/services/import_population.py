"""Import one batch of population records.

Owns nothing but the use case: save the good rows, relink whom they touch, report the broken ones.
"""

from collections.abc import Sequence

from identity.audit.log import AuditEntry, append
from identity.domain.errors import PersonalIDRetiredError
from identity.domain.holder import PopulationRecord
from identity.domain.personal_id import PersonalID
from identity.services.call import Call
from identity.services.end_arrangements import end_of_gone
from identity.services.imports import BatchResult, RefusedRow, RowError
from identity.services.relink_citizens import relink_citizens
from identity.services.snapshots import Named, note_named
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun


def import_population(
    uow: UnitOfWork,
    call: Call,
    rows: Sequence[PopulationRecord | RefusedRow[PersonalID]],
    *,
    run: ImportRun | None = None,
    is_last: bool = False,
) -> BatchResult:
    """Store a batch.

    Args:
        uow: The transaction.
        call: The circumstances.
        rows: Each row parsed or refused, in the order of the batch.
        run: The import that the batch belongs to; needed for a snapshot's.
        is_last: It is the import's last batch.
    """
    records: dict[int, PopulationRecord] = {}
    refused = [row for row in rows if isinstance(row, RefusedRow)]
    errors = [row.error for row in refused]
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if isinstance(row, RefusedRow):
            continue
        if row.personal_id.value in seen:
            errors.append(RowError(row_index=index, field="personal_id", reason="ROW_DUPLICATE"))
            continue
        seen.add(row.personal_id.value)
        records[index] = row
    saved = uow.citizens.save_many(list(records.values()), at=call.at)
    places = list(records)
    errors.extend(
        RowError(row_index=places[each], field="personal_id", reason=PersonalIDRetiredError.reason)
        for each in saved.retired
    )
    end_of_gone(uow, call, saved.gone)
    relink_citizens(uow, call, saved.touched, action="import_population")
    keys = [citizen_key(uow.sealer, row.key) for row in refused if row.key is not None]
    named = Named(keys=[*saved.keys, *keys], unidentified_count=len(refused) - len(keys))
    result = BatchResult(
        received_count=len(rows),
        created_count=saved.created_count,
        changed_count=saved.changed_count,
        unchanged_count=saved.unchanged_count,
        row_errors=tuple(sorted(errors, key=lambda error: error.row_index)),
        gone_count=_note_presence(uow, call, named, run, is_last=is_last),
        unidentified_count=named.unidentified_count,
    )
    append(uow.connection, [_entry(call, result)])
    return result


def _note_presence(
    uow: UnitOfWork, call: Call, named: Named, run: ImportRun | None, *, is_last: bool
) -> int:
    """Whom the register names; at the end of a whole one, how many it did not."""
    uow.citizens.mark_present(named.keys)
    ended = note_named(uow, run, named, is_last=is_last)
    if ended is None:
        return 0
    return uow.citizens.mark_absent(import_id=ended.import_id, began_at=ended.began_at, at=call.at)


def _entry(call: Call, result: BatchResult) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="import_population",
        outcome="stored",
        details={"received": result.received_count, "rejected": len(result.row_errors)},
    )
