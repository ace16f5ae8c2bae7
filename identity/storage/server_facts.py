"""What a PostgreSQL server says of itself, read without writing anything.

Owns connections that cannot write, and the settings on which it depends that what was committed is
still there after a crash. Knows no table.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

import psycopg
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionFacts:
    """How a server is reached.

    Attributes:
        host: Its name or address as configured; empty, or a path, for a socket of this machine.
        is_of_machine: It is this machine, so that nobody stands between.
        sslmode: What libpq demands of the other side, whoever set it (libpq: SSL Support, table
            33.1).
    """

    host: str
    is_of_machine: bool
    sslmode: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveFacts:
    """What a server does with its write-ahead log (PostgreSQL: `pg_stat_archiver`).

    Attributes:
        now: What time it is there.
        is_on: Whether it archives.
        last_name: The last segment that was archived; None where none was, as far as it counts.
        last_at: When that was.
        failed_count: Attempts that failed, as far as it counts.
        last_failed_at: When the last of these was.
        waiting_since: Since when the oldest segment waits; None where none does, or this user may
            not ask.
        receiver_count: Replicas and receivers that take the log instead.
    """

    now: datetime
    is_on: bool
    last_name: str | None
    last_at: datetime | None
    failed_count: int
    last_failed_at: datetime | None
    waiting_since: datetime | None
    receiver_count: int

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        failed_at = self.last_failed_at
        return failed_at is not None and (self.last_at is None or failed_at > self.last_at)


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


def read_connection_facts(connection: Connection) -> ConnectionFacts:
    """What the driver says of a connection that it made; nothing is asked of the server."""
    driven = connection.connection.driver_connection
    assert isinstance(driven, psycopg.Connection)
    options = {each.keyword: each.val for each in driven.pgconn.info}
    host, address = driven.info.host, driven.info.hostaddr
    return ConnectionFacts(
        host=host,
        # libpq has no address of a socket's.
        is_of_machine=not address or ip_address(address).is_loopback,
        sslmode=(options[b"sslmode"] or b"").decode(),
    )


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


def read_archive_facts(connection: Connection) -> ArchiveFacts:
    """Ask a server about its log."""
    found = connection.execute(
        text(
            "SELECT clock_timestamp() AS now, current_setting('archive_mode') <> 'off' AS is_on,"
            " last_archived_wal AS last_name, last_archived_time AS last_at, failed_count,"
            " last_failed_time AS last_failed_at,"
            " (SELECT count(*) FROM pg_stat_replication) AS receiver_count FROM pg_stat_archiver"
        )
    )
    said = found.mappings().one()
    may_ask = text("SELECT has_function_privilege('pg_ls_archive_statusdir()', 'EXECUTE')")
    waiting = text(
        "SELECT min(modification) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"
    )
    is_asked = said["is_on"] and connection.execute(may_ask).scalar_one()
    waiting_since = connection.execute(waiting).scalar_one() if is_asked else None
    return ArchiveFacts(**said, waiting_since=waiting_since)
