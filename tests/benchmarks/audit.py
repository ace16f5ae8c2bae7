"""What sealing the audit log costs: its rate, and what it takes from whoever writes."""

import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from identity.audit.log import AuditEntry, append
from identity.bootstrap import METADATA
from identity.security.keys import generate_key_ring
from identity.security.vault import Vault
from identity.services.seal_audit import AuditKeys, seal
from identity.storage.database import Database, connect
from identity.storage.embedded import embedded_postgres
from identity.storage.schema import migrate
from tests.benchmarks.harness import Benchmark, benchmark
from tests.unit.identity.makers import NOW

ROUNDS = 8
ENTRY_COUNT = 40_000
ENTRIES_AT_ONCE = 1_000
WRITES = 400
_ENTRY = AuditEntry(
    occurred_at=NOW,
    caller="agency:tax",
    action="get_contact",
    outcome="available",
    citizen_key=b"\x01" * 16,
    purpose="legal_notice",
    legal_basis="Law 26/2023/QH15, art. 10",
    case_id="T-1",
    fields="number",
)


def sealing_rate() -> Benchmark:
    """Entries sealed in a second against entries written in a second, by batches, alone."""
    with _log() as (database, keys):
        rounds = [(_timed(lambda: _write_many(database)), _seal(database, keys)) for _ in _rounds()]
    rate = ENTRY_COUNT / median(sealed_s for _, sealed_s in rounds)
    return benchmark(
        "sealing_rate",
        ratio=median(written_s / sealed_s for written_s, sealed_s in rounds),
        goal=1.0,
        times_ms=[sealed_s * 1e3 for _, sealed_s in rounds],
        notes=(
            f"sealed as fast as written, or faster: {rate:,.0f} entries a second under signed"
            f" heads; {ROUNDS} rounds of {ENTRY_COUNT:,}, in turn"
        ),
    )


def sealing_cost() -> Benchmark:
    """Commits of one entry each in a second while the log is sealed, against without."""
    with _log() as (database, keys):
        alone, beside = [], []
        for _ in _rounds():
            alone.append(_timed(lambda: _write_singly(database)))
            with _sealing(database, keys):
                beside.append(_timed(lambda: _write_singly(database)))
    return benchmark(
        "sealing_cost",
        ratio=median(a / b for a, b in zip(alone, beside, strict=True)),
        goal=0.9,
        times_ms=[each / WRITES * 1e3 for each in beside],
        notes=(
            "commits a second beside sealing, of those alone:"
            f" {median(alone) / WRITES * 1e3:.2f} ms a commit alone,"
            f" {median(beside) / WRITES * 1e3:.2f} beside; {ROUNDS} rounds of {WRITES}, in turn"
        ),
    )


def _rounds() -> range:
    return range(ROUNDS)


@contextmanager
def _log() -> Iterator[tuple[Database, AuditKeys]]:
    with (
        tempfile.TemporaryDirectory() as directory,
        embedded_postgres(Path(directory) / "postgres") as url,
    ):
        engine = connect(url)
        migrate(engine, METADATA)
        yield Database(engine, Vault(generate_key_ring())), AuditKeys(Path(directory))
        engine.dispose()


def _write_many(database: Database) -> None:
    for _ in range(ENTRY_COUNT // ENTRIES_AT_ONCE):
        with database.transaction() as uow:
            append(uow.connection, [_ENTRY] * ENTRIES_AT_ONCE)


def _write_singly(database: Database) -> None:
    for _ in range(WRITES):
        with database.transaction() as uow:
            append(uow.connection, [_ENTRY])


def _seal(database: Database, keys: AuditKeys) -> float:
    return _timed(lambda: _seal_all(database, keys))


def _seal_all(database: Database, keys: AuditKeys) -> None:
    while _seal_some(database, keys):
        pass


def _seal_some(database: Database, keys: AuditKeys) -> bool:
    with database.transaction() as uow:
        return seal(uow, keys, at=datetime.now(UTC)).is_more


@contextmanager
def _sealing(database: Database, keys: AuditKeys) -> Iterator[None]:
    """Seal twice a second, as a server does."""
    stopping = threading.Event()

    def keep_sealing() -> None:
        while not stopping.wait(0.5):
            _seal_all(database, keys)

    thread = threading.Thread(target=keep_sealing)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
