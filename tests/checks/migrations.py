"""Fails when the migrations do not lead to the tables in code (`alembic check`), or not back."""

import sys
import tempfile
from pathlib import Path

from identity.bootstrap import METADATA
from identity.storage.database import connect
from identity.storage.embedded import embedded_postgres
from identity.storage.schema import migrate, schema_drift, schema_versions


def main() -> int:
    """Migrate an empty database and compare."""
    with (
        tempfile.TemporaryDirectory() as directory,
        embedded_postgres(Path(directory) / "postgres") as url,
    ):
        engine = connect(url)
        migrate(engine, METADATA)
        current, head = schema_versions(engine)
        drift = schema_drift(engine, METADATA)
        engine.dispose()
    for difference in drift:
        print(f"not in the migrations: {difference}")
    if current != head:
        print(f"the migrations end at {current}, not at head {head}")
    return 1 if drift or current != head else 0


if __name__ == "__main__":
    sys.exit(main())
