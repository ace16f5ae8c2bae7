"""Tell agencies how to reach citizens, and write down each look-up.

Owns the use case, for any number of questions in one transaction: concurrent calls are answered
together by the RPC edge, because one commit for many costs little more than one for one.

Whoever cannot be reached takes one path: the same statements over as many keys, the same rows
written. A citizen who is not to be contacted is looked up under a key that nobody has.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple, Self, TypeVar

from identity.audit.log import AuditEntry, append
from identity.domain.agency import Access, Grant, Purpose, Right
from identity.domain.calendar_date import day_of
from identity.domain.contact import (
    FORMS,
    AbsenceCause,
    ContactStatus,
    masked,
    status_of,
    why_barred,
)
from identity.domain.errors import DomainError
from identity.domain.lookup_watch import sequential_count
from identity.domain.personal_id import PersonalID
from identity.domain.policy_book import Rules
from identity.services.agency_access import Admission, admit_all, record, record_refusal
from identity.services.contact_changes import note_interest
from identity.services.lookup_watch import stop_lookups, stopped
from identity.services.reach import Reached, nobodys_key, reach
from identity.services.relay_tokens import new_relay, store_relays
from identity.services.subject_tokens import subject_token
from identity.storage.citizens import KnownHolder, citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.lookup_watch import Asked
from identity.storage.relays import Relay
from identity.storage.restrictions import Restriction

REACHABILITY_RIGHTS = (Right.REACHABILITY, *FORMS)
"""With any of them an agency may know whether somebody can be reached: it would find out. Who may
only send messages would not: what becomes of them takes a right of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactQuestion:
    """One question of an agency.

    Attributes:
        access: Who asks, and on what grounds.
        people: About whom, each once.
        rules: What holds at that instant.
    """

    access: Access
    people: Sequence[PersonalID]
    rules: Rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How to reach one citizen, as far as an agency may know.

    Attributes:
        status: Whether there is a number.
        subject_token: What the agency knows the person by.
        msisdn: The number in E.164, if the agency may have it.
        masked_msisdn: The number with most of it hidden, if it may have no more.
        relay: What stands for the number, if it may have neither.
        set_at: When the citizen marked the number.
        confirmed_at: When the citizen last confirmed it.
        verified_at: When its holder was last verified.
        cause: Why there is none, if the agency may know.
    """

    status: ContactStatus
    subject_token: str
    msisdn: str | None = None
    masked_msisdn: str | None = None
    relay: Relay | None = None
    set_at: datetime | None = None
    confirmed_at: datetime | None = None
    verified_at: datetime | None = None
    cause: AbsenceCause | None = None


class _Person(NamedTuple):
    """One person of one question that is let in: a tuple, as there are thousands.

    Attributes:
        question: The question.
        grant: What lets it in.
        key: Blind index of the personal ID.
        looked_up: The key to look a number up under: nobody's where none may be found.
        barred: Why the person must not be contacted, if so.
    """

    question: ContactQuestion
    grant: Grant
    key: bytes
    looked_up: bytes
    barred: AbsenceCause | None

    @classmethod
    def of(
        cls, question: ContactQuestion, grant: Grant, key: bytes, restriction: Restriction | None
    ) -> Self:
        """Make one, as far as the citizen's restriction lets be found."""
        barred = _barred(question.access.purpose, restriction)
        return cls(question, grant, key, key if barred is None else nobodys_key(key), barred)

    @property
    def may_know_cause(self) -> bool:
        """Whether the agency may know why there is no number."""
        return Right.ABSENCE_CAUSE in self.grant.rights


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What is known of the people of all questions.

    Attributes:
        numbers: Numbers, by the key that each person was looked up under.
        holders: Whom the register knows, of those of whom an agency may know it.
    """

    numbers: Mapping[bytes, Reached]
    holders: Mapping[bytes, KnownHolder]

    def number_of(self, person: _Person) -> tuple[ContactStatus, Reached | None]:
        """A person's number, and what it is good for."""
        access = person.question.access
        reached = self.numbers.get(person.looked_up)
        if reached is None or _barred(access.purpose, reached.wishes) is not None:
            return ContactStatus.NOT_AVAILABLE, None
        status = status_of(
            is_fallback=reached.number.is_fallback,
            confirmed_at=reached.number.confirmed_at,
            purpose=access.purpose,
            policy=person.question.rules.primary,
            at=access.at,
        )
        return status, reached

    def holder_of(self, person: _Person) -> bytes:
        """Blind index of whose number a person is reached through: mostly the person's own."""
        reached = self.numbers.get(person.looked_up)
        if reached is None or reached.holder_key == person.looked_up:
            return person.key
        is_barred = _barred(person.question.access.purpose, reached.wishes) is not None
        return person.key if is_barred else reached.holder_key

    def cause_of(self, person: _Person) -> AbsenceCause:
        """Why there is no number to give."""
        holder = self.holders.get(person.key)
        if holder is None:
            return AbsenceCause.UNKNOWN_PERSON
        if holder.is_deceased:
            return AbsenceCause.DECEASED
        return person.barred or AbsenceCause.NO_NUMBER


def get_contacts(
    uow: UnitOfWork, questions: Sequence[ContactQuestion]
) -> list[list[Contact] | DomainError]:
    """How to reach the people of each question, in their order; or why it is refused."""

    def tell(person: _Person, found: _Found) -> tuple[Contact, str, Iterable[Right]]:
        contact = _contact(uow, person, found)
        return contact, contact.status.value, _given(contact)

    answers = _answer(uow, questions, FORMS, tell, action="get_contact")
    told = (each for answer in answers if isinstance(answer, list) for each in answer)
    store_relays(uow, [each.relay for each in told if each.relay is not None])
    return answers


def can_notify(
    uow: UnitOfWork, questions: Sequence[ContactQuestion]
) -> list[list[bool] | DomainError]:
    """Whether the people of each question have a number that is good for its purpose."""

    def tell(person: _Person, found: _Found) -> tuple[bool, str, Iterable[Right]]:
        status, _ = found.number_of(person)
        is_good = status in {ContactStatus.AVAILABLE, ContactStatus.DEGRADED}
        return is_good, "yes" if is_good else "no", (Right.REACHABILITY,)

    return _answer(uow, questions, REACHABILITY_RIGHTS, tell, action="can_notify")


_Told = TypeVar("_Told")


def _answer(
    uow: UnitOfWork,
    questions: Sequence[ContactQuestion],
    rights: Iterable[Right],
    tell: Callable[[_Person, _Found], tuple[_Told, str, Iterable[Right]]],
    *,
    action: str,
) -> list[list[_Told] | DomainError]:
    """Answer questions, each of whose people `tell` has an answer, an outcome and what it gives."""
    admissions = admit_all(uow, [question.access for question in questions], *rights)
    people = _people(uow, questions, admissions)
    _note_interest(uow, people)
    found = _look_up(uow, people)
    entries: list[AuditEntry] = []
    answers: list[list[_Told] | DomainError] = []
    waiting = iter(people)
    for question, admission in zip(questions, admissions, strict=True):
        if isinstance(admission, DomainError):
            entries.append(record_refusal(question.access, admission, action=action))
            answers.append(admission)
            continue
        answer = []
        for person in islice(waiting, len(question.people)):
            told, outcome, fields = tell(person, found)
            answer.append(told)
            # Where a guardian's number stands in, the guardian sees that it was asked for, too.
            entries += [
                record(question.access, key, action=action, outcome=outcome, fields=fields)
                for key in dict.fromkeys((person.key, found.holder_of(person)))
            ]
        answers.append(answer)
    append(uow.connection, entries)
    return answers


def _people(
    uow: UnitOfWork, questions: Sequence[ContactQuestion], admissions: list[Admission]
) -> list[_Person]:
    """The people of the questions that are let in, one after the other.

    Whoever is found guessing is let in no longer: its place among the admissions is a refusal then.
    """
    let_in = [
        (question, admission, citizen_key(uow.sealer, personal_id))
        for question, admission in zip(questions, admissions, strict=True)
        if isinstance(admission, Grant)
        for personal_id in question.people
    ]
    if not let_in:
        return []
    restrictions, guessing = _count(uow, [(question, key) for question, _, key in let_in])
    for place, question in enumerate(questions):
        if str(question.access.caller) in guessing and isinstance(admissions[place], Grant):
            admissions[place] = stopped()
    return [
        _Person.of(question, grant, key, restrictions.get(key))
        for question, grant, key in let_in
        if str(question.access.caller) not in guessing
    ]


def _count(
    uow: UnitOfWork, asked: Sequence[tuple[ContactQuestion, bytes]]
) -> tuple[Mapping[bytes, Restriction], AbstractSet[str]]:
    """Count whom callers ask about; returns what these people do not want, and who is guessing."""
    keys: dict[str, list[bytes]] = defaultdict(list)
    questions: dict[str, list[ContactQuestion]] = defaultdict(list)
    for question, key in asked:
        caller = str(question.access.caller)
        keys[caller].append(key)
        if question not in questions[caller][-1:]:
            questions[caller].append(question)
    by_caller = {
        caller: Asked(
            keys=keys[caller],
            sequential_count=sequential_count(one for each in listed for one in each.people),
        )
        for caller, listed in questions.items()
    }
    first = asked[0][0]
    restrictions, looked = uow.lookup_watch.look_up(by_caller, day=day_of(first.access.at))
    guessing = {
        caller: today
        for caller, today in looked.items()
        if questions[caller][0].rules.lookups.is_guessing(today)
    }
    for caller, today in sorted(guessing.items()):
        stop_lookups(uow, caller, today, at=first.access.at)
    return restrictions, guessing.keys()


def _barred(purpose: Purpose, restriction: Restriction | None) -> AbsenceCause | None:
    if restriction is None:
        return None
    return why_barred(
        purpose,
        has_objected=purpose in restriction.objected_purposes,
        is_restricted=restriction.is_restricted,
    )


def _note_interest(uow: UnitOfWork, people: Sequence[_Person]) -> None:
    """Have agencies told when to ask again; before anything is read that may change meanwhile."""
    asked = ((person.question.access, person.grant, person.key) for person in people)
    for person in people[:1]:
        note_interest(uow, asked, lasts=person.question.rules.contact_feed.interest)


def _look_up(uow: UnitOfWork, people: Sequence[_Person]) -> _Found:
    told_why = {person.key for person in people if person.may_know_cause}
    if not people:
        return _Found(numbers={}, holders={})
    question = people[0].question
    return _Found(
        numbers=reach(
            uow,
            (person.looked_up for person in people),
            question.rules.arrangements,
            at=question.access.at,
        ),
        holders=uow.citizens.holders(told_why) if told_why else {},
    )


def _contact(uow: UnitOfWork, person: _Person, found: _Found) -> Contact:
    access = person.question.access
    status, reached = found.number_of(person)
    token = subject_token(uow.sealer, access.caller.name, person.key)
    if reached is None:
        cause = found.cause_of(person) if person.may_know_cause else None
        return Contact(status=status, subject_token=token, cause=cause)
    number = reached.number
    form = None if status is ContactStatus.STALE else person.grant.best_of(FORMS)
    return Contact(
        status=status,
        subject_token=token,
        msisdn=number.msisdn.value if form is Right.NUMBER else None,
        masked_msisdn=masked(number.msisdn) if form is Right.MASKED_NUMBER else None,
        relay=new_relay(access, person.key) if form is Right.RELAY_TOKEN else None,
        set_at=number.set_at,
        confirmed_at=number.confirmed_at,
        verified_at=number.verified_at,
    )


def _given(contact: Contact) -> list[Right]:
    """What of a person was given away, besides that there is no number."""
    given = {
        Right.NUMBER: contact.msisdn,
        Right.MASKED_NUMBER: contact.masked_msisdn,
        Right.RELAY_TOKEN: contact.relay,
        Right.ABSENCE_CAUSE: contact.cause,
    }
    return [right for right, value in given.items() if value is not None]
