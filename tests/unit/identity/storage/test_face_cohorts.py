"""Cohorts are kept by version, sealed, and old ones go."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from identity.domain.errors import RecordUnreadableError
from identity.storage.database import UnitOfWork
from identity.storage.face_cohorts import FaceCohort
from identity.storage.tables import face_cohort
from tests.unit.identity.makers import NOW


def make_cohort() -> FaceCohort:
    return FaceCohort(
        digest=uuid4().hex * 2, model_digest="a" * 64, member_count=300, content=uuid4().bytes
    )


def test_a_cohort_comes_back_by_its_version(uow: UnitOfWork) -> None:
    cohort = make_cohort()
    uow.face_cohorts.add(cohort, at=NOW)
    uow.face_cohorts.add(cohort, at=NOW + timedelta(days=1))
    assert uow.face_cohorts.find(cohort.digest) == cohort
    assert uow.face_cohorts.find("0" * 64) is None
    drawn_at = uow.connection.execute(
        select(face_cohort.c.drawn_at).where(face_cohort.c.cohort_digest == cohort.digest)
    ).scalar_one()
    assert drawn_at == NOW
    assert repr(cohort.content) not in repr(cohort)


def test_versions_that_nobody_needs_are_removed(uow: UnitOfWork) -> None:
    cohorts = [make_cohort() for _ in range(4)]
    for cohort in cohorts:
        uow.face_cohorts.add(cohort, at=NOW)
    kept = {cohorts[0].digest, cohorts[3].digest}
    assert uow.face_cohorts.remove_others(kept) >= 2
    found = [uow.face_cohorts.find(cohort.digest) for cohort in cohorts]
    assert found == [cohorts[0], None, None, cohorts[3]]


def test_the_version_that_a_server_started_with_last_stays(uow: UnitOfWork) -> None:
    cohorts = [make_cohort() for _ in range(4)]
    for cohort in cohorts:
        uow.face_cohorts.add(cohort, at=NOW)
    uow.face_cohorts.mark_used(cohorts[1].digest, at=NOW + timedelta(days=3))
    uow.face_cohorts.mark_used(cohorts[2].digest, at=NOW + timedelta(days=2))
    uow.face_cohorts.remove_others([cohorts[0].digest])
    found = [uow.face_cohorts.find(cohort.digest) for cohort in cohorts]
    assert found == [cohorts[0], cohorts[1], None, None]


def test_a_cohort_under_anothers_version_does_not_open(uow: UnitOfWork) -> None:
    one, other = make_cohort(), make_cohort()
    for cohort in (one, other):
        uow.face_cohorts.add(cohort, at=NOW)
    columns = face_cohort.c
    sealed = uow.connection.execute(
        select(columns.cohort_sealed).where(columns.cohort_digest == one.digest)
    ).scalar_one()
    uow.connection.execute(
        update(face_cohort)
        .where(columns.cohort_digest == other.digest)
        .values(cohort_sealed=sealed)
    )
    with pytest.raises(RecordUnreadableError):
        uow.face_cohorts.find(other.digest)
