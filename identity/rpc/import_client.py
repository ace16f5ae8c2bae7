"""The other side of an import: who sends the rows.

Owns the stream of batches and what its answers mean to the sender. Knows
no file: rows come as batches.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf.message import Message

from identity.import_files.columns import Target
from identity.import_files.reader import Row
from identity.import_files.rejects import Reject
from identity.rpc.client_calls import Source, open_channel, refusals
from identity.rpc.import_rows import population_record, subscription_row
from identity.security.client_keys import ClientKeys
from subid.v1 import imports_pb2
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.population_service_pb2_grpc import PopulationServiceStub
from subid.v1.subscription_service_pb2_grpc import SubscriptionServiceStub

ANSWER_TIMEOUT_S = 60.0
"""For a question; a stream takes as long as it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """What became of an import: received = created + changed + unchanged + rejected."""

    received_count: int
    created_count: int
    changed_count: int
    unchanged_count: int
    rejected_count: int
    gone_count: int
    unidentified_count: int
    link_counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """How far an import has come.

    Attributes:
        next_batch_index: The batch to go on with.
        is_complete: Whether its last batch is stored.
        reconciliation: Over the stored batches.
    """

    next_batch_index: int
    is_complete: bool
    reconciliation: Reconciliation


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contract:
    """The methods of one kind of import."""

    send: Any  # grpc's callables have no types
    ask: Callable[[str], Any]
    list_errors: Callable[[str, str], Any]
    batch: Callable[[Sequence[Row]], Message]


class ImportClient:
    """Sends imports of one kind over a channel."""

    def __init__(self, channel: grpc.Channel, target: Target) -> None:
        self._contract = _CONTRACTS[target](channel)

    def position(self, import_id: str) -> Position:
        """How far an import has come.

        Raises:
            ImportRefusedError: The service says no.
        """
        with refusals():
            answer = self._contract.ask(import_id)
        return Position(
            next_batch_index=answer.next_batch_index,
            is_complete=answer.is_complete,
            reconciliation=_reconciliation(answer),
        )

    def send(
        self,
        import_id: str,
        batches: Iterator[Sequence[Row]],
        *,
        first_index: int,
        is_snapshot: bool,
        on_sent: Callable[[int], None],
    ) -> Reconciliation:
        """Send batches up to the last one.

        The service takes the next when it has stored the one before; two are held here.

        Args:
            import_id: The request_id.
            batches: At least one batch.
            first_index: The place of the first of them in the import.
            is_snapshot: Whether the import is all that its sender holds.
            on_sent: Told the rows of each batch as it is handed to gRPC, on a thread of gRPC's.

        Raises:
            ImportRefusedError: The service says no; batches that it stored stay.
            Exception: Whatever reading the batches raises.
        """
        kind = imports_pb2.IMPORT_KIND_SNAPSHOT if is_snapshot else imports_pb2.IMPORT_KIND_DELTA

        def requests() -> Iterator[Message]:
            for index, (rows, is_last) in enumerate(_marked(batches), start=first_index):
                request: Any = self._contract.batch(rows)
                request.request_id, request.batch_index = import_id, index
                request.kind, request.is_last = kind, is_last
                yield request
                on_sent(len(rows))

        source = Source(requests())
        with refusals(), source.closed():
            call = self._contract.send.future(source)
            try:
                answer = call.result()
            finally:
                call.cancel()  # does nothing to one that has ended
        return _reconciliation(answer)

    def rejects(self, import_id: str) -> Iterator[Reject]:
        """Every refused row, in the order of the import, page by page.

        Raises:
            ImportRefusedError: The service says no.
        """
        token = ""
        while True:
            with refusals():
                page = self._contract.list_errors(import_id, token)
            for each in page.row_errors:
                yield Reject(row_index=each.row_index, field=each.field, reason=each.reason)
            token = page.next_page_token
            if not token:
                return


@contextmanager
def open_import_client(address: str, keys: ClientKeys, target: Target) -> Iterator[ImportClient]:
    """Connect with mutual TLS.

    Args:
        address: `host:port`.
        keys: Who sends.
        target: What is imported.
    """
    with open_channel(address, keys) as channel:
        yield ImportClient(channel, target)


def _marked(batches: Iterable[Sequence[Row]]) -> Iterator[tuple[Sequence[Row], bool]]:
    """Each batch, and whether it is the last."""
    rest = iter(batches)
    held = next(rest)
    for following in rest:
        yield held, False
        held = following
    yield held, True


def _reconciliation(answer: Any) -> Reconciliation:  # noqa: ANN401 - of four messages
    summary = answer.summary
    links = getattr(answer, "links", None)
    return Reconciliation(
        received_count=summary.received_count,
        created_count=summary.created_count,
        changed_count=summary.changed_count,
        unchanged_count=summary.unchanged_count,
        rejected_count=summary.rejected_count,
        gone_count=summary.gone_count,
        unidentified_count=summary.unidentified_count,
        link_counts={
            field.name.removesuffix("_count"): getattr(links, field.name)
            for field in (links.DESCRIPTOR.fields if links is not None else ())
        },
    )


def _population(channel: grpc.Channel) -> _Contract:
    stub = PopulationServiceStub(channel)
    return _Contract(
        send=stub.ImportPopulation,
        ask=lambda import_id: stub.GetPopulationImport(
            population_pb.GetPopulationImportRequest(import_id=import_id), timeout=ANSWER_TIMEOUT_S
        ),
        list_errors=lambda import_id, token: stub.ListPopulationImportErrors(
            population_pb.ListPopulationImportErrorsRequest(import_id=import_id, page_token=token),
            timeout=ANSWER_TIMEOUT_S,
        ),
        batch=lambda rows: population_pb.ImportPopulationRequest(
            records=[population_record(row) for row in rows]
        ),
    )


def _subscriptions(channel: grpc.Channel) -> _Contract:
    stub = SubscriptionServiceStub(channel)
    return _Contract(
        send=stub.ImportSubscriptions,
        ask=lambda import_id: stub.GetSubscriptionImport(
            subscription_pb.GetSubscriptionImportRequest(import_id=import_id),
            timeout=ANSWER_TIMEOUT_S,
        ),
        list_errors=lambda import_id, token: stub.ListSubscriptionImportErrors(
            subscription_pb.ListSubscriptionImportErrorsRequest(
                import_id=import_id, page_token=token
            ),
            timeout=ANSWER_TIMEOUT_S,
        ),
        batch=lambda rows: subscription_pb.ImportSubscriptionsRequest(
            rows=[subscription_row(row) for row in rows]
        ),
    )


_CONTRACTS: Mapping[Target, Callable[[grpc.Channel], _Contract]] = {
    Target.POPULATION: _population,
    Target.SUBSCRIPTIONS: _subscriptions,
}
