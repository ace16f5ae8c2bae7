"""Whose data the database holds: which keys sealed it, and which kind of clock it lives by.

Owns the one row of `registry`, written by the first start. Keys that do not fit would find nobody
and let every number be taken again; a clock of the other kind would stop enforcement.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, inspect, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.state_directory import StateError
from identity.storage.sealing import Sealer
from identity.storage.tables import registry

_CONSTANT = "subid registry"
_PLACE = b"registry.key_check|"


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
                key_check_sealed=self.sealer.seal(_CONSTANT.encode(), context=_PLACE),
                key_check_index=self._index(),
            )
            .on_conflict_do_nothing()
        )
        self.check_keys()

    def check_keys(self) -> None:
        """Compare the keys with those that the database is bound to.

        Raises:
            ForeignKeysError: They are others.
        """
        row = self.connection.execute(select(registry)).mappings().one()
        try:
            constant = self.sealer.open(row["key_check_sealed"], context=_PLACE)
        except ValueError:
            constant = b""
        if (constant, row["key_check_index"]) != (_CONSTANT.encode(), self._index()):
            raise ForeignKeysError("the keys are not those that this database was sealed with")

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

    def _index(self) -> bytes:
        return self.sealer.blind_index("registry", _CONSTANT)
