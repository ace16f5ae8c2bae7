"""Who may write, to whom it goes, and that nobody learns from the answer whom it does not reach."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, select

from identity.audit.log import read_about_citizen
from identity.domain.agency import Purpose, Right
from identity.domain.errors import (
    PurposeNotAllowedError,
    QuotaExceededError,
    RequestInvalidError,
    TemplateNotFoundError,
)
from identity.domain.message import MessageFailure, Urgency
from identity.domain.notification import Language
from identity.domain.personal_id import PersonalID
from identity.services.relay_tokens import RELAY_LASTS, new_relay, store_relays
from identity.services.send_notification import send_notification
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.message_tables import message
from identity.storage.restrictions import Restriction
from tests.unit.identity.agency_makers import make_access, make_grant, store_agency
from tests.unit.identity.makers import (
    NOW,
    make_personal_id,
    rules,
    store_citizen,
    store_number,
    store_primary,
)
from tests.unit.identity.notification_makers import Sender, make_letter, store_sender

OBJECTS = Restriction(objected_purposes=frozenset({Purpose.SERVICE_DELIVERY}))
RESTRICTS = Restriction(is_restricted=True)
STALE = NOW + rules().primary.confirm_within


def wish(uow: UnitOfWork, personal_id: PersonalID, wanted: Restriction) -> None:
    key = citizen_key(uow.sealer, personal_id)
    uow.restrictions.hold(key, at=NOW)
    uow.restrictions.save(key, wanted, at=NOW)


def reached(uow: UnitOfWork) -> PersonalID:
    return store_primary(uow)[0].personal_id


def without_number(uow: UnitOfWork) -> PersonalID:
    record = store_citizen(uow)
    store_number(uow, record)
    return record.personal_id


def unknown(_uow: UnitOfWork) -> PersonalID:
    return make_personal_id()


def objecting(uow: UnitOfWork) -> PersonalID:
    personal_id = reached(uow)
    wish(uow, personal_id, OBJECTS)
    return personal_id


def with_fallback(uow: UnitOfWork) -> PersonalID:
    record = store_citizen(uow)
    item = store_number(uow, record)
    key = citizen_key(uow.sealer, record.personal_id)
    uow.choices.hold(key)
    uow.fallbacks.rank(key, [item], at=NOW)
    return record.personal_id


EVERYBODY = (reached, without_number, unknown, objecting, with_fallback)


def failure_of(sender: Sender, personal_id: PersonalID, *, at: datetime = NOW) -> str | None:
    sent = sender.send(personal_id, at=at)
    query = select(message.c.failure).where(message.c.message_id == sent)
    failure: str | None = sender.uow.connection.execute(query).scalar_one()
    return failure


def test_whoever_it_is_for_the_same_is_asked_of_the_database_and_recorded(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    people = [make(uow) for make in EVERYBODY]
    sender.send(people[0])  # what is cached at the first is cached for all
    heard: list[list[str]] = []

    def hear(_c: object, _u: object, statement: str, *_rest: object) -> None:
        heard[-1].append(statement)

    event.listen(uow.connection, "before_cursor_execute", hear)
    for person in people:
        heard.append([])
        sender.send(person)
    event.remove(uow.connection, "before_cursor_execute", hear)
    plain = [[each for each in said if "pg_notify" not in each] for said in heard]
    assert [said for said in plain if said != plain[0]] == []
    trails = [
        [
            (each.caller, each.action, each.outcome, each.purpose, each.legal_basis)
            for each in read_about_citizen(uow.connection, citizen_key(uow.sealer, person))
            if each.action == "send_notification"
        ][-1]
        for person in people
    ]
    assert set(trails) == {trails[0]}


URGENCIES = (Urgency.SERVICE, Urgency.LEGAL, Urgency.SAFETY)


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (reached, [None, None, None]),
        (without_number, [MessageFailure.UNREACHABLE] * 3),
        (unknown, [MessageFailure.UNREACHABLE] * 3),
        (objecting, [MessageFailure.OBJECTED, None, None]),
        (with_fallback, [None, MessageFailure.NOT_CONFIRMED, None]),
    ],
)
def test_who_gets_which_message(
    uow: UnitOfWork,
    who: Callable[[UnitOfWork], PersonalID],
    expected: list[MessageFailure | None],
) -> None:
    person = who(uow)
    assert [failure_of(store_sender(uow, each), person) for each in URGENCIES] == expected


def test_whoever_has_restricted_their_data_gets_warnings_only(uow: UnitOfWork) -> None:
    person = reached(uow)
    wish(uow, person, RESTRICTS)
    for urgency in (Urgency.SERVICE, Urgency.LEGAL):
        assert failure_of(store_sender(uow, urgency), person) == MessageFailure.OBJECTED
    assert failure_of(store_sender(uow, Urgency.SAFETY), person) is None


@pytest.mark.parametrize(
    ("at", "expected"), [(STALE - timedelta(seconds=1), None), (STALE, "not_confirmed")]
)
def test_a_legal_notice_goes_only_where_the_number_was_confirmed_in_time(
    uow: UnitOfWork, at: datetime, expected: str | None
) -> None:
    person = reached(uow)
    assert failure_of(store_sender(uow, Urgency.LEGAL), person, at=at) == expected
    assert failure_of(store_sender(uow, Urgency.SAFETY), person, at=at) is None


def test_a_template_is_of_use_for_its_own_purpose_only(uow: UnitOfWork) -> None:
    sender = store_sender(uow, Urgency.SAFETY)
    service = make_grant(Right.NOTIFY)
    uow.agencies.save(replace(sender.agency, grants=(service,)), by="regulator:r", at=NOW)
    access = make_access(sender.agency, purpose=Purpose.SERVICE_DELIVERY)
    letter = make_letter(reached(uow), sender.template.name)
    with pytest.raises(PurposeNotAllowedError):
        send_notification(uow, sender.call(), access, letter)


def test_an_agency_needs_the_right_to_write_and_its_quota(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    person = reached(uow)
    few = make_grant(Right.NOTIFY, people_per_day_max=1)
    uow.agencies.save(replace(sender.agency, grants=(few,)), by="regulator:r", at=NOW)
    sender.send(person)
    with pytest.raises(QuotaExceededError):
        sender.send(person)
    none = make_grant(Right.NUMBER)
    uow.agencies.save(replace(sender.agency, grants=(none,)), by="regulator:r", at=NOW)
    with pytest.raises(PurposeNotAllowedError):
        sender.send(person)


def test_another_agencys_template_is_none_of_its_own(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    other = store_agency(uow, make_grant(Right.NOTIFY))
    stranger = Sender(uow, other, sender.template)
    with pytest.raises(TemplateNotFoundError):
        stranger.send(reached(uow))


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"values": []}, "values", "PLACES_DIFFER"),
        ({"values": [("item", "x"), ("day", "y")]}, "values", "PLACES_DIFFER"),
        ({"values": [("item", "x"), ("item", "y")]}, "values", "PLACES_DIFFER"),
        ({"values": [("item", "x" * 200), ("item2", "")]}, "values", "PLACES_DIFFER"),
        ({"values": [("item", "Ữ" * 260)]}, "values", "TEXT_TOO_LONG"),
        ({"expires_at": NOW}, "expire_time", "EXPIRY_IMPOSSIBLE"),
        ({"expires_at": NOW + timedelta(days=31)}, "expire_time", "EXPIRY_IMPOSSIBLE"),
    ],
)
def test_a_letter_that_cannot_be_sent_is_refused_whoever_it_is_for(
    uow: UnitOfWork, given: dict[str, Any], field: str, reason: str
) -> None:
    sender = store_sender(uow)
    for who in (reached, unknown):
        with pytest.raises(RequestInvalidError) as refused:
            sender.send(who(uow), **given)
        (violation,) = refused.value.violations
        assert (violation.field, violation.reason) == (field, reason)


def test_an_embargo_on_a_message_is_refused(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    access = make_access(sender.agency, case_id="12/2026", shown_from=NOW + timedelta(days=1))
    letter = make_letter(reached(uow), sender.template.name)
    with pytest.raises(RequestInvalidError) as refused:
        send_notification(uow, sender.call(), access, letter)
    assert refused.value.violations[0].reason == "EMBARGO_IMPOSSIBLE"


def test_what_is_filled_in_is_text_and_nothing_else(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    values = [("item", "{item} {0.__class__} %s \\u0041")]
    for language, words in (
        (Language.VI, "Mời bạn đến nhận {item} {0.__class__} %s \\u0041."),
        (Language.EN, "Please come for your {item} {0.__class__} %s \\u0041."),
    ):
        assert sender.template.fill(values, language) == {language.value: words}


def relay(uow: UnitOfWork, sender: Sender, person: PersonalID) -> bytes:
    """A token for somebody, as a look-up gives one."""
    made = new_relay(make_access(sender.agency), citizen_key(uow.sealer, person))
    store_relays(uow, [made])
    return made.token


def test_a_relay_token_reaches_its_person_and_takes_no_other_right(uow: UnitOfWork) -> None:
    sender = store_sender(uow)
    person = reached(uow)
    token = relay(uow, sender, person)
    grant = make_grant(Right.RELAY_TOKEN)
    uow.agencies.save(replace(sender.agency, grants=(grant,)), by="regulator:r", at=NOW)
    sent = sender.send(token)
    query = select(message.c.citizen_key).where(message.c.message_id == sent)
    assert uow.connection.execute(query).scalar_one() == citizen_key(uow.sealer, person)
    with pytest.raises(PurposeNotAllowedError):
        sender.send(person)


def test_a_token_of_another_agency_or_one_that_has_ended_is_refused(uow: UnitOfWork) -> None:
    sender, other = store_sender(uow), store_sender(uow)
    token = relay(uow, sender, reached(uow))
    for agency, at in ((other, NOW), (sender, NOW + RELAY_LASTS)):
        with pytest.raises(RequestInvalidError) as refused:
            agency.send(token, at=at)
        (violation,) = refused.value.violations
        assert (violation.field, violation.reason) == ("relay_token", "RELAY_TOKEN_UNKNOWN")
