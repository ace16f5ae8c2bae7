"""What a PostgreSQL server says of itself, read without writing anything.

Owns connections that cannot write, and the settings on which it depends that what was committed is
still there after a crash. Knows no table.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, make_url, text

from identity.storage.database import connect

DURABILITY = ("fsync", "full_page_writes", "synchronous_commit")
"""With one of them off, a crash may take what was acknowledged, or the whole database (PostgreSQL:
Reliability; Asynchronous Commit)."""

_READ_ONLY = "-c default_transaction_read_only=on"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """One server.

    Attributes:
        version: Such as 180001.
        now: What time it is there.
        durability: The settings of `DURABILITY`.
    """

    version: int
    now: datetime
    durability: Mapping[str, str]


@contextmanager
def inspecting(url: str) -> Iterator[Engine]:
    """Connections whose every transaction is refused a write by the server itself."""
    given = make_url(url)
    options = f"{given.query.get('options', '')} {_READ_ONLY}".strip()
    engine = connect(
        given.update_query_dict({"options": options}).render_as_string(hide_password=False)
    )
    try:
        yield engine
    finally:
        engine.dispose()


def read_facts(connection: Connection) -> ServerFacts:
    """Ask a server about itself."""
    row = connection.execute(
        text(
            "SELECT current_setting('server_version_num')::int AS version, clock_timestamp() AS now"
        )
    ).one()
    settings = connection.execute(
        text("SELECT name, setting FROM pg_settings WHERE name = ANY (:names)"),
        {"names": list(DURABILITY)},
    )
    return ServerFacts(
        version=row.version,
        now=row.now,
        durability={each.name: each.setting for each in settings},
    )
