"""What is looked at in the database: its schema, server, log, keys, clock and packs.

Owns which of them are looked at and the bounds of what is well. Its connections cannot write.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from identity.audit.key_chain import KEY_FILE, NEXT_FILE, read_key_file
from identity.audit.sealing import unsealed_for
from identity.audit.tree import read_keys
from identity.config import Settings
from identity.doctor_backups import grade_archive
from identity.domain.policy_book import PolicyBook
from identity.finding import Finding, Look, failed, ok, warning
from identity.storage.base_backups import BackupStore
from identity.storage.database import Database, in_our_terms
from identity.storage.schema import schema_versions
from identity.storage.server_facts import (
    ConnectionFacts,
    ServerFacts,
    read_archive_facts,
    read_connection_facts,
    read_facts,
)

VERSION_MIN = 150_000
"""PostgreSQL 15: the oldest that the schema is tested on."""

CLOCK_WARNING = timedelta(seconds=2)
"""A machine with NTP differs by milliseconds."""

CLOCK_FAILED = timedelta(seconds=60)
"""What proves a citizen or a presence lasts for minutes: a minute off, some of it is refused."""

UNSEALED_WARNING = timedelta(seconds=60)
"""A server that runs seals twice a second; what a long transaction holds up is done by then."""

UNSEALED_FAILED = timedelta(minutes=10)
"""Ten times that: it is no long transaction, sealing stands still."""

_AUDIT_TODO = "see that a server runs, and what its log says about `audit log is not sealed`"

RUN_WARNING = timedelta(hours=2)
"""Enforcement runs each hour (docs/operating/running.md): a run was missed."""

RUN_FAILED = timedelta(hours=24)
"""Every step that a law wants after a day may be late now."""


@dataclass(frozen=True)
class DatabaseDoctor:
    """Looks at the registry's database.

    Attributes:
        database: It, with the keys at hand, on connections that cannot write.
        settings: The settings.
        policies: The packs that are here.
        now: What time it is.
    """

    database: Database
    settings: Settings
    policies: PolicyBook
    now: Callable[[], datetime]

    def looks(self) -> Iterator[Look]:
        """Everything that is looked at."""
        yield "database", self.server, "see docs/operating/database.md"
        yield "connection", self.connection, "see docs/operating/database.md"
        yield "archive", self.archive, "see docs/operating/backup.md"
        yield "migrations", self.schema, "run `identity migrate`"
        yield "clock", self.clock, "see NTP on both machines"
        current, head = schema_versions(self.database.engine)
        if current != head:
            return  # what comes now reads tables that may not be there
        yield "keys-of-database", self.keys, "restore the keys that this database was sealed with"
        yield "audit", self.audit, _AUDIT_TODO
        yield "audit-key-of-database", self.audit_key, "restore the key that the log is signed with"
        yield "enforcement", self.enforcement, "have AdvanceEnforcement called each hour"
        yield "packs-of-database", self.packs, "put back the packs that were in use"

    def server(self) -> Finding:
        """Whether what was committed is still there after a crash."""
        return grade_server(self._facts())

    def connection(self) -> Finding:
        """Whether somebody on the way to the database could read, or be it."""
        with in_our_terms(), self.database.engine.connect() as connection:
            return grade_connection(read_connection_facts(connection))

    def archive(self) -> Finding:
        """Whether the log is archived, and arrives."""
        with in_our_terms(), self.database.engine.connect() as connection:
            facts = read_archive_facts(connection)
        is_embedded, backups = self.settings.database is None, self.settings.backups
        archive = BackupStore(backups).archive.directory if is_embedded and backups else None
        return grade_archive(facts, archive=archive, is_embedded=is_embedded)

    def schema(self) -> Finding:
        """Whether the schema is the one that this code needs."""
        current, head = schema_versions(self.database.engine)
        if current != head:
            said = f"the schema is {current or 'empty'} and must be {head}"
            return failed(
                "migrations", said, "run `identity migrate`, or the version of that schema"
            )
        return ok("migrations", f"the schema is {head}")

    def clock(self) -> Finding:
        """How far this machine's clock and the database's are apart."""
        before, there, after = self.now(), self._facts().now, self.now()
        # Read in between: only what lies outside of that is a difference.
        apart = max(before - there, there - after, timedelta())
        said = f"this machine's clock and the database's are {apart.total_seconds():.1f} s apart"
        todo = "see NTP on both machines"
        if apart > CLOCK_FAILED:
            return failed("clock", said, todo)
        return warning("clock", said, todo) if apart > CLOCK_WARNING else ok("clock", said)

    def keys(self) -> Finding:
        """Whether the keys at hand are those of the data, and none is missing."""
        name = "keys-of-database"
        with self.database.transaction() as uow:
            if not uow.registry.is_claimed():
                return ok(name, "the database is bound to no keys yet; the first start does it")
            uow.registry.check_keys()
            uow.sealing_keys.check()
            missing = sorted(uow.sealing_keys.missing())
        if missing:
            numbers = ", ".join(map(str, missing))
            return failed(
                name,
                f"the key ring lacks {numbers}, which were used and never retired",
                "restore the ring that has them; `identity keys list` says what they seal",
            )
        return ok(name, "the keys at hand are those of the data")

    def audit(self) -> Finding:
        """Whether what was written into the audit log is sealed."""
        name = "audit"
        with self.database.transaction() as uow:
            if uow.registry.clock_kind() == "simulated":
                return ok(name, "this registry lives by a simulated clock")
            waits = unsealed_for(uow.connection, at=self.now())
        if waits <= UNSEALED_WARNING:
            return ok(name, "no entry waits to be sealed")
        said = f"an entry waits for {waits.total_seconds():.0f} s to be sealed"
        grade = failed if waits > UNSEALED_FAILED else warning
        return grade(name, said, _AUDIT_TODO)

    def audit_key(self) -> Finding:
        """Whether the key at hand is the one that the audit log is signed with."""
        name, state = "audit-key-of-database", self.settings.state
        with self.database.transaction() as uow:
            keys = read_keys(uow.connection)
        if not keys:
            return ok(name, "the audit log is signed with no key yet; the first start makes it")
        # The second is there while a rotation takes effect, or was cut off.
        paths = [path for path in (state / KEY_FILE, state / NEXT_FILE) if path.exists()]
        if keys[-1].public_key in {_public(path) for path in paths}:
            return ok(name, f"the key at hand is number {keys[-1].number}, which signs now")
        return failed(
            name,
            f"the audit log is signed with key {keys[-1].number}, which is not in {state}",
            f"restore {KEY_FILE}, or see `identity audit rotate-key --old-key-lost`",
        )

    def enforcement(self) -> Finding:
        """When enforcement has last run."""
        name = "enforcement"
        with self.database.transaction() as uow:
            ran_until, kind = uow.cases.ran_until(), uow.registry.clock_kind()
        if kind == "simulated":
            return ok(name, "this registry lives by a simulated clock")
        todo = "have AdvanceEnforcement called each hour"
        if ran_until is None:
            return warning(name, "it has never run", todo)
        said = f"it has run until {ran_until:%Y-%m-%d %H:%M} UTC"
        late = self.now() - ran_until
        if late > RUN_FAILED:
            return failed(name, said, todo)
        return warning(name, said, todo) if late > RUN_WARNING else ok(name, said)

    def packs(self) -> Finding:
        """Whether every pack that was ever used is here and what it was."""
        with self.database.transaction() as uow:
            uow.policy_packs.refuse_missing(
                {pack.version: pack.digest for pack in self.policies.packs}
            )
        return ok("packs-of-database", "every pack that was in use is here and what it was")

    def _facts(self) -> ServerFacts:
        with in_our_terms(), self.database.engine.connect() as connection:
            return read_facts(connection)


def grade_server(facts: ServerFacts) -> Finding:
    """How a server stands, by what it says of itself."""
    version = f"PostgreSQL {facts.version // 10_000}.{facts.version % 10_000}"
    if facts.version < VERSION_MIN:
        return failed("database", f"{version} is too old", "take 15 or later")
    off = [name for name, value in facts.durability.items() if value == "off"]
    if off:
        return failed(
            "database",
            f"{version} runs with {' and '.join(off)} off: a crash may lose what was confirmed",
            "set them on, and reload it",
        )
    return ok("database", f"{version}, and what is committed stays")


def grade_connection(facts: ConnectionFacts) -> Finding:
    """How a connection stands, by what its driver says of it."""
    name = "connection"
    if facts.is_of_machine:
        return ok(name, "the database is on this machine")
    if facts.sslmode != "verify-full":
        return failed(
            name,
            f"{facts.host} is reached with sslmode={facts.sslmode}: anybody on the way can be it",
            "say sslmode=verify-full in the database's URL, and sslrootcert with its authority",
        )
    return ok(name, f"{facts.host} has to show its certificate")


def _public(path: Path) -> bytes:
    return read_key_file(path).public_key().public_bytes_raw()
