"""Import one batch of population records.

Owns nothing but the use case: save the good rows, relink whom they touch, report the broken ones.
"""

from collections.abc import Sequence

from identity.audit.log import AuditEntry, append
from identity.domain.errors import PersonalIDRetiredError
from identity.domain.holder import PopulationRecord
from identity.services.call import Call
from identity.services.imports import BatchResult, RowError
from identity.services.relink_citizens import relink_citizens
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun


def import_population(
    uow: UnitOfWork,
    call: Call,
    rows: Sequence[PopulationRecord | RowError],
    *,
    run: ImportRun | None = None,
    is_last: bool = False,
) -> BatchResult:
    """Store a batch.

    Args:
        uow: The transaction.
        call: The circumstances.
        rows: Each row parsed, or the error that it was refused with, in the order of the batch.
        run: The import that the batch belongs to; needed for a snapshot's.
        is_last: It is the import's last batch.
    """
    records: dict[int, PopulationRecord] = {}
    errors = [row for row in rows if isinstance(row, RowError)]
    seen: set[str] = set()
    for index, row in enumerate(rows):
        if isinstance(row, RowError):
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
    relink_citizens(uow, call, saved.touched, action="import_population")
    result = BatchResult(
        received_count=len(rows),
        created_count=saved.created_count,
        changed_count=saved.changed_count,
        unchanged_count=saved.unchanged_count,
        row_errors=tuple(sorted(errors, key=lambda error: error.row_index)),
        gone_count=_note_presence(uow, call, saved.keys, run, is_last=is_last),
    )
    append(uow.connection, [_entry(call, result)])
    return result


def _note_presence(
    uow: UnitOfWork, call: Call, keys: Sequence[bytes], run: ImportRun | None, *, is_last: bool
) -> int:
    """Whom the register names; at the end of a whole one, how many it did not."""
    uow.citizens.mark_present(keys)
    if run is None or not run.is_snapshot:
        return 0
    uow.import_runs.name_rows(run.import_id, keys)
    if not is_last:
        return 0
    return uow.citizens.mark_absent(import_id=run.import_id, began_at=run.began_at, at=call.at)


def _entry(call: Call, result: BatchResult) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="import_population",
        outcome="stored",
        details={"received": result.received_count, "rejected": len(result.row_errors)},
    )
