"""The embedded server has our settings and all its durability; an administrator overrules it."""

from pathlib import Path

import pytest

from identity.storage.database import connect
from identity.storage.embedded import embedded_postgres
from identity.storage.embedded_settings import (
    FIXED_SETTINGS,
    SETTINGS_FILE,
    memory_bytes,
    shared_buffers_mb,
)

GB = 1 << 30
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def settings_of(url: str, *names: str) -> dict[str, str]:
    engine = connect(url)
    with engine.connect() as connection:
        found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("memory", "expected_mb"),
    [(GB // 2, 128), (2 * GB, 128), (4 * GB, 256), (8 * GB, 512), (256 * GB, 512)],
)
def test_buffers_are_a_sixteenth_of_memory_within_bounds(memory: int, expected_mb: int) -> None:
    assert shared_buffers_mb(memory) == expected_mb


def test_a_new_server_has_our_settings_and_all_its_durability(tmp_path: Path) -> None:
    expected = {
        **FIXED_SETTINGS,
        **DURABLE,
        "shared_buffers": f"{shared_buffers_mb(memory_bytes())}MB",
    }
    with embedded_postgres(tmp_path / "postgres") as url:
        assert settings_of(url, *expected) == expected


def test_a_directory_of_before_gets_them_too_and_once(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with embedded_postgres(directory):
        pass
    main = directory / "postgresql.conf"
    included = main.read_bytes()
    main.write_bytes(included.replace(f"include_if_exists = '{SETTINGS_FILE}'".encode(), b""))
    (directory / SETTINGS_FILE).write_text("max_wal_size = 2GB\n")
    for _ in range(2):
        with embedded_postgres(directory) as url:
            assert settings_of(url, "max_wal_size") == {"max_wal_size": "4GB"}
    assert main.read_text().count(SETTINGS_FILE) == 1


def test_what_an_administrator_sets_wins(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    with embedded_postgres(directory) as url:
        engine = connect(url)
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ALTER SYSTEM SET max_wal_size = '8GB'")
        engine.dispose()
    with embedded_postgres(directory) as url:
        assert settings_of(url, "max_wal_size") == {"max_wal_size": "8GB"}
