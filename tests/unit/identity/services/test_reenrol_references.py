"""Templates are made anew slice by slice, and a run that was interrupted goes on where it was."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest
from sqlalchemy import delete

from biometrics.face.acquisition import Template
from identity.domain.personal_id import PersonalID
from identity.services.face_setup import FaceSetup, make_face_setup
from identity.services.reenrol_references import (
    Slice,
    count_outdated,
    reenrol_slice,
    templates_in,
)
from identity.services.transactions import Transactions
from identity.storage.database import Database
from identity.storage.face_references import FaceReference
from identity.storage.tables import face_reference
from tests.unit.identity.makers import NOW, make_personal_id
from tests.unit.identity.services.faces import blank_jpeg, face_jpeg

OLD = "0" * 64


@pytest.fixture(scope="module")
def setup(tmp_path_factory: pytest.TempPathFactory) -> FaceSetup:
    return make_face_setup(models_directory=tmp_path_factory.mktemp("models"))


@pytest.fixture
def threads() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
def people(database: Database) -> Iterator[list[PersonalID]]:
    """Four citizens of another network, the third with a portrait that shows no face."""
    ids = [make_personal_id() for _ in range(4)]
    portraits = [face_jpeg(), face_jpeg(), blank_jpeg(), face_jpeg()]
    with database.transaction() as uow:
        # Nobody else's: every other test rolls its rows back.
        uow.connection.execute(delete(face_reference))
        for personal_id, portrait in zip(ids, portraits, strict=True):
            reference = FaceReference(template=b"old", model_digest=OLD, portrait=portrait)
            uow.face_references.save(personal_id, reference, at=NOW)
    yield ids
    with database.transaction() as uow:
        uow.connection.execute(delete(face_reference))


def find_all(database: Database, people: list[PersonalID]) -> list[FaceReference]:
    with database.transaction() as uow:
        found = [uow.face_references.find(personal_id) for personal_id in people]
    return [reference for reference in found if reference is not None]


def test_everybody_is_enrolled_anew_once_and_failures_are_counted(
    database: Database,
    transactions: Transactions,
    setup: FaceSetup,
    people: list[PersonalID],
    threads: Executor,
) -> None:
    engine = setup.make_engine()
    make_templates = templates_in(threads, engine)

    def run(after: bytes) -> Slice | None:
        return reenrol_slice(
            transactions,
            make_templates,
            model_digest=setup.model_digest,
            after=after,
            at=NOW,
            size=3,
        )

    assert count_outdated(transactions, model_digest=setup.model_digest) == 4

    first = run(b"")
    assert first is not None
    assert first.enrolled_count + first.failed_count == 3
    # Interrupted here, a new run begins at the beginning and meets only who is left.
    left = run(b"")
    assert left is not None
    assert left.enrolled_count + left.failed_count == 1 + first.failed_count
    assert first.enrolled_count + left.enrolled_count == 3
    assert run(left.last_key) is None
    found = find_all(database, people)
    digests = [reference.model_digest for reference in found]
    assert digests == [setup.model_digest, setup.model_digest, OLD, setup.model_digest]
    expected = engine.reference(face_jpeg()).template
    assert expected is not None
    assert found[0].template == expected.to_bytes()
    assert found[2].template == b"old"
    assert count_outdated(transactions, model_digest=setup.model_digest) == 1


def test_nothing_is_left_to_do_when_nobody_is_outdated(
    transactions: Transactions,
) -> None:
    def make_nothing(portraits: Sequence[bytes]) -> list[Template | None]:
        raise AssertionError(f"{len(portraits)} portraits of nobody")

    done = reenrol_slice(
        transactions,
        make_nothing,
        model_digest=OLD,
        after=b"\xff" * 17,
        at=NOW,
    )
    assert done is None
