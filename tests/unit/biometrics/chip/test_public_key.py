"""Public keys are read strictly and weak ones refused."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.public_key import load_public_key, require_strong_key
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state


def refusal(spki: bytes) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        load_public_key(spki)
    return caught.value.code


def rsa_spki(modulus: int, exponent: int = 65537, algorithm: str = state.RSA_ENCRYPTION) -> bytes:
    key = asn1.sequence(asn1.integer(modulus), asn1.integer(exponent))
    return asn1.sequence(asn1.sequence(asn1.oid(algorithm), asn1.NULL), asn1.bit_string(key))


@pytest.mark.parametrize("parameters", [None, asn1.oid("1.3.36.3.3.2.8.1.1.11")])
def test_a_curves_key_loads_with_explicit_and_with_named_parameters(
    parameters: bytes | None,
) -> None:
    key = state.ec_key()

    loaded = load_public_key(state.spki(key, parameters))

    assert loaded.key == key.public_key()
    assert not loaded.is_pss_only


def test_an_rsa_key_loads() -> None:
    key = state.rsa_key(2048, "chip")

    assert load_public_key(state.spki(key)).key == key.public_key()


def test_a_key_bound_to_pss_says_so() -> None:
    modulus = state.rsa_key(2048, "chip").public_key().public_numbers().n

    assert load_public_key(rsa_spki(modulus, algorithm=state.RSASSA_PSS)).is_pss_only


@pytest.mark.parametrize(
    ("spki", "code"),
    [
        (b"", ChipCode.SIG_ALG_UNSUPPORTED),
        (asn1.NULL, ChipCode.SIG_ALG_UNSUPPORTED),
        (
            asn1.sequence(
                asn1.sequence(asn1.oid(state.RSA_ENCRYPTION), asn1.NULL, asn1.NULL),
                asn1.bit_string(b""),
            ),
            ChipCode.SIG_ALG_UNSUPPORTED,
        ),
        (
            asn1.sequence(asn1.sequence(asn1.oid("1.2.840.10040.4.1")), asn1.bit_string(b"")),
            ChipCode.SIG_ALG_UNSUPPORTED,
        ),
        (rsa_spki(-(2**2047) - 1), ChipCode.SIG_ALG_UNSUPPORTED),
        (rsa_spki(2**2047 + 1, exponent=2), ChipCode.SIG_ALG_UNSUPPORTED),
        (rsa_spki(2**9000 + 1), ChipCode.SIG_ALG_UNSUPPORTED),
        (rsa_spki(2**2047 + 1, exponent=2**64 + 1), ChipCode.SIG_ALG_UNSUPPORTED),
        (state.spki(state.ec_key(), asn1.NULL), ChipCode.EC_PARAM_MISMATCH),
        (state.spki(state.ec_key(), b""), ChipCode.EC_PARAM_MISMATCH),
        (state.spki(state.ec_key(), b"\x06\x00"), ChipCode.EC_PARAM_MISMATCH),
        (
            state.spki(state.ec_key(), asn1.der(0x06, b"\xff" * 600 + b"\x01")),
            ChipCode.EC_PARAM_MISMATCH,
        ),
        (state.spki(state.ec_key(), asn1.oid("1.3.132.0.33")), ChipCode.UNSUPPORTED_CURVE),
        # A point of one curve under the name of another.
        (state.spki(state.ec_key(), asn1.oid("1.3.132.0.34")), ChipCode.EC_PARAM_MISMATCH),
    ],
)
def test_a_key_that_is_not_in_order_is_refused(spki: bytes, code: ChipCode) -> None:
    assert refusal(spki) is code


def test_an_rsa_identifier_on_a_curves_point_is_refused() -> None:
    key = state.ec_key().public_key()
    spki = asn1.sequence(
        asn1.sequence(asn1.oid(state.RSA_ENCRYPTION), asn1.NULL),
        asn1.bit_string(state.point(key)),
    )

    assert refusal(spki) is ChipCode.SIG_ALG_UNSUPPORTED


def test_only_rsa_keys_can_be_weak() -> None:
    require_strong_key(state.rsa_key(2048, "chip").public_key())
    require_strong_key(state.ec_key(ec.SECP256R1()).public_key())

    weak = rsa.RSAPublicNumbers(e=65537, n=2**1023 + 1).public_key()
    with pytest.raises(ChipError) as caught:
        require_strong_key(weak)

    assert caught.value.code is ChipCode.WEAK_KEY


@pytest.mark.parametrize("point", [b"", b"\x00", bytes(97), b"\x04" + bytes(96), b"\x06" * 97])
def test_infinity_and_points_in_other_forms_are_no_key(point: bytes) -> None:
    parameters = state.explicit_parameters(state.ec_key().curve)
    algorithm = asn1.sequence(asn1.oid("1.2.840.10045.2.1"), parameters)

    assert refusal(asn1.sequence(algorithm, asn1.bit_string(point))) is ChipCode.EC_PARAM_MISMATCH
