"""Make the templates of enrolled citizens anew after the network has changed.

Owns the slices. Each is a transaction of its own, and what is done is never done again: a run that
is interrupted goes on where it was.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime

from biometrics.face.acquisition import Template
from biometrics.face.engine import FaceEngine
from identity.audit.log import AuditEntry, append
from identity.services.call import COMMAND_LINE
from identity.services.transactions import Transactions
from identity.storage.database import UnitOfWork
from identity.storage.face_references import StoredReference

SLICE_SIZE = 100
"""References of one transaction: seconds of work that a crash may cost."""

MakeTemplates = Callable[[Sequence[bytes]], Sequence[Template | None]]
"""The template of each portrait, or None where the network finds no usable face."""


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


def templates_in(threads: Executor, engine: FaceEngine) -> MakeTemplates:
    """Have an engine make them in several threads.

    Its networks let others run meanwhile: on two cores, two threads make 1.9 times the templates of
    one (60 portraits, 5 interleaved runs).
    """

    def make(portraits: Sequence[bytes]) -> list[Template | None]:
        return [made.template for made in threads.map(engine.reference, portraits)]

    return make


def count_outdated(transactions: Transactions, *, model_digest: str) -> int:
    """How many citizens another network enrolled."""
    return transactions.run(
        lambda uow: uow.face_references.count_outdated(model_digest=model_digest)
    )


def reenrol_slice(
    transactions: Transactions,
    make_templates: MakeTemplates,
    *,
    model_digest: str,
    after: bytes,
    at: datetime,
    size: int = SLICE_SIZE,
) -> Slice | None:
    """Enrol some citizens anew; None when none are left.

    Args:
        transactions: Runs actions on the database.
        make_templates: What makes them.
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
    made = make_templates([item.reference.portrait for item in stored])
    templates = [
        (item, template.to_bytes())
        for item, template in zip(stored, made, strict=True)
        if template is not None
    ]
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
        caller=COMMAND_LINE,
        action="reenrol_face",
        outcome="enrolled",
        citizen_key=item.citizen_key,
    )
