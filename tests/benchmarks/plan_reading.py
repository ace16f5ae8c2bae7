"""What the database makes of a statement: its plan, as PostgreSQL tells it, with what was touched.

Owns explaining statements just before they run, and reading the answer. Each is prepared under its
parameters as the driver would do it and explained as often as the server takes to decide between a
plan for these values and one for all values; the first and the settled plan are run, in a savepoint
that is taken back, so that what they touch is counted and not guessed. Knows no query.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import Connection as DriverConnection
from psycopg import sql
from psycopg.adapt import PyFormat, Transformer
from sqlalchemy import Connection, event

_SETTLED_AFTER = 6
"""Executions after which a prepared statement has its plan for good: five with the values known,
then the choice (PostgreSQL, PREPARE: plan_cache_mode)."""

_EXPLAINED = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
_PARAMETER = re.compile(r"%\((\w+)\)s")
_OF_A_PARTITION = re.compile(r"_p\d+(?=_|\b)")
_ANALYZE = sql.SQL("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF, BUFFERS ON, FORMAT JSON)")


@dataclass(frozen=True, kw_only=True)
class Node:
    """One step of a plan.

    Attributes:
        fields: What PostgreSQL says of it.
        children: The steps that it takes rows from.
    """

    fields: Mapping[str, Any]
    children: tuple["Node", ...]

    def walk(self) -> Iterator["Node"]:
        """This step and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def relation(self) -> str | None:
        """The table, or partition, that the step itself reads."""
        is_read = "Scan" in self.fields["Node Type"]
        return self.fields.get("Relation Name") if is_read else None

    @property
    def loop_count(self) -> float:
        """How often it was run."""
        return float(self.fields.get("Actual Loops", 0))

    @property
    def read_count(self) -> float:
        """Rows that it looked at, also those that it then left out."""
        kept = ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck")
        return self.loop_count * sum(float(self.fields.get(name, 0)) for name in kept)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan that was run once."""

    root: Node

    def partitions(self) -> Mapping[str, frozenset[str]]:
        """Which partitions it looked into, by table; a table without partitions is its own."""
        found: dict[str, set[str]] = {}
        for node in self._run():
            found.setdefault(table_of(str(node.relation)), set()).add(str(node.relation))
        return {table: frozenset(leaves) for table, leaves in found.items()}

    def read_counts(self) -> Mapping[str, int]:
        """How many rows of each table it looked at."""
        found: dict[str, float] = {}
        for node in self._run():
            table = table_of(str(node.relation))
            found[table] = found.get(table, 0) + node.read_count
        return {table: round(count) for table, count in found.items()}

    def block_count(self) -> int:
        """How many blocks of tables and indexes it touched, each as often as it did."""
        touched = ("Shared Hit Blocks", "Shared Read Blocks")
        return sum(int(self.root.fields.get(name, 0)) for name in touched)

    def scanned(self) -> frozenset[str]:
        """Tables that it would read from end to end; also where it did not come to it this time."""
        scans = (node for node in self.root.walk() if node.fields["Node Type"] == "Seq Scan")
        return frozenset(table_of(str(node.relation)) for node in scans)

    def _run(self) -> Iterator[Node]:
        return (node for node in self.root.walk() if node.relation and node.loop_count)


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A statement with its plans.

    Attributes:
        statement: The statement, parameters as `$1`.
        first: The plan of its first execution, made for its values.
        settled: The plan that the server keeps to.
        is_generic: The settled plan is one for all values.
    """

    statement: str
    first: Plan
    settled: Plan
    is_generic: bool


@contextmanager
def explaining(connection: Connection) -> Iterator[list[Explained]]:
    """Explain every statement of a connection, each before it runs; COPY has no plan."""
    found: list[Explained] = []

    def explain(
        _connection: Connection,
        _cursor: object,
        statement: str,
        parameters: object,
        *_context: object,
    ) -> None:
        if statement.lstrip().startswith(_EXPLAINED):
            found.append(_explain(_driver(connection), statement, _values(parameters)))

    driver = _driver(connection)
    threshold = driver.prepare_threshold
    # With its own statements prepared, a rollback makes the driver drop all, also this one.
    driver.prepare_threshold = None
    event.listen(connection, "before_cursor_execute", explain)
    try:
        yield found
    finally:
        driver.prepare_threshold = threshold
        event.remove(connection, "before_cursor_execute", explain)


def table_of(relation: str) -> str:
    """The table that a partition belongs to."""
    return _OF_A_PARTITION.sub("", relation)


def _values(parameters: object) -> Mapping[str, Any]:
    """Of a statement for many rows, the values of the first."""
    first = parameters[0] if isinstance(parameters, Sequence) and parameters else parameters
    return first if isinstance(first, Mapping) else {}


def _driver(connection: Connection) -> DriverConnection[Any]:
    driver = connection.connection.driver_connection
    assert isinstance(driver, DriverConnection), "identity.storage.database connects by psycopg"
    return driver


def _explain(
    driver: DriverConnection[Any], statement: str, parameters: Mapping[str, Any]
) -> Explained:
    names = list(dict.fromkeys(_PARAMETER.findall(statement)))
    numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
    numbered = numbered.replace("%%", "%")
    values = [parameters[name] for name in names]
    _prepare(driver, numbered, values)
    listed = sql.SQL(", ").join(map(sql.Literal, values))
    execute = sql.SQL("EXECUTE explained({})" if values else "EXECUTE explained").format(listed)
    plans = [_run(driver, execute) for _ in range(_SETTLED_AFTER)]
    generic = "SELECT generic_plans > 0 FROM pg_prepared_statements WHERE name = 'explained'"
    row = driver.execute(generic).fetchone()
    driver.execute("DEALLOCATE explained")
    assert row is not None, "it was prepared above"
    return Explained(statement=numbered, first=plans[0], settled=plans[-1], is_generic=bool(row[0]))


def _prepare(driver: DriverConnection[Any], statement: str, values: Sequence[Any]) -> None:
    types = ", ".join(_type_of(driver, value) for value in values)
    signature = f"explained({types})" if values else "explained"
    driver.execute(f"PREPARE {signature} AS {statement}".encode())


def _type_of(driver: DriverConnection[Any], value: Any) -> str:  # noqa: ANN401 - whatever the driver takes
    """The type that the driver gives a value, as it would when it prepares."""
    oid = Transformer(driver).get_dumper(value, PyFormat.AUTO).oid if value is not None else 0
    info = driver.adapters.types.get(oid) if oid else None
    if info is None:
        return "unknown"
    return f"{info.regtype}[]" if oid == info.array_oid else info.regtype


def _run(driver: DriverConnection[Any], execute: sql.Composed) -> Plan:
    """Run it once, and take it back."""
    # As statements: the driver's own savepoints make it forget what is prepared.
    driver.execute("SAVEPOINT explained")
    row = driver.execute(sql.SQL("{} {}").format(_ANALYZE, execute)).fetchone()
    driver.execute("ROLLBACK TO SAVEPOINT explained")
    assert row is not None, "EXPLAIN answers in one row"
    return Plan(root=_node(row[0][0]["Plan"]))


def _node(fields: Mapping[str, Any]) -> Node:
    return Node(fields=fields, children=tuple(_node(child) for child in fields.get("Plans", ())))
