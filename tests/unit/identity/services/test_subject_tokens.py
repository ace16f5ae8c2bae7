"""An agency's token of a person is its own, and stays the same."""

import re

from identity.domain.personal_id import PersonalID
from identity.security.keys import generate_key_ring
from identity.security.vault import Vault
from identity.services.subject_tokens import subject_token
from identity.storage.citizens import citizen_key

VAULT = Vault(generate_key_ring())
KEY = citizen_key(VAULT, PersonalID("001187012345"))
OTHER_KEY = citizen_key(VAULT, PersonalID("001187012346"))


def test_a_person_has_one_token_for_one_agency() -> None:
    token = subject_token(VAULT, "tax", KEY)
    assert token == subject_token(VAULT, "tax", KEY)
    assert re.fullmatch(r"[0-9a-f]{32}", token)


def test_two_people_and_two_agencies_have_different_tokens() -> None:
    tokens = {
        subject_token(VAULT, agency, key)
        for agency in ("tax", "health")
        for key in (KEY, OTHER_KEY)
    }
    assert len(tokens) == 4


def test_a_token_does_not_hold_the_key_that_it_is_made_of() -> None:
    assert KEY.hex() not in subject_token(VAULT, "tax", KEY)


def test_another_ring_makes_another_token() -> None:
    assert subject_token(Vault(generate_key_ring()), "tax", KEY) != subject_token(VAULT, "tax", KEY)
