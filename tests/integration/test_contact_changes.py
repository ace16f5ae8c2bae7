"""Agencies that watch for changed contacts: many at once, through crashes, and within their share.

Interests and changes are written as their use cases write them, in committed transactions; that
each way in which a contact changes writes one is tested where contacts are stored.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest

from identity.domain.caller import Caller, Role
from identity.domain.personal_id import PersonalID
from identity.rpc.load import Shares
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.services.subject_tokens import subject_token
from identity.storage.citizens import citizen_key
from identity.storage.database import Database, connect
from subid.v1 import contact_service_pb2 as pb
from subid.v1.agency_pb2 import PURPOSE_SERVICE_DELIVERY
from subid.v1.agency_service_pb2 import (
    RIGHT_CONTACT_CHANGES,
    RIGHT_NUMBER,
    ResumeAgencyRequest,
    Right,
    SuspendAgencyRequest,
)
from subid.v1.contact_service_pb2_grpc import ContactServiceStub
from telco_sim.photographs import PhotographedPerson
from tests.conftest import PROJECT_ROOT
from tests.integration.conftest import ActAs, World, open_channel
from tests.integration.scene import Scene
from tests.integration.wire import TIMEOUT_S, Refused, new_id

Faces = tuple[PhotographedPerson, ...]
UNTIL = datetime.now(UTC) + timedelta(days=10_000)
"""Whatever other tests make of the clock."""


@pytest.fixture(scope="module")
def database(world: World) -> Iterator[Database]:
    """What the server stores in."""
    assert world.settings.database is not None
    engine = connect(world.settings.database)
    yield Database(engine, Vault(read_key_ring(world.settings.state / "keys.json")))
    engine.dispose()


def register(scene: Scene, right: "Right" = RIGHT_CONTACT_CHANGES) -> str:
    """An agency that may watch, or has another right; returns its name."""
    name = f"agency-{new_id()[:13]}"
    scene.register_agency(name, right, purposes=[PURPOSE_SERVICE_DELIVERY])
    return name


def interest(database: Database, agency: str, *people: str) -> list[str]:
    """An agency asks about people; returns their tokens."""
    keys = [citizen_key(database.sealer, PersonalID(person)) for person in people]
    with database.transaction() as uow:
        uow.contact_changes.note_interest({(key, agency): UNTIL for key in keys})
    return [subject_token(database.sealer, agency, key) for key in keys]


def change(database: Database, *people: str) -> None:
    """The contacts of people change."""
    with database.transaction() as uow:
        uow.contact_changes.note_changed(
            citizen_key(database.sealer, PersonalID(person)) for person in people
        )


def change_each(database: Database, people: Sequence[str]) -> None:
    """The same, one after the other."""
    for person in people:
        change(database, person)


class Watch:
    """A watch under way, and what it was told."""

    def __init__(self, contacts: ContactServiceStub, position: str = "") -> None:
        self.call: Any = contacts.WatchContactChanges(
            pb.WatchContactChangesRequest(position=position), timeout=TIMEOUT_S
        )
        self.tokens: list[str] = []
        self.position = position
        self.take()  # it watches

    def take(self) -> None:
        """Take the next response in."""
        response = next(self.call)
        self.tokens += response.subject_tokens
        self.position = response.position

    def take_until(self, count: int) -> list[str]:
        """Take in until so many tokens are told; returns them."""
        while len(self.tokens) < count:
            self.take()
        return self.tokens

    def refusal(self) -> Refused:
        """How it ended."""
        with pytest.raises(grpc.RpcError) as caught:
            self.take()
        return Refused.of(caught.value)


def refusal_of(contacts: ContactServiceStub, position: str = "") -> Refused:
    with pytest.raises(grpc.RpcError) as caught:
        Watch(contacts, position)
    return Refused.of(caught.value)


def test_a_citizen_who_marks_a_number_is_told_of_to_who_has_asked(
    database: Database, scene: Scene, act_as: ActAs, faces: Faces
) -> None:
    subscriber = scene.verified(faces[0])
    asked = register(scene)
    another = register(scene)
    (token,) = interest(database, asked, subscriber.citizen.personal_id)
    watch, silent = (Watch(act_as(Role.AGENCY, name).contacts) for name in (asked, another))
    scene.set_primary(subscriber)
    assert watch.take_until(1) == [token]
    silent.call.cancel()
    assert silent.tokens == []
    watch.call.cancel()


def test_many_agencies_watch_at_once_and_each_is_told_of_its_own(
    database: Database, scene: Scene, act_as: ActAs
) -> None:
    people = [scene.people.citizen().personal_id for _ in range(40)]
    agencies = [register(scene) for _ in range(40)]
    expected = [
        interest(database, name, person, people[0])
        for name, person in zip(agencies, people, strict=True)
    ]
    watches = [Watch(act_as(Role.AGENCY, name).contacts) for name in agencies]
    change(database, *people[1:])
    change(database, people[0])
    with ThreadPoolExecutor(8) as threads:
        told = list(
            threads.map(
                lambda pair: pair[0].take_until(len(set(pair[1]))),
                zip(watches, expected, strict=True),
            )
        )
    assert [set(each) for each in told] == [set(each) for each in expected]
    for watch in watches:
        watch.call.cancel()


def test_a_caller_has_its_share_of_watches_and_may_still_call(scene: Scene, act_as: ActAs) -> None:
    name = register(scene)
    contacts = act_as(Role.AGENCY, name).contacts
    watches = [Watch(contacts) for _ in range(Shares().streams_max)]
    assert refusal_of(contacts).reason == "OVERLOADED"
    for watch in watches:
        watch.call.cancel()


def test_who_may_not_watch_and_who_was_away_too_long_are_told_so(
    scene: Scene, act_as: ActAs
) -> None:
    without = act_as(Role.AGENCY, register(scene, RIGHT_NUMBER)).contacts
    assert refusal_of(without).reason == "PURPOSE_NOT_ALLOWED"
    contacts = act_as(Role.AGENCY, register(scene)).contacts
    expired = refusal_of(contacts, "9" * 18)
    assert (expired.status, expired.reason) == ("OUT_OF_RANGE", "POSITION_EXPIRED")
    assert refusal_of(contacts, "yesterday").status == "INVALID_ARGUMENT"


def test_a_watch_at_rest_ends_when_its_agency_is_suspended_and_begins_again_when_it_is_not(
    database: Database, scene: Scene, act_as: ActAs
) -> None:
    name, other = register(scene), register(scene)
    person = scene.people.citizen().personal_id
    (own,), (token,) = (interest(database, each, person) for each in (name, other))
    contacts = act_as(Role.AGENCY, name).contacts
    watch, goes_on = Watch(contacts), Watch(act_as(Role.AGENCY, other).contacts)
    scene.regulator.agencies.SuspendAgency(SuspendAgencyRequest(request_id=new_id(), name=name))
    ended = watch.refusal()
    assert (ended.status, ended.reason) == ("PERMISSION_DENIED", "PURPOSE_NOT_ALLOWED")
    assert refusal_of(contacts).reason == ended.reason
    change(database, person)
    assert goes_on.take_until(1) == [token]
    scene.regulator.agencies.ResumeAgency(ResumeAgencyRequest(request_id=new_id(), name=name))
    resumed = Watch(contacts, watch.position)
    change(database, person)
    assert resumed.take_until(1) == [own]  # and nothing of what changed meanwhile
    for each in (goes_on, resumed):
        each.call.cancel()


@contextmanager
def mortal_server(world: World) -> Iterator[tuple[str, Callable[[], None]]]:
    """Another server on the same database in a process of its own, and its sudden end."""
    environment = {
        **os.environ,
        "SUBID_DATABASE": str(world.settings.database),
        "SUBID_SIMULATED_CLOCK": "true",
    }
    command = [sys.executable, "-m", "tests.benchmarks.server_process", str(world.settings.state)]
    process = subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environment, stdout=subprocess.PIPE, text=True
    )

    def kill() -> None:
        process.send_signal(signal.SIGKILL)
        process.wait(TIMEOUT_S)

    assert process.stdout is not None
    with process.stdout as said:
        try:
            yield said.readline().strip(), kill
        finally:
            kill()


def test_no_hint_is_lost_when_a_server_is_killed(
    world: World, database: Database, scene: Scene, act_as: ActAs
) -> None:
    name = register(scene)
    people = [scene.people.citizen().personal_id for _ in range(60)]
    expected = interest(database, name, *people)
    with (
        mortal_server(world) as (address, kill),
        open_channel(address, world.settings.state, Caller(Role.AGENCY, name)) as channel,
    ):
        watch = Watch(ContactServiceStub(channel))
        changing = threading.Thread(target=change_each, args=(database, people))
        changing.start()
        watch.take_until(5)
        kill()
        with pytest.raises(grpc.RpcError) as caught:
            watch.take_until(len(people) + 1)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        changing.join()
    resumed = Watch(act_as(Role.AGENCY, name).contacts, watch.position)
    missing = set(expected) - set(watch.tokens)
    while missing - set(resumed.tokens):
        resumed.take()
    resumed.call.cancel()
    # Told once on the whole: what was taken in before the end is not told again.
    assert set(watch.tokens) | set(resumed.tokens) == set(expected)
    assert not set(watch.tokens) & set(resumed.tokens)
