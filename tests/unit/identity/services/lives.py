"""A person who had a number, was verified, chose, complained, and gave it all up.

Owns the steps, so that what is exported and erased is a whole life. Judges nothing.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import text

from identity.domain.agency import Purpose, Right
from identity.domain.caller import Role
from identity.domain.holder import PopulationRecord
from identity.domain.person_name import PersonName
from identity.domain.subscription import ServiceState, Subscription, SubscriptionEnd
from identity.services.citizen_locks import set_lock
from identity.services.data_requests import keep_for, object_to
from identity.services.file_complaint import file_complaint
from identity.services.get_contacts import get_contacts
from identity.services.primary_number import set_primary_number
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.face_references import FaceReference
from tests.unit.identity.agency_makers import make_grant, make_question, store_agency
from tests.unit.identity.makers import (
    NOW,
    find,
    judge,
    make_call,
    make_evidence,
    make_session,
    store_citizen,
    store_number,
)

REFERENCE = FaceReference(
    template=b"the face of somebody as numbers",
    model_digest="c0ffee",
    portrait=b"the face of somebody as a picture",
    card_issued_on=date(2019, 12, 24),
)
APP = make_call("vneid", role=Role.CITIZEN_APP)
GONE_AT = NOW + timedelta(days=30)
FREE_AT = GONE_AT + keep_for(APP)
"""From when on nothing of a number that was given up at `GONE_AT` must be kept."""

_ALL_TOLD = text(
    "UPDATE subscriber_update SET acknowledged_sequence = sequence WHERE citizen_key = :key"
)


@dataclass(frozen=True)
class Life:
    """A person and their number."""

    uow: UnitOfWork
    person: PopulationRecord
    item: Subscription

    @property
    def key(self) -> bytes:
        """The person's key."""
        return citizen_key(self.uow.sealer, self.person.personal_id)

    def give_up(self, *, at: datetime = GONE_AT) -> None:
        """Give the number up; its operator has done it, and the authority has been told."""
        ended = replace(
            find(self.uow, self.item),
            service_state=ServiceState.TERMINATED,
            applied_state=ServiceState.TERMINATED,
            ended_at=at,
            ended_by=SubscriptionEnd.RELEASED,
            updated_at=at,
        )
        self.uow.subscriptions.save(ended)
        self.uow.connection.execute(_ALL_TOLD, {"key": self.key})


def live(uow: UnitOfWork) -> Life:
    """Live, with a number that is in service."""
    person = store_citizen(uow, full_name=PersonName("Đặng Huỳnh Quỳnh Xuyến"))
    item = store_number(uow, person)
    session = make_session(uow, item, nonce_digest=item.subscription_id.bytes)
    evidence = make_evidence(person)
    uow.verifications.complete(session, evidence, judge(evidence))
    uow.face_references.save(person.personal_id, REFERENCE, at=NOW)
    set_primary_number(uow, APP, person.personal_id, item.msisdn)
    set_lock(uow, APP, person.personal_id, is_locked=True, open_for=timedelta())
    file_complaint(uow, APP, item.msisdn, person.personal_id)
    object_to(uow, APP, person.personal_id, [Purpose.SERVICE_DELIVERY])
    agency = store_agency(uow, make_grant(Right.NUMBER, purpose=Purpose.LEGAL_NOTICE))
    question = make_question(agency, person.personal_id, purpose=Purpose.LEGAL_NOTICE)
    (answers,) = get_contacts(uow, [question])
    assert isinstance(answers, list)
    return Life(uow, person, item)
