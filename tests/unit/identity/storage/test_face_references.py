"""Enrolled faces come back as they were, sealed, one for each citizen."""

from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import delete, select, update

from identity.domain.errors import RecordUnreadableError
from identity.storage.database import UnitOfWork
from identity.storage.face_references import FaceReference
from identity.storage.tables import face_reference
from tests.unit.identity.makers import NOW, make_personal_id

LATER = NOW + timedelta(days=1)


def make_reference(model_digest: str = "a" * 64, **given: object) -> FaceReference:
    usual = FaceReference(
        template=uuid4().bytes,
        model_digest=model_digest,
        portrait=b"portrait" + uuid4().bytes,
        card_issued_on=date(2021, 7, 1),
    )
    return replace(usual, **given)  # type: ignore[arg-type] # whatever the reference takes


@pytest.fixture
def model_digest() -> str:
    """A network that no other test knows."""
    return uuid4().hex * 2


@pytest.mark.parametrize("issued_on", [date(2012, 2, 29), None])
def test_a_reference_comes_back_as_it_was_enrolled(uow: UnitOfWork, issued_on: date | None) -> None:
    personal_id, reference = make_personal_id(), make_reference(card_issued_on=issued_on)
    uow.face_references.save(personal_id, reference, at=NOW)
    assert uow.face_references.find(personal_id) == reference
    assert uow.face_references.find(make_personal_id()) is None


def test_a_citizen_has_one_reference_the_latest(uow: UnitOfWork, model_digest: str) -> None:
    personal_id = make_personal_id()
    uow.face_references.save(personal_id, make_reference(model_digest), at=NOW)
    latest = make_reference(model_digest, card_issued_on=None)
    uow.face_references.save(personal_id, latest, at=LATER)
    assert uow.face_references.find(personal_id) == latest
    row = uow.connection.execute(
        select(face_reference).where(face_reference.c.model_digest == model_digest)
    ).one()
    assert (row.enrolled_at, row.updated_at) == (NOW, LATER)


def test_a_reference_does_not_show_itself() -> None:
    reference = make_reference(card_issued_on=date(1999, 9, 9))
    text = repr(reference)
    assert "portrait" not in text
    assert "1999" not in text
    assert repr(reference.template) not in text


def test_a_template_moved_to_another_citizen_does_not_open(
    uow: UnitOfWork, model_digest: str
) -> None:
    people = [make_personal_id() for _ in range(2)]
    for personal_id in people:
        uow.face_references.save(personal_id, make_reference(model_digest), at=NOW)
    keys = [uow.primaries.key_of(personal_id) for personal_id in people]
    columns = face_reference.c
    moved = uow.connection.execute(
        select(columns.template_sealed).where(columns.citizen_key == keys[0])
    ).scalar_one()
    uow.connection.execute(
        update(face_reference).where(columns.citizen_key == keys[1]).values(template_sealed=moved)
    )
    with pytest.raises(RecordUnreadableError):
        uow.face_references.find(people[1])


@pytest.mark.parametrize("start", [b"", b"\x80", b"\xff" * 16])
def test_a_draw_begins_anywhere_and_takes_nobody_twice(
    uow: UnitOfWork, model_digest: str, start: bytes
) -> None:
    references = [make_reference(model_digest) for _ in range(20)]
    for reference in references:
        uow.face_references.save(make_personal_id(), reference, at=NOW)
    uow.face_references.save(make_personal_id(), make_reference("b" * 64), at=NOW)
    draw = uow.face_references.draw_templates
    everybody = draw(model_digest=model_digest, start=start, limit=50)
    assert sorted(everybody) == sorted(reference.template for reference in references)
    some = draw(model_digest=model_digest, start=start, limit=7)
    assert some == everybody[:7]


def test_outdated_references_are_listed_in_slices_and_replaced(
    uow: UnitOfWork, model_digest: str
) -> None:
    # Committed by others, sealed with other keys; back when this is rolled back.
    uow.connection.execute(delete(face_reference))
    old = uuid4().hex * 2
    people = {make_personal_id(): make_reference(old) for _ in range(5)}
    for personal_id, reference in people.items():
        uow.face_references.save(personal_id, reference, at=NOW)
    seen: list[bytes] = []
    after = b""
    assert uow.face_references.count_outdated(model_digest=model_digest) == 5
    assert uow.face_references.count_outdated(model_digest=old) == 0
    while slice_ := uow.face_references.list_outdated(
        model_digest=model_digest, after=after, limit=2
    ):
        after = slice_[-1].citizen_key
        seen += [stored.citizen_key for stored in slice_ if stored.reference.model_digest == old]
        for stored in slice_:
            if stored.reference.model_digest == old:
                assert uow.face_references.replace_template(
                    stored, template=b"new", model_digest=model_digest, at=LATER
                )
    assert uow.face_references.count_outdated(model_digest=model_digest) == 0
    assert seen == sorted(uow.primaries.key_of(personal_id) for personal_id in people)
    for personal_id, reference in people.items():
        found = uow.face_references.find(personal_id)
        assert found == replace(reference, template=b"new", model_digest=model_digest)


@pytest.mark.parametrize("is_of_the_old_network", [True, False])
def test_a_reference_that_was_enrolled_anew_meanwhile_is_left_alone(
    uow: UnitOfWork, model_digest: str, *, is_of_the_old_network: bool
) -> None:
    personal_id = make_personal_id()
    uow.face_references.save(personal_id, make_reference("c" * 64), at=NOW)
    key = uow.primaries.key_of(personal_id)
    before = bytes([*key[:-1], key[-1] - 1]) if key[-1] else key[:-1]
    (stored,) = uow.face_references.list_outdated(model_digest=model_digest, after=before, limit=1)
    # A server that still runs the old network enrols with it: the portrait is another.
    fresh = make_reference("c" * 64 if is_of_the_old_network else model_digest)
    # At the same instant, as a simulated clock gives it.
    uow.face_references.save(personal_id, fresh, at=NOW)
    assert not uow.face_references.replace_template(
        stored, template=b"late", model_digest=model_digest, at=LATER
    )
    assert uow.face_references.find(personal_id) == fresh
