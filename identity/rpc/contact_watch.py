"""One WatchContactChanges: what was missed first, then what comes.

Owns the order of a watch and what its responses hold. A watch holds neither thread, connection nor
transaction while nothing comes.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial

from identity.domain.errors import DomainError
from identity.rpc.contact_feed import ANSWER_MAX
from identity.rpc.edge import Edge
from identity.services.call import Call
from identity.services.contact_changes import Passage, begin_watch, read_missed, refuse_watch
from identity.services.subject_tokens import subject_token
from subid.v1 import contact_service_pb2 as pb


@dataclass(frozen=True, slots=True)
class ContactWatch:
    """A watch of one agency.

    Attributes:
        edge: The service.
        call: The circumstances in the beginning.
    """

    edge: Edge
    call: Call

    async def responses(
        self, position: int | None
    ) -> AsyncIterator[pb.WatchContactChangesResponse]:
        """Everything after a position, or from now on, as it comes.

        Raises:
            PurposeNotAllowedError: No grant of the agency covers the feed, or none does any more.
            PositionExpiredError: What came after the position is not kept any more.
            OverloadedError: As many watch as may.
            WatcherTooSlowError: More came than may wait for it.
        """
        agency = self.call.caller.name
        run = self.edge.transactions.run
        begun = await self.edge.in_thread(
            partial(run, lambda uow: begin_watch(uow, self.call, position))
        )
        # A refusal is a value until here, so that the record of it is kept.
        if isinstance(begun, DomainError):
            raise begun
        with self.edge.feed.watching(agency, last=begun.last) as watcher:
            # Again, now that the relay looks at it too: a suspension falls into no gap.
            await self.edge.in_thread(partial(run, partial(refuse_watch, agency=agency)))
            yield self._response(Passage(hints=(), last=begun.position))
            after = begun.position
            while after < watcher.since:
                read = partial(
                    read_missed, agency=agency, after=after, until=watcher.since, limit=ANSWER_MAX
                )
                missed = await self.edge.in_thread(partial(run, read))
                after = missed.last
                yield self._response(missed)
            async for passage in self.edge.feed.passages(watcher):
                # Of another server it may have had what this one comes to only now.
                yield self._response(_after(passage, after))

    def _response(self, passage: Passage) -> pb.WatchContactChangesResponse:
        sealer = self.edge.transactions.database.sealer
        agency = self.call.caller.name
        keys = dict.fromkeys(hint.citizen_key for hint in passage.hints)
        return pb.WatchContactChangesResponse(
            subject_tokens=[subject_token(sealer, agency, key) for key in keys],
            position=str(passage.last),
        )


def _after(passage: Passage, position: int) -> Passage:
    if passage.hints and passage.hints[0].position > position:
        return passage
    hints = [hint for hint in passage.hints if hint.position > position]
    return Passage(hints=hints, last=max(passage.last, position))
