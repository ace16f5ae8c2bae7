"""How fast whole books come in and are linked, and what a full registry costs its readers.

Owns the runs and their baselines: the database's own fastest way (a binary COPY of the very rows
that an import left behind, into an empty table of the same shape), the first of two equal halves,
an empty registry. What the books hold is `books.py`'s.
"""

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import uuid4

import grpc
import psutil
import psycopg
from sqlalchemy import text

from identity import administration, bootstrap
from identity.config import Settings
from identity.domain.caller import Caller, Role
from identity.storage.database import Database
from subid.v1 import citizen_service_pb2, citizen_service_pb2_grpc
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1 import subscription_service_pb2_grpc as subscription_grpc
from tests.benchmarks.books import Person, book, msisdn_of, register
from tests.benchmarks.growth_chart import draw_growth
from tests.benchmarks.harness import ROOT, Benchmark, benchmark
from tests.benchmarks.processor_time import server_of
from tests.benchmarks.running import Target, running_target

IMPORT_ROWS = 200_000
LINK_ROWS = 1_000_000
DELTA_SHARE = 100
"""One record in so many is corrected."""

STEPS = (10_000, 100_000, 1_000_000, 2_000_000)
"""Sizes of the registry at which the growth is measured."""

FEW_ROWS = 1_000
"""Size of the registry beside it, whose look-ups are measured in turn with those of the growing."""

LOOKUPS = 400

GROWTH_CHART = ROOT / "docs" / "reference" / "registry-growth.svg"

_OPERATOR = Caller(Role.OPERATOR, "benchmark")
_POPULATION = Caller(Role.POPULATION, "register")
_APP = Caller(Role.CITIZEN_APP, "app")
_IMPORT_SUBSCRIPTIONS = "/subid.v1.SubscriptionService/ImportSubscriptions"
_IMPORT_POPULATION = "/subid.v1.PopulationService/ImportPopulation"


def import_rate() -> Benchmark:
    """Rows a second of ImportSubscriptions, end to end, against a bare COPY of the same rows."""
    with empty_target() as target:
        _send(target, _POPULATION, _IMPORT_POPULATION, _register(0, IMPORT_ROWS))
        times = [_send_book(target, first, IMPORT_ROWS) for first in (0,)]
        rate = IMPORT_ROWS / times[0]
        bare = _copy_rate(target)
    return benchmark(
        "import_subscriptions",
        ratio=rate / bare,
        goal=0.3,
        times_ms=[1000 * each for each in times],
        notes=(
            f"{IMPORT_ROWS} rows of ImportSubscriptions over gRPC {rate:.0f}/s (goal 15,000), of a"
            f" binary COPY of the same sealed rows into the same indexed table {bare:.0f}/s, at"
            " least"
        ),
    )


def link_rate() -> Benchmark:
    """Links a second of `identity link` where every link changes, of 50,000; and a delta of 1 %."""
    with empty_target() as target:
        # The book first: nobody is known, so that every claim has its link, its case and its
        # history still before it.
        _send_book(target, 0, LINK_ROWS)
        with _database(target) as database:
            _store_records(database, 0, LINK_ROWS)
            full, peak_mib = _link_all(target)
            again, _ = _link_all(target)
        corrected = LINK_ROWS // DELTA_SHARE
        delta = _send(
            target,
            _POPULATION,
            _IMPORT_POPULATION,
            register(0, corrected, request_id=str(uuid4()), name="Lâm Bảo Hân"),
        )
    return benchmark(
        "link_registry",
        ratio=LINK_ROWS / full / 50_000,
        goal=1,
        times_ms=[1000 * full],
        notes=(
            f"{LINK_ROWS / full:.0f} links/s where each of {LINK_ROWS} changes and moves to another"
            f" ladder, of 50,000, at least; {LINK_ROWS / again:.0f} compared/s where none changes;"
            f" a delta of {100 / DELTA_SHARE:.0f} % took {100 * delta / full:.1f} % of the full"
            f" link (goal 3 %); the command took {peak_mib:.0f} MiB (goal 1,024)"
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Step:
    """The registry at one size.

    Attributes:
        rows: Subscriptions in it.
        rate: Rows a second of the import that led here from the step before.
        get_ms: Median of GetSubscription.
        list_ms: Median of a citizen's ListSubscriptions.
        get_ratio: The first against the same among a few, asked in turn.
        list_ratio: The same of the second.
        server_mib: Resident memory of the server process.
    """

    rows: int
    rate: float
    get_ms: float
    list_ms: float
    get_ratio: float
    list_ratio: float
    server_mib: float


def growth() -> Benchmark:
    """Rate of the second million against the first; look-ups among two million against a few."""
    steps = measure_growth()
    draw_growth(steps, GROWTH_CHART)
    first = _seconds(steps, upto=1_000_000)
    second = _seconds(steps, after=1_000_000)
    full = steps[-1]
    return benchmark(
        "registry_growth",
        ratio=first / second,
        goal=0.8,
        times_ms=[step.get_ms for step in steps],
        notes=(
            f"rows/s of the second million against the first, at least; GetSubscription among"
            f" {full.rows} takes {full.get_ratio:.2f} of its time among {FEW_ROWS},"
            f" a citizen's ListSubscriptions {full.list_ratio:.2f} (goal 1.5);"
            f" server at {full.server_mib:.0f} MiB"
        ),
    )


def measure_growth(steps: Iterable[int] = STEPS) -> list[Step]:
    """Fill one registry step by step, beside another that stays small."""
    measured: list[Step] = []
    with empty_target() as few, empty_target() as target:
        fill(few, 0, FEW_ROWS)
        before = 0
        for rows in steps:
            seconds = fill(target, before, rows - before)
            get_ms, get_ratio = _compare(
                _ask_subscription(target), _ask_subscription(few), rows=rows
            )
            list_ms, list_ratio = _compare(_ask_citizen(target), _ask_citizen(few), rows=rows)
            measured.append(
                Step(
                    rows=rows,
                    rate=(rows - before) / seconds,
                    get_ms=get_ms,
                    list_ms=list_ms,
                    get_ratio=get_ratio,
                    list_ratio=list_ratio,
                    server_mib=server_of(target).memory_info().rss / 2**20,
                )
            )
            print(measured[-1], flush=True)
            before = rows
    return measured


def fill(target: Target, first: int, count: int, *, operator: Caller = _OPERATOR) -> float:
    """Import records and then the book of the same people; the seconds that the book took."""
    _send(target, _POPULATION, _IMPORT_POPULATION, _register(first, count))
    return _send_book(target, first, count, operator=operator)


def _seconds(steps: list[Step], *, upto: int = 0, after: int = 0) -> float:
    """How long the import of a million rows took, added up over its steps."""
    pairs = zip([0, *(step.rows for step in steps)], steps, strict=False)
    return sum(
        (step.rows - before) / step.rate
        for before, step in pairs
        if (step.rows <= upto if upto else before >= after)
    )


@contextmanager
def empty_target() -> Iterator[Target]:
    """A server on an empty registry."""
    with running_target(lambda _uow: None) as target:
        yield target


@contextmanager
def _database(target: Target) -> Iterator[Database]:
    """The registry behind a server, from here."""
    with bootstrap.open_database(Settings(state=target.state)) as database:
        yield database


def _send(target: Target, caller: Caller, path: str, messages: Iterable[bytes]) -> float:
    """Seconds that a stream takes; its messages are made before."""
    ready = list(messages)
    with grpc.secure_channel(target.address, target.credentials(caller)) as channel:
        call: grpc.StreamUnaryMultiCallable[bytes, bytes] = channel.stream_unary(path)
        began_at = time.perf_counter()
        call(iter(ready), timeout=3_600)
        return time.perf_counter() - began_at


def _register(first: int, count: int) -> Iterator[bytes]:
    return register(first, count, request_id=str(uuid4()))


def _send_book(target: Target, first: int, count: int, *, operator: Caller = _OPERATOR) -> float:
    messages = book(first, count, request_id=str(uuid4()))
    return _send(target, operator, _IMPORT_SUBSCRIPTIONS, messages)


def _copy_rate(target: Target) -> float:
    """Rows a second of a bare COPY of the subscriptions that are there."""
    with _database(target) as database, database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, psycopg.Connection)
        with driver.cursor() as cursor:
            with cursor.copy("COPY (SELECT * FROM subscription) TO STDOUT (FORMAT BINARY)") as out:
                rows = [bytes(block) for block in out]
            cursor.execute(
                "CREATE TABLE bare (LIKE subscription INCLUDING ALL) PARTITION BY HASH (msisdn_key)"
            )
            for remainder in range(8):
                cursor.execute(
                    f"CREATE TABLE bare_p{remainder} PARTITION OF bare"
                    f" FOR VALUES WITH (MODULUS 8, REMAINDER {remainder})"
                )
            driver.commit()
            began_at = time.perf_counter()
            with cursor.copy("COPY bare FROM STDIN (FORMAT BINARY)") as copy:
                for block in rows:
                    copy.write(block)
            driver.commit()
            seconds = time.perf_counter() - began_at
            cursor.execute("SELECT count(*) FROM bare")
            found = cursor.fetchone()
            assert found is not None
            cursor.execute("DROP TABLE bare")
            driver.commit()
    return int(found[0]) / seconds


def _store_records(database: Database, first: int, count: int) -> None:
    """The register's records, straight in: no claim is compared with them."""
    from identity.rpc import decode  # noqa: PLC0415 - only here does a benchmark play the edge
    from subid.v1 import population_service_pb2  # noqa: PLC0415 - as above

    for message in _register(first, count):
        batch = population_service_pb2.ImportPopulationRequest.FromString(message)
        rows = [decode.population_record(record) for record in batch.records]
        with database.transaction() as uow:
            uow.citizens.save_many(rows, at=datetime.now(UTC))
    with database.engine.begin() as connection:
        connection.execute(text("ANALYZE"))


def _link_all(target: Target) -> tuple[float, float]:
    """Seconds that `identity link` takes, and this process's memory in MiB at its end."""
    began_at = time.perf_counter()
    administration.link_all(
        Settings(state=target.state), workers=2, progress=lambda _done, _of: None
    )
    return time.perf_counter() - began_at, psutil.Process().memory_info().rss / 2**20


def _compare(
    ask: Callable[[int], object], ask_few: Callable[[int], object], *, rows: int
) -> tuple[float, float]:
    """Median milliseconds of a look-up among many, and its ratio to that among a few, in turn."""
    many = [place * 7_919 % rows for place in range(LOOKUPS)]
    few = [place * 7_919 % FEW_ROWS for place in range(LOOKUPS)]
    times = [(_ms(ask, one), _ms(ask_few, other)) for one, other in zip(many, few, strict=True)]
    among_many, among_few = (statistics.median(each) for each in zip(*times, strict=True))
    return among_many, among_many / among_few


def _ms(ask: Callable[[int], object], number: int) -> float:
    began_at = time.perf_counter()
    ask(number)
    return 1000 * (time.perf_counter() - began_at)


def _ask_subscription(target: Target) -> Callable[[int], object]:
    channel = grpc.secure_channel(target.address, target.credentials(_OPERATOR))
    stub = subscription_grpc.SubscriptionServiceStub(channel)
    request = subscription_pb.GetSubscriptionRequest
    return lambda number: stub.GetSubscription(request(msisdn=msisdn_of(number)))


def _ask_citizen(target: Target) -> Callable[[int], object]:
    channel = target.app_channel(_APP)
    stub = citizen_service_pb2_grpc.CitizenServiceStub(channel)
    request = citizen_service_pb2.CitizenServiceListSubscriptionsRequest
    return lambda number: stub.ListSubscriptions(request(personal_id=Person(number).personal_id))
