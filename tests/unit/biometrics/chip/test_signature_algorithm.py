"""Every algorithm issuers use verifies, and none is taken for another."""

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from biometrics.chip.codes import ChipCode, ChipError
from biometrics.chip.public_key import SubjectKey
from biometrics.chip.signature_algorithm import (
    HASHES,
    Scheme,
    find_hash,
    plain_to_der,
    read_signature_algorithm,
    read_signature_oid,
    require_strong_hash,
    verify_signature,
)
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state
from tests.unit.biometrics.chip.issuer import Algorithm

DATA = b"what the state says"
STRONG = ["sha224", "sha256", "sha384", "sha512"]
ALGORITHMS = [
    Algorithm(scheme=scheme, hash=digest)
    for scheme in ("ecdsa", "plain", "pkcs1", "pss")
    for digest in ("sha1", *STRONG)
]


def key_for(algorithm: Algorithm) -> state.PrivateKey:
    if algorithm.scheme in ("pkcs1", "pss", "rsa"):
        return state.rsa_key(2048, "chip")
    return state.ec_key(ec.BrainpoolP384R1())


def verify(algorithm: Algorithm, key: state.PrivateKey, signature: bytes, data: bytes) -> bool:
    return verify_signature(
        SubjectKey(key=key.public_key()),
        read_signature_algorithm(algorithm.identifier),
        signature=signature,
        data=data,
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda a: f"{a.scheme}-{a.hash}")
def test_a_signature_is_its_keys_over_these_octets_only(algorithm: Algorithm) -> None:
    key = key_for(algorithm)
    signature = algorithm.sign(key, DATA)

    assert verify(algorithm, key, signature, DATA)
    assert not verify(algorithm, key, signature, DATA + b".")
    assert not verify(algorithm, key, signature[:-1], DATA)
    assert not verify(algorithm, key, b"", DATA)


def test_a_pss_salt_of_twenty_octets_is_read_from_the_parameters() -> None:
    algorithm = Algorithm(scheme="pss", hash="sha256", salt_octets=20)
    key = key_for(algorithm)

    assert verify(algorithm, key, algorithm.sign(key, DATA), DATA)


def test_a_pss_signature_with_another_salt_is_refused() -> None:
    key = state.rsa_key(2048, "chip")
    signature = Algorithm(scheme="pss", hash="sha256", salt_octets=20).sign(key, DATA)

    assert not verify(Algorithm(scheme="pss", hash="sha256"), key, signature, DATA)


def test_empty_pss_parameters_mean_sha1() -> None:
    identifier = asn1.sequence(asn1.oid(state.RSASSA_PSS), asn1.sequence())

    algorithm = read_signature_algorithm(identifier)

    assert (algorithm.hash.name, algorithm.salt_octets) == ("sha1", 20)
    assert algorithm.mask_hash is not None
    assert algorithm.mask_hash.name == "sha1"


def test_null_beside_an_ecdsa_identifier_is_let_pass() -> None:
    algorithm = Algorithm(scheme="ecdsa", hash="sha256", writes_null=True)
    key = key_for(algorithm)

    assert verify(algorithm, key, algorithm.sign(key, DATA), DATA)


def test_the_bare_rsa_identifier_takes_the_digest_algorithm() -> None:
    identifier = Algorithm(scheme="rsa", hash="sha384").identifier

    algorithm = read_signature_algorithm(
        identifier, digest_algorithm=HASHES[state.HASH_OIDS["sha384"]]
    )

    assert (algorithm.scheme, algorithm.hash.name) == (Scheme.RSA_PKCS1, "sha384")


@pytest.mark.parametrize(
    "identifier",
    [
        asn1.sequence(),
        asn1.sequence(asn1.NULL),
        Algorithm(scheme="rsa", hash="sha256").identifier,  # a certificate has no digest algorithm
        asn1.sequence(asn1.oid("1.2.840.10040.4.3")),  # DSA
        asn1.sequence(asn1.oid("1.2.840.113549.1.1.11"), asn1.integer(1)),
        asn1.sequence(asn1.oid("1.2.840.113549.1.1.11"), asn1.NULL, asn1.NULL),
        asn1.sequence(asn1.oid(state.RSASSA_PSS)),
        asn1.sequence(asn1.oid(state.RSASSA_PSS), asn1.NULL),
        asn1.sequence(asn1.oid(state.RSASSA_PSS), asn1.sequence(asn1.der(0xA3, asn1.integer(2)))),
        asn1.sequence(asn1.oid(state.RSASSA_PSS), asn1.sequence(asn1.der(0xA2, asn1.integer(-1)))),
        *(
            asn1.sequence(asn1.oid(state.RSASSA_PSS), asn1.sequence(asn1.der(0xA2, salt)))
            for salt in (asn1.integer(1025), asn1.integer(2**31), asn1.ENDLESS)
        ),
        asn1.sequence(
            asn1.oid(state.RSASSA_PSS),
            asn1.sequence(asn1.der(0xA0, asn1.sequence(asn1.oid("1.2.3")))),
        ),
    ],
)
def test_what_we_do_not_verify_is_unsupported(identifier: bytes) -> None:
    with pytest.raises(ChipError) as caught:
        read_signature_algorithm(identifier)

    assert caught.value.code is ChipCode.SIG_ALG_UNSUPPORTED


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        (Algorithm(scheme="pkcs1", hash="sha256"), SubjectKey(key=state.ec_key().public_key())),
        (
            Algorithm(scheme="ecdsa", hash="sha256"),
            SubjectKey(key=state.rsa_key(2048, "chip").public_key()),
        ),
        (
            Algorithm(scheme="pkcs1", hash="sha256"),
            SubjectKey(key=state.rsa_key(2048, "chip").public_key(), is_pss_only=True),
        ),
    ],
)
def test_an_algorithm_for_another_kind_of_key_is_a_mismatch(
    algorithm: Algorithm, key: SubjectKey
) -> None:
    with pytest.raises(ChipError) as caught:
        verify_signature(
            key, read_signature_algorithm(algorithm.identifier), signature=b"", data=DATA
        )

    assert caught.value.code is ChipCode.SIG_ALG_KEY_MISMATCH


def test_a_pkcs1_signature_is_opened_strictly() -> None:
    """Bleichenbacher's forgery: garbage behind the digest, free to choose where e is 3."""
    key = state.rsa_key(2048, "chip")
    numbers = key.private_numbers()
    info = asn1.sequence(
        asn1.sequence(asn1.oid(state.HASH_OIDS["sha256"]), asn1.NULL),
        asn1.octet_string(hashlib.sha256(DATA).digest()),
    )
    block = b"\0\1\xff\xff\xff\xff\xff\xff\xff\xff\0" + info
    block += bytes(256 - len(block))
    modulus = numbers.public_numbers.n
    forged = pow(int.from_bytes(block), numbers.d, modulus).to_bytes(256)

    assert not verify(Algorithm(scheme="pkcs1", hash="sha256"), key, forged, DATA)


def test_weak_hashes_are_refused_and_sha1_can_be_declared() -> None:
    for name in STRONG:
        require_strong_hash(state.HASHES[name], allows_sha1=False)
    require_strong_hash(state.HASHES["sha1"], allows_sha1=True)

    for name, allows_sha1 in (("md5", True), ("md5", False), ("sha1", False)):
        with pytest.raises(ChipError) as caught:
            require_strong_hash(state.HASHES[name], allows_sha1=allows_sha1)
        assert caught.value.code is ChipCode.WEAK_HASH


def test_an_unknown_hash_is_none() -> None:
    assert find_hash(state.HASH_OIDS["sha3-256"]) is None


@pytest.mark.parametrize("oid", [state.RSA_ENCRYPTION, "1.2.3"])
def test_an_identifier_without_a_hash_of_its_own_is_unsupported(oid: str) -> None:
    with pytest.raises(ChipError) as caught:
        read_signature_oid(oid)

    assert caught.value.code is ChipCode.SIG_ALG_UNSUPPORTED


def test_a_plain_signature_is_as_long_as_two_orders() -> None:
    key = state.ec_key(ec.SECP521R1()).public_key()

    assert plain_to_der(bytes(131) + b"\1", key) == asn1.sequence(asn1.integer(0), asn1.integer(1))
    with pytest.raises(ValueError, match="order"):
        plain_to_der(bytes(130), key)
