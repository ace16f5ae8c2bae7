"""Tell agencies about whom to ask again: who may watch, from where on, and what is passed on when.

Owns the use cases; the order of the feed is storage's (`identity.storage.contact_changes`). A hint
says that something may be other than before, never what.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from identity.audit.log import AuditEntry, append
from identity.domain.agency import Access, Agency, Grant, Right
from identity.domain.errors import DomainError, PositionExpiredError, PurposeNotAllowedError
from identity.services.call import Call
from identity.storage.contact_changes import Hint
from identity.storage.database import UnitOfWork

TAKEN_MAX = 10_000
"""Changes passed on in one transaction: look-ups wait for it, some 50 ms on two cores."""

READ_MAX = 10_000
"""Hints read at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """Where a watch begins.

    Attributes:
        position: What it has seen up to.
        last: The newest position of the feed.
    """

    position: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A part of the feed, in its order.

    Attributes:
        hints: What it holds.
        last: The position that it reaches to, whether a hint has it or not.
        has_more: There is more already.
    """

    hints: Sequence[Hint]
    last: int
    has_more: bool = False


def note_interest(
    uow: UnitOfWork, asked: Iterable[tuple[Access, Grant, bytes]], *, lasts: timedelta
) -> None:
    """Remember about whom agencies ask, where their grants cover the feed.

    To be called before the contacts are read, in the transaction that reads them. People are
    noted whether they are known or not. An access under an embargo is not: people see who watches.

    Args:
        uow: The transaction.
        asked: Accesses with the grants that cover them, and whom they are about.
        lasts: For how long it is remembered.
    """
    untils = {
        (key, access.caller.name): access.at + lasts
        for access, grant, key in asked
        if Right.CONTACT_CHANGES in grant.rights and access.shown_from is None
    }
    uow.contact_changes.note_interest(untils)


def begin_watch(
    uow: UnitOfWork, call: Call, position: int | None
) -> Beginning | PurposeNotAllowedError | PositionExpiredError:
    """Let an agency watch, from a position on or from now.

    Returns:
        Where it begins, or why it does not: no grant of the agency covers the feed, or what came
        after the position is not kept any more. Returned, not raised, so that it stays on record.
    """
    bounds = uow.contact_changes.bounds()
    refusal: PurposeNotAllowedError | PositionExpiredError | None = None
    if not _may_watch(uow.agencies.find(call.caller.name)):
        refusal = _not_allowed()
    elif position is not None and not bounds.first <= position <= bounds.last:
        refusal = _expired()
    begun = "begun" if position is None else "resumed"
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="watch_contact_changes",
        outcome=begun if refusal is None else refusal.reason,
    )
    append(uow.connection, [entry])
    return refusal or Beginning(
        position=bounds.last if position is None else position, last=bounds.last
    )


def watch_refusals(uow: UnitOfWork, agencies: Collection[str]) -> Mapping[str, DomainError]:
    """Of agencies that watch, those that may no more, and why: suspended, or granted less."""
    known = uow.agencies.find_many(agencies)
    return {name: _not_allowed() for name in agencies if not _may_watch(known.get(name))}


def refuse_watch(uow: UnitOfWork, agency: str) -> None:
    """Refuse to go on with a watch whose agency may watch no more.

    Raises:
        PurposeNotAllowedError: It may not.
    """
    if not _may_watch(uow.agencies.find(agency)):
        raise _not_allowed()


def read_missed(uow: UnitOfWork, agency: str, *, after: int, until: int, limit: int) -> Passage:
    """What an agency missed, after a position and up to another.

    Raises:
        PurposeNotAllowedError: It may watch no more.
        PositionExpiredError: Some of it is not kept any more.
    """
    refuse_watch(uow, agency)
    hints = uow.contact_changes.read_of(agency, after=after, until=until, limit=limit)
    # Looked at after reading: what is forgotten later was read.
    if uow.contact_changes.bounds().first > after:
        raise _expired()
    has_more = len(hints) == limit
    return Passage(hints=hints, last=hints[-1].position if has_more else until, has_more=has_more)


def pass_on(uow: UnitOfWork, *, at: datetime, limit: int = TAKEN_MAX) -> bool:
    """Put changes that are committed into the feed; returns whether there may be more."""
    return uow.contact_changes.pass_on(at=at, limit=limit) == limit


def read_feed(uow: UnitOfWork, *, after: int | None, limit: int = READ_MAX) -> Passage:
    """The feed of all agencies after a position; None only says how far it goes."""
    if after is None:
        return Passage(hints=(), last=uow.contact_changes.bounds().last)
    hints = uow.contact_changes.read(after=after, limit=limit)
    last = hints[-1].position if hints else after
    return Passage(hints=hints, last=last, has_more=len(hints) == limit)


def forget_old(uow: UnitOfWork, *, kept: timedelta, at: datetime, limit: int = TAKEN_MAX) -> bool:
    """Forget hints that are too old and interests that have ended; whether there may be more."""
    return uow.contact_changes.prune(before=at - kept, at=at, limit=limit) == limit


def _may_watch(agency: Agency | None) -> bool:
    grants = () if agency is None or not agency.is_active else agency.grants
    return any(Right.CONTACT_CHANGES in grant.rights for grant in grants)


def _not_allowed() -> PurposeNotAllowedError:
    return PurposeNotAllowedError("no grant covers the feed of changed contacts")


def _expired() -> PositionExpiredError:
    return PositionExpiredError("watch from now on, and ask about everybody again")
