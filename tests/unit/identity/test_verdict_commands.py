"""`identity verdict recompute` names what somebody changed in the database, and how."""

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner, Result

from identity.bootstrap import open_database
from identity.cli import app
from identity.config import Settings
from identity.storage.database import UnitOfWork
from identity.storage.tables import verification
from identity.storage.verifications import Claimant
from tests.databases import own_database
from tests.unit.identity.makers import (
    NOW,
    judge,
    make_evidence,
    make_face,
    make_session,
    store_citizen,
    store_number,
)

CLAIMANT = Claimant(request_id=UUID(int=1), body_digest=b"\x01" * 32)


@pytest.fixture
def settings(postgres_url: str, tmp_path: Path) -> Iterator[Settings]:
    """A registry that is empty."""
    with own_database(postgres_url, f"verdicts_{uuid4().hex}") as url:
        settings = Settings(state=tmp_path, database=url)
        with open_database(settings):
            yield settings


def recompute(settings: Settings, *arguments: str) -> Result:
    options = ("--state", str(settings.state), "--database", str(settings.database))
    result = CliRunner().invoke(app, ["verdict", "recompute", *arguments, *options])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def reject(uow: UnitOfWork) -> UUID:
    """A verification whose face did not match."""
    record = store_citizen(uow)
    session = make_session(uow, store_number(uow, record))
    uow.verifications.claim(session, CLAIMANT, at=NOW)
    evidence = make_evidence(record, face=make_face(0.5))
    uow.verifications.complete(session, evidence, judge(evidence))
    return session.verification_id


def forge(uow: UnitOfWork, verification_id: UUID) -> None:
    row = verification.c.verification_id == verification_id
    verdict = uow.connection.execute(select(verification.c.verdict).where(row)).scalar_one()
    forged = verdict | {"state": "verified", "reasons": []}
    uow.connection.execute(update(verification).where(row).values(verdict=forged))


def spoil(uow: UnitOfWork, verification_id: UUID) -> None:
    row = verification.c.verification_id == verification_id
    uow.connection.execute(update(verification).where(row).values(evidence_sealed=b"nothing"))


def erase(uow: UnitOfWork, verification_id: UUID) -> None:
    row = verification.c.verification_id == verification_id
    gone = {"evidence_sealed": None, "evidence_erased_at": NOW}
    uow.connection.execute(update(verification).where(row).values(gone))


def test_a_forged_verdict_is_named_in_words_and_as_json(settings: Settings) -> None:
    with open_database(settings) as opened, opened.transaction() as uow:
        good, forged, spoilt, erased = (reject(uow) for _ in range(4))
        erase(uow, erased)
    clean = recompute(settings)
    assert (clean.exit_code, clean.stdout) == (
        0,
        (
            "3 verdicts recomputed, 0 differ, 0 unreadable, 0 without their policy pack,"
            " 1 with evidence erased\n"
        ),
    )
    with open_database(settings) as opened, opened.transaction() as uow:
        forge(uow, forged)
        spoil(uow, spoilt)
    told = recompute(settings, "--slice", "1")
    assert told.exit_code == 1
    assert set(told.stdout.splitlines()) == {
        (
            f"{forged} different: state is verified and should be not_verified;"
            " reasons is none and should be FACE_NON_MATCH"
        ),
        f"{spoilt} unreadable: the evidence does not open",
        (
            "2 verdicts recomputed, 1 differ, 1 unreadable, 0 without their policy pack,"
            " 1 with evidence erased"
        ),
    }
    assert str(good) not in told.stdout
    as_json = recompute(settings, "--json")
    assert as_json.exit_code == 1
    *findings, counts = map(json.loads, as_json.stdout.splitlines())
    (different,) = [each for each in findings if each["kind"] == "different"]
    assert different["verification_id"] == str(forged)
    assert different["differences"]["state"] == {
        "stored": "verified",
        "recomputed": "not_verified",
    }
    assert counts == {
        "verdict_count": 2,
        "difference_count": 1,
        "unreadable_count": 1,
        "unjudged_count": 0,
        "erased_count": 1,
    }
