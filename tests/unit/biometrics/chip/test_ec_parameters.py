"""Explicit curves are accepted only when they are known curves, number for number."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.chip.codes import CheckResult, ChipCode, ChipError
from biometrics.chip.ec_parameters import find_named_curve, recognise_curve
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state

CURVES = [ec.SECP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1()]
KNOWN_OIDS = {
    "1.2.840.10045.3.1.7": "secp256r1",
    "1.3.132.0.34": "secp384r1",
    "1.3.132.0.35": "secp521r1",
    "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
    "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
    "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
}


def refusal(parameters: bytes) -> ChipError:
    with pytest.raises(ChipError) as caught:
        recognise_curve(parameters)
    return caught.value


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_a_known_curve_written_out_is_recognised(curve: ec.EllipticCurve) -> None:
    assert recognise_curve(state.explicit_parameters(curve)).name == curve.name


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_leading_zeros_short_coefficients_and_a_seed_make_no_difference(
    curve: ec.EllipticCurve,
) -> None:
    _, a, b, _ = state.domain(curve)
    octets = (a.bit_length() + 7) // 8
    written = asn1.sequence(
        asn1.octet_string(a.to_bytes(octets)),
        asn1.octet_string(bytes(3) + b.to_bytes(octets)),
        asn1.bit_string(bytes(20)),
    )

    parameters = state.explicit_parameters(curve, other={"curve": written})

    assert recognise_curve(parameters).name == curve.name


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
def test_another_base_point_is_refused(curve: ec.EllipticCurve) -> None:
    assert refusal(state.explicit_parameters(curve, generator=2)).code is ChipCode.EC_PARAM_MISMATCH


@pytest.mark.parametrize("part", ["curve", "base", "order", "cofactor"])
def test_every_single_number_counts(part: str) -> None:
    curve = ec.BrainpoolP384R1()
    _, a, b, order = state.domain(curve)
    other = {
        "curve": asn1.sequence(
            asn1.octet_string(a.to_bytes(48)), asn1.octet_string((b + 1).to_bytes(48))
        ),
        "base": asn1.octet_string(b"\x04" + bytes(96)),
        "order": asn1.integer(order + 2),
        "cofactor": asn1.integer(0),
    }

    parameters = state.explicit_parameters(curve, other={part: other[part]})

    assert refusal(parameters).code is ChipCode.EC_PARAM_MISMATCH


@pytest.mark.parametrize(
    "changes",
    [
        {"cofactor": b""},
        {"order": b""},
        {"base": asn1.octet_string(b"")},
        {"base": asn1.octet_string(b"\x04" + bytes(95))},
        {"base": asn1.octet_string(b"\x03" + bytes(48))},
        {"cofactor": asn1.integer(1) + asn1.NULL},
        {"version": asn1.integer(0)},
        {"version": asn1.ENDLESS},
    ],
)
def test_a_missing_or_compressed_number_is_refused(changes: dict[str, bytes]) -> None:
    parameters = state.explicit_parameters(ec.BrainpoolP384R1(), other=changes)

    assert refusal(parameters).code is ChipCode.EC_PARAM_MISMATCH


def test_a_binary_field_is_not_supported() -> None:
    field = asn1.sequence(asn1.oid("1.2.840.10045.1.2"), asn1.integer(3))

    error = refusal(state.explicit_parameters(ec.BrainpoolP384R1(), other={"field": field}))

    assert (error.code, error.result) == (ChipCode.UNSUPPORTED_CURVE, CheckResult.NOT_SUPPORTED)


@pytest.mark.parametrize(("oid", "name"), KNOWN_OIDS.items())
def test_six_curves_are_known_by_name(oid: str, name: str) -> None:
    assert find_named_curve(oid).name == name


@pytest.mark.parametrize("oid", ["1.3.132.0.33", "1.3.36.3.3.2.8.1.1.5", "1.3.132.0.10"])
def test_small_and_foreign_curves_are_not(oid: str) -> None:
    with pytest.raises(ChipError) as caught:
        find_named_curve(oid)

    assert caught.value.code is ChipCode.UNSUPPORTED_CURVE
