"""What a citizen chooses, over the wire: one primary number, whoever asks for it how often at once.

Numbers and verifications are put straight into the server's database: how they come to be is for
other tests.
"""

import os
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from itertools import pairwise
from typing import Any

import grpc
import pytest
from sqlalchemy import select

from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.domain.holder import PopulationRecord
from identity.domain.subscription import Subscription
from identity.security.keys import read_key_ring
from identity.security.vault import Vault
from identity.storage.choice_tables import choice_event, citizen_choice
from identity.storage.database import Database, connect
from identity.storage.tables import primary_number
from subid.v1 import citizen_service_pb2 as pb
from subid.v1 import enforcement_service_pb2 as enforcement_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from tests.databases import own_database
from tests.integration.conftest import World, open_channel, served
from tests.integration.people import claim_of
from tests.integration.scene import Scene
from tests.integration.wire import Refused, Stubs, new_id, refused
from tests.unit.identity import makers
from tests.unit.identity.makers import (
    store_citizen,
    store_number,
)

ASKED = "CHOICE_CALLS"
"""Environment variable: how many calls to send instead. One takes some 26 ms of processors, and the
next waits for it: 10,000 took twelve minutes on two cores that had other work."""
CALLS = int(os.environ.get(ASKED, "1000"))
NUMBERS = 5
APPS = 4
IN_FLIGHT = 24
"""Of each app: together as many as wait for one citizen before the server has no room for more."""

_AGAIN = frozenset({"OVERLOADED", "CONTENDED"})


@pytest.fixture(scope="module")
def registry(world: World) -> Iterator[Database]:
    """The database of the shared server, opened beside it."""
    with opened(world.settings) as database:
        yield database


@contextmanager
def opened(settings: Settings) -> Iterator[Database]:
    """The database of a server, opened beside it."""
    assert settings.database is not None
    engine = connect(settings.database)
    yield Database(engine, Vault(read_key_ring(settings.state / "keys.json")))
    engine.dispose()


@dataclass(frozen=True)
class Hasty:
    """A server where changes take effect at once."""

    address: str
    settings: Settings
    database: Database


@pytest.fixture(scope="module")
def hasty(
    postgres_url: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hasty]:
    """A server whose policy lets a primary number be changed at once, without a verification."""
    state = tmp_path_factory.mktemp("hasty")
    (state / "policies").mkdir()
    text = resources.files("identity.policies").joinpath("vn-2026-04-15.toml").read_text("utf-8")
    for shipped, own in (
        ('version = "vn-2026-04-15"', 'version = "hasty"'),
        ("step_up_within_minutes = 15", "step_up_within_minutes = 0"),
        ("cool_down_hours = 24", "cool_down_hours = 0"),
    ):
        assert shipped in text
        text = text.replace(shipped, own)
    (state / "policies" / "hasty.toml").write_text(text, "utf-8")
    with own_database(postgres_url, f"hasty_{worker_id}") as url:
        settings = Settings(
            state=state,
            database=url,
            listen="127.0.0.1:0",
            face_workers=1,
            policies="hasty,vn-decree-49-2017",
        )
        with served(settings) as address, opened(settings) as database:
            yield Hasty(address, settings, database)


def somebody(database: Database, count: int) -> tuple[PopulationRecord, list[Subscription]]:
    """A citizen with so many numbers that may be primary."""
    with database.transaction() as uow:
        record = store_citizen(uow)
        return record, [store_number(uow, record) for _ in range(count)]


def step_up(
    database: Database, record: PopulationRecord, item: Subscription, *, at: datetime
) -> str:
    """The citizen is verified on a number."""
    with database.transaction() as uow:
        return str(makers.step_up(uow, record, item, at=at))


def asked(record: PopulationRecord, item: Subscription, **given: str) -> pb.SetPrimaryNumberRequest:
    return pb.SetPrimaryNumberRequest(
        request_id=new_id(),
        personal_id=record.personal_id.value,
        msisdn=item.msisdn.value,
        **given,
    )


def choices_of(stubs: Stubs, record: PopulationRecord, page_size: int = 0) -> list[pb.Choice]:
    """The whole history, page by page."""
    found: list[pb.Choice] = []
    request = pb.ListChoicesRequest(personal_id=record.personal_id.value, page_size=page_size)
    while True:
        page = stubs.citizens.ListChoices(request)
        found.extend(page.choices)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            return found


class Crowd:
    """Calls from several apps at once, many of them under way at a time."""

    def __init__(self, apps: Sequence[Stubs]) -> None:
        self._apps = apps
        self._room = threading.Semaphore(len(apps) * IN_FLIGHT)
        self.ends: Counter[str] = Counter()

    def send(self, requests: Sequence[pb.SetPrimaryNumberRequest]) -> None:
        """Send all, again those that the server had no room for."""
        waiting = list(requests)
        while waiting:
            calls = [
                (request, self._begin(place, request)) for place, request in enumerate(waiting)
            ]
            waiting = [request for request, call in calls if self._end(call) in _AGAIN]

    def _begin(self, place: int, request: pb.SetPrimaryNumberRequest) -> Any:  # noqa: ANN401 - grpc's calls have no types
        self._room.acquire()
        method = self._apps[place % len(self._apps)].citizens.SetPrimaryNumber
        call = method.future(request)
        call.add_done_callback(lambda _: self._room.release())
        return call

    def _end(self, call: Any) -> str:  # noqa: ANN401 - as above
        error: grpc.RpcError | None = call.exception()
        end = "" if error is None else Refused.of(error).reason
        if end not in _AGAIN:
            self.ends[end] += 1
        return end


def assert_one_and_no_gap(
    database: Database, record: PopulationRecord, items: Sequence[Subscription]
) -> list[tuple[str, str]]:
    """The database has one primary number, and a history that leads there; returns its lines."""
    with database.transaction() as uow:
        key = uow.primaries.key_of(record.personal_id)
        (primary,) = uow.connection.scalars(
            select(primary_number.c.subscription_id).where(primary_number.c.citizen_key == key)
        )
        lines = (
            uow.connection.execute(
                select(choice_event)
                .where(choice_event.c.citizen_key == key)
                .order_by(choice_event.c.sequence)
            )
            .mappings()
            .all()
        )
        last = uow.connection.scalar(
            select(citizen_choice.c.sequence).where(citizen_choice.c.citizen_key == key)
        )
    assert primary in {item.subscription_id for item in items}
    assert [line["sequence"] for line in lines] == list(range(1, len(lines) + 1))
    assert last == len(lines)
    marked = [line for line in lines if line["kind"] in {"set", "changed"}]
    assert marked[-1]["subscription_id"] == primary
    return [(line["kind"], str(line["subscription_id"])) for line in lines]


@pytest.mark.timeout(3_600)  # so many calls of one citizen can only come one after the other
def test_thousands_of_choices_at_once_end_with_one_number_and_a_history_without_a_gap(
    hasty: Hasty,
) -> None:
    record, items = somebody(hasty.database, NUMBERS)
    callers = [Caller(Role.CITIZEN_APP, f"app-{place}") for place in range(APPS)]
    apps = [Stubs(open_channel(hasty.address, hasty.settings.state, each)) for each in callers]
    draw = random.Random(20260415)
    crowd = Crowd(apps)
    crowd.send([asked(record, draw.choice(items)) for _ in range(CALLS)])
    assert crowd.ends == {"": CALLS}
    lines = assert_one_and_no_gap(hasty.database, record, items)
    assert len(lines) == CALLS
    kinds = Counter(kind for kind, _ in lines)
    assert kinds["set"] == 1
    assert kinds["changed"] > CALLS / 2
    # Each line follows from the one before: what is marked again is confirmed, all else changes.
    for (_, before), (kind, now) in pairwise(lines):
        assert kind == ("confirmed" if before == now else "changed")
    for app in apps:
        app.channel.close()


def test_by_the_shipped_policy_as_many_end_with_one_number_too(
    scene: Scene, world: World, registry: Database
) -> None:
    del world
    record, items = somebody(registry, NUMBERS)
    draw = random.Random(7)
    crowd = Crowd([scene.act_as(Role.CITIZEN_APP, f"app-{place}") for place in range(APPS)])
    crowd.send([asked(record, draw.choice(items)) for _ in range(CALLS // 5)])
    assert set(crowd.ends) == {"", "STEP_UP_REQUIRED"}
    lines = assert_one_and_no_gap(registry, record, items)
    assert len(lines) == crowd.ends[""]
    # The first one is marked; nothing but that one is taken again without a verification.
    assert [kind for kind, _ in lines] == ["set", *["confirmed"] * (len(lines) - 1)]
    assert len({number for _, number in lines}) == 1


def test_a_change_is_asked_for_vetoed_asked_for_again_and_takes_effect(
    scene: Scene, registry: Database
) -> None:
    record, (first, second) = somebody(registry, 2)
    now = scene.advance().as_of_time.ToDatetime(UTC)
    stub = scene.app.citizens
    stub.SetPrimaryNumber(asked(record, first))
    refusal = refused(stub.SetPrimaryNumber, asked(record, second))
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "STEP_UP_REQUIRED")
    fresh = step_up(registry, record, second, at=now)
    waits = stub.SetPrimaryNumber(asked(record, second, verification_id=fresh)).pending_change
    veto = pb.VetoPrimaryChangeRequest(
        request_id=new_id(), personal_id=record.personal_id.value, change_id=waits.change_id
    )
    stub.VetoPrimaryChange(veto)
    again = pb.VetoPrimaryChangeRequest(
        request_id=new_id(), personal_id=record.personal_id.value, change_id=waits.change_id
    )
    refusal = refused(stub.VetoPrimaryChange, again)
    assert (refusal.status, refusal.reason) == ("NOT_FOUND", "CHANGE_NOT_FOUND")
    fresh = step_up(registry, record, second, at=now)
    stub.SetPrimaryNumber(asked(record, second, verification_id=fresh))
    scene.advance(days=1)
    read = stub.GetPrimaryNumber(pb.GetPrimaryNumberRequest(personal_id=record.personal_id.value))
    assert read.primary_number.msisdn == second.msisdn.value
    lines = choices_of(scene.app, record, page_size=2)
    assert [line.sequence for line in lines] == [5, 4, 3, 2, 1]
    assert [pb.ChoiceKind.Name(line.kind).removeprefix("CHOICE_KIND_") for line in lines] == [
        *("CHANGED", "CHANGE_ASKED", "CHANGE_VETOED", "CHANGE_ASKED", "SET")
    ]
    assert [line.caller for line in lines] == ["", *["citizen-app:app"] * 4]
    refusal = refused(
        stub.ListChoices,
        pb.ListChoicesRequest(personal_id=record.personal_id.value, page_token="9" * 19),
    )
    assert refusal.reason == "PAGE_TOKEN_INVALID"


def test_a_locked_citizen_gets_no_new_number(scene: Scene) -> None:
    citizen, operator = scene.citizen(), scene.people.operator_name()

    def lock(*, minutes: int) -> pb.SetLockResponse:
        request = pb.SetLockRequest(
            request_id=new_id(),
            personal_id=citizen.personal_id,
            is_locked=True,
            open_minutes=minutes,
        )
        return scene.app.citizens.SetLock(request)  # type: ignore[no-any-return] # untyped

    assert not lock(minutes=0).HasField("open_until_time")
    request = subscription_pb.RegisterSubscriptionRequest(
        request_id=new_id(), msisdn=scene.people.msisdn(), holder=claim_of(citizen)
    )
    refusal = refused(scene.operator(operator).subscriptions.RegisterSubscription, request)
    assert (refusal.status, refusal.reason) == ("FAILED_PRECONDITION", "CHOICES_LOCKED")
    read = scene.app.citizens.GetPrimaryNumber(
        pb.GetPrimaryNumberRequest(personal_id=citizen.personal_id)
    )
    assert read.is_locked
    assert not read.HasField("open_until_time")
    assert lock(minutes=30).HasField("open_until_time")
    # The same request, refused before, stored nothing: it may come again.
    scene.operator(operator).subscriptions.RegisterSubscription(request)


def test_my_numbers_come_with_what_is_held_against_them_and_the_way_out(
    scene: Scene, registry: Database
) -> None:
    record, (mine, unused) = somebody(registry, 2)
    disowned = scene.app.citizens.DisownSubscription(
        pb.DisownSubscriptionRequest(
            request_id=new_id(),
            personal_id=record.personal_id.value,
            msisdn=unused.msisdn.value,
            kind=pb.DISOWN_KIND_NO_LONGER_USED,
        )
    )
    request = pb.CitizenServiceListSubscriptionsRequest(personal_id=record.personal_id.value)
    listed = scene.app.citizens.ListSubscriptions(request)
    assert {each.subscription_id: each.has_open_case for each in listed.subscriptions} == {
        str(mine.subscription_id): False,
        str(unused.subscription_id): True,
    }
    (held,) = listed.open_cases
    (case,) = held.cases
    assert held.subscription_id == str(unused.subscription_id)
    assert (case.track, case.cause) == ("T3", enforcement_pb.CASE_CAUSE_NO_LONGER_USED)
    assert case.next_step == enforcement_pb.DIRECTIVE_KIND_NOTIFY
    assert case.next_step_time.ToDatetime() < disowned.next_step_time.ToDatetime()
    assert case.way_out.vi
    assert case.way_out.en
    assert "do not use it any more" in case.explanation.en
