"""Keys rotate while an operator imports, and nobody notices; a lost key is told by its name."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from identity.cli import app
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.security.keys import read_key_ring, without_key, write_key_ring
from identity.security.vault import Vault
from identity.storage.database import Database, connect
from identity.storage.key_tables import sealing_key
from identity.storage.sealed_columns import sealed_tables
from identity.storage.sealing import key_number_in
from identity.storage.tables import subscription
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as pb
from telco_sim.population import Citizen
from tests.databases import own_database
from tests.integration.conftest import open_channel, served
from tests.integration.people import People, record_of, row_of
from tests.integration.wire import Stubs, new_id, refused

OPERATOR = "song-hong"
BATCH_ROWS = 25
BATCHES_MAX = 400
PATIENCE_S = 120.0


@dataclass
class Registry:
    """A registry of a test's own: how to serve it, command it and look into it."""

    settings: Settings
    engine: Engine

    def run(self, *arguments: str) -> Result:
        """`identity keys …`."""
        options = ("--state", str(self.settings.state), "--database", str(self.settings.database))
        return CliRunner().invoke(app, ["keys", *arguments, *options])

    @property
    def keys(self) -> Path:
        """Where the ring lies."""
        return self.settings.state / "keys.json"

    def database(self) -> Database:
        """As somebody who has nothing but the ring of now."""
        return Database(self.engine, Vault(read_key_ring(self.keys)))

    @contextmanager
    def act_as(self, role: Role, name: str, address: str) -> Iterator[Stubs]:
        """Stubs for a role and name."""
        with open_channel(address, self.settings.state, Caller(role, name)) as channel:
            yield Stubs(channel)

    def wait_out(self) -> None:
        """Let two minutes go by in which nobody sealed with an old key."""
        with self.engine.begin() as connection:
            earlier = func.now() - timedelta(minutes=3)
            is_old = sealing_key.c.key_id != read_key_ring(self.keys).active_id
            connection.execute(update(sealing_key).where(is_old).values(last_active_at=earlier))


@pytest.fixture
def registry(postgres_url: str, tmp_path: Path) -> Iterator[Registry]:
    with own_database(postgres_url, f"rotation_{tmp_path.name[-8:].strip('_').lower()}") as url:
        settings = Settings(state=tmp_path, database=url, listen="127.0.0.1:0", face_workers=1)
        engine = connect(url)
        yield Registry(settings, engine)
        engine.dispose()


@dataclass
class Importing:
    """An operator that hands over batch after batch until it is told to stop."""

    operator: Stubs
    people: People
    holders: dict[str, Citizen] = field(default_factory=dict)
    failure: BaseException | None = None
    stopping: threading.Event = field(default_factory=threading.Event)
    stored: threading.Condition = field(default_factory=threading.Condition)

    def run(self) -> None:
        """Import; each batch is a call of its own, answered before the next."""
        try:
            for _ in range(BATCHES_MAX):
                if self.stopping.is_set():
                    return
                self._batch()
        except BaseException as error:  # noqa: BLE001 - handed to the test, which judges it
            self.failure = error
        finally:
            with self.stored:
                self.stored.notify_all()

    def _batch(self) -> None:
        batch = {self.people.msisdn(): self.people.citizen() for _ in range(BATCH_ROWS)}
        rows = [row_of(citizen, msisdn) for msisdn, citizen in batch.items()]
        request = pb.ImportSubscriptionsRequest(request_id=new_id(), rows=rows)
        summary = self.operator.subscriptions.ImportSubscriptions(iter([request])).summary
        assert summary.created_count == BATCH_ROWS, summary
        with self.stored:
            self.holders.update(batch)
            self.stored.notify_all()

    def wait_until(self, is_reached: Callable[[], bool]) -> None:
        """Let it go on until something is so, asked after each batch."""
        with self.stored:
            assert self.stored.wait_for(lambda: self.failure or is_reached(), PATIENCE_S)
        assert self.failure is None, self.failure


@contextmanager
def importing(operator: Stubs, people: People) -> Iterator[Importing]:
    work = Importing(operator, people)
    thread = threading.Thread(target=work.run)
    thread.start()
    try:
        yield work
    finally:
        work.stopping.set()
        thread.join(PATIENCE_S)


def newest_is_sealed_with(engine: Engine, key_id: int) -> bool:
    query = select(subscription.c.claim_sealed).order_by(subscription.c.created_at.desc()).limit(1)
    with engine.connect() as connection:
        return int.from_bytes(key_number_in(connection.execute(query).scalar_one())) == key_id


def open_everything(registry: Registry) -> int:
    """Open every sealed value of every table with the ring of now; returns how many there were."""
    count = 0
    with registry.database().transaction() as uow:
        for table in sealed_tables():
            for row in uow.connection.execute(select(table.table)).mappings():
                for column in table.columns:
                    if row[column.name] is not None:
                        uow.sealer.open(row[column.name], context=table.place(column, row))
                        count += 1
    return count


def holders_of(operator: Stubs) -> set[str]:
    found: list[str] = []
    token = ""
    while True:
        page = operator.subscriptions.ListSubscriptions(
            pb.ListSubscriptionsRequest(page_size=1000, page_token=token)
        )
        found += [item.msisdn for item in page.subscriptions]
        token = page.next_page_token
        if not token:
            assert len(set(found)) == len(found)
            return set(found)


def test_keys_rotate_while_an_operator_imports(registry: Registry) -> None:
    people = People(seed=77, today=datetime.now(UTC).date())
    with (
        served(registry.settings) as address,
        registry.act_as(Role.OPERATOR, OPERATOR, address) as operator,
    ):
        with importing(operator, people) as work:
            work.wait_until(lambda: len(work.holders) >= 3 * BATCH_ROWS)
            assert registry.run("rotate").exit_code == 0
            assert registry.run("reseal", "--slice", "20").exit_code in (0, 1)
            # The running server seals with the new key by and by, without a restart.
            work.wait_until(lambda: newest_is_sealed_with(registry.engine, 2))
            told = registry.run("reseal", "--slice", "20")
            sealed_so_far = len(work.holders)
            work.wait_until(lambda: len(work.holders) > sealed_so_far)
        assert work.failure is None
        assert told.exit_code == 0, told.output
        assert registry.run("reseal").exit_code == 0
        registry.wait_out()
        retired = registry.run("retire", "1")
        assert retired.exit_code == 0, retired.output
        assert set(read_key_ring(registry.keys).sealing) == {2}
        assert holders_of(operator) == work.holders.keys()
    assert open_everything(registry) >= 2 * len(work.holders)
    with (
        served(registry.settings) as address,
        registry.act_as(Role.OPERATOR, OPERATOR, address) as operator,
    ):
        assert holders_of(operator) == work.holders.keys()
        for msisdn in list(work.holders)[:: 4 * BATCH_ROWS]:
            found = operator.subscriptions.GetSubscription(pb.GetSubscriptionRequest(msisdn=msisdn))
            assert found.subscription.msisdn == msisdn


def test_a_record_whose_key_is_lost_is_refused_by_name_and_the_others_are_served(
    registry: Registry,
) -> None:
    people = People(seed=78, today=datetime.now(UTC).date())
    lost, kept = ((people.msisdn(), people.citizen()) for _ in range(2))

    def hand_over(address: str, msisdn: str, citizen: Citizen) -> None:
        with registry.act_as(Role.POPULATION, "register", address) as register:
            known = population_pb.ImportPopulationRequest(
                request_id=new_id(), records=[record_of(citizen)]
            )
            register.population.ImportPopulation(iter([known]))
        with registry.act_as(Role.OPERATOR, OPERATOR, address) as operator:
            book = pb.ImportSubscriptionsRequest(
                request_id=new_id(), rows=[row_of(citizen, msisdn)]
            )
            operator.subscriptions.ImportSubscriptions(iter([book]))

    with served(registry.settings) as address:
        hand_over(address, *lost)
    assert registry.run("rotate").exit_code == 0
    with served(registry.settings) as address:
        hand_over(address, *kept)
    write_key_ring(registry.keys, without_key(read_key_ring(registry.keys), 1), may_replace=True)
    told = registry.run("list")
    assert told.exit_code == 1
    for place in ("citizen.record_sealed 1", "subscription.claim_sealed 1"):
        assert f"key 1 (lost): {place}" in told.stdout

    # What the book says unchanged is told by digests; only another name needs the lost record.
    differing = row_of(lost[1], lost[0])
    differing.holder.full_name = "Trần Quốc Bảo"
    accepting = registry.settings.model_copy(update={"accept_lost_keys": True})
    with (
        capture_logs() as logged,
        served(accepting) as address,
        registry.act_as(Role.OPERATOR, OPERATOR, address) as operator,
    ):
        found = operator.subscriptions.GetSubscription(pb.GetSubscriptionRequest(msisdn=kept[0]))
        assert found.subscription.msisdn == kept[0]
        calls = operator.subscriptions
        for answer in (
            refused(calls.GetSubscription, pb.GetSubscriptionRequest(msisdn=lost[0])),
            refused(calls.ListSubscriptions, pb.ListSubscriptionsRequest(page_size=10)),
            refused(
                calls.ImportSubscriptions,
                iter([pb.ImportSubscriptionsRequest(request_id=new_id(), rows=[differing])]),
            ),
        ):
            assert (answer.status, answer.reason) == ("DATA_LOSS", "RECORD_UNREADABLE")
            assert answer.correlation_id
    alarms = [line for line in logged if line.get("reason") == "RECORD_UNREADABLE"]
    assert [line["log_level"] for line in alarms] == ["error"] * 3
    (start,) = [line for line in logged if "sealing keys are lost" in line["event"]]
    assert start["keys"] == [1]
    with registry.database().transaction() as uow:
        known = uow.citizens.find(PersonalID(kept[1].personal_id))
        assert known is not None
        assert known.full_name == PersonName(kept[1].full_name)
