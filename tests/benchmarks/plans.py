"""`python -m tests.benchmarks.plans`: explain every hot query and write docs/reference/queries.md.

Owns the page. What is explained is `plan_queries.py`'s; a test (tests/integration/test_plans.py)
holds the same plans to the rules of `plan_rules.py`.
"""

import re
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from identity.security.keys import KEY_BYTES, KeyRing
from identity.security.vault import Vault
from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.embedded import embedded_postgres
from tests.benchmarks.harness import ROOT
from tests.benchmarks.hot_query import HotQuery
from tests.benchmarks.plan_queries import HOT_QUERIES
from tests.benchmarks.plan_reading import Explained, explaining
from tests.benchmarks.plan_registry import PERSON_COUNT, World, build
from tests.benchmarks.plan_rules import GROWING, faults
from tests.benchmarks.plan_text import plan_lines, statement_text
from tests.databases import own_database

PAGE = ROOT / "docs" / "reference" / "queries.md"
COPIED = ("citizen", "subscription", "holding")
"""Tables that books and records are copied into."""

RANDOM_PAGE_COST = 1.1
"""What the documentation asks for, on servers that have another too."""

SEQ_PAGE_COST = 10
"""Of queries with keys: makes tables as dear to read whole as such of ten times their size. These
are so small that PostgreSQL 15 rightly does it to find 200 keys."""

_KEYS = KeyRing(active_id=1, sealing={1: bytes(KEY_BYTES)}, index=bytes(KEY_BYTES))
"""The same each time, so that the same people have the same cases and stand in the same places."""

_WIDTH = 100
_INTRODUCTION = Path(__file__).with_name("queries_page.md")


def main() -> int:
    """Write the page; fails when a query breaks the rules."""
    with (
        tempfile.TemporaryDirectory() as directory,
        embedded_postgres(Path(directory) / "postgres") as url,
        filled_registry(url) as (database, world),
    ):
        explained = [(hot, explain(database, world, hot)) for hot in HOT_QUERIES]
        with database.engine.connect() as connection:
            copied = list(_copied(connection))
    PAGE.write_text("\n".join([*_sections(explained), *copied]), encoding="utf-8")
    broken = [(hot.name, fault) for hot, found in explained for fault in faults(hot, found)]
    for name, fault in broken:
        print(f"{name}: {fault}")
    return 1 if broken else 0


@contextmanager
def filled_registry(postgres_url: str, *, name: str = "plans") -> Iterator[tuple[Database, World]]:
    """A registry in a database of its own on a server, dropped at the end."""
    with own_database(postgres_url, name) as url:
        engine = connect(url)
        with engine.begin() as connection:
            setting = f"random_page_cost = {RANDOM_PAGE_COST}"
            connection.execute(text(f"ALTER DATABASE {name} SET {setting}"))
        engine.dispose()  # it counts from the next connection on
        database = Database(engine, Vault(_KEYS))
        yield database, build(database)
        engine.dispose()


def explain(database: Database, world: World, hot: HotQuery) -> list[Explained]:
    """Every statement of a hot query; nothing of it is kept."""
    with database.engine.connect() as connection:
        transaction = connection.begin()
        if not hot.is_job:
            connection.execute(text(f"SET LOCAL seq_page_cost = {SEQ_PAGE_COST}"))
        step = hot.bring(world, UnitOfWork(connection, database.sealer))
        with explaining(connection) as found:
            step()
        transaction.rollback()
    return found


def heading(hot: HotQuery) -> str:
    """A hot query's heading on the page."""
    return f"## {hot.name}"


def _sections(explained: Sequence[tuple[HotQuery, list[Explained]]]) -> Iterator[str]:
    introduction = _INTRODUCTION.read_text(encoding="utf-8")
    yield introduction.format(person_count=f"{PERSON_COUNT:,}")
    shown: dict[str, str] = {}
    for hot, found in explained:
        yield f"{heading(hot)}\n"
        yield from _exceptions(hot)
        yield from _statements(hot, found, shown)


def _exceptions(hot: HotQuery) -> Iterator[str]:
    lines = [f"- Crosses partitions of `{table}`, {why}." for table, why in hot.crosses.items()]
    lines += [f"- Reads more of `{table}`: {why}." for table, why in hot.reads.items()]
    if hot.is_job:
        lines.append("- A job: it may read whole tables.")
    if lines:
        yield "\n".join(lines) + "\n"


def _statements(hot: HotQuery, found: Sequence[Explained], shown: dict[str, str]) -> Iterator[str]:
    written: dict[str, None] = {}
    repeated: dict[str, None] = {}
    for each in found:
        lines = plan_lines(each.settled.root)
        block = _block(each, lines)
        if not each.settled.partitions().keys() & GROWING:
            written.update(dict.fromkeys(re.findall(r"^Insert on (\w+)", lines[0])))
        elif block not in shown:
            shown[block] = hot.name
            yield block
        elif shown[block] != hot.name:
            repeated.setdefault(shown[block])
    if repeated:
        links = ", ".join(f"[{name}](#{_anchor(name)})" for name in repeated)
        yield f"Also statements of: {links}.\n"
    if written:
        yield f"Inserts into {', '.join(f'`{table}`' for table in written)}.\n"


def _block(each: Explained, lines: Sequence[str]) -> str:
    sql = "\n".join(textwrap.wrap(statement_text(each.statement), _WIDTH))
    kind = "for all values" if each.is_generic else "for its values"
    plan = "\n".join(lines)
    return f"```sql\n{sql}\n```\n\nPlanned {kind}:\n\n```text\n{plan}\n```\n"


def _anchor(name: str) -> str:
    return re.sub(r"[^a-z0-9 _-]", "", name.lower()).replace(" ", "-")


def _copied(connection: Connection) -> Iterator[str]:
    """Where rows are copied to, and what each enters there: COPY has no plan."""
    yield "## Rows that are copied\n"
    yield "COPY has no plan. Each row goes to the partition of its key, and into its indexes:\n"
    yield "| table | indexes |\n| --- | --- |"
    query = text("SELECT indexdef FROM pg_indexes WHERE tablename = :table ORDER BY indexname")
    for table in COPIED:
        found = connection.execute(query, {"table": f"{table}_p0"}).scalars()
        indexes = (_index(definition) for definition in found)
        yield f"| `{table}` | {', '.join(indexes)} |"
    yield ""


def _index(definition: str) -> str:
    unique = "unique " if definition.startswith("CREATE UNIQUE") else ""
    columns = definition.partition(" USING btree ")[2]
    return f"{unique}`{columns}`"


if __name__ == "__main__":
    sys.exit(main())
