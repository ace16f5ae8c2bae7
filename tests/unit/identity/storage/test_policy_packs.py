"""A pack that was ever in use stays as it was."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, delete, select

from identity.storage.database import Database, UnitOfWork, connect
from identity.storage.enforcement_tables import policy_pack
from identity.storage.policy_packs import ChangedPackError, MissingPackError, PolicyPacks
from tests.databases import own_database

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
DIGEST, OTHER = bytes(32), b"\x01" * 32
LATER = NOW.replace(hour=17)


@pytest.fixture(scope="module")
def engine(postgres_url: str) -> Iterator[Engine]:
    """A database in which no server has used a pack yet."""
    with own_database(postgres_url, f"packs_{uuid4().hex}") as url:
        engine = connect(url)
        policy_pack.create(engine, checkfirst=True)
        yield engine
        engine.dispose()


@pytest.fixture
def packs(uow: UnitOfWork) -> PolicyPacks:
    uow.connection.execute(delete(policy_pack))  # what other tests have left
    return PolicyPacks(uow.connection)


def test_a_pack_is_kept_with_its_first_use(packs: PolicyPacks) -> None:
    for at in (NOW, LATER):
        packs.keep("vn-2026-04-15", DIGEST, at=at)
    packs.keep("own", OTHER, at=LATER)
    kept = policy_pack.c.version.in_(["vn-2026-04-15", "own"])
    query = select(policy_pack).where(kept).order_by(policy_pack.c.first_used_at)
    rows = packs.connection.execute(query).all()
    assert [tuple(row) for row in rows] == [
        ("vn-2026-04-15", DIGEST, NOW),
        ("own", OTHER, LATER),
    ]


def test_a_pack_that_is_not_what_it_was_is_refused_and_what_was_kept_stays(
    packs: PolicyPacks,
) -> None:
    packs.keep("own", DIGEST, at=NOW)
    with pytest.raises(ChangedPackError, match=r"pack own is in use since 2026-05-01"):
        packs.keep("own", OTHER, at=LATER)
    packs.keep("own", DIGEST, at=LATER)


def test_a_pack_that_was_ever_used_must_be_here_whether_it_is_chosen_or_not(
    packs: PolicyPacks,
) -> None:
    packs.refuse_missing({})  # none was used yet
    for version in ("vn-2026-04-15", "own"):
        packs.keep(version, DIGEST, at=NOW)
    here = {"own": DIGEST, "never-used": OTHER, "vn-2026-04-15": DIGEST}
    packs.refuse_missing(here)
    with pytest.raises(MissingPackError, match=r"own was in use and is not here: put it back$"):
        packs.refuse_missing({"vn-2026-04-15": DIGEST})
    with pytest.raises(ChangedPackError, match=r"pack own is in use since 2026-05-01"):
        packs.refuse_missing(here | {"own": OTHER})


def test_of_servers_that_start_together_the_first_one_s_word_counts(
    database: Database, race: Callable[..., list[Any]]
) -> None:
    def start(digest: bytes) -> None:
        with database.transaction() as uow:
            PolicyPacks(uow.connection).keep("raced", digest, at=NOW)

    answers = race([partial(start, digest) for digest in (DIGEST, DIGEST, OTHER, OTHER)])
    refused = [answer for answer in answers if answer is not None]
    assert [type(answer) for answer in refused] == [ChangedPackError] * 2
