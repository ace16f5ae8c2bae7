"""What a snapshot names, and when it may say that the rest is gone.

Owns that decision. A number or a citizen is marked as gone only by a snapshot that certainly did
not name it. Knows nothing of what a row holds, nor of how marks are kept.
"""

from collections.abc import Collection
from dataclasses import dataclass

from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a batch names, with rows that were refused.

    Attributes:
        keys: Keys of the numbers or citizens.
        unidentified_count: Refused rows that do not say what they are about.
    """

    keys: Collection[bytes]
    unidentified_count: int


def note_named(
    uow: UnitOfWork, run: ImportRun | None, named: Named, *, is_last: bool
) -> ImportRun | None:
    """Note what a batch names.

    Args:
        uow: The transaction.
        run: The import; None or a delta says nothing of what it does not name.
        named: What the batch names.
        is_last: It is the import's last batch.

    Returns:
        The import, if what the whole of it did not name is gone.
    """
    if run is None or not run.is_snapshot:
        return None
    uow.import_runs.name_rows(run.import_id, named.keys)
    return run if is_last and _may_tell_gone(uow, run, named) else None


def _may_tell_gone(uow: UnitOfWork, run: ImportRun, named: Named) -> bool:
    # A row that does not say what it is about may be about anything that seems to be missing.
    if named.unidentified_count or uow.import_runs.unidentified_count(run):
        return False
    newer = uow.import_runs.newer_snapshots(run)
    if any(each.completed_at is not None for each in newer):
        return False  # it has told already, and knew better
    if newer:
        uow.import_runs.name_rows_of(run.import_id, [each.import_id for each in newer])
    return True
