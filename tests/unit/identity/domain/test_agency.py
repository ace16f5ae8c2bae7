"""What a grant covers."""

from datetime import timedelta

import pytest

from identity.domain.agency import EMBARGO_MAX, Access, Grant, Purpose, Right
from identity.domain.errors import PurposeNotAllowedError
from tests.unit.identity.agency_makers import make_access, make_agency, make_grant
from tests.unit.identity.makers import NOW

AGENCY = make_agency()


def test_a_grant_covers_what_it_names() -> None:
    grant = make_grant(Right.NUMBER)
    access = make_access(AGENCY)
    assert access.refuse_outside(grant, Right.NUMBER, Right.RELAY_TOKEN) is grant


@pytest.mark.parametrize(
    ("grant", "access", "words"),
    [
        pytest.param(None, make_access(AGENCY), "no grant", id="none"),
        pytest.param(
            make_grant(), make_access(AGENCY, legal_basis="Law 1"), "no grant", id="another basis"
        ),
        pytest.param(
            make_grant(Right.NOTIFY), make_access(AGENCY), "does not cover", id="another right"
        ),
        pytest.param(
            make_grant(),
            make_access(AGENCY, shown_from=NOW, case_id="c-1"),
            "no embargo",
            id="an embargo without the right to one",
        ),
        pytest.param(
            make_grant(Right.NUMBER, Right.EMBARGO),
            make_access(AGENCY, shown_from=NOW),
            "name the case",
            id="an embargo without a case",
        ),
        pytest.param(
            make_grant(Right.NUMBER, Right.EMBARGO),
            make_access(AGENCY, shown_from=NOW + EMBARGO_MAX + timedelta(seconds=1), case_id="c-1"),
            "at most 366 days",
            id="an embargo without end",
        ),
    ],
)
def test_what_no_grant_covers_is_refused(grant: Grant | None, access: Access, words: str) -> None:
    with pytest.raises(PurposeNotAllowedError, match=words):
        access.refuse_outside(grant, Right.NUMBER)


def test_the_longest_embargo_is_one_of_a_leap_year() -> None:
    grant = make_grant(Right.NUMBER, Right.EMBARGO)
    access = make_access(AGENCY, shown_from=NOW + EMBARGO_MAX, case_id="c-1")
    assert access.refuse_outside(grant, Right.NUMBER) is grant


def test_no_two_purposes_or_rights_are_stored_alike() -> None:
    assert len({each.value for each in Purpose}) == len(Purpose)
    assert len({each.value for each in Right}) == len(Right)
