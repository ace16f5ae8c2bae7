"""An import that is killed again and again ends as one that was left alone."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import grpc
import pytest

from identity.domain.caller import Role
from identity.storage.counts import count_rows
from identity.storage.database import connect
from identity.storage.embedded import embedded_postgres
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_pb2
from subid.v1 import subscription_service_pb2 as pb
from tests.e2e.server_process import ServerProcess
from tests.integration.people import People, record_of, row_of
from tests.integration.wire import new_id

OPERATOR = "song-hong"
BATCH_COUNT = 12
BATCH_ROWS = 100
KILL_COUNT = 3

Contents = dict[str, tuple[object, ...]]
Batches = list[pb.ImportSubscriptionsRequest]


@pytest.fixture(scope="module")
def book() -> tuple[population_pb.ImportPopulationRequest, Batches]:
    """Two of three holders are known, every fiftieth row is broken."""
    people = People(seed=7, today=datetime.now(UTC).date())
    citizens = [people.citizen() for _ in range(BATCH_COUNT * BATCH_ROWS)]
    rows = [row_of(citizen, people.msisdn()) for citizen in citizens]
    for row in rows[::50]:
        row.holder.personal_id = "broken"
    name = new_id()
    batches = [
        pb.ImportSubscriptionsRequest(
            request_id=name,
            batch_index=index,
            rows=rows[index * BATCH_ROWS : (index + 1) * BATCH_ROWS],
        )
        for index in range(BATCH_COUNT)
    ]
    known = population_pb.ImportPopulationRequest(
        request_id=new_id(), records=[record_of(each) for at, each in enumerate(citizens) if at % 3]
    )
    return known, batches


def contents(server: ServerProcess) -> Contents:
    """Everything that the operator sees, but for identifiers and instants."""
    stub = server.act_as(Role.OPERATOR, OPERATOR).subscriptions
    found: Contents = {}
    token = ""
    while True:
        request = pb.ListSubscriptionsRequest(page_size=1000, page_token=token)
        page = stub.ListSubscriptions(request)
        for item in page.subscriptions:
            assert item.msisdn not in found
            found[item.msisdn] = _seen(item)
        token = page.next_page_token
        if not token:
            return found


def _seen(item: subscription_pb2.Subscription) -> tuple[object, ...]:
    link = item.link.SerializeToString(deterministic=True)
    return (item.service_state, item.applied_state, link, item.has_open_case, item.is_primary)


def rows_of(state: Path) -> dict[str, int]:
    """How many rows each kind of thing has; the server has stopped."""
    with embedded_postgres(state / "postgres") as url:
        engine = connect(url)
        counted = dict(count_rows(engine))
        engine.dispose()
    return counted


class Interrupted:
    """Batches of a stream that kills the server when one of them has just been asked for."""

    def __init__(self, batches: Sequence[pb.ImportSubscriptionsRequest], *, after: int) -> None:
        self._batches = batches
        self._after = after
        self.is_due = threading.Event()

    def __iter__(self) -> Iterator[pb.ImportSubscriptionsRequest]:
        for index, batch in enumerate(self._batches):
            if index == self._after:
                self.is_due.set()
            yield batch


def test_an_import_that_is_killed_ends_as_one_that_was_left_alone(
    tmp_path: Path, book: tuple[population_pb.ImportPopulationRequest, Batches]
) -> None:
    known, batches = book
    with ServerProcess(tmp_path / "undisturbed") as server:
        server.act_as(Role.POPULATION, "register").population.ImportPopulation(iter([known]))
        operator = server.act_as(Role.OPERATOR, OPERATOR).subscriptions
        expected = operator.ImportSubscriptions(iter(batches))
        expected_contents = contents(server)
        assert server.stop() == 0
    assert expected.summary.received_count == BATCH_COUNT * BATCH_ROWS
    assert len(expected_contents) == expected.summary.created_count

    state = tmp_path / "killed"
    generator = Random(20260415)
    for number in range(KILL_COUNT):
        with ServerProcess(state) as server:
            if number == 0:
                register = server.act_as(Role.POPULATION, "register").population
                register.ImportPopulation(iter([known]))
            stream = Interrupted(batches, after=generator.randrange(1, BATCH_COUNT))
            operator = server.act_as(Role.OPERATOR, OPERATOR).subscriptions
            call = operator.ImportSubscriptions.future(iter(stream), timeout=60)
            assert stream.is_due.wait(60)
            server.kill()
            with pytest.raises(grpc.RpcError) as caught:
                call.result()
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    with ServerProcess(state) as server:
        operator = server.act_as(Role.OPERATOR, OPERATOR).subscriptions
        answer = operator.ImportSubscriptions(iter(batches))
        assert answer == expected
        assert contents(server) == expected_contents
        assert operator.ImportSubscriptions(iter(batches)) == expected
        assert server.stop() == 0
    # The killed servers left PostgreSQL running; the last one to end stops it.
    assert not (state / "postgres" / "postmaster.pid").exists()
    assert rows_of(state) == rows_of(tmp_path / "undisturbed")
