"""Draw a cohort: faces of citizens taken at random, without identities.

Owns how many are drawn and which versions are kept. A cohort serves an operating point that was
calibrated with it; drawing a new one changes nothing until a new operating point is put in force.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime

from biometrics.face.acquisition import Template
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort
from identity.audit.log import AuditEntry, append
from identity.services.call import COMMAND_LINE
from identity.services.face_setup import FaceSetup
from identity.state_directory import StateError
from identity.storage.database import UnitOfWork
from identity.storage.face_cohorts import FaceCohort

COHORT_SIZE = 2_000
"""Citizens drawn unless told otherwise. More bring little: the ten nearest of a few thousand were
measured; fewer make the nearest less near (docs/reference/accuracy.md)."""

KEY_BYTES = 16
"""Length of a citizen's key: where the draw begins is a random one."""


class TooFewReferencesError(StateError):
    """Not enough citizens are enrolled to draw a cohort from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnCohort:
    """A new version, and how many old ones were removed."""

    cohort: Cohort
    removed_count: int


def draw_cohort(uow: UnitOfWork, *, setup: FaceSetup, size: int, at: datetime) -> DrawnCohort:
    """Draw and store a cohort.

    Args:
        uow: The transaction.
        setup: Whose templates to draw from. The cohort of its operating point stays.
        size: How many citizens, at least 300; fewer when fewer are enrolled.
        at: Now.

    Raises:
        TooFewReferencesError: Fewer than 300 citizens are enrolled with this network.
    """
    drawn = uow.face_references.draw_templates(
        model_digest=setup.model_digest, start=secrets.token_bytes(KEY_BYTES), limit=size
    )
    if len(drawn) < COHORT_IDENTITIES_MIN:
        raise TooFewReferencesError(
            f"{len(drawn)} citizens are enrolled with this network,"
            f" a cohort needs {COHORT_IDENTITIES_MIN}"
        )
    cohort = Cohort.from_identities([Template.from_bytes(data)] for data in drawn)
    return keep_cohort(uow, cohort=cohort, setup=setup, at=at)


def keep_cohort(uow: UnitOfWork, *, cohort: Cohort, setup: FaceSetup, at: datetime) -> DrawnCohort:
    """Store a cohort that was drawn here or brought in a file, and remove those nobody needs."""
    in_use = setup.operating_point.cohort_digest
    keep = {cohort.digest} if in_use is None else {cohort.digest, in_use}
    stored = FaceCohort(
        digest=cohort.digest,
        model_digest=cohort.model_digest,
        member_count=len(cohort),
        content=cohort.to_bytes(),
    )
    uow.face_cohorts.add(stored, at=at)
    removed_count = uow.face_cohorts.remove_others(keep)
    append(uow.connection, [_entry(stored, at=at)])
    return DrawnCohort(cohort=cohort, removed_count=removed_count)


def _entry(cohort: FaceCohort, *, at: datetime) -> AuditEntry:
    return AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="draw_cohort",
        outcome="stored",
        details={"cohort": cohort.digest, "members": cohort.member_count},
    )
