"""What the service signs can be checked by anybody, and nothing else passes for it."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from identity.security.service_signing import (
    ALGORITHM,
    KeySetError,
    SignatureFault,
    SignatureRefusedError,
    SigningKey,
    SigningPurpose,
    format_key_set,
    generate_signing_key,
    key_id_of,
    open_signed,
    parse_key_set,
    sign,
)

KEY = SigningKey.of(bytes(range(32)))
OTHER = SigningKey.of(bytes(range(1, 33)))
KEYS = parse_key_set(format_key_set([KEY.public_key]))
PAYLOAD = b'{"sub":"somebody"}'
PURPOSE = SigningPurpose.PRESENCE


def encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def forged(header: Mapping[str, object] | bytes, *, key: SigningKey = KEY) -> str:
    """A header of anybody's choice, signed by a key."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    content = f"{encoded(text)}.{encoded(PAYLOAD)}"
    signature = Ed25519PrivateKey.from_private_bytes(key.private_key).sign(content.encode())
    return f"{content}.{encoded(signature)}"


def header(**given: object) -> dict[str, object]:
    return {"alg": ALGORITHM, "kid": KEY.key_id, "typ": PURPOSE.value} | given


def fault(token: str, keys: Mapping[str, bytes] = KEYS) -> SignatureFault:
    with pytest.raises(SignatureRefusedError) as caught:
        open_signed(token, keys, purpose=PURPOSE)
    assert str(caught.value).startswith(f"{caught.value.fault}: ")
    return caught.value.fault


def test_what_was_signed_is_read_by_the_public_keys_alone() -> None:
    token = sign(KEY, PAYLOAD, purpose=PURPOSE)
    assert open_signed(token, KEYS, purpose=PURPOSE) == PAYLOAD
    assert sign(KEY, PAYLOAD, purpose=PURPOSE) == token  # RFC 8032: no chance in it
    assert open_signed(forged(header()), KEYS, purpose=PURPOSE) == PAYLOAD


def test_a_key_is_named_by_its_thumbprint() -> None:
    # RFC 8037, appendix A.3.
    x = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    assert key_id_of(x) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_a_signature_is_the_one_of_the_standard() -> None:
    # The key pair of RFC 8037, appendices A.1 and A.2.
    d = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    x = base64.urlsafe_b64decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=")
    key = SigningKey.of(d)
    assert key.public_key == x
    first, second, third = sign(key, PAYLOAD, purpose=PURPOSE).split(".")
    public = Ed25519PrivateKey.from_private_bytes(d).public_key()
    public.verify(base64.urlsafe_b64decode(third + "=="), f"{first}.{second}".encode())


def test_fresh_keys_differ_and_show_no_secret() -> None:
    made = [generate_signing_key() for _ in range(3)]
    assert len({key.key_id for key in made}) == 3
    for key in made:
        assert SigningKey.of(key.private_key) == key
        assert repr(key.private_key) not in repr(key)


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "", "HS256", "EdDSA", "ES256", "Ed448", None]
)
def test_no_other_algorithm_counts(algorithm: str | None) -> None:
    assert fault(forged(header(alg=algorithm))) is SignatureFault.ALGORITHM_NOT_ALLOWED


def test_a_public_key_is_no_secret_to_sign_with() -> None:
    """Alg confusion: whoever has the public key signs by HMAC with it."""
    for name in ("HS256", ALGORITHM):
        content = f"{encoded(json.dumps(header(alg=name)).encode())}.{encoded(PAYLOAD)}"
        digest = hmac.digest(KEY.public_key, content.encode(), hashlib.sha256)
        for signature in (digest, digest + digest):
            found = fault(f"{content}.{encoded(signature)}")
            expected = (
                SignatureFault.SIGNATURE_INVALID
                if name == ALGORITHM
                else SignatureFault.ALGORITHM_NOT_ALLOWED
            )
            assert found is expected


def test_a_value_without_a_signature_is_none() -> None:
    first, second, _ = sign(KEY, PAYLOAD, purpose=PURPOSE).split(".")
    assert fault(f"{first}.{second}.") is SignatureFault.MALFORMED
    assert fault(f"{first}.{second}") is SignatureFault.MALFORMED
    unsigned = encoded(json.dumps(header(alg="none")).encode())
    assert (
        fault(f"{unsigned}.{second}.{encoded(bytes(64))}") is SignatureFault.ALGORITHM_NOT_ALLOWED
    )


def test_what_was_signed_for_one_purpose_proves_nothing_for_another() -> None:
    token = sign(KEY, PAYLOAD, purpose=SigningPurpose.EXPORT)
    assert fault(token) is SignatureFault.PURPOSE_MISMATCH
    assert fault(forged({"alg": ALGORITHM, "kid": KEY.key_id})) is SignatureFault.PURPOSE_MISMATCH
    assert fault(forged(header(typ="JWT"))) is SignatureFault.PURPOSE_MISMATCH


def test_a_key_that_is_not_known_or_not_the_one_named_proves_nothing() -> None:
    assert fault(sign(OTHER, PAYLOAD, purpose=PURPOSE)) is SignatureFault.KEY_UNKNOWN
    assert fault(sign(KEY, PAYLOAD, purpose=PURPOSE), {}) is SignatureFault.KEY_UNKNOWN
    stolen_name = forged(header(), key=OTHER)
    assert fault(stolen_name) is SignatureFault.SIGNATURE_INVALID
    assert fault(forged(header(kid=None))) is SignatureFault.KEY_UNKNOWN


def test_a_header_that_brings_a_key_or_a_condition_along_is_refused() -> None:
    own = {"kty": "OKP", "crv": ALGORITHM, "x": encoded(OTHER.public_key)}
    for name, value in {
        "jwk": own,
        "jku": "https://example.org/keys",
        "x5c": ["MIIB"],
        "crit": ["exp"],
        "b64": False,
        "zip": "DEF",
    }.items():
        for key in (KEY, OTHER):
            assert fault(forged(header(**{name: value}), key=key)) is SignatureFault.MALFORMED


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b", "a.b.c", "a.b.c.d", "a..c", "=.=.=", "ç.b.c", "a b.c.d", "a.b.c\n"],
)
def test_what_is_no_compact_jws_is_malformed(token: str) -> None:
    assert fault(token) is SignatureFault.MALFORMED


@pytest.mark.parametrize("text", [b"[]", b"1", b'"x"', b"null", b"{", b"\xff", b"[" * 100_000])
def test_a_header_that_is_no_object_is_malformed(text: bytes) -> None:
    assert fault(forged(text)) is SignatureFault.MALFORMED


def test_a_signature_has_one_spelling() -> None:
    token = sign(KEY, PAYLOAD, purpose=PURPOSE)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [token[:-1] + letter for letter in alphabet if letter != token[-1]]
    for other in others:
        assert fault(other) in {SignatureFault.MALFORMED, SignatureFault.SIGNATURE_INVALID}


def test_a_key_set_is_what_libraries_of_others_take() -> None:
    (entry,) = json.loads(format_key_set([KEY.public_key]))["keys"]
    assert entry == {
        "kty": "OKP",
        "crv": "Ed25519",
        "x": encoded(KEY.public_key),
        "kid": KEY.key_id,
        "alg": "Ed25519",
        "use": "sig",
    }
    assert encoded(KEY.private_key) not in format_key_set([KEY.public_key])
    assert parse_key_set(format_key_set([])) == {}


def test_keys_of_other_kinds_are_passed_over() -> None:
    entries = json.loads(format_key_set([KEY.public_key, OTHER.public_key]))["keys"]
    listed = [{"kty": "RSA", "n": "x", "e": "AQAB"}, *entries, {"kty": "OKP", "crv": "X25519"}]
    found = parse_key_set(json.dumps({"keys": listed}))
    assert found == {KEY.key_id: KEY.public_key, OTHER.key_id: OTHER.public_key}


@pytest.mark.parametrize(
    "text",
    [
        *("", "5", "[]", "{}", '{"keys":5}', '{"keys":[5]}', '{"keys":[{}]}', "[" * 100_000),
        json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": KEY.key_id}]}),
        json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": KEY.key_id, "x": "AA"}]}),
        json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "1", "x": "A" * 43}]}),
    ],
)
def test_a_text_that_is_no_key_set_is_refused(text: str) -> None:
    with pytest.raises(KeySetError):
        parse_key_set(text)


def test_a_key_under_the_name_of_another_is_refused() -> None:
    text = format_key_set([OTHER.public_key]).replace(OTHER.key_id, KEY.key_id)
    with pytest.raises(KeySetError, match="not the one that its name says"):
        parse_key_set(text)


def test_a_document_of_megabytes_is_signed_and_opened() -> None:
    """The library that signs takes 128 kB unless it is told otherwise; an export is longer."""
    key, payload = generate_signing_key(), bytes(5_000_000)
    token = sign(key, payload, purpose=SigningPurpose.EXPORT)
    keys = {key.key_id: key.public_key}
    assert open_signed(token, keys, purpose=SigningPurpose.EXPORT) == payload
