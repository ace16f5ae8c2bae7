"""The embedded PostgreSQL keeps its data between starts and listens on no network."""

from pathlib import Path

from sqlalchemy import make_url

from identity.storage.database import connect
from identity.storage.embedded import embedded_postgres


def run(url: str, *statements: str) -> list[object]:
    engine = connect(url)
    with engine.begin() as connection:
        results = [connection.exec_driver_sql(statement) for statement in statements]
        answers = [result.scalar() if result.returns_rows else None for result in results]
    engine.dispose()
    return answers


def test_data_outlives_the_server_and_no_port_is_open(tmp_path: Path) -> None:
    directory = tmp_path / "state" / "postgres"
    with embedded_postgres(directory) as url:
        assert str(make_url(url).query["host"]).startswith("/")
        (addresses, *_) = run(
            url,
            "SELECT current_setting('listen_addresses')",
            "CREATE TABLE kept (value int)",
            "INSERT INTO kept VALUES (7)",
        )
        assert addresses == ""
    with embedded_postgres(directory) as url:
        assert run(url, "SELECT value FROM kept") == [7]
