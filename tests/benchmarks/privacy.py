"""What it would cost to have a secret for every person in the register: decision 0031."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from identity.bootstrap import METADATA
from identity.domain.holder import PopulationRecord
from identity.security.keys import generate_key_ring
from identity.security.vault import Vault
from identity.storage.citizens import citizen_key
from identity.storage.conversions import dump_record
from identity.storage.database import Database, connect
from identity.storage.embedded import embedded_postgres
from identity.storage.schema import migrate
from tests.benchmarks.harness import Benchmark, benchmark
from tests.unit.identity.makers import NOW, make_record

ROUNDS = 8
RECORD_COUNT = 5_000


def secrets_for_all() -> Benchmark:
    """Time of an import of records if each were sealed for its person, against one as it is.

    It is not done. The goal is the ground for that: below it the decision is to be thought over.
    """
    with (
        tempfile.TemporaryDirectory() as directory,
        embedded_postgres(Path(directory) / "postgres") as url,
    ):
        engine = connect(url)
        migrate(engine, METADATA)
        database = Database(engine, Vault(generate_key_ring()))
        rounds = [_round(database) for _ in range(ROUNDS)]
        engine.dispose()
    plain = median(one[0] for one in rounds) / RECORD_COUNT * 1e6
    added = median(one[1] for one in rounds) / RECORD_COUNT * 1e6
    return benchmark(
        "secrets_for_all",
        ratio=median((plain_s + added_s) / plain_s for plain_s, added_s in rounds),
        goal=1.1,
        times_ms=[plain_s * 1e3 for plain_s, _ in rounds],
        notes=(
            "decision 0031 stands while it is at least that:"
            f" {plain:.0f} µs a record to store, {added:.0f} µs more to keep its"
            f" person's secret and seal with it; {ROUNDS} rounds of {RECORD_COUNT}, in turn"
        ),
    )


def _round(database: Database) -> tuple[float, float]:
    """Seconds to store some new records, and seconds more if they were sealed for their people."""
    sealer = database.sealer
    records = [make_record() for _ in range(RECORD_COUNT)]
    stored_s = _timed(lambda: _store(database, records))
    texts = {citizen_key(sealer, each.personal_id): dump_record(each) for each in records}
    common_s = _timed(lambda: [sealer.seal(text, context=key) for key, text in texts.items()])
    return stored_s, _timed(lambda: _seal_for_people(database, texts)) - common_s


def _store(database: Database, records: list[PopulationRecord]) -> None:
    with database.transaction() as uow:
        uow.citizens.save_many(records, at=NOW)


def _seal_for_people(database: Database, texts: dict[bytes, bytes]) -> None:
    with database.transaction() as uow:
        secrets = uow.secrets.obtain_many(texts)
    for key, text in texts.items():
        database.sealer.seal(text, context=key, secret=secrets[key])


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
