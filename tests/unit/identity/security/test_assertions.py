"""Who a citizen app acts for: which assertions are believed, and which prove nobody."""

import base64
import hmac
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey

from identity.domain.caller import Caller, Role
from identity.domain.errors import AssertionInvalidError, AssertionMissingError
from identity.domain.personal_id import PersonalID
from identity.security.assertions import (
    ALGORITHMS,
    LEEWAY,
    LENGTH_MAX,
    LIFETIME_MAX,
    IssuerKeys,
    bearer_token,
    thumbprint,
    verify_assertion,
)
from identity.security.certificates import create_authority

NOW = datetime(2026, 5, 1, 9, 30, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
PERSON = "001090123456"
ISSUER = "https://login.example.vn"


def make_certificate() -> bytes:
    issued = create_authority(at=NOW).issue_caller(Caller(Role.CITIZEN_APP, "vneid"), at=NOW)
    return x509.load_pem_x509_certificate(issued.certificate).public_bytes(Encoding.DER)


CERTIFICATE, ANOTHERS = make_certificate(), make_certificate()
ED25519 = OKPKey.generate_key("Ed25519", {"kid": "ed"})
P256 = ECKey.generate_key("P-256", {"kid": "ec"})
STRANGER = OKPKey.generate_key("Ed25519", {"kid": "ed"})
ISSUERS: IssuerKeys = {
    ISSUER: {"ed": ED25519, "ec": P256},
    "https://other.example.vn": {"x": STRANGER},
}


def claims(**others: Any) -> dict[str, Any]:  # noqa: ANN401 - any claim
    return {
        "iss": ISSUER,
        "aud": "subid",
        "sub": PERSON,
        "iat": SECONDS,
        "exp": SECONDS + 300,
        "jti": "b8a2",
        "cnf": {"x5t#S256": thumbprint(CERTIFICATE)},
    } | others


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in claims().items() if key != name}


def signed(
    said: Any = None,  # noqa: ANN401 - any JSON
    *,
    key: OKPKey | ECKey = ED25519,
    algorithm: str = "Ed25519",
    **header: Any,  # noqa: ANN401 - any member
) -> str:
    members = {"alg": algorithm, "typ": "subid-citizen+jwt", "kid": key.kid or "ed"} | header
    members = {name: value for name, value in members.items() if value is not None}
    content = json.dumps(claims() if said is None else said).encode()
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jws.serialize_compact(members, content, key, registry=registry)


def proved(token: str, *, certificate: bytes = CERTIFICATE, at: datetime = NOW) -> str:
    return verify_assertion(token, ISSUERS, certificate=certificate, at=at).value


def encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(("key", "algorithm"), [(ED25519, "Ed25519"), (P256, "ES256")])
def test_a_signed_assertion_proves_its_subject(key: OKPKey | ECKey, algorithm: str) -> None:
    assert algorithm in ALGORITHMS
    assert proved(signed(key=key, algorithm=algorithm)) == PERSON
    assert proved(signed(claims(aud=["subid"], nbf=SECONDS, acr="high"))) == PERSON


@pytest.mark.parametrize(
    ("at", "is_believed"),
    [
        (NOW - LEEWAY, True),
        (NOW - LEEWAY - timedelta(seconds=1), False),
        (NOW + LIFETIME_MAX, True),
        (NOW + LIFETIME_MAX + LEEWAY - timedelta(seconds=1), True),
        (NOW + LIFETIME_MAX + LEEWAY, False),
    ],
)
def test_an_assertion_holds_for_its_time_and_half_a_minute(
    at: datetime, *, is_believed: bool
) -> None:
    if is_believed:
        assert proved(signed(), at=at) == PERSON
    else:
        with pytest.raises(AssertionInvalidError):
            proved(signed(), at=at)


def unsigned() -> str:
    header = {"alg": "none", "typ": "subid-citizen+jwt", "kid": "ed"}
    return f"{encoded(json.dumps(header))}.{encoded(json.dumps(claims()))}."


def with_public_key_as_secret() -> str:
    header = {"alg": "HS256", "typ": "subid-citizen+jwt", "kid": "ed"}
    text = f"{encoded(json.dumps(header))}.{encoded(json.dumps(claims()))}"
    signature = hmac.digest(ED25519.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def with_a_name_twice() -> str:
    header, content, _ = signed().split(".")
    said = base64.urlsafe_b64decode(content + "==").decode()
    doubled = said[:-1] + ', "sub": "001090654321"}'
    key: Any = ED25519.private_key
    text = f"{header}.{encoded(doubled)}"
    signature = base64.urlsafe_b64encode(key.sign(text.encode())).decode().rstrip("=")
    return f"{text}.{signature}"


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(unsigned, id="alg none"),
        pytest.param(lambda: unsigned() + "AAAA", id="alg none with a signature"),
        pytest.param(with_public_key_as_secret, id="the public key as a secret"),
        pytest.param(with_a_name_twice, id="two subjects"),
        pytest.param(lambda: signed(key=STRANGER), id="a stranger's key under the issuer's name"),
        pytest.param(lambda: signed(kid="none such"), id="no such key"),
        pytest.param(lambda: signed(kid=None), id="no key named"),
        pytest.param(lambda: signed(key=P256, algorithm="ES256", kid="ed"), id="another's kind"),
        pytest.param(lambda: signed(typ="JWT"), id="another type"),
        pytest.param(lambda: signed(typ=None), id="no type"),
        pytest.param(lambda: signed(crit=["kid"]), id="crit"),
        pytest.param(lambda: signed(jku="https://evil.example"), id="keys from elsewhere"),
        pytest.param(lambda: signed(jwk=STRANGER.as_dict(private=False)), id="its own key"),
        pytest.param(lambda: signed(["sub"]), id="no object"),
        pytest.param(lambda: signed(claims(iss="https://nobody.example")), id="unknown issuer"),
        pytest.param(lambda: signed(claims(iss="https://other.example.vn")), id="another issuer"),
        pytest.param(lambda: signed(claims(aud="elsewhere")), id="for somebody else"),
        pytest.param(lambda: signed(claims(aud=["subid", "elsewhere"])), id="for others, too"),
        pytest.param(lambda: signed(claims(sub="00109012345")), id="eleven digits"),
        pytest.param(lambda: signed(claims(sub=1090123456)), id="a number for a subject"),
        pytest.param(lambda: signed(claims(exp=SECONDS + 301)), id="more than five minutes"),
        pytest.param(lambda: signed(claims(exp=SECONDS)), id="no time at all"),
        pytest.param(lambda: signed(claims(exp=SECONDS + 1.5)), id="half a second"),
        pytest.param(lambda: signed(claims(exp=True)), id="true for an instant"),
        pytest.param(lambda: signed(claims(iat=-1, exp=2**70)), id="for ever"),
        pytest.param(lambda: signed(claims(nbf=SECONDS + 31)), id="not yet"),
        pytest.param(lambda: signed(claims(cnf={})), id="bound to nothing"),
        pytest.param(lambda: signed(claims(cnf="x")), id="bound to a word"),
        pytest.param(lambda: signed(claims(cnf={"jkt": "x"})), id="bound to a key"),
        pytest.param(lambda: signed(claims(jti="")), id="an empty name"),
        *(
            pytest.param(lambda name=name: signed(without(name)), id=f"no {name}")
            for name in claims()
        ),
        pytest.param(lambda: signed() + "=", id="padding"),
        pytest.param(lambda: signed() + ".x", id="four parts"),
        pytest.param(lambda: " " + signed(), id="a space"),
        pytest.param(lambda: signed(claims(more="x" * LENGTH_MAX)), id="too long"),
        pytest.param(lambda: encoded("[" * 2000) + ".e30.e30", id="deep"),
    ],
)
def test_anything_else_proves_nobody(make: Callable[[], str]) -> None:
    with pytest.raises(AssertionInvalidError) as caught:
        proved(make())
    assert PERSON not in str(caught.value)


def test_a_stolen_assertion_is_of_no_use_with_another_certificate() -> None:
    with pytest.raises(AssertionInvalidError, match="bound to another certificate"):
        proved(signed(), certificate=ANOTHERS)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ([], AssertionMissingError),
        (["Bearer a.b.c", "Bearer a.b.c"], AssertionInvalidError),
        (["Basic a.b.c"], AssertionInvalidError),
        (["Bearer"], AssertionInvalidError),
        (["Bearer a.b.c d"], AssertionInvalidError),
        (["Bearer " + "x" * LENGTH_MAX], AssertionInvalidError),
    ],
)
def test_a_call_shows_one_bearers_assertion(values: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        bearer_token(values)
    assert bearer_token(["bearer a.b.c"]) == "a.b.c"


@given(st.text(max_size=300))
def test_any_text_proves_nobody(text: str) -> None:
    with pytest.raises(AssertionInvalidError):
        proved(text)


TOKEN = signed()


@given(st.integers(0, len(TOKEN) - 1), st.sampled_from("ABCXYZabcxyz0189-_."))
def test_a_changed_letter_proves_nobody_else(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    try:
        found = verify_assertion(changed, ISSUERS, certificate=CERTIFICATE, at=NOW)
    except AssertionInvalidError:
        return
    # The last letter of a part may carry bits that say nothing.
    assert found == PersonalID(PERSON)


@given(
    st.dictionaries(
        st.sampled_from([*claims(), "nbf"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_whatever_an_issuer_signs_is_believed_whole_or_refused(said: dict[str, Any]) -> None:
    with suppress(AssertionInvalidError):
        assert proved(signed(claims(**said))) == said.get("sub", PERSON)
