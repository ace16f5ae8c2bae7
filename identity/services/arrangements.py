"""Propose, attest, accept, refuse, end and see what two sides arrange.

Owns who may do what with which arrangement, and what an agreed one changes. When all have said yes
is the domain's (`identity.domain.arrangement`). Nothing is asked of the person named in a proposal
before papers or that person answer: so the answer tells nothing of whether there is one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.arrangement import (
    Arrangement,
    ArrangementKind,
    ArrangementState,
    Side,
    is_minor,
)
from identity.domain.caller import Role
from identity.domain.errors import (
    ArrangementExistsError,
    ArrangementInvalidError,
    ArrangementLimitError,
    ArrangementNotFoundError,
    ArrangementNotReadyError,
    SubscriptionNotFoundError,
)
from identity.domain.msisdn import MSISDN
from identity.domain.personal_id import PersonalID
from identity.domain.settlement import Change
from identity.domain.subscription import Subscription
from identity.services.call import Call
from identity.services.citizen_locks import refuse_locked
from identity.services.end_arrangements import (
    birth_dates,
    known_birth_date,
    note_arrangements,
    release_lines,
)
from identity.services.lookup_watch import count_holders, refuse_stopped
from identity.services.settle_subscriptions import settle_subscription
from identity.storage.arrangements import (
    KeptArrangement,
    Line,
    Papers,
    Parties,
    organisation_key,
)
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.subscriptions import msisdn_key


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangementPage:
    """One page; `next_after` is None at the end."""

    arrangements: Sequence[KeptArrangement]
    next_after: UUID | None


def propose_guardianship(
    uow: UnitOfWork, call: Call, guardian: PersonalID, child: PersonalID
) -> KeptArrangement:
    """Ask to act for a child, of whom nothing is looked up.

    Raises:
        ArrangementInvalidError: The guardian is unknown, dead or no adult, or is the child.
        ArrangementExistsError: The same was proposed before, and stands.
        ArrangementLimitError: Too many proposals of this guardian wait. Several at one moment may
            pass this bound together.
    """
    policy = call.rules.arrangements
    birth_date = known_birth_date(uow.citizens.find(guardian))
    is_adult = birth_date is not None and not is_minor(birth_date, policy, at=call.at)
    if not is_adult or guardian == child:
        raise ArrangementInvalidError("you cannot be the guardian of this person")
    kept = KeptArrangement(
        arrangement=_new(call, ArrangementKind.GUARDIANSHIP),
        citizen_key=citizen_key(uow.sealer, child),
        proposer_key=citizen_key(uow.sealer, guardian),
        parties=Parties(personal_id=child, guardian=guardian),
    )
    _refuse_standing(uow, call, kept)
    waiting = uow.arrangements.count_unanswered(kept.proposer_key, at=call.at)
    if waiting >= policy.open_proposal_count_max:
        raise ArrangementLimitError("wait until your other proposals are answered or lapse")
    return _store(uow, call, kept, "propose_guardianship", side=Side.PROPOSER)


def propose_company_line(
    uow: UnitOfWork, call: Call, msisdn: MSISDN, *, organisation_code: str, employee: PersonalID
) -> KeptArrangement:
    """Ask an employee, of whom nothing is looked up, to use an organisation's number.

    Raises:
        SubscriptionNotFoundError: The number is not in service at the calling operator.
        ArrangementInvalidError: The operator's own book names somebody else.
        ArrangementExistsError: The same was proposed before, and stands.
    """
    item = uow.subscriptions.find_in_service(msisdn, lock=True, operator_id=call.caller.name)
    if item is None:
        raise SubscriptionNotFoundError("no such number in service of yours")
    if item.claim.personal_id != employee:
        raise ArrangementInvalidError("your book names another user of this number")
    line = Line(
        msisdn_key=msisdn_key(uow.sealer, msisdn),
        subscription_id=item.subscription_id,
        operator_id=item.operator_id,
    )
    kept = KeptArrangement(
        arrangement=_new(call, ArrangementKind.COMPANY_LINE),
        citizen_key=citizen_key(uow.sealer, employee),
        proposer_key=organisation_key(uow.sealer, organisation_code),
        parties=Parties(
            personal_id=employee, organisation_code=organisation_code, msisdn=item.msisdn
        ),
        line=line,
    )
    _refuse_standing(uow, call, kept)
    return _store(uow, call, kept, "propose_company_line", side=Side.PROPOSER)


def attest_guardianship(
    uow: UnitOfWork,
    call: Call,
    arrangement_id: UUID,
    parties: Parties,
    *,
    document_digest: bytes,
) -> KeptArrangement:
    """Say that the papers of a guardianship were seen.

    Args:
        uow: The transaction.
        call: The circumstances.
        arrangement_id: Which one.
        parties: The two people, as the papers say.
        document_digest: SHA-256 of the papers, 32 bytes.

    Raises:
        LookupsStoppedError: The attester was found trying out people: the answer tells whether the
            child is one.
        ArrangementNotFoundError: There is none of this identifier between these two.
        ArrangementNotReadyError: It waits for no papers.
        ArrangementLimitError: The child has as many guardians as it can.
    """
    refuse_stopped(uow, call)
    found = uow.arrangements.find(arrangement_id)
    if found is None or found.parties != parties:
        raise _not_found()
    kept, birth_date = _hold(uow, found)
    after = kept.arrangement.attested(birth_date, call.rules.arrangements, at=call.at)
    papers = Papers(attester=str(call.caller), document_digest=document_digest)
    attested = _placed(uow, call, replace(kept, arrangement=after, papers=papers))
    stored = _store(
        uow, call, attested, "attest_guardianship", side=Side.PROPOSER, birth_date=birth_date
    )
    is_unknown = birth_date is None
    count_holders(uow, call, kept.citizen_key, named_count=1, unknown_count=int(is_unknown))
    return stored


def accept_arrangement(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, arrangement_id: UUID
) -> KeptArrangement:
    """Say yes, as the child or the employee.

    Raises:
        ArrangementNotFoundError: Nobody has asked this of this citizen.
        ArrangementNotReadyError: It waits for no answer of theirs, or the number is gone.
        ArrangementLimitError: The child has as many guardians as it can.
        ChoicesLockedError: The employee has locked new numbers.
    """
    kept, birth_date = _hold(uow, _of_citizen(uow, personal_id, arrangement_id))
    after = kept.arrangement.accepted(birth_date, call.rules.arrangements, at=call.at)
    if kept.line is not None:
        refuse_locked(uow, call, personal_id)
        item = _line_of(uow, kept)
        line = item.used_for_company(is_company_line=True, at=call.at)
        settle_subscription(uow, call, line, Change(before=item.service_state))
    accepted = _placed(uow, call, replace(kept, arrangement=after))
    return _store(
        uow, call, accepted, "accept_arrangement", side=Side.CITIZEN, birth_date=birth_date
    )


def refuse_arrangement(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, arrangement_id: UUID
) -> KeptArrangement:
    """Say no, as the child or the employee.

    Raises:
        ArrangementNotFoundError: Nobody has asked this of this citizen.
        ArrangementNotReadyError: It waits for no answer of theirs.
    """
    kept, birth_date = _hold(uow, _of_citizen(uow, personal_id, arrangement_id))
    after = kept.arrangement.refused(birth_date, call.rules.arrangements, at=call.at)
    refused = replace(kept, arrangement=after)
    return _store(uow, call, refused, "refuse_arrangement", side=Side.CITIZEN)


def end_arrangement(
    uow: UnitOfWork, call: Call, arrangement_id: UUID, personal_id: PersonalID | None
) -> KeptArrangement:
    """End what holds, or take a proposal back.

    Raises:
        ArrangementNotFoundError: There is none that the caller is a side of.
        ArrangementNotReadyError: It is over, or this side cannot end it.
    """
    found = uow.arrangements.find(arrangement_id)
    side = None if found is None else _side(uow, call, found, personal_id)
    if found is None or side is None:
        raise _not_found()
    kept, birth_date = _hold(uow, found)
    after = kept.arrangement.ended(side, birth_date, call.rules.arrangements, at=call.at)
    ended = replace(kept, arrangement=after, guardian_place=None)
    if kept.arrangement.state is ArrangementState.AGREED:
        release_lines(uow, call, [kept])
    return _store(uow, call, ended, "end_arrangement", side=side)


def list_arrangements(
    uow: UnitOfWork, call: Call, personal_id: PersonalID, *, after: UUID | None, limit: int
) -> ArrangementPage:
    """A page of what a citizen is a side of, each as this side sees it now."""
    key = citizen_key(uow.sealer, personal_id)
    found = uow.arrangements.list_of(key, after=after, limit=limit + 1)
    shown = found[:limit]
    known = birth_dates(uow, shown)
    append(uow.connection, [_read(call, "list_arrangements", key)])
    return ArrangementPage(
        arrangements=[
            _seen(call, each, known, Side.CITIZEN if each.citizen_key == key else Side.PROPOSER)
            for each in shown
        ],
        next_after=shown[-1].arrangement.arrangement_id if len(found) > limit else None,
    )


def get_arrangement(uow: UnitOfWork, call: Call, arrangement_id: UUID) -> KeptArrangement | None:
    """Where an arrangement stands, to its operator or the regulator.

    None when there is none that the caller may know of; returned, not raised, so that the look-up
    itself stays on record.
    """
    found = uow.arrangements.find(arrangement_id)
    side = None if found is None else _side(uow, call, found, None)
    if found is None or side is None:
        append(uow.connection, [_read(call, "get_arrangement", None)])
        return None
    note_arrangements(uow, call, [found], "get_arrangement")
    return _seen(call, found, birth_dates(uow, [found]), side)


def _new(call: Call, kind: ArrangementKind) -> Arrangement:
    return Arrangement(
        arrangement_id=call.new_id(),
        kind=kind,
        proposed_at=call.at,
        lapses_at=call.at + call.rules.arrangements.answer_within,
    )


def _refuse_standing(uow: UnitOfWork, call: Call, kept: KeptArrangement) -> None:
    """Refuse to propose the same again; what time has closed meanwhile is stored as closed."""
    before = uow.arrangements.list_alike(kept)
    known = birth_dates(uow, before)
    for each in before:
        now = each.arrangement.as_of(
            known.get(each.parties.personal_id), call.rules.arrangements, at=call.at
        )
        if now.is_standing(at=call.at):
            raise ArrangementExistsError("you have proposed this before")
        if now != each.arrangement:
            closed = replace(each, arrangement=now, guardian_place=None)
            _store(uow, call, closed, "close_arrangement", side=Side.PROPOSER)


def _of_citizen(uow: UnitOfWork, personal_id: PersonalID, arrangement_id: UUID) -> KeptArrangement:
    found = uow.arrangements.find(arrangement_id)
    if found is None or found.citizen_key != citizen_key(uow.sealer, personal_id):
        raise _not_found()
    return found


def _side(
    uow: UnitOfWork, call: Call, kept: KeptArrangement, personal_id: PersonalID | None
) -> Side | None:
    """Which side the caller is of; None where there is nothing to know for it."""
    if call.caller.role is Role.REGULATOR:
        return Side.REGULATOR
    if call.caller.role is Role.OPERATOR:
        is_own = kept.line is not None and kept.line.operator_id == call.caller.name
        return Side.PROPOSER if is_own else None
    key = None if personal_id is None else citizen_key(uow.sealer, personal_id)
    sides = {kept.citizen_key: Side.CITIZEN}
    if kept.arrangement.is_guardianship:
        sides[kept.proposer_key] = Side.PROPOSER
    return None if key is None else sides.get(key)


def _hold(uow: UnitOfWork, found: KeptArrangement) -> tuple[KeptArrangement, date | None]:
    """An arrangement as it stays until the end, and the birth date of the child or employee.

    The date is None where one of the two people is unknown, dead or retired.
    """
    parties = found.parties
    people = [parties.personal_id] + ([] if parties.guardian is None else [parties.guardian])
    # The order that everybody keeps: citizens, subscriptions, what hangs on them.
    records = uow.citizens.find_many_shared(people)
    if found.line is not None:
        uow.subscriptions.lock([found.line.reference])
    is_complete = all(known_birth_date(records.get(each)) is not None for each in people)
    kept = uow.arrangements.lock(found)
    return kept, records[parties.personal_id].birth_date if is_complete else None


def _line_of(uow: UnitOfWork, kept: KeptArrangement) -> Subscription:
    """The number as it stands, still this employee's to use."""
    assert kept.line is not None, "asked of a company's line only"
    (item,) = uow.subscriptions.find_by_reference([kept.line.reference])
    if not item.is_in_service or item.claim.personal_id != kept.parties.personal_id:
        raise ArrangementNotReadyError("the number is not in service any more, or not for you")
    return item


def _placed(uow: UnitOfWork, call: Call, kept: KeptArrangement) -> KeptArrangement:
    """With the first free place of the child's guardians, where a guardianship now holds."""
    is_agreed = kept.arrangement.state is ArrangementState.AGREED
    if not is_agreed or not kept.arrangement.is_guardianship:
        return kept
    taken = uow.arrangements.taken_places(kept.citizen_key)
    places = range(1, call.rules.arrangements.guardian_count_max + 1)
    free = next((place for place in places if place not in taken), None)
    if free is None:
        raise ArrangementLimitError("the child has as many guardians as it can")
    return replace(kept, guardian_place=free)


def _store(
    uow: UnitOfWork,
    call: Call,
    kept: KeptArrangement,
    action: str,
    *,
    side: Side,
    birth_date: date | None = None,
) -> KeptArrangement:
    """Save, put on record, and show as one side sees it."""
    age = call.rules.arrangements.majority_age
    uow.arrangements.save(kept, birth_date=birth_date, majority_age=age)
    note_arrangements(uow, call, [kept], action)
    return replace(kept, arrangement=kept.arrangement.shown_to(side, at=call.at))


def _seen(
    call: Call, kept: KeptArrangement, known: Mapping[PersonalID, date], side: Side
) -> KeptArrangement:
    birth_date = known.get(kept.parties.personal_id)
    now = kept.arrangement.as_of(birth_date, call.rules.arrangements, at=call.at)
    return replace(kept, arrangement=now.shown_to(side, at=call.at))


def _not_found() -> ArrangementNotFoundError:
    return ArrangementNotFoundError("there is no such arrangement of yours")


def _read(call: Call, action: str, key: bytes | None) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome="not_found" if key is None else "read",
        citizen_key=key,
    )
