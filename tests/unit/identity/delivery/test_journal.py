"""The journal of an operator's deliveries: who may read it, and what outlives its process."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from identity.delivery.journal import Journal
from identity.domain.message import MessageFailure, ReceiptOutcome

ENDS_AT = datetime(2026, 7, 2, tzinfo=UTC)


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    with Journal.at(tmp_path / "deliveries.sqlite") as journal:
        journal.keep("a", message_id=uuid4(), lease_id=uuid4(), ends_at=ENDS_AT)
        written = sorted(tmp_path.iterdir())
        assert len(written) > 1
        assert {path.stat().st_mode & 0o777 for path in written} == {0o600}


def test_what_the_centre_said_outlives_the_process_and_goes_by_the_newest_lease(
    tmp_path: Path,
) -> None:
    path, message_id, lease_id = tmp_path / "deliveries.sqlite", uuid4(), uuid4()
    with Journal.at(path) as journal:
        journal.keep("a", message_id=message_id, lease_id=uuid4(), ends_at=ENDS_AT)
        assert not journal.note("b", ReceiptOutcome.DELIVERED, None)
        assert journal.note("a", ReceiptOutcome.FAILED, MessageFailure.ABSENT)
    with Journal.at(path) as journal:
        assert journal.take_over(message_id, lease_id)
        assert not journal.take_over(uuid4(), lease_id)
        (told,) = journal.unreported(limit=10)
        assert (told.network_id, told.lease_id) == ("a", lease_id)
        assert told.receipt.message_id == message_id
        assert told.receipt.failure is MessageFailure.ABSENT


def test_it_is_forgotten_once_it_has_ended_or_was_told(tmp_path: Path) -> None:
    with Journal.at(tmp_path / "deliveries.sqlite") as journal:
        for name, message_id in (("told", uuid4()), ("ended", uuid4()), ("open", uuid4())):
            ends_at = ENDS_AT - timedelta(microseconds=name == "ended")
            journal.keep(name, message_id=message_id, lease_id=uuid4(), ends_at=ends_at)
            journal.note(name, ReceiptOutcome.DELIVERED, None)
        journal.forget(["told"])
        journal.forget_before(ENDS_AT)
        assert [each.network_id for each in journal.unreported(limit=10)] == ["open"]
