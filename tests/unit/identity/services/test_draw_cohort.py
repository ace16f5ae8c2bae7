"""A cohort is a random sample of the enrolled, without names, when there are enough of them."""

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest

from biometrics.face.acquisition import Template
from biometrics.face.cohort import COHORT_IDENTITIES_MIN, Cohort
from biometrics.face.operating_point import DEFAULT
from biometrics.face.score import ScoreType
from identity.services.draw_cohort import KEY_BYTES, TooFewReferencesError, draw_cohort
from identity.services.face_setup import FaceSetup
from identity.storage.database import UnitOfWork
from identity.storage.face_references import FaceReference
from tests.unit.identity.makers import NOW, make_personal_id


def make_setup(model_digest: str, cohort_digest: str | None = None) -> FaceSetup:
    """Faces of a network, compared with a cohort that is in use or without any."""
    point = replace(DEFAULT, model_digest=model_digest)
    if cohort_digest is not None:
        point = replace(
            point,
            score_type=ScoreType.COHORT_CENTRED,
            review_threshold=None,
            cohort_digest=cohort_digest,
        )
    return FaceSetup(models_directory=Path("no-models"), operating_point=point)


def enrol(uow: UnitOfWork, model_digest: str, count: int) -> set[bytes]:
    """Enrol people; gives the directions of their faces."""
    vectors = np.random.default_rng(count).normal(size=(count, 8)).astype(np.float32)
    for vector in vectors:
        template = Template(vector=vector, model_digest=model_digest)
        reference = FaceReference(
            template=template.to_bytes(), model_digest=model_digest, portrait=b"portrait"
        )
        uow.face_references.save(make_personal_id(), reference, at=NOW)
    return {_direction(vector) for vector in vectors}


def _direction(vector: np.ndarray) -> bytes:
    unit = vector.astype(np.float64) / np.linalg.norm(vector.astype(np.float64))
    return np.round(unit, 4).astype(np.float32).tobytes()


def test_a_cohort_is_drawn_from_the_enrolled_and_stored_by_its_version(uow: UnitOfWork) -> None:
    model_digest = uuid4().hex * 2
    people = enrol(uow, model_digest, COHORT_IDENTITIES_MIN + 20)
    drawn = draw_cohort(
        uow, setup=make_setup(model_digest), size=COHORT_IDENTITIES_MIN, at=NOW
    ).cohort
    assert len(drawn) == COHORT_IDENTITIES_MIN
    assert {_direction(vector) for vector in drawn.vectors} <= people
    stored = uow.face_cohorts.find(drawn.digest)
    assert stored is not None
    assert Cohort.from_bytes(stored.content).digest == drawn.digest
    assert (stored.member_count, stored.model_digest) == (len(drawn), model_digest)


def test_draws_differ_and_the_version_in_use_stays(
    uow: UnitOfWork, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_digest = uuid4().hex * 2
    enrol(uow, model_digest, 2 * COHORT_IDENTITIES_MIN)
    size = COHORT_IDENTITIES_MIN
    # A third of the people lies between two of these: left to chance, two draws are the same once
    # in a few hundred runs.
    starts = iter([b"\x00" * KEY_BYTES, b"\x55" * KEY_BYTES, b"\xaa" * KEY_BYTES])
    monkeypatch.setattr("secrets.token_bytes", lambda _length: next(starts))

    def draw(in_use: str | None) -> tuple[Cohort, int]:
        drawn = draw_cohort(uow, setup=make_setup(model_digest, in_use), size=size, at=NOW)
        return drawn.cohort, drawn.removed_count

    first, _ = draw(None)
    second, removed_count = draw(first.digest)
    assert removed_count == 0
    third, removed_count = draw(first.digest)
    assert removed_count == 1
    assert len({first.digest, second.digest, third.digest}) == 3
    found = [uow.face_cohorts.find(c.digest) is not None for c in (first, second, third)]
    assert found == [True, False, True]


def test_too_few_people_make_no_cohort(uow: UnitOfWork) -> None:
    model_digest = uuid4().hex * 2
    enrol(uow, model_digest, 3)
    with pytest.raises(TooFewReferencesError, match="3 citizens are enrolled"):
        draw_cohort(uow, setup=make_setup(model_digest), size=2_000, at=NOW)
