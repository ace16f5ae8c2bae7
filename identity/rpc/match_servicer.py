"""MatchService on the wire."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from functools import lru_cache, partial

from identity.domain.errors import ImportSequenceError, RequestInvalidError
from identity.domain.record_match import EXACT_MATCH, FieldMatch, PersonMatch, RecordMatch
from identity.rpc import decode
from identity.rpc.edge import Edge, request_key
from identity.rpc.grounds import access_of
from identity.services.call import Call
from identity.services.match_records import (
    Answer,
    Row,
    from_fields,
    match_records,
    resume_matching,
    stopping_guessers,
    to_fields,
)
from identity.storage.database import UnitOfWork
from identity.storage.record_matching import index_record
from subid.v1 import match_service_pb2 as pb
from subid.v1 import match_service_pb2_grpc

ANSWERED_AT_ONCE = 2
"""Batches of one stream under way: while the database works on one, the next is made ready."""

TWICE = "REPEATED_UNIQUE"
"""Why a row is refused whose personal ID stands further up in its batch."""

_PERSONS = {
    PersonMatch.KNOWN: pb.PERSON_MATCH_KNOWN,
    PersonMatch.UNKNOWN: pb.PERSON_MATCH_UNKNOWN,
    PersonMatch.NOT_AVAILABLE: pb.PERSON_MATCH_NOT_AVAILABLE,
}
_FIELDS = {
    FieldMatch.EXACT: pb.FIELD_MATCH_EXACT,
    FieldMatch.SIMILAR: pb.FIELD_MATCH_SIMILAR,
    FieldMatch.DIFFERENT: pb.FIELD_MATCH_DIFFERENT,
    FieldMatch.NOT_GIVEN: pb.FIELD_MATCH_NOT_GIVEN,
    FieldMatch.NOT_AVAILABLE: pb.FIELD_MATCH_NOT_AVAILABLE,
}


class MatchServicer(match_service_pb2_grpc.MatchServiceServicer):
    """Decodes, calls the service, encodes."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge

    def MatchRecord(self, request: pb.MatchRecordRequest, call: Call) -> pb.MatchRecordResponse:
        """Compare one record."""
        transactions = self._edge.transactions
        access = access_of(request.grounds, call)
        claim = decode.record_claim(request.record, path="record")
        row = index_record(transactions.database.sealer, claim)

        def match(uow: UnitOfWork) -> pb.MatchRecordResponse:
            (answer,) = match_records(uow, call, access, [row])
            return pb.MatchRecordResponse(match=_message(answer))

        with stopping_guessers(transactions):
            return self._edge.answer_once(request, call, match, pb.MatchRecordResponse)

    async def MatchRecords(
        self, requests: AsyncIterator[pb.MatchRecordsRequest], call: Call
    ) -> AsyncIterator[pb.MatchRecordsResponse]:
        """Answer batch after batch, each in its order."""
        under_way: deque[asyncio.Task[pb.MatchRecordsResponse]] = deque()
        expected: tuple[str, int] | None = None
        try:
            async for request in requests:
                named = (request.request_id, request.batch_index)
                if expected is not None and named != expected:
                    raise ImportSequenceError("a batch is not the one after the one before")
                expected = (request.request_id, request.batch_index + 1)
                if len(under_way) >= ANSWERED_AT_ONCE:
                    yield await under_way.popleft()
                work = partial(self._answer, request, call)
                under_way.append(asyncio.create_task(self._edge.in_thread(work)))
            while under_way:
                yield await under_way.popleft()
        finally:
            # What was begun comes to its end; sent again, it gets that answer.
            await asyncio.gather(*under_way, return_exceptions=True)

    def ResumeMatching(
        self, request: pb.ResumeMatchingRequest, call: Call
    ) -> pb.ResumeMatchingResponse:
        """Let an agency go on."""
        return self._edge.answer_once(
            request,
            call,
            lambda uow: pb.ResumeMatchingResponse(
                was_stopped=resume_matching(uow, call, request.agency)
            ),
            pb.ResumeMatchingResponse,
        )

    def _answer(self, request: pb.MatchRecordsRequest, call: Call) -> pb.MatchRecordsResponse:
        transactions = self._edge.transactions
        # A stream may take hours: each batch happens when it does.
        now = replace(call, at=self._edge.clock.now())
        access = access_of(request.grounds, now)
        rows = self._rows(request.records)
        with stopping_guessers(transactions):
            fields = transactions.run_batch_once(
                request_key(request, now),
                request.batch_index,
                lambda uow: to_fields(match_records(uow, now, access, rows)),
                at=now.at,
            )
        matches = [
            _EXACT if answer is EXACT_MATCH else _message(answer) for answer in from_fields(fields)
        ]
        return pb.MatchRecordsResponse(batch_index=request.batch_index, matches=matches)

    def _rows(self, records: Iterable[pb.RecordClaim]) -> list[Row]:
        sealer = self._edge.transactions.database.sealer
        rows: list[Row] = []
        seen: set[str] = set()
        for record in records:
            if record.personal_id in seen:
                rows.append(TWICE)
                continue
            seen.add(record.personal_id)
            try:
                rows.append(index_record(sealer, decode.record_claim(record)))
            except RequestInvalidError as error:
                rows.append(error.violations[0].reason)
        return rows


@lru_cache(maxsize=1024)  # of millions of answers few differ from each other
def _message(answer: Answer) -> pb.RecordMatch:
    if isinstance(answer, RecordMatch):
        return pb.RecordMatch(
            personal_id=_PERSONS[answer.personal_id],
            full_name=_FIELDS[answer.full_name],
            full_name_score=answer.full_name_score,
            birth_date=_FIELDS[answer.birth_date],
        )
    return pb.RecordMatch(reason=answer)


_EXACT = _message(EXACT_MATCH)
