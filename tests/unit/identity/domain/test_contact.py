"""What a number is good for, and how much of it is told."""

from datetime import timedelta

import pytest

from identity.domain.agency import Purpose, Right
from identity.domain.contact import (
    FORMS,
    AbsenceCause,
    ContactStatus,
    masked,
    status_of,
    why_barred,
)
from identity.domain.msisdn import MSISDN
from identity.domain.primary_choice import PrimaryPolicy
from tests.unit.identity.agency_makers import make_grant
from tests.unit.identity.makers import NOW

POLICY = PrimaryPolicy()


@pytest.mark.parametrize("purpose", list(Purpose))
@pytest.mark.parametrize("is_fallback", [False, True])
def test_a_number_that_is_confirmed_is_good_for_all(purpose: Purpose, *, is_fallback: bool) -> None:
    status = status_of(
        is_fallback=is_fallback,
        confirmed_at=NOW - POLICY.confirm_within + timedelta(seconds=1),
        purpose=purpose,
        policy=POLICY,
        at=NOW,
    )
    assert status is (ContactStatus.DEGRADED if is_fallback else ContactStatus.AVAILABLE)


@pytest.mark.parametrize("is_fallback", [False, True])
def test_a_number_that_was_not_confirmed_for_long_is_good_for_all_but_legal_notice(
    *, is_fallback: bool
) -> None:
    stale = {
        purpose
        for purpose in Purpose
        if status_of(
            is_fallback=is_fallback,
            confirmed_at=NOW - POLICY.confirm_within,
            purpose=purpose,
            policy=POLICY,
            at=NOW,
        )
        is ContactStatus.STALE
    }
    assert stale == {Purpose.LEGAL_NOTICE}


def test_a_restriction_holds_for_all_but_safety_and_comes_before_an_objection() -> None:
    for purpose in Purpose:
        cause = why_barred(purpose, has_objected=True, is_restricted=True)
        is_safety = purpose is Purpose.PUBLIC_SAFETY
        assert cause is (AbsenceCause.OBJECTED if is_safety else AbsenceCause.RESTRICTED)
        assert why_barred(purpose, has_objected=False, is_restricted=False) is None


def test_of_the_forms_granted_the_one_that_says_the_most_is_given() -> None:
    for place, form in enumerate(FORMS):
        assert make_grant(*FORMS[place:], Right.NOTIFY).best_of(FORMS) is form


def test_a_masked_number_shows_its_last_three_digits() -> None:
    assert masked(MSISDN("+84912345678")) == "+84 ••• ••• 678"
