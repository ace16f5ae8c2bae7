"""Every read of a person's data leaves a record, and without a record there is no answer.

Here the log is slow, or takes nothing, or the caller goes away. That records outlive a killed
server is tested on a server of its own (`tests/e2e/test_records_of_reads.py`).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import grpc
import pytest
from sqlalchemy import text

from identity.audit.log import read_about_citizen
from identity.bootstrap import open_current_database
from identity.domain.personal_id import PersonalID
from identity.storage.database import Database
from subid.v1 import contact_service_pb2 as pb
from tests.integration.conftest import World
from tests.integration.scene import Scene, grounds
from tests.integration.wire import TIMEOUT_S, Refused, Stubs
from tests.unit.identity.makers import wait_until_somebody_waits_for

SOON_S = 0.5
"""How long a caller waits for an answer that cannot come."""


Read = Callable[[Stubs, str], tuple[Any, Any]]
"""Which method a caller calls, and with which request, to read something of a person."""


def get_contact(caller: Stubs, personal_id: str) -> tuple[Any, Any]:
    request = pb.GetContactRequest(personal_id=personal_id, grounds=grounds())
    return caller.contacts.GetContact, request


def batch_get_contacts(caller: Stubs, personal_id: str) -> tuple[Any, Any]:
    request = pb.BatchGetContactsRequest(personal_ids=[personal_id], grounds=grounds())
    return caller.contacts.BatchGetContacts, request


def can_notify(caller: Stubs, personal_id: str) -> tuple[Any, Any]:
    request = pb.CanNotifyRequest(personal_ids=[personal_id], grounds=grounds())
    return caller.contacts.CanNotify, request


every_read = pytest.mark.parametrize("read", [get_contact, batch_get_contacts, can_notify])


@pytest.fixture(scope="module")
def records(world: World) -> Iterator[Database]:
    """The database of the server."""
    with open_current_database(world.settings) as database:
        yield database


def count_about(records: Database, personal_id: str) -> int:
    """How many reads of somebody are on record."""
    with records.transaction() as uow:
        key = uow.primaries.key_of(PersonalID(personal_id))
        return len(read_about_citizen(uow.connection, key))


def wait_for_record(records: Database, personal_id: str) -> None:
    give_up_at = monotonic() + TIMEOUT_S
    while not count_about(records, personal_id):
        assert monotonic() < give_up_at, "no record"


@contextmanager
def held_log(records: Database) -> Iterator[Callable[[], None]]:
    """Nobody can write to the log until the end; yields how to wait for somebody to try."""
    with records.transaction() as uow:
        uow.connection.execute(text("LOCK TABLE audit_entry IN SHARE MODE"))
        yield lambda: wait_until_somebody_waits_for(uow)


@contextmanager
def full_log(records: Database) -> Iterator[None]:
    """The log takes no record of a read until the block ends."""
    with records.transaction() as uow:
        condition = "takes_nothing CHECK (fields IS NULL) NOT VALID"
        uow.connection.execute(text(f"ALTER TABLE audit_entry ADD CONSTRAINT {condition}"))
    try:
        yield
    finally:
        with records.transaction() as uow:
            uow.connection.execute(text("ALTER TABLE audit_entry DROP CONSTRAINT takes_nothing"))


@every_read
def test_no_answer_comes_before_its_record(scene: Scene, records: Database, read: Read) -> None:
    personal_id = scene.people.citizen().personal_id
    method, request = read(scene.agency, personal_id)
    with held_log(records) as wait:
        hasty = method.future(request, timeout=SOON_S)
        wait()
        patient = method.future(request, timeout=TIMEOUT_S)
        assert hasty.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert not patient.done()
        assert not count_about(records, personal_id)
    assert patient.result().ByteSize()
    # Who did not wait was read all the same.
    give_up_at = monotonic() + TIMEOUT_S
    while count_about(records, personal_id) < 2:
        assert monotonic() < give_up_at, "the read that nobody waited for is not on record"


@every_read
def test_a_caller_who_goes_away_leaves_a_record(
    scene: Scene, records: Database, read: Read
) -> None:
    personal_id = scene.people.citizen().personal_id
    method, request = read(scene.agency, personal_id)
    with held_log(records) as wait:
        call = method.future(request, timeout=TIMEOUT_S)
        wait()
        assert call.cancel()
        assert call.code() is grpc.StatusCode.CANCELLED
    wait_for_record(records, personal_id)


@every_read
def test_what_cannot_be_recorded_is_not_answered(
    scene: Scene, records: Database, read: Read
) -> None:
    person = scene.citizen().personal_id
    # This agency is told why somebody cannot be reached: that is on record as given away.
    method, request = read(scene.register_agency("all-rights"), person)
    assert method(request, timeout=TIMEOUT_S).ByteSize()
    before = count_about(records, person)
    with full_log(records), pytest.raises(grpc.RpcError) as caught:
        method(request, timeout=TIMEOUT_S)
    refusal = Refused.of(caught.value)
    assert (refusal.status, refusal.reason) == ("INTERNAL", "INTERNAL")
    assert count_about(records, person) == before
