"""What a presence token says, when it counts, and what a card proves by itself."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from identity.domain.agency import Access, Purpose, Right
from identity.domain.caller import Caller, Role
from identity.domain.presence import (
    CLOCK_SKEW_MAX,
    ISSUER,
    PRESENCE_STATES,
    TOKEN_LIFETIME_MAX,
    ChipLevel,
    PresenceGrounds,
    PresenceState,
    PresenceToken,
    TokenFault,
    TokenRefusedError,
    claims_of,
    methods_of,
    read_claims,
)
from identity.domain.verification import VerdictState

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
TOKEN = PresenceToken(
    verification_id="0b9f2f56-7d0e-4f4e-8b1c-64a7b0c0f5a1",
    audience="tax",
    subject="5e" * 16,
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=5),
    methods=methods_of(with_face=True),
    level=ChipLevel.ACTIVE,
    purpose=Purpose.IDENTITY_CHECK,
    case_id="file/7",
    policy_version="vn-2026-04-15",
)


def fault(claims: object, *, audience: str = "tax", at: datetime = NOW) -> TokenFault:
    with pytest.raises(TokenRefusedError) as caught:
        read_claims(claims, audience=audience, at=at)
    assert str(caught.value).startswith(f"{caught.value.fault}: ")
    return caught.value.fault


def test_claims_have_their_registered_names() -> None:
    assert claims_of(TOKEN) == {
        "iss": "urn:subid:service",
        "aud": "tax",
        "sub": "5e" * 16,
        "iat": 1_777_627_800,
        "nbf": 1_777_627_800,
        "exp": 1_777_628_100,
        "jti": "0b9f2f56-7d0e-4f4e-8b1c-64a7b0c0f5a1",
        "amr": ["chip", "face"],
        "acr": "urn:subid:acr:chip-active",
        "purpose": "identity_check",
        "case_id": "file/7",
        "policy_version": "vn-2026-04-15",
    }


@pytest.mark.parametrize(
    "token",
    [
        TOKEN,
        replace(TOKEN, methods=("chip",), level=ChipLevel.PASSIVE, case_id=""),
        replace(TOKEN, expires_at=NOW + TOKEN_LIFETIME_MAX),
    ],
)
def test_claims_are_read_as_they_were_made(token: PresenceToken) -> None:
    assert read_claims(claims_of(token), audience="tax", at=NOW) == token


def test_a_token_counts_from_its_instant_to_its_end_and_a_minute_about_them() -> None:
    claims = claims_of(TOKEN)
    second = timedelta(seconds=1)
    first, last = NOW - CLOCK_SKEW_MAX, TOKEN.expires_at + CLOCK_SKEW_MAX - second
    assert timedelta(seconds=60) == CLOCK_SKEW_MAX
    for at in (first, NOW, TOKEN.expires_at, last):
        assert read_claims(claims, audience="tax", at=at) == TOKEN
    assert fault(claims, at=first - second) is TokenFault.NOT_YET_VALID
    assert fault(claims, at=last + second) is TokenFault.EXPIRED


def test_a_token_that_begins_later_does_not_count_yet() -> None:
    later = int((NOW + timedelta(minutes=3)).timestamp())
    assert fault({**claims_of(TOKEN), "nbf": later}) is TokenFault.NOT_YET_VALID


def test_a_token_is_for_one_agency() -> None:
    claims = claims_of(TOKEN)
    assert fault(claims, audience="police") is TokenFault.AUDIENCE_MISMATCH
    for audience in (["tax"], ["tax", "police"], "Tax", "", None):
        assert fault({**claims, "aud": audience}) is TokenFault.AUDIENCE_MISMATCH


@pytest.mark.parametrize("issuer", ["", "subid", None, [ISSUER]])
def test_a_token_is_by_the_service(issuer: object) -> None:
    assert fault({**claims_of(TOKEN), "iss": issuer}) is TokenFault.ISSUER_UNKNOWN


@pytest.mark.parametrize("claims", [None, [], "x", 5, {}])
def test_what_is_no_set_of_claims_is_nobodys(claims: object) -> None:
    assert fault(claims) is TokenFault.ISSUER_UNKNOWN


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sub", ("", None, 5)),
        ("jti", ("", None, 5)),
        ("iat", (None, "1", 1.5, True, 10**30, -(10**30))),
        ("nbf", (None, "1", 1.5, True, 10**30)),
        ("exp", (None, "1", 1.5, True, 10**30)),
        ("amr", (None, [], ["face"], ["chip", "face", "pin"], ["chip", "chip"], "chip", 5)),
        ("acr", (None, "", "active", ["x"])),
        ("purpose", (None, "", "fishing")),
        ("case_id", (None, 5)),
        ("policy_version", ("", None)),
    ],
)
def test_a_claim_that_is_missing_or_means_nothing_is_refused(
    name: str, values: tuple[object, ...]
) -> None:
    claims = claims_of(TOKEN)
    without = {key: value for key, value in claims.items() if key != name}
    assert fault(without) is TokenFault.CLAIMS_MALFORMED
    for value in values:
        assert fault({**claims, name: value}) is TokenFault.CLAIMS_MALFORMED


def test_no_token_counts_for_longer_than_any_pack_allows() -> None:
    second = timedelta(seconds=1)
    late = replace(TOKEN, expires_at=NOW + TOKEN_LIFETIME_MAX + second)
    assert fault(claims_of(late)) is TokenFault.CLAIMS_MALFORMED


def test_only_a_verified_person_is_present() -> None:
    assert {state: PRESENCE_STATES[state] for state in VerdictState} == {
        VerdictState.VERIFIED: PresenceState.PRESENT,
        VerdictState.NOT_VERIFIED: PresenceState.NOT_PRESENT,
        VerdictState.FAILURE_TO_ACQUIRE: PresenceState.INCONCLUSIVE,
        VerdictState.REVIEW: PresenceState.INCONCLUSIVE,
    }


@pytest.mark.parametrize("with_face", [False, True])
def test_grounds_are_those_of_the_access(with_face: bool) -> None:  # noqa: FBT001 - a case
    caller = Caller(Role.AGENCY, "tax")
    access = Access(
        caller=caller,
        at=NOW,
        purpose=Purpose.PUBLIC_SAFETY,
        legal_basis="Law 1",
        case_id="7",
        shown_from=NOW + timedelta(days=3),
        people_count=1,
    )
    grounds = PresenceGrounds.of(access, with_face=with_face)
    assert grounds.access(caller, at=NOW, people_count=1) == access
    assert grounds.right is (Right.FACE_PRESENCE if with_face else Right.CHIP_PRESENCE)
