"""The schema's version: what the database has, what this code needs, and the way there.

Owns the migrations. Knows no table: whoever asks names the metadata.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, text
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.types import UserDefinedType

from identity.storage.database import in_our_terms

_OF_A_PARTITION = re.compile(r"_(?:p?\d+|fkey\d*)$")
_MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(engine: Engine, metadata: Sequence[MetaData]) -> None:
    """Bring the schema to head; several servers starting together take turns.

    Raises:
        StorageUnavailableError: The database cannot be reached.
    """
    with in_our_terms(), engine.begin() as connection:
        # Any constant will do, as long as every version of subid takes the same one.
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('subid.migrate'))"))
        command.upgrade(_config(connection, metadata), "head")


def schema_versions(engine: Engine) -> tuple[str | None, str | None]:
    """The version that the database has, and the one that this code needs.

    Raises:
        StorageUnavailableError: The database cannot be reached.
    """
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    with in_our_terms(), engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def schema_drift(engine: Engine, metadata: Sequence[MetaData]) -> list[object]:
    """How the database differs from the tables in code: empty when migrations are complete."""
    with engine.connect() as connection:
        dialect = connection.dialect
        if isinstance(dialect, PGDialect):
            dialect.ischema_names = {**dialect.ischema_names, "xid8": _TransactionID}
        context = MigrationContext.configure(
            connection,
            opts={
                "include_object": _is_ours,
                "compare_type": True,
                "compare_server_default": False,
            },
        )
        return list(compare_metadata(context, list(metadata)))  # type: ignore[arg-type] # alembic takes a list too


class _TransactionID(UserDefinedType[str]):
    """What SQLAlchemy does not know by itself when it finds it in a database."""

    def get_col_spec(self, **_: object) -> str:
        """The name of the type."""
        return "xid8"


def _is_ours(_object: object, name: str | None, *_details: object) -> bool:
    """Leave out what belongs to partitions (`…_p0`, `fk_…_1`, `…_fkey1`): their parent has it."""
    return name is None or not _OF_A_PARTITION.search(name)


def _config(connection: Connection, metadata: Sequence[MetaData]) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.attributes["connection"] = connection
    config.attributes["metadata"] = list(metadata)
    return config
