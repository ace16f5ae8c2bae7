"""Imports that meet: each other, themselves, births and deaths. Every meeting has one right end."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from operator import attrgetter
from pathlib import Path
from threading import Barrier
from time import monotonic
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from identity.domain.caller import Role
from identity.domain.errors import ImportSequenceError, OverloadedError
from identity.domain.holder import PopulationRecord
from identity.domain.link import LinkState
from identity.domain.msisdn import MSISDN
from identity.domain.policy import CaseCause
from identity.domain.subscription import ServiceState
from identity.rpc import decode
from identity.rpc.edge import Edge
from identity.rpc.import_stream import RowKind, take_stream
from identity.security.vault import Vault
from identity.services.apply_population_changes import Birth, Death, apply_population_changes
from identity.services.call import Call
from identity.services.face_pool import FacePool
from identity.services.face_setup import make_face_setup
from identity.services.import_population import import_population
from identity.services.import_progress import Progress, get_progress
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import BatchHead, BatchResult, ImportSummary, RefusedRow
from identity.services.link_registry import link_registry
from identity.services.register_subscription import register_subscription
from identity.services.transactions import Transactions
from identity.storage.book import BookRow, IndexedRow, index_row
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.import_runs import ImportRun
from identity.storage.link_changes import LinkAction
from identity.storage.subscriptions import msisdn_key
from identity.storage.tables import import_batch
from subid.v1 import citizen_service_pb2 as citizen_pb
from subid.v1 import subscription_pb2
from subid.v1 import subscription_service_pb2 as pb
from telco_sim.population import Citizen
from tests.databases import own_database
from tests.integration.mortal_importer import import_edge
from tests.integration.people import date_message, record_of, row_of
from tests.integration.scene import Scene
from tests.integration.test_imports import (
    book_batches,
    counts,
    errors,
    numbers_of,
    population_batches,
    record,
)
from tests.unit.identity.makers import (
    NOW,
    make_call,
    make_claim,
    make_msisdn,
    make_operator,
    make_record,
    wait_until_somebody_waits_for,
)

DIED_ON = date(2026, 4, 30)
ENDS_TIMEOUT_S = 30.0
_METHOD = pb.ImportSubscriptionsRequest.DESCRIPTOR.full_name
_Row = TypeVar("_Row")


@pytest.fixture(scope="module")
def database(postgres_url: str, vault: Vault) -> Iterator[Database]:
    """One of its own: comparing all claims must not meet those of other tests."""
    with own_database(postgres_url, f"races_{uuid4().hex}") as url:
        database = Database(connect(url), vault)
        yield database
        database.close()


@pytest.fixture
def transactions(database: Database) -> Transactions:
    return Transactions(database)


@pytest.fixture
def edge(database: Database) -> Iterator[Edge]:
    faces = FacePool(make_face_setup(models_directory=Path()), worker_count=1)
    with import_edge(database, faces) as made:
        yield made


def test_two_books_with_the_same_numbers_share_them_out(scene: Scene) -> None:
    """In opposite orders, so that each has what the other is about to take."""
    citizens = [scene.people.citizen() for _ in range(60)]
    rows = [row_of(citizen, scene.people.msisdn()) for citizen in citizens]
    names = [scene.people.operator_name() for _ in range(2)]
    calls = [
        scene.operator(name).subscriptions.ImportSubscriptions.future(
            iter(book_batches(book[:20], book[20:40], book[40:])), timeout=60
        )
        for name, book in zip(names, (rows, rows[::-1]), strict=True)
    ]
    summaries = [call.result().summary for call in calls]
    for summary in summaries:
        assert counts(summary) == (60, summary.created_count, 0, 0, summary.rejected_count)
        assert {reason for _, _, reason in errors(summary)} <= {"NUMBER_IN_SERVICE_ELSEWHERE"}
    shares = [set(numbers_of(scene.operator(name))) for name in names]
    assert [len(share) for share in shares] == [summary.created_count for summary in summaries]
    assert shares[0] | shares[1] == {row.msisdn for row in rows}
    assert not shares[0] & shares[1]


def test_the_same_import_sent_twice_at_once_is_stored_once_and_answered_alike(
    scene: Scene,
) -> None:
    operator = scene.operator(scene.people.operator_name())
    rows = [row_of(scene.people.citizen(), scene.people.msisdn()) for _ in range(40)]
    rows[13].holder.personal_id = "broken"
    requests = book_batches(*(rows[start : start + 8] for start in range(0, 40, 8)))
    calls = [
        operator.subscriptions.ImportSubscriptions.future(iter(requests), timeout=60)
        for _ in range(3)
    ]
    answers = {call.result().SerializeToString(deterministic=True) for call in calls}
    assert len(answers) == 1
    summary = pb.ImportSubscriptionsResponse.FromString(*answers).summary
    assert counts(summary) == (40, 39, 0, 0, 1)
    assert len(numbers_of(operator)) == 39


def test_a_number_in_batches_that_follow_each_other_ends_with_the_last_word(scene: Scene) -> None:
    operator = scene.operator(scene.people.operator_name())
    msisdn, citizens = scene.people.msisdn(), [scene.people.citizen() for _ in range(9)]
    others = [row_of(scene.people.citizen(), scene.people.msisdn()) for _ in citizens]
    requests = book_batches(
        *([other, row_of(each, msisdn)] for other, each in zip(others, citizens, strict=True))
    )
    summary = operator.subscriptions.ImportSubscriptions(iter(requests)).summary
    assert counts(summary) == (18, 10, 8, 0, 0)
    holders = [each for each in citizens if msisdn in _numbers_of_citizen(scene, each)]
    assert holders == citizens[-1:]


def _numbers_of_citizen(scene: Scene, citizen: Citizen) -> set[str]:
    request = citizen_pb.CitizenServiceListSubscriptionsRequest(personal_id=citizen.personal_id)
    return {item.msisdn for item in scene.app.citizens.ListSubscriptions(request).subscriptions}


def test_a_person_in_batches_that_follow_each_other_ends_with_the_last_word(scene: Scene) -> None:
    citizen = scene.people.citizen()
    subscriber = scene.imported(scene.people.operator_name(), citizen)
    names = ["Nguyễn Văn Nhầm", "Nguyễn Văn Khác"] * 4
    wrong = [[record(scene.people.citizen()), record(citizen, full_name=name)] for name in names]
    requests = population_batches(*wrong, [record_of(citizen)])
    summary = scene.population.population.ImportPopulation(iter(requests)).summary
    assert counts(summary) == (17, 9, 8, 0, 0)
    link = scene.subscription(subscriber).link
    assert link.full_name.result == link.birth_date.result == link.personal_id.result


def test_a_register_and_a_book_at_once_leave_every_claim_linked(scene: Scene) -> None:
    citizens = [scene.people.citizen() for _ in range(120)]
    numbers = [scene.people.msisdn() for _ in citizens]
    rows = [row_of(each, msisdn) for each, msisdn in zip(citizens, numbers, strict=True)]
    records = [record_of(each) for each in citizens]
    names = [scene.people.operator_name() for _ in range(2)]
    register = scene.population.population.ImportPopulation
    calls = [
        register.future(iter(population_batches(*_batches(records))), timeout=60),
        register.future(iter(population_batches(*_batches(records[::-1]))), timeout=60),
        *(
            scene.operator(name).subscriptions.ImportSubscriptions.future(
                iter(book_batches(*_batches(part))), timeout=60
            )
            for name, part in zip(names, (rows[:60][::-1], rows[60:]), strict=True)
        ),
    ]
    for call in calls:
        assert call.result().summary.rejected_count == 0
    for name in names:
        found = numbers_of(scene.operator(name)).values()
        assert len(found) == 60
        assert {item.link.state for item in found} == {subscription_pb2.LINK_STATE_LINKED}


def _batches(rows: Sequence[_Row]) -> list[Sequence[_Row]]:
    return [rows[start : start + 10] for start in range(0, len(rows), 10)]


@dataclass
class FailsOnce:
    """Stores batches, but one of them not the first time: its successor is under way by then.

    Attributes:
        place: Of the batch that fails.
        meet: Waits for the successor.
    """

    place: int
    meet: Callable[[], None]
    has_failed: bool = False

    def __call__(
        self,
        uow: UnitOfWork,
        call: Call,
        rows: Sequence[IndexedRow | RefusedRow[bytes]],
        run: ImportRun,
        head: BatchHead,
    ) -> BatchResult:
        """Store one."""
        if head.batch_index == self.place and not self.has_failed:
            self.has_failed = True
            self.meet()
            raise OverloadedError("for this test")
        return import_subscriptions(uow, call, rows, run=run, is_last=head.is_last)


@dataclass(frozen=True)
class OneBook:
    """An import of five batches of a row each."""

    edge: Edge
    call: Call
    requests: Sequence[pb.ImportSubscriptionsRequest]

    @classmethod
    def of(cls, edge: Edge, *, is_last_marked: bool = True) -> "OneBook":
        """A new one."""
        name = str(uuid4())
        requests = [
            pb.ImportSubscriptionsRequest(
                request_id=name,
                batch_index=index,
                rows=[_row_message(make_record())],
                is_last=is_last_marked and index == 4,
            )
            for index in range(5)
        ]
        return cls(edge, make_call(make_operator()), requests)

    def send(
        self, first: int = 0, *, store: Callable[..., BatchResult] | None = None
    ) -> ImportSummary:
        """Send its batches from one on."""
        sealer = self.edge.transactions.database.sealer
        kind: RowKind[IndexedRow, bytes] = RowKind(
            read=lambda batch: decode.book_rows(batch.rows, sealer),
            store=store or FailsOnce(place=-1, meet=lambda: None),
            key=attrgetter("msisdn_key"),
        )
        stream = _stream(self.requests[first:])
        return asyncio.run(take_stream(self.edge, self.call, stream, kind))

    def progress(self) -> Progress:
        """How far it has come."""
        name = UUID(self.requests[0].request_id)
        return self.edge.transactions.run(
            lambda uow: get_progress(uow, self.call, name, method=_METHOD)
        )

    def has_stored(self, place: int) -> bool:
        """Whether a batch is stored."""
        query = select(import_batch.c.batch_index).where(
            import_batch.c.request_id == UUID(self.requests[0].request_id)
        )
        with self.edge.transactions.database.transaction() as uow:
            return place in uow.connection.execute(query).scalars().all()


def _until(is_so: Callable[[], bool]) -> None:
    give_up_at = monotonic() + ENDS_TIMEOUT_S
    while not is_so():
        assert monotonic() < give_up_at


async def _stream(
    requests: Sequence[pb.ImportSubscriptionsRequest],
) -> AsyncIterator[pb.ImportSubscriptionsRequest]:
    for request in requests:
        yield request


def _row_message(record: PopulationRecord) -> pb.SubscriptionRow:
    return pb.SubscriptionRow(
        msisdn=make_msisdn().value,
        holder=pb.HolderClaim(
            personal_id=record.personal_id.value,
            full_name=record.full_name.value,
            birth_date=date_message(record.birth_date),
        ),
    )


@pytest.mark.parametrize("place", [0, 2])
def test_a_batch_that_fails_beside_its_successor_is_where_the_import_goes_on(
    edge: Edge, place: int
) -> None:
    book = OneBook.of(edge)

    def meet() -> None:
        _until(lambda: book.has_stored(place + 1))

    with pytest.raises(OverloadedError):
        book.send(store=FailsOnce(place=place, meet=meet))
    assert book.has_stored(place + 1)
    progress = book.progress()
    assert (progress.next_batch_index, progress.is_complete) == (place, False)
    assert progress.summary.received_count == place
    with pytest.raises(ImportSequenceError, match=f"expected batch {place}"):
        book.send(place + 1)
    resumed = book.send(place)
    assert (resumed.received_count, resumed.created_count) == (5, 5)
    assert resumed == book.send() == book.progress().summary
    assert book.progress().is_complete


# Births and deaths that meet a claim. Whichever is first, the link is right in the end.

Claiming = Callable[[UnitOfWork, Call, MSISDN, PopulationRecord], object]


def _claim_by_import(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, record: PopulationRecord
) -> object:
    row = index_row(uow.sealer, BookRow(msisdn=msisdn, claim=make_claim(record)))
    return import_subscriptions(uow, call, [row])


def _claim_by_another_holder(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, record: PopulationRecord
) -> object:
    """The number is known, and the book names another holder than before."""
    # The first holder's row is of the same transaction, and so is not yet anybody's to see.
    _claim_by_import(uow, call, msisdn, make_record())
    return _claim_by_import(uow, call, msisdn, record)


def _claim_by_registration(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, record: PopulationRecord
) -> object:
    return register_subscription(uow, call, msisdn, make_claim(record))


def _import_one(uow: UnitOfWork, call: Call, record: PopulationRecord) -> object:
    return import_population(uow, call, [record])


def _birth(uow: UnitOfWork, call: Call, record: PopulationRecord) -> object:
    return apply_population_changes(uow, call, [Birth(record)])


def _death(uow: UnitOfWork, call: Call, record: PopulationRecord) -> object:
    return apply_population_changes(uow, call, [Death(record.personal_id, DIED_ON)])


def _import_death(uow: UnitOfWork, call: Call, record: PopulationRecord) -> object:
    return import_population(uow, call, [replace(record, deceased_on=DIED_ON)])


@pytest.mark.parametrize("is_claim_first", [True, False])
@pytest.mark.parametrize("change", [_birth, _import_one, _death, _import_death])
@pytest.mark.parametrize(
    "claim", [_claim_by_import, _claim_by_another_holder, _claim_by_registration]
)
def test_a_birth_or_death_that_meets_a_claim_leaves_the_link_right(
    transactions: Transactions,
    claim: Claiming,
    change: Callable[[UnitOfWork, Call, PopulationRecord], object],
    *,
    is_claim_first: bool,
) -> None:
    database, msisdn, record = transactions.database, make_msisdn(), make_record()
    is_death = change in (_death, _import_death)
    if is_death:
        with database.transaction() as uow:
            uow.citizens.save_many([record], at=NOW)
    operator = make_call(make_operator())
    authority = make_call(make_operator(), role=Role.POPULATION)
    both: list[Callable[[UnitOfWork], object]] = [
        lambda uow: claim(uow, operator, msisdn, record),
        lambda uow: change(uow, authority, record),
    ]
    first, second = both if is_claim_first else reversed(both)
    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as uow:
            first(uow)
            late = thread.submit(transactions.run, second)
            wait_until_somebody_waits_for(uow)
        late.result(ENDS_TIMEOUT_S)
    with database.transaction() as uow:
        item = uow.subscriptions.find_in_service(msisdn)
        assert item is not None
        assert item.link.state is (LinkState.DECEASED if is_death else LinkState.LINKED)
        causes = [case.cause for case in uow.cases.list_open([item])[item.subscription_id]]
        # A number that was registered is not in service yet, and on no ladder.
        is_on_ladder = item.service_state is ServiceState.ACTIVE
        assert (CaseCause.DECEASED in causes) == (is_death and is_on_ladder)
        assert CaseCause.NOT_FOUND not in causes


def test_a_comparison_of_all_claims_that_meets_a_death_does_not_undo_it(
    transactions: Transactions,
) -> None:
    """What it read before it waited is out of date afterwards."""
    database, msisdn, record = transactions.database, make_msisdn(), make_record()
    operator = make_call(make_operator())
    authority = make_call(make_operator(), role=Role.POPULATION)
    with database.transaction() as uow:
        uow.citizens.save_many([record], at=NOW)
        _claim_by_import(uow, operator, msisdn, record)
    with ThreadPoolExecutor(1) as thread:
        with database.transaction() as uow:
            _death(uow, authority, record)
            late = thread.submit(link_registry, transactions, operator)
            wait_until_somebody_waits_for(uow)
        late.result(ENDS_TIMEOUT_S)
    with database.transaction() as uow:
        item = uow.subscriptions.find_in_service(msisdn)
        assert item is not None
        assert item.link.state is LinkState.DECEASED
        key = msisdn_key(uow.sealer, msisdn)
        (line,) = uow.link_changes.list_of(key, item.subscription_id)
        assert line.action is LinkAction.POPULATION_CHANGE


def test_a_comparison_of_all_claims_beside_imports_leaves_every_link_right(
    transactions: Transactions,
) -> None:
    """Each holds citizens and locks numbers, for itself and in an order of its own."""
    records = [make_record() for _ in range(60)]
    claims = [BookRow(msisdn=make_msisdn(), claim=make_claim(each)) for each in records]
    operator = make_call(make_operator())
    authority = make_call(make_operator(), role=Role.POPULATION)

    def take_register(uow: UnitOfWork, place: int) -> object:
        return import_population(uow, authority, records[place : place + 15])

    def take_book(uow: UnitOfWork, place: int) -> object:
        rows = [index_row(uow.sealer, row) for row in claims[::-1][place : place + 15]]
        return import_subscriptions(uow, operator, rows)

    actions: list[Callable[[], object]] = [
        lambda: [
            transactions.run(partial(take_register, place=place)) for place in range(0, 60, 15)
        ],
        lambda: [transactions.run(partial(take_book, place=place)) for place in range(0, 60, 15)],
        lambda: link_registry(transactions, operator),
    ]
    start = Barrier(len(actions))

    def begin(action: Callable[[], object]) -> object:
        start.wait(ENDS_TIMEOUT_S)
        return action()

    with ThreadPoolExecutor(len(actions)) as threads:
        assert len(list(threads.map(begin, actions))) == len(actions)
    with transactions.database.transaction() as uow:
        found = uow.subscriptions.find_many_in_service(row.msisdn for row in claims)
    assert len(found) == 60
    assert {item.link.state for item in found.values()} == {LinkState.LINKED}
