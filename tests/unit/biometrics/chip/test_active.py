"""The chip's answer to a nonce, in both schemes."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.chip.active import authenticate_actively, parse_dg14, parse_dg15
from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.files import ActiveEvidence
from tests.unit.biometrics.chip import chip_files as chip
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.chip_files import NONCE
from tests.unit.biometrics.chip.issuer import Algorithm

KEY = state.rsa_key(2048, "chip")
DG15 = chip.make_dg15(KEY)
CURVES = [ec.SECP256R1(), ec.BrainpoolP384R1(), ec.BrainpoolP512R1()]


def code_of(
    signature: bytes, *, dg15: bytes = DG15, dg14: bytes | None = None, nonce: bytes = NONCE
) -> ChipCode:
    with pytest.raises(ChipError) as caught:
        authenticate_actively(
            ActiveEvidence(nonce=nonce, signature=signature), dg15=dg15, dg14=dg14
        )
    return caught.value.code


@pytest.mark.parametrize("hash_name", chip.TRAILERS)
@pytest.mark.parametrize("subtracts", [False, True])
def test_every_trailer_is_opened_both_ways(hash_name: str, *, subtracts: bool) -> None:
    signature = chip.sign_actively(KEY, hash_name=hash_name, subtracts=subtracts)

    evidence = authenticate_actively(ActiveEvidence(nonce=NONCE, signature=signature), dg15=DG15)

    assert evidence == f"RSA 2048 {hash_name}"


@pytest.mark.parametrize("at", [0, 7])
def test_one_bit_of_the_nonce_makes_another_answer(at: int) -> None:
    nonce = bytes([*NONCE[:at], NONCE[at] ^ 1, *NONCE[at + 1 :]])

    assert code_of(chip.sign_actively(KEY), nonce=nonce) is ChipCode.AA_DIGEST


@pytest.mark.parametrize("nonce", [b"", NONCE[:7], NONCE + b"\0", NONCE * 4])
def test_a_nonce_is_eight_octets(nonce: bytes) -> None:
    code = code_of(chip.sign_actively(KEY, nonce=nonce), nonce=nonce)

    assert code is ChipCode.AA_NONCE_UNKNOWN


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        bytes(255),
        bytes(257),
        KEY.public_key().public_numbers().n.to_bytes(256),
        b"\xff" * 256,
        b"\0" + chip.sign_actively(KEY),
    ],
)
def test_an_answer_is_exactly_as_long_as_the_modulus_and_below_it(signature: bytes) -> None:
    assert code_of(signature) is ChipCode.AA_SIG_LENGTH


@pytest.mark.parametrize("header", [0x00, 0x4A, 0x4B, 0x6B])
def test_the_header_says_partial_recovery(header: int) -> None:
    assert code_of(chip.sign_actively(KEY, header=header)) is ChipCode.AA_HEADER


def test_a_trivial_answer_is_refused() -> None:
    assert code_of(bytes(256)) is ChipCode.AA_HEADER
    assert code_of(bytes(255) + b"\1") is ChipCode.AA_HEADER


@pytest.mark.parametrize("trailer", ["31CC", "33CC", "37CC", "00CC"])
def test_an_unknown_trailer_is_refused(trailer: str) -> None:
    assert code_of(chip.sign_actively(KEY, trailer=trailer)) is ChipCode.AA_TRAILER


def test_a_trailer_that_names_another_hash_is_refused() -> None:
    signature = chip.sign_actively(KEY, hash_name="sha384", trailer="34CC")

    assert code_of(signature) is ChipCode.AA_DIGEST


def test_recovered_data_shorter_than_the_block_is_refused() -> None:
    """The digest must end where the trailer begins, or a forger may choose what lies between."""
    numbers = KEY.private_numbers()
    recovered = b"\xbb" * 100
    block = b"\x6a" + recovered + hashlib.sha256(recovered + NONCE).digest()
    block += bytes(254 - len(block)) + b"\x34\xcc"
    modulus = numbers.public_numbers.n

    signature = pow(int.from_bytes(block), numbers.d, modulus).to_bytes(256)

    assert code_of(signature) is ChipCode.AA_DIGEST


def test_a_short_modulus_is_weak() -> None:
    weak = state.rsa_key(1024, "weak")

    assert code_of(chip.sign_actively(weak), dg15=chip.make_dg15(weak)) is ChipCode.AA_WEAK


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.name)
@pytest.mark.parametrize("hash_name", ["sha224", "sha256", "sha384", "sha512"])
def test_a_curve_answers_plainly_with_the_hash_dg14_names(
    curve: ec.EllipticCurve, hash_name: str
) -> None:
    key = state.ec_key(curve)
    dg15 = chip.make_dg15(key)
    dg14 = chip.make_dg14(chip.active_authentication_info(state.SIGNATURE_OIDS["plain", hash_name]))
    signature = Algorithm(scheme="plain", hash=hash_name).sign(key, NONCE)

    evidence = authenticate_actively(
        ActiveEvidence(nonce=NONCE, signature=signature), dg15=dg15, dg14=dg14
    )

    assert evidence == f"ECDSA {curve.name} {hash_name}"
    assert code_of(signature, dg15=dg15, dg14=dg14, nonce=bytes(8)) is ChipCode.AA_DIGEST
    assert code_of(bytes(len(signature)), dg15=dg15, dg14=dg14) is ChipCode.AA_DIGEST
    assert code_of(signature[1:], dg15=dg15, dg14=dg14) is ChipCode.AA_SIG_LENGTH


def test_a_curves_answer_in_der_is_refused() -> None:
    key = state.ec_key()
    dg14 = chip.make_dg14(chip.active_authentication_info("0.4.0.127.0.7.1.1.4.1.3"))
    signature = Algorithm(scheme="ecdsa", hash="sha256").sign(key, NONCE)

    code = code_of(signature, dg15=chip.make_dg15(key), dg14=dg14)

    assert code is ChipCode.AA_SIG_LENGTH


@pytest.mark.parametrize(
    ("dg14", "code"),
    [
        (None, ChipCode.SIG_ALG_UNSUPPORTED),
        (chip.make_dg14(), ChipCode.SIG_ALG_UNSUPPORTED),
        (
            chip.make_dg14(asn1.sequence(asn1.oid("2.23.136.1.1.5"), asn1.integer(1))),
            ChipCode.SIG_ALG_UNSUPPORTED,
        ),
        (chip.make_dg14(chip.active_authentication_info("1.2.3")), ChipCode.SIG_ALG_UNSUPPORTED),
        (
            chip.make_dg14(chip.active_authentication_info("1.2.840.10045.4.3.2")),
            ChipCode.SIG_ALG_KEY_MISMATCH,
        ),
        (
            chip.make_dg14(asn1.sequence(asn1.oid("2.23.136.1.1.5"), asn1.integer(1), asn1.NULL)),
            ChipCode.DG14_MALFORMED,
        ),
    ],
)
def test_without_a_plain_algorithm_in_dg14_a_curve_cannot_answer(
    dg14: bytes | None, code: ChipCode
) -> None:
    assert code_of(bytes(96), dg15=chip.make_dg15(state.ec_key()), dg14=dg14) is code


@pytest.mark.parametrize(
    "data",
    [
        asn1.der(0x6E, asn1.sequence()),
        asn1.der(0x6F, asn1.set_of()),
        asn1.der(0x6E, asn1.set_of(asn1.NULL)),
        asn1.der(0x6E, asn1.set_of(asn1.sequence(asn1.oid("1.2.3")))),
        asn1.der(0x6E, asn1.set_of(asn1.sequence(asn1.NULL, asn1.NULL))),
        chip.make_dg14(  # the first and the last name different hashes
            chip.active_authentication_info("0.4.0.127.0.7.1.1.4.1.1"),
            chip.active_authentication_info("0.4.0.127.0.7.1.1.4.1.3"),
        ),
    ],
)
def test_a_dg14_that_is_not_in_order_is_malformed(data: bytes) -> None:
    with pytest.raises(ChipError) as caught:
        parse_dg14(data)

    assert caught.value.code is ChipCode.DG14_MALFORMED


def test_dg14_may_name_one_protocol_more_than_once() -> None:
    info = asn1.sequence(asn1.oid("0.4.0.127.0.7.2.2.3.2.1"), asn1.integer(1))

    assert list(parse_dg14(chip.make_dg14(info))) == ["0.4.0.127.0.7.2.2.3.2.1"]


@pytest.mark.parametrize("data", [asn1.der(0x6F, asn1.set_of()), asn1.der(0x6E)])
def test_a_dg15_that_is_not_in_order_is_malformed(data: bytes) -> None:
    with pytest.raises(ChipError) as caught:
        parse_dg15(data)

    assert caught.value.code is ChipCode.DG15_MALFORMED


NONCES = tuple(bytes([number]) * 8 for number in range(1, 5))


def test_four_nonces_take_four_answers() -> None:
    answers = [chip.sign_actively(KEY, nonce=nonce) for nonce in NONCES]

    evidence = authenticate_actively(ActiveEvidence.joined(NONCES, answers), dg15=DG15)

    assert evidence == "RSA 2048 sha256, 4 times"


@pytest.mark.parametrize("at", range(4))
def test_one_wrong_answer_of_four_spoils_them_all(at: int) -> None:
    answers = [chip.sign_actively(KEY, nonce=nonce) for nonce in NONCES]
    answers[at] = chip.sign_actively(KEY, nonce=bytes(8))

    joined = ActiveEvidence.joined(NONCES, answers)

    assert code_of(joined.signature, nonce=joined.nonce) is ChipCode.AA_DIGEST


def test_four_answers_in_another_order_are_no_answer() -> None:
    answers = [chip.sign_actively(KEY, nonce=nonce) for nonce in reversed(NONCES)]

    assert code_of(b"".join(answers), nonce=b"".join(NONCES)) is ChipCode.AA_DIGEST


def test_one_answer_to_four_nonces_is_too_short() -> None:
    answer = chip.sign_actively(KEY, nonce=NONCES[0])

    assert code_of(answer, nonce=b"".join(NONCES)) is ChipCode.AA_SIG_LENGTH
    assert code_of(answer + b"\0", nonce=b"".join(NONCES)) is ChipCode.AA_SIG_LENGTH


def test_a_curve_answers_four_nonces_as_well() -> None:
    key = state.ec_key(ec.BrainpoolP384R1())
    dg14 = chip.make_dg14(chip.active_authentication_info(state.SIGNATURE_OIDS["plain", "sha256"]))
    algorithm = Algorithm(scheme="plain", hash="sha256")

    evidence = authenticate_actively(
        ActiveEvidence.joined(NONCES, [algorithm.sign(key, nonce) for nonce in NONCES]),
        dg15=chip.make_dg15(key),
        dg14=dg14,
    )

    assert evidence == "ECDSA brainpoolP384r1 sha256, 4 times"


@pytest.mark.parametrize("answers", [[], [b"ab"], [b"a", b"b", b"c", b"dd"]])
def test_answers_that_could_not_be_told_apart_are_not_joined(answers: list[bytes]) -> None:
    with pytest.raises(ValueError, match="one answer for each"):
        ActiveEvidence.joined(NONCES, answers)
