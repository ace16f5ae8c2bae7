"""Whatever a token says, it counts for one agency, in its time, and as it was made."""

from datetime import UTC, datetime, timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from identity.domain.agency import Purpose
from identity.domain.presence import (
    CLOCK_SKEW_MAX,
    ChipLevel,
    PresenceToken,
    TokenFault,
    TokenRefusedError,
    claims_of,
    methods_of,
    read_claims,
)

NAMES = st.from_regex(r"[a-z0-9][a-z0-9-]{0,30}", fullmatch=True)
INSTANTS = st.integers(10**9, 4 * 10**9).map(lambda second: datetime.fromtimestamp(second, UTC))
WHOLE = st.integers(30, 900).map(lambda seconds: timedelta(seconds=seconds))


@st.composite
def tokens(draw: st.DrawFn) -> PresenceToken:
    issued_at = draw(INSTANTS)
    return PresenceToken(
        verification_id=str(draw(st.uuids(version=4))),
        audience=draw(NAMES),
        subject=draw(st.text(min_size=1, max_size=40)),
        issued_at=issued_at,
        expires_at=issued_at + draw(WHOLE),
        methods=methods_of(with_face=draw(st.booleans())),
        level=draw(st.sampled_from(ChipLevel)),
        purpose=draw(st.sampled_from(Purpose)),
        case_id=draw(st.text(max_size=64)),
        policy_version=draw(NAMES),
    )


def fault(claims: object, *, audience: str, at: datetime) -> TokenFault | None:
    try:
        read_claims(claims, audience=audience, at=at)
    except TokenRefusedError as error:
        return error.fault
    return None


@given(tokens())
def test_claims_are_read_as_they_were_made(token: PresenceToken) -> None:
    read = read_claims(claims_of(token), audience=token.audience, at=token.issued_at)
    assert read == token


@given(tokens(), st.integers(-5_000, 5_000))
def test_a_token_counts_in_its_time_and_in_no_other(token: PresenceToken, seconds: int) -> None:
    at = token.issued_at + timedelta(seconds=seconds)
    found = fault(claims_of(token), audience=token.audience, at=at)
    if at < token.issued_at - CLOCK_SKEW_MAX:
        assert found is TokenFault.NOT_YET_VALID
    elif at >= token.expires_at + CLOCK_SKEW_MAX:
        assert found is TokenFault.EXPIRED
    else:
        assert found is None


@given(tokens(), NAMES)
def test_a_token_counts_for_its_agency_alone(token: PresenceToken, other: str) -> None:
    assume(other != token.audience)
    found = fault(claims_of(token), audience=other, at=token.issued_at)
    assert found is TokenFault.AUDIENCE_MISMATCH


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(tokens(), st.data())
def test_a_claim_of_any_kind_is_read_or_refused_with_a_code(
    token: PresenceToken, data: st.DataObject
) -> None:
    claims = claims_of(token)
    name = data.draw(st.sampled_from(sorted(claims)))
    changed = {**claims, name: data.draw(ANYTHING)}
    if fault(changed, audience=token.audience, at=token.issued_at) is not None:
        return
    read = read_claims(changed, audience=token.audience, at=token.issued_at)
    said = {key: value for key, value in claims_of(read).items() if key != "nbf"}
    assert said == {key: value for key, value in changed.items() if key != "nbf"}
