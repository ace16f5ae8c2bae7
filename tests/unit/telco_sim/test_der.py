"""The DER writer, checked by libraries that read DER."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from asn1crypto import core, keys, x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from telco_sim.der import (
    EXPLICIT_CURVES,
    explicit_ec_public_key,
    integer,
    key_identifier,
    printable_string,
    rsa_public_key,
    sequence,
    set_of,
    tlv,
    utf8_string,
)


@pytest.mark.parametrize(
    ("length", "header"),
    [(0, "6100"), (127, "617f"), (128, "618180"), (255, "6181ff"), (256, "61820100")],
)
def test_a_length_takes_the_fewest_bytes(length: int, header: str) -> None:
    assert tlv(0x61, bytes(length)) == bytes.fromhex(header) + bytes(length)


def test_a_tag_of_two_bytes_is_written_whole() -> None:
    assert tlv(0x5F1F, b"ab", b"c") == bytes.fromhex("5f1f03616263")


def test_a_set_is_sorted_by_its_encodings() -> None:
    expected = bytes.fromhex("310a" + "020101" + "020102" + "0202012c")
    assert set_of(integer(300), integer(2), integer(1)) == expected


def test_strings_and_numbers_read_back() -> None:
    assert core.load(utf8_string("Nguyễn"), strict=True).native == "Nguyễn"
    assert core.load(printable_string("01/01/1990"), strict=True).native == "01/01/1990"
    assert core.load(integer(2**127), strict=True).native == 2**127
    assert core.load(sequence(integer(1), integer(0)), strict=True)[1].native == 0


@pytest.mark.parametrize("text", ["Nguyễn", "a@b", "x_y", "1*2"])
def test_a_printable_string_refuses_what_it_cannot_hold(text: str) -> None:
    with pytest.raises(ValueError, match="PrintableString"):
        printable_string(text)


@pytest.mark.parametrize(
    ("make_curve", "hex_digits"), [(ec.BrainpoolP384R1, 96), (ec.BrainpoolP512R1, 128)]
)
def test_a_curve_is_written_out_and_its_base_point_lies_on_it(
    make_curve: Callable[[], ec.EllipticCurve], hex_digits: int
) -> None:
    public_key = ec.generate_private_key(make_curve()).public_key()
    info = keys.PublicKeyInfo.load(explicit_ec_public_key(public_key).dump(), strict=True)
    assert info["algorithm"]["parameters"].name == "specified"
    domain = info["algorithm"]["parameters"].chosen
    p = domain["field_id"]["parameters"].native
    a = int.from_bytes(domain["curve"]["a"].contents, "big")
    b = int.from_bytes(domain["curve"]["b"].contents, "big")
    x, y = domain["base"].to_coords()
    assert (y * y - x * x * x - a * x - b) % p == 0
    assert len(f"{p:x}") == hex_digits
    assert info["public_key"].to_coords() == (
        public_key.public_numbers().x,
        public_key.public_numbers().y,
    )


@pytest.mark.parametrize("name", list(EXPLICIT_CURVES))
def test_the_generator_has_the_stated_order(name: str) -> None:
    """A private key of n - 1 gives the negated base point: only the true order does that."""
    curve = EXPLICIT_CURVES[name]
    library_curve = {"brainpoolP384r1": ec.BrainpoolP384R1, "brainpoolP512r1": ec.BrainpoolP512R1}
    public = ec.derive_private_key(curve.n - 1, library_curve[name]()).public_key()
    x, y = (int.from_bytes(half, "big") for half in _halves(curve.generator[1:]))
    assert public.public_numbers().x == x
    assert public.public_numbers().y == curve.p - y


def test_the_parameters_are_those_of_the_real_vietnamese_authority(shared_data: Path) -> None:
    content = (shared_data / "chip" / "vn_passport_csca.der").read_bytes()
    real = x509.Certificate.load(content).public_key["algorithm"]["parameters"].chosen
    ours = EXPLICIT_CURVES["brainpoolP512r1"]
    assert real["field_id"]["parameters"].native == ours.p
    assert int.from_bytes(real["curve"]["a"].contents, "big") == ours.a
    assert int.from_bytes(real["curve"]["b"].contents, "big") == ours.b
    assert real["base"].contents == ours.generator
    assert real["order"].native == ours.n


def test_a_curve_that_the_authority_does_not_use_is_refused() -> None:
    public_key = ec.generate_private_key(ec.SECP256R1()).public_key()
    with pytest.raises(KeyError):
        explicit_ec_public_key(public_key)


def test_a_key_identifier_is_the_hash_of_the_key_bits() -> None:
    public_key = ec.generate_private_key(ec.BrainpoolP384R1()).public_key()
    info = explicit_ec_public_key(public_key)
    expected = hashlib.sha1(bytes(info["public_key"]), usedforsecurity=False).digest()
    assert key_identifier(info) == expected


def test_an_rsa_key_reads_back() -> None:
    private_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    encoded = rsa_public_key(private_key.public_key())
    assert load_der_public_key(encoded) == private_key.public_key()


def _halves(content: bytes) -> tuple[bytes, bytes]:
    middle = len(content) // 2
    return content[:middle], content[middle:]
