"""A server that is killed between decision and answer: the same request gets the one token."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from identity.audit.log import audit_entry
from identity.bootstrap import open_current_database, open_database, prepare
from identity.config import Settings
from identity.domain.agency import Purpose, Right
from identity.domain.errors import VerificationUsedError
from identity.domain.holder import PopulationRecord
from identity.security.service_signing import format_key_set, parse_key_set
from identity.services.check_presence import check_presence
from identity.services.presence import start_presence
from identity.services.signing_keys import presence_public_keys
from identity.services.transactions import Transactions
from identity.storage.database import Database
from tests.databases import own_database
from tests.integration import mortal_counter
from tests.unit.identity.agency_makers import make_access, make_agency, make_grant, store_agency
from tests.unit.identity.makers import NOW, store_citizen

GRANT = make_grant(Right.CHIP_PRESENCE, purpose=Purpose.IDENTITY_CHECK)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def settings(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A registry with an agency."""
    state = tmp_path_factory.mktemp("mortal")
    with own_database(postgres_url, f"mortal_{uuid4().hex}") as url:
        settings = Settings(state=state, database=url)
        with open_database(settings) as database:
            prepare(database)
            with database.transaction() as uow:
                store_agency(uow, GRANT, name=mortal_counter.AGENCY)
        yield settings


@pytest.fixture
def survivor(settings: Settings) -> Iterator[Database]:
    """Another server on the same data."""
    with open_current_database(settings) as database:
        yield database


def killed(settings: Settings, point: str, *names: object) -> None:
    """Have a server take the session and die."""
    command = [sys.executable, "-m", "tests.integration.mortal_counter", str(settings.state)]
    whole = [*command, str(settings.database), point, *map(str, names)]
    ended = subprocess.run(whole, cwd=ROOT, capture_output=True, timeout=300, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def begin(database: Database) -> tuple[PopulationRecord, UUID]:
    """Somebody new, and a session."""
    call = mortal_counter.call_of_agency()
    with database.transaction() as uow:
        person = store_citizen(uow)
        access = make_access(make_agency(GRANT, name=mortal_counter.AGENCY))
        session = start_presence(uow, call, access, with_face=False)
    return person, session.verification_id


def answer_count(database: Database) -> int:
    caller = str(mortal_counter.call_of_agency().caller)
    mine = (audit_entry.c.caller == caller) & (audit_entry.c.action == "complete_presence")
    with database.transaction() as uow:
        query = select(func.count()).select_from(audit_entry).where(mine)
        return int(uow.connection.execute(query).scalar_one())


def counts(database: Database, token: bytes) -> str:
    """The person that the token names, if it counts."""
    with database.transaction() as uow:
        keys = parse_key_set(format_key_set(presence_public_keys(uow, at=NOW)))
    said = check_presence(token.decode(), keys, audience=mortal_counter.AGENCY, at=NOW)
    return said.subject


def test_killed_after_the_decision_the_first_token_is_the_answer(
    settings: Settings, survivor: Database
) -> None:
    person, session_id = begin(survivor)
    request_id, before = uuid4(), answer_count(survivor)
    killed(settings, "after_commit", session_id, request_id, person.personal_id.value)
    assert answer_count(survivor) == before + 1
    transactions = Transactions(survivor)
    key = mortal_counter.request_key(request_id)
    with pytest.raises(VerificationUsedError):
        transactions.run(lambda uow: mortal_counter.take(uow, session_id, request_id))
    tokens = [transactions.first_answer(key) for _ in range(2)]
    assert tokens[0] is not None
    assert tokens[0] == tokens[1]
    assert counts(survivor, tokens[0])
    assert answer_count(survivor) == before + 1


def test_killed_before_the_commit_nothing_was_decided_and_the_same_request_goes_on(
    settings: Settings, survivor: Database
) -> None:
    person, session_id = begin(survivor)
    request_id, before = uuid4(), answer_count(survivor)
    killed(settings, "before_commit", session_id, request_id, person.personal_id.value)
    assert answer_count(survivor) == before
    transactions = Transactions(survivor)
    key = mortal_counter.request_key(request_id)
    assert transactions.first_answer(key) is None
    with pytest.raises(VerificationUsedError):
        transactions.run(lambda uow: mortal_counter.take(uow, session_id, uuid4()))
    session = transactions.run(lambda uow: mortal_counter.take(uow, session_id, request_id))
    token = transactions.run_once(
        key, lambda uow: mortal_counter.decide(uow, session, person), at=NOW
    )
    assert counts(survivor, token)
    assert transactions.first_answer(key) == token
    assert answer_count(survivor) == before + 1
