"""Complete a setup with the stored cohort that its operating point names."""

from dataclasses import replace
from datetime import datetime

from biometrics.face.cohort import Cohort, InvalidCohortError
from biometrics.face.score import ModelMismatchError
from identity.services.face_setup import FaceSetup, FaceSetupError
from identity.storage.database import UnitOfWork


def with_cohort(uow: UnitOfWork, setup: FaceSetup, *, at: datetime) -> FaceSetup:
    """The setup with the cohort that its operating point names, as far as it is stored.

    The cohort is marked as the one in use.

    Args:
        uow: The transaction.
        setup: The rest of it.
        at: Now.

    Raises:
        FaceSetupError: The cohort is missing, and the operating point has no fallback.
    """
    digest = setup.operating_point.cohort_digest
    stored = None if digest is None else uow.face_cohorts.find(digest)
    try:
        cohort = None if stored is None else Cohort.from_bytes(stored.content)
        setup.operating_point.usable(cohort)
    except (InvalidCohortError, ModelMismatchError) as error:
        raise FaceSetupError(f"{error}: see `identity faces cohort`") from error
    if cohort is not None:
        uow.face_cohorts.mark_used(cohort.digest, at=at)
    return replace(setup, cohort=cohort)
