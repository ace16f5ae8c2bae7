"""Whatever agencies ask, and however it is grouped: the quotas of a plain ledger hold."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from identity.domain.agency import Access, Agency, Grant, Purpose, Right
from identity.domain.errors import QuotaExceededError
from identity.security.vault import Vault
from identity.services.agency_access import admit_all
from identity.storage.database import UnitOfWork
from tests.unit.identity.agency_makers import make_access, make_grant, store_agency
from tests.unit.identity.makers import NOW

PURPOSES = (Purpose.SERVICE_DELIVERY, Purpose.LEGAL_NOTICE, Purpose.PUBLIC_SAFETY)
GRANTED = PURPOSES[:2]
MIDNIGHT = NOW.replace(hour=17, minute=0)

Question = tuple[int, int, int, int]
"""Which agency, which purpose, how many people, how many hours from midnight in Viet Nam."""

QUESTIONS = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 1), st.integers(0, 2), st.integers(1, 6), st.sampled_from([-1, 0, 23])
        ),
        max_size=6,
    ),
    max_size=6,
)


@dataclass
class Ledger:
    """What has been let in; a day is told by its distance from midnight."""

    most: int
    used: Counter[tuple[str, Purpose, bool]] = field(default_factory=Counter)

    def has_room_for(self, access: Access) -> bool:
        """Let one in if there is room."""
        key = access.caller.name, access.purpose, access.at >= MIDNIGHT
        if access.purpose not in GRANTED or self.used[key] + access.people_count > self.most:
            return False
        self.used[key] += access.people_count
        return True


@given(groups=QUESTIONS, most=st.integers(0, 9))
@settings(max_examples=60)
def test_who_is_let_in_is_who_a_ledger_has_room_for(
    engine: Engine, vault: Vault, groups: list[list[Question]], most: int
) -> None:
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        grants = [make_grant(purpose=each, people_per_day_max=most) for each in GRANTED]
        agencies = [store_agency(uow, *grants) for _ in range(2)]
        ledger = Ledger(most=most)
        for group in groups:
            accesses = [_access(agencies, question) for question in group]
            admitted = admit_all(uow, accesses, Right.NUMBER)
            # The ledger takes them by agency, purpose and day, each in its order: the order
            # among those does not matter.
            expected = [ledger.has_room_for(access) for access in accesses]
            assert [isinstance(each, Grant) for each in admitted] == expected
        for (name, purpose, is_next_day), count in ledger.used.items():
            day = NOW.date() + timedelta(days=is_next_day)
            assert uow.agencies.used((name, purpose, day)) == count
        connection.rollback()


@given(minutes=st.integers(-3 * 1440, 3 * 1440))
@settings(max_examples=30)
def test_a_refusal_says_when_the_next_day_begins(
    engine: Engine, vault: Vault, minutes: int
) -> None:
    at: datetime = NOW + timedelta(minutes=minutes)
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        agency = store_agency(uow, make_grant(people_per_day_max=1))
        (refusal,) = admit_all(uow, [make_access(agency, at=at, people_count=2)], Right.NUMBER)
        assert isinstance(refusal, QuotaExceededError)
        assert refusal.retry_after_s is not None
        again = at + timedelta(seconds=refusal.retry_after_s)
        assert 0 < refusal.retry_after_s <= 24 * 3600
        assert (again - MIDNIGHT) % timedelta(days=1) == timedelta()
        connection.rollback()


def _access(agencies: list[Agency], question: Question) -> Access:
    who, purpose, people_count, hours = question
    return make_access(
        agencies[who],
        purpose=PURPOSES[purpose],
        people_count=people_count,
        at=MIDNIGHT + timedelta(hours=hours),
    )
