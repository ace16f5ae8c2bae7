"""A database as it reads itself: every table, also what lies compressed in its files.

Owns starting the embedded server on a directory that nobody serves, and reading all tables out.
PostgreSQL keeps large values compressed by its own method (pglz), in which no search of files finds
anything: it opens them here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from identity.storage.embedded import embedded_postgres

_TABLES = """
SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' ORDER BY 1, 2
"""
"""Catalogues too: statistics hold values of rows."""

_COLUMNS = """
SELECT a.attname FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0
AND NOT a.attisdropped AND a.attlen = -1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One table.

    Attributes:
        name: Schema and name.
        content: All rows, as COPY writes them.
        compressed_count: Values that lie compressed in its files.
    """

    name: str
    content: bytes
    compressed_count: int


def tables_in(data: Path) -> Iterator[Table]:
    """Every table of every database in a data directory whose server is stopped."""
    with embedded_postgres(data) as url:
        with psycopg.connect(url) as connection:
            names = connection.execute("SELECT datname FROM pg_database WHERE datallowconn")
            databases = [name for (name,) in names]
        for database in databases:
            with psycopg.connect(url, dbname=database, autocommit=True) as connection:
                for schema, name in connection.execute(_TABLES).fetchall():
                    yield _read(connection, database, schema, name)


def _read(connection: psycopg.Connection, database: str, schema: str, name: str) -> Table:
    table = sql.Identifier(schema, name)
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} TO STDOUT").format(table)) as rows,
    ):
        content = b"".join(bytes(row) for row in rows)
    return Table(
        name=f"{database}.{schema}.{name}",
        content=content,
        compressed_count=_compressed(connection, table),
    )


def _compressed(connection: psycopg.Connection, table: sql.Identifier) -> int:
    columns = connection.execute(_COLUMNS, (table.as_string(connection),)).fetchall()
    if not columns:
        return 0
    counted = sql.SQL(" + ").join(
        sql.SQL("count(pg_column_compression({}))").format(sql.Identifier(name))
        for (name,) in columns
    )
    row = connection.execute(sql.SQL("SELECT {} FROM {}").format(counted, table)).fetchone()
    return 0 if row is None else int(row[0])
