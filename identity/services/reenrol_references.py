"""Make the templates of enrolled citizens anew after the network has changed.

Owns the slices. Each is a transaction of its own, and what is done is never done again: a run that
is interrupted goes on where it was.
"""

from dataclasses import dataclass
from datetime import datetime

from biometrics.face.engine import FaceEngine
from identity.audit.log import AuditEntry, append
from identity.services.draw_cohort import CALLER
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.face_references import StoredReference

SLICE_SIZE = 100
"""References of one transaction: seconds of work that a crash may cost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """What came of some references.

    Attributes:
        last_key: The last citizen's key; where the next slice begins.
        enrolled_count: Templates made anew.
        failed_count: Portraits that the new network finds no usable face in. They keep their old
            template, which is compared with nothing, until the citizen verifies again.
    """

    last_key: bytes
    enrolled_count: int
    failed_count: int


def reenrol_slice(
    transactions: Transactions,
    engine: FaceEngine,
    *,
    model_digest: str,
    after: bytes,
    at: datetime,
    size: int = SLICE_SIZE,
) -> Slice | None:
    """Enrol some citizens anew; None when none are left.

    Args:
        transactions: Runs actions on the database.
        engine: Makes templates.
        model_digest: Mark of the templates that it makes.
        after: The last slice's last key, or nothing to begin.
        at: Now.
        size: How many at most.
    """
    stored = transactions.run(
        lambda uow: uow.face_references.list_outdated(
            model_digest=model_digest, after=after, limit=size
        )
    )
    if not stored:
        return None
    # Outside the transaction: pictures take their time, and nothing need be locked meanwhile.
    made = [(item, engine.reference(item.reference.portrait).template) for item in stored]
    templates = [(item, made.to_bytes()) for item, made in made if made is not None]
    enrolled_count = transactions.run(
        lambda uow: _store(uow, templates, model_digest=model_digest, at=at)
    )
    return Slice(
        last_key=stored[-1].citizen_key,
        enrolled_count=enrolled_count,
        failed_count=len(stored) - len(templates),
    )


def _store(
    uow: UnitOfWork,
    templates: list[tuple[StoredReference, bytes]],
    *,
    model_digest: str,
    at: datetime,
) -> int:
    done = [
        item
        for item, template in templates
        if uow.face_references.replace_template(
            item, template=template, model_digest=model_digest, at=at
        )
    ]
    append(uow.connection, [_entry(item, at=at) for item in done])
    return len(done)


def _entry(item: StoredReference, *, at: datetime) -> AuditEntry:
    return AuditEntry(
        occurred_at=at,
        caller=CALLER,
        action="reenrol_face",
        outcome="enrolled",
        citizen_key=item.citizen_key,
    )
