"""What was signed is remembered outside the database, and nothing is signed that contradicts it."""

import stat
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from identity.audit.checkpoint import AHEAD_MAX, check_head, parse_note
from identity.audit.sealing import unsealed_for
from identity.services.remembered_head import HeadAheadError, LogForkedError, accept_log
from identity.services.seal_audit import HEAD_FILE, AuditKeys, rotate_audit_key
from identity.services.transactions import Transactions
from identity.state_directory import StateError
from tests.unit.identity.audit.logs import CUT, ENTRY, OwnLog, tampering
from tests.unit.identity.makers import NOW

LATER = NOW + timedelta(minutes=1)


def cut(log: OwnLog, *, to: int) -> None:
    """Take the log back to an older state that was signed, as a superuser can."""
    with tampering(log.database.engine) as connection:
        for statement in CUT:
            connection.execute(text(statement), {"size": to})


def beside(log: OwnLog, directory: Path) -> OwnLog:
    """Another server on the same database, with a state directory of its own."""
    directory.mkdir(exist_ok=True)
    key = log.keys.directory / "audit.key.pem"
    copied = directory / key.name
    copied.write_bytes(key.read_bytes())
    copied.chmod(0o600)
    return OwnLog(log.database, AuditKeys(directory))


def accept(log: OwnLog, *, at: datetime = LATER) -> None:
    accept_log(Transactions(log.database), log.keys.memory, at=at)


def test_the_newest_head_is_remembered_as_a_signed_note_that_only_its_owner_reads(
    log: OwnLog,
) -> None:
    log.write(3)
    head = log.head()
    path = log.keys.directory / HEAD_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (key,) = log.verifiers()
    assert check_head(parse_note(path.read_text()), key) == head
    assert log.keys.remembered() == head


def test_one_that_was_killed_before_its_commit_goes_on_with_what_it_has_signed(
    log: OwnLog,
) -> None:
    log.write(5)
    log.head()
    log.write(4)
    log.settle()
    log.seal_and_be_killed(at=LATER)
    remembered = log.keys.remembered()
    assert remembered is not None
    assert remembered.size == 9
    log.write(3)
    # However few are sealed at once, what was signed is sealed as a whole.
    log.settle()
    done = log.seal(at=NOW, limit=1)
    assert done.head is not None
    assert (done.head.size >= 9, done.head.signed_at >= LATER) == (True, True)
    assert log.keys.remembered() == done.head


def test_one_that_was_killed_before_its_first_commit_goes_on(log: OwnLog) -> None:
    log.write(2)
    log.settle()
    log.seal_and_be_killed()
    assert log.head(at=LATER).size == 2


def test_a_rotation_after_a_kill_goes_on_with_what_was_signed(log: OwnLog) -> None:
    log.write(1)
    log.head()
    log.write(1)
    log.settle()
    log.seal_and_be_killed()
    rotate_audit_key(Transactions(log.database), log.keys, at=LATER, is_lost=False)
    remembered = log.keys.remembered()
    assert remembered is not None
    assert remembered.size == 2
    assert log.head(at=LATER).size == 3


def test_one_that_was_killed_while_it_signed_anew_goes_on(log: OwnLog) -> None:
    log.write()
    log.head()
    later = NOW + timedelta(hours=2)
    log.seal_and_be_killed(at=later)
    assert log.seal(at=later).head == log.keys.remembered()


def test_a_log_that_was_cut_is_not_sealed_until_it_is_accepted(log: OwnLog) -> None:
    log.write(4)
    old = log.head()
    log.write(4)
    new = log.head()
    cut(log, to=4)
    with pytest.raises(LogForkedError, match="a tree of 8 entries was signed, and 4 are there"):
        log.seal(at=LATER)
    log.write(6)
    log.settle()
    with pytest.raises(LogForkedError, match="does not begin with the 8"):
        log.seal(at=LATER)
    with pytest.raises(LogForkedError):
        rotate_audit_key(Transactions(log.database), log.keys, at=LATER, is_lost=False)
    assert log.keys.remembered() == new
    accept(log)
    assert log.keys.remembered() == old
    (aside,) = log.keys.directory.glob(f"{HEAD_FILE}.*")
    assert parse_note(aside.read_text()).head == new
    assert log.head(at=LATER).size == 11
    with log.database.transaction() as uow:
        query = text("SELECT details FROM audit_entry WHERE action = 'accept_audit_log'")
        assert uow.connection.execute(query).scalar_one() == {"remembered_size": 8, "size": 4}


def test_there_is_nothing_to_accept_where_the_log_goes_on(log: OwnLog) -> None:
    with pytest.raises(StateError, match="nothing is to be accepted"):
        accept(log)
    log.write()
    log.head()
    with pytest.raises(StateError, match="nothing is to be accepted"):
        accept(log)


def test_an_emptied_log_is_not_sealed_until_it_is_accepted(log: OwnLog) -> None:
    log.write(4)
    log.head()
    cut(log, to=0)
    with pytest.raises(LogForkedError):
        log.seal(at=LATER)
    accept(log)
    assert log.keys.remembered() is None
    assert log.head(at=LATER).size == 1


def test_a_log_with_another_first_key_is_not_sealed(log: OwnLog, tmp_path: Path) -> None:
    log.write()
    log.head()
    other = tmp_path / "other"
    stranger = beside(log, other)
    (other / HEAD_FILE).write_text(
        (log.keys.directory / HEAD_FILE).read_text().replace("subid-audit-", "subid-audit-f")
    )
    log.write()
    log.settle()
    with pytest.raises(LogForkedError, match="was signed before"):
        stranger.seal(at=LATER)


def test_a_memory_that_is_damaged_is_no_empty_one(log: OwnLog) -> None:
    log.write()
    log.head()
    (log.keys.directory / HEAD_FILE).write_text("nothing")
    with pytest.raises(LogForkedError, match="not known"):
        log.seal(at=LATER)


def test_a_rewritten_log_is_not_signed_by_the_service(log: OwnLog) -> None:
    numbers = log.write(8)
    log.head()
    with tampering(log.database.engine) as connection:
        for statement in (
            "UPDATE audit_entry SET outcome = 'forged' WHERE entry_id = :victim",
            "DELETE FROM audit_head",
            "DELETE FROM audit_leaf",
            "DELETE FROM audit_node",
        ):
            connection.execute(text(statement), {"victim": numbers[3]})
    with pytest.raises(LogForkedError, match="does not begin with the 8"):
        log.seal(at=LATER)


def test_each_server_remembers_what_the_others_sign_and_none_helps_to_forget_it(
    log: OwnLog, tmp_path: Path
) -> None:
    log.write(4)
    log.head()
    other = beside(log, tmp_path / "other")
    assert other.seal() == log.seal()
    assert other.keys.remembered() == log.keys.remembered()
    log.write(4)
    newest = log.head(at=LATER)
    other.seal(at=LATER)
    assert other.keys.remembered() == newest
    other.write(1)
    assert other.head(at=LATER).size == 9
    log.seal(at=LATER)
    cut(log, to=8)
    for server in (log, other):
        with pytest.raises(LogForkedError):
            server.seal(at=LATER)


def test_a_server_that_was_away_follows_and_one_that_was_shown_another_log_does_not(
    log: OwnLog, tmp_path: Path
) -> None:
    log.write(4)
    log.head()
    away = beside(log, tmp_path / "away")
    away.seal()
    log.write(4)
    log.head(at=LATER)
    cut(log, to=4)
    accept(log)
    log.write(7)
    forked = log.head(at=LATER)
    away.seal(at=LATER)
    # It had seen four entries only, with which both logs begin.
    assert away.keys.remembered() == forked
    path = away.keys.directory / HEAD_FILE
    path.write_text(path.read_text().replace(f"\n{forked.size}\n", f"\n{forked.size - 1}\n"))
    with pytest.raises(LogForkedError):
        away.seal(at=LATER)


def test_a_head_of_another_server_that_is_ahead_stops_sealing_until_then(
    log: OwnLog, tmp_path: Path
) -> None:
    log.write(2)
    log.head()
    slow = beside(log, tmp_path / "slow")
    slow.seal()
    log.write(2)
    ahead = log.head(at=NOW + AHEAD_MAX + timedelta(seconds=1))
    log.write(1)
    log.settle()
    with pytest.raises(HeadAheadError, match="ahead of this clock"):
        slow.seal(at=NOW)
    # Whoever signed it goes on: its own clock was put right, and heads never go back.
    assert log.head(at=NOW).signed_at == ahead.signed_at
    log.write(1)
    assert slow.head(at=NOW + timedelta(seconds=1)).signed_at == ahead.signed_at


def test_a_head_from_the_future_can_be_accepted(log: OwnLog, tmp_path: Path) -> None:
    log.write(2)
    log.head(at=NOW + timedelta(days=365))
    fresh = beside(log, tmp_path / "fresh")
    with pytest.raises(HeadAheadError):
        fresh.seal(at=NOW)
    accept(fresh)
    assert fresh.head(at=NOW).signed_at == NOW + timedelta(days=365)


def test_how_long_the_oldest_entry_waits_is_known(log: OwnLog) -> None:
    def waits() -> timedelta:
        with log.database.transaction() as uow:
            return unsealed_for(uow.connection, at=LATER)

    assert waits() == timedelta()
    log.write(2)
    assert waits() == timedelta(minutes=1)
    log.head()
    assert waits() == timedelta()
    log.write(1, replace(ENTRY, occurred_at=NOW + timedelta(seconds=40)))
    log.write(1, replace(ENTRY, occurred_at=NOW + timedelta(seconds=50)))
    assert waits() == timedelta(seconds=20)
