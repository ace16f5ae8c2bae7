"""The other side of a matching: an agency that sends its records and reads what came of them.

Owns the stream of batches and their answers. Knows no file.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import grpc

from identity.domain.agency import Purpose
from identity.import_files.match_results import RowResult
from identity.import_files.reader import Row
from identity.rpc.client_calls import Source, open_channel, refusals
from identity.rpc.import_rows import record_claim
from identity.security.client_keys import ClientKeys
from subid.v1 import agency_pb2
from subid.v1 import match_service_pb2 as pb
from subid.v1.match_service_pb2_grpc import MatchServiceStub

_PERSON, _FIELD = "PERSON_MATCH_", "FIELD_MATCH_"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchGrounds:
    """Why an agency asks, sent with each batch.

    Attributes:
        purpose: What for.
        legal_basis: The article of law.
        case_id: The agency's own file; empty without one.
    """

    purpose: Purpose
    legal_basis: str
    case_id: str = ""

    @property
    def message(self) -> agency_pb2.Grounds:
        """On the wire."""
        return agency_pb2.Grounds(
            purpose=f"PURPOSE_{self.purpose.name}",
            legal_basis=self.legal_basis,
            case_id=self.case_id,
        )


class MatchClient:
    """Sends records over a channel."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub: Any = MatchServiceStub(channel)

    def match(
        self,
        request_id: str,
        batches: Iterator[Sequence[Row]],
        *,
        first_index: int,
        grounds: MatchGrounds,
    ) -> Iterator[list[RowResult]]:
        """What comes of each batch, in their order.

        Raises:
            ImportRefusedError: The service, or the way to it, says no.
        """

        def requests() -> Iterator[pb.MatchRecordsRequest]:
            for index, rows in enumerate(batches, start=first_index):
                yield pb.MatchRecordsRequest(
                    request_id=request_id,
                    batch_index=index,
                    grounds=grounds.message,
                    records=[record_claim(row) for row in rows],
                )

        source = Source(requests())
        with refusals(), source.closed():
            call = self._stub.MatchRecords(source)
            try:
                for answer in call:
                    yield [_result(match) for match in answer.matches]
            finally:
                call.cancel()  # does nothing to one that has ended


@contextmanager
def open_match_client(address: str, keys: ClientKeys) -> Iterator[MatchClient]:
    """Connect with mutual TLS.

    Args:
        address: `host:port`.
        keys: Who asks.
    """
    with open_channel(address, keys) as channel:
        yield MatchClient(channel)


def _result(match: pb.RecordMatch) -> RowResult:
    if match.reason:
        return RowResult(reason=match.reason)
    has_score = match.HasField("full_name_score")
    return RowResult(
        personal_id=_WORDS[_PERSON, match.personal_id],
        full_name=_WORDS[_FIELD, match.full_name],
        full_name_score=match.full_name_score if has_score else None,
        birth_date=_WORDS[_FIELD, match.birth_date],
    )


_WORDS = {
    (prefix, number): name.removeprefix(prefix).lower()
    for prefix, kind in ((_PERSON, pb.PersonMatch), (_FIELD, pb.FieldMatch))
    for name, number in kind.items()
}
