"""A citizen lists who looked at their data and who changed what, also after an embargo."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from identity.audit.log import AuditEntry, append
from identity.domain.personal_id import PersonalID
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.storage.citizens import citizen_key
from identity.storage.database import Database, connect
from subid.v1 import agency_pb2
from subid.v1 import citizen_service_pb2 as pb
from tests.integration.conftest import World
from tests.integration.scene import Scene
from tests.integration.wire import refused


@pytest.fixture(scope="module")
def database(world: World) -> Iterator[Database]:
    """What the server stores in."""
    assert world.settings.database is not None
    engine = connect(world.settings.database)
    yield Database(engine, Vault(read_key_ring(world.settings.state / "keys.json")))
    engine.dispose()


def accesses(scene: Scene, personal_id: str, **given: object) -> pb.ListAccessesResponse:
    request = pb.ListAccessesRequest(personal_id=personal_id, **given)  # type: ignore[arg-type] # fields by name
    return scene.app.citizens.ListAccesses(request)  # type: ignore[no-any-return] # an untyped stub


def look(database: Database, personal_id: str, case_id: str, *, until: datetime | None) -> None:
    """An agency looks somebody up, as its look-up records it."""
    with database.transaction() as uow:
        entry = AuditEntry(
            occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
            caller="agency:tax",
            action="get_contact",
            outcome="not_available",
            citizen_key=citizen_key(uow.sealer, PersonalID(personal_id)),
            purpose="legal_notice",
            legal_basis="Law 26/2023/QH15, art. 10",
            case_id=case_id,
            shown_from=until,
        )
        append(uow.connection, [entry])


def test_looks_and_changes_of_others_are_listed_and_own_looks_are_not(scene: Scene) -> None:
    subscriber = scene.registered()
    scene.subscription(subscriber)
    person = subscriber.citizen.personal_id
    assert accesses(scene, person, page_size=1).next_page_token
    lines = accesses(scene, person).accesses
    operator = f"operator:{subscriber.operator}"
    assert [(each.caller, each.kind, each.action) for each in lines] == [
        (operator, pb.ACCESS_KIND_READ, "get_subscription"),
        (operator, pb.ACCESS_KIND_CHANGE, "register_subscription"),
    ]
    assert accesses(scene, person).accesses == lines


def test_an_embargo_is_counted_until_it_ends_and_then_shown_at_its_place(
    database: Database, scene: Scene
) -> None:
    now = scene.run_until(None).as_of_time
    ends_at = now.ToDatetime(UTC) + timedelta(hours=1)
    person = scene.people.citizen().personal_id
    for case_id, until in (("first", None), ("court", ends_at), ("last", None)):
        look(database, person, case_id, until=until)
    before = accesses(scene, person)
    assert [each.case_id for each in before.accesses] == ["last", "first"]
    assert before.withheld_count == 1
    then = Timestamp()
    then.FromDatetime(ends_at)
    scene.run_until(then)
    after = accesses(scene, person)
    assert [each.case_id for each in after.accesses] == ["last", "court", "first"]
    assert (after.withheld_count, after.accesses[1].purpose) == (
        *(0, agency_pb2.PURPOSE_LEGAL_NOTICE),
    )


def test_an_unknown_person_has_an_empty_history_and_a_made_up_token_is_refused(
    scene: Scene,
) -> None:
    person = scene.people.citizen().personal_id
    assert accesses(scene, person) == pb.ListAccessesResponse()
    request = pb.ListAccessesRequest(personal_id=person, page_token="next")  # noqa: S106 - no secret
    refusal = refused(scene.app.citizens.ListAccesses, request)
    assert (refusal.status, refusal.reason) == ("INVALID_ARGUMENT", "PAGE_TOKEN_INVALID")
