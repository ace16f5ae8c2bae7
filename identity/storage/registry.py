"""Whose data the database holds: which keys sealed it, and which kind of clock it lives by.

Owns the one row of `registry`, written by the first start. Keys that do not fit would find nobody
and let every number be taken again; a clock of the other kind would stop enforcement.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, inspect, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.domain.errors import RecordUnreadableError
from identity.state_directory import StateError
from identity.storage.sealing import Sealer, key_number_in
from identity.storage.tables import registry

CONSTANT = b"subid registry"
"""What is sealed to know a key again by."""

PLACE = b"registry.key_check|"
"""The place that it is sealed for."""


class ForeignKeysError(StateError):
    """The keys are not those that the data was sealed and indexed with."""


class ClockKindError(StateError):
    """The registry lives by the other kind of clock."""


def is_claimed(connection: Connection) -> bool:
    """Whether keys belong to this database already; asks without any."""
    if not inspect(connection).has_table(registry.name):
        return False
    return connection.execute(select(registry.c.only_row)).scalar() is not None


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry's own row, in one transaction."""

    connection: Connection
    sealer: Sealer

    def claim(self) -> None:
        """Bind the database to these keys for good; of several first starts one does.

        Raises:
            ForeignKeysError: It is bound to others.
        """
        self.connection.execute(
            insert(registry)
            .values(
                key_check_sealed=self.sealer.seal(CONSTANT, context=PLACE),
                key_check_index=self._index(),
            )
            .on_conflict_do_nothing()
        )
        self.check_keys()

    def check_keys(self) -> None:
        """Compare the keys with those that the database is bound to.

        A sealing key that is not at hand is not a foreign one: which are missing, and what that
        costs, `identity.storage.sealing_keys` finds out.

        Raises:
            ForeignKeysError: They are others.
        """
        row = self.connection.execute(select(registry)).mappings().one()
        is_ours = row["key_check_index"] == self._index() and self._is_ours(row["key_check_sealed"])
        if not is_ours:
            raise ForeignKeysError("the keys are not those that this database was sealed with")

    def _is_ours(self, sealed: bytes) -> bool:
        if int.from_bytes(key_number_in(sealed)) not in self.sealer.key_ids:
            return True
        try:
            return self.sealer.open(sealed, context=PLACE) == CONSTANT
        except RecordUnreadableError:
            return False

    def keep_clock(self, *, is_simulated: bool) -> None:
        """Settle the kind of clock at first use, and hold to it.

        Raises:
            ClockKindError: The registry lives by the other kind.
        """
        asked = "simulated" if is_simulated else "real"
        kept = self.connection.execute(
            update(registry)
            .values(clock_kind=func.coalesce(registry.c.clock_kind, asked))
            .returning(registry.c.clock_kind)
        ).scalar_one()
        if kept != asked:
            raise ClockKindError(
                f"this registry lives by a {kept} clock and cannot be served by a {asked} one"
            )

    def is_claimed(self) -> bool:
        """Whether keys belong to this database already."""
        return is_claimed(self.connection)

    def clock_kind(self) -> str | None:
        """Which kind of clock it lives by, `real` or `simulated`; None before it has served."""
        return self.connection.execute(select(registry.c.clock_kind)).scalar()

    def _index(self) -> bytes:
        return self.sealer.blind_index("registry", CONSTANT.decode())
