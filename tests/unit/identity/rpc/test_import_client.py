"""The sender of an import: batches in order, the last one marked, and what goes wrong told."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from identity.domain.caller import Caller, Role
from identity.import_files.columns import Target
from identity.import_files.reader import Row
from identity.rpc.client_calls import ImportRefusedError
from identity.rpc.import_client import Reconciliation, open_import_client
from identity.security.client_keys import issue_client_keys
from tests.e2e.import_sink import Sink, listening

ROW: Row = ("0912345678", "001090000001", "An", "1990-02-28", None, None, None)
IMPORT_ID = "6fa459ea-ee8a-4ca4-894e-db77e160355e"


def send(sink: Sink, state: Path, batches: Iterator[list[Row]], sent: list[int]) -> Reconciliation:
    with listening(sink, state) as address:
        directory = state / "certificates"
        keys = issue_client_keys(
            directory, Caller(Role.OPERATOR, "song-hong"), at=datetime.now(UTC)
        )
        with open_import_client(address, keys, Target.SUBSCRIPTIONS) as client:
            return client.send(
                IMPORT_ID, batches, first_index=3, is_snapshot=True, on_sent=sent.append
            )


@pytest.mark.parametrize("sizes", [[1], [2, 2], [3, 3, 1]])
def test_batches_are_numbered_from_where_they_begin_and_the_last_is_marked(
    tmp_path: Path, sizes: list[int]
) -> None:
    places: list[int] = []
    sent: list[int] = []
    sink = Sink(on_batch=places.append)
    counted = send(sink, tmp_path, iter([[ROW] * size for size in sizes]), sent)
    assert places == list(range(3, 3 + len(sizes)))
    assert sink.batch_sizes == sent == sizes
    assert sink.last_marks == [False] * (len(sizes) - 1) + [True]
    assert counted.received_count == sum(sizes)


def test_what_reading_a_batch_raises_reaches_the_sender_and_no_batch_is_the_last(
    tmp_path: Path,
) -> None:
    def batches() -> Iterator[list[Row]]:
        yield [ROW]
        yield [ROW]
        raise ZeroDivisionError

    sink = Sink()
    with pytest.raises(ZeroDivisionError):
        send(sink, tmp_path, batches(), [])
    assert True not in sink.last_marks


def test_a_service_that_fails_is_told_of_in_one_line(tmp_path: Path) -> None:
    def fail(_batch_index: int) -> None:
        raise ValueError("personal")

    with pytest.raises(ImportRefusedError, match="UNKNOWN") as caught:
        send(Sink(on_batch=fail), tmp_path, iter([[ROW]]), [])
    assert caught.value.is_worth_repeating
    assert "\n" not in str(caught.value)
