"""What a server says of itself, on connections that cannot write."""

import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import InternalError

from identity.storage.server_facts import (
    DURABILITY,
    inspecting,
    read_connection_facts,
    read_facts,
)


def test_a_server_tells_its_version_its_time_and_its_durability(database_url: str) -> None:
    with inspecting(database_url) as engine, engine.connect() as connection:
        facts = read_facts(connection)
    assert facts.version >= 150_000
    assert facts.now.tzinfo is not None
    assert facts.durability.keys() == set(DURABILITY)


@pytest.mark.parametrize("where", ["url", "environment"])
def test_what_is_demanded_of_the_other_side_is_told_wherever_it_was_set(
    database_url: str, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = make_url(database_url)
    if where == "url":
        url = url.update_query_dict({"sslmode": "require"})
    else:
        monkeypatch.setenv("PGSSLMODE", "require")
    with (
        inspecting(url.render_as_string(hide_password=False)) as engine,
        engine.connect() as connection,
    ):
        facts = read_connection_facts(connection)
    # The test server listens on a socket of this machine.
    assert (facts.is_of_machine, facts.sslmode) == (True, "require")


def test_nothing_can_be_written_and_options_of_the_url_stay(database_url: str) -> None:
    url = make_url(database_url).update_query_dict({"options": "-c statement_timeout=1234"})
    with (
        inspecting(url.render_as_string(hide_password=False)) as engine,
        engine.connect() as connection,
    ):
        assert connection.execute(text("SHOW statement_timeout")).scalar() == "1234ms"
        with pytest.raises(InternalError, match="read-only transaction"):
            connection.execute(text("CREATE TABLE written (x int)"))
