"""DER as card makers write it: elements, strings, and public keys with their curve written out.

Owns the lowest layer of the simulator's own chip encoder. It refuses to know certificates, data
groups and people. Written apart from the service's parser on purpose: a mistake in one must show
in the other.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from asn1crypto import core, keys
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


@dataclass(frozen=True, slots=True)
class ExplicitCurve:
    """The domain parameters of an elliptic curve over a prime field, as numbers.

    Attributes:
        p: Prime of the field.
        a: First coefficient.
        b: Second coefficient.
        generator: Base point, uncompressed: 04, x, y.
        n: Order of the base point; the cofactor is 1.
    """

    p: int
    a: int
    b: int
    generator: bytes
    n: int

    @property
    def field_bytes(self) -> int:
        """Length of a field element in bytes."""
        return (self.p.bit_length() + 7) // 8


def _curve(p: str, a: str, b: str, *, generator: tuple[str, str], n: str) -> ExplicitCurve:
    point = bytes.fromhex("04" + "".join(generator))
    return ExplicitCurve(int(p, 16), int(a, 16), int(b, 16), point, int(n, 16))


EXPLICIT_CURVES: Mapping[str, ExplicitCurve] = {
    "brainpoolP384r1": _curve(
        "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B412B1DA197FB71123ACD3A729901D1A71874700133107EC53",
        "7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826",
        "04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A62E880EA53EEB62D57CB4390295DBC9943AB78696FA504C11",
        generator=(
            "1D1C64F068CF45FFA2A63A81B7C13F6B8847A3E77EF14FE3DB7FCAFE0CBD10E8E826E03436D646AAEF87B2E247D4AF1E",
            "8ABE1D7520F9C2A45CB1EB8E95CFD55262B70B29FEEC5864E19C054FF99129280E4646217791811142820341263C5315",
        ),
        n="8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B31F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565",
    ),
    "brainpoolP512r1": _curve(
        "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330871"
        "7D4D9B009BC66842AECDA12AE6A380E62881FF2F2D82C68528AA6056583A48F3",
        "7830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA9863BC"
        "2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA",
        "3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A7"
        "2BF2C7B9E7C1AC4D77FC94CADC083E67984050B75EBAE5DD2809BD638016F723",
        generator=(
            (
                "81AEE4BDD82ED9645A21322E9C4C6A9385ED9F70B5D916C1B43B62EEF4D0098E"
                "FF3B1F78E2D0D48D50D1687B93B97D5F7C6D5047406A5E688B352209BCB9F822"
            ),
            (
                "7DDE385D566332ECC0EABFA9CF7822FDF209F70024A57B1AA000C55B881F8111"
                "B2DCDE494A5F485E5BCA4BD88A2763AED1CA2B2FA8F0540678CD1E0F3AD80892"
            ),
        ),
        n="AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870"
        "553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069",
    ),
}
"""RFC 5639, 3.6 and 3.7."""


def tlv(tag: int, *contents: bytes) -> bytes:
    """Return one element: tag, definite length in the fewest bytes, contents joined.

    Args:
        tag: The tag bytes as one number, for example 0x61 or 0x5F1F.
        contents: What the element holds, in order.
    """
    content = b"".join(contents)
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big") + _length(len(content)) + content


def sequence(*elements: bytes) -> bytes:
    """Return a SEQUENCE of encoded elements."""
    return tlv(0x30, *elements)


def set_of(*elements: bytes) -> bytes:
    """Return a SET OF encoded elements, in the order DER demands (X.690, 11.6)."""
    return tlv(0x31, *sorted(elements))


def integer(value: int) -> bytes:
    """Return an INTEGER."""
    return bytes(core.Integer(value).dump())


def object_identifier(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER from its dotted form."""
    return bytes(core.ObjectIdentifier(dotted).dump())


def printable_string(text: str) -> bytes:
    """Return a PrintableString.

    Raises:
        ValueError: The text holds a character that the type has not (X.680, 41.4).
    """
    allowed = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?")
    if not set(text) <= allowed:
        raise ValueError(f"not a PrintableString: {text!r}")
    return tlv(0x13, text.encode("ascii"))


def utf8_string(text: str) -> bytes:
    """Return a UTF8String."""
    return tlv(0x0C, text.encode("utf-8"))


def _length(count: int) -> bytes:
    if count < 0x80:  # noqa: PLR2004 - X.690, 8.1.3.4: the short form ends here
        return bytes([count])
    digits = count.to_bytes((count.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def explicit_ec_public_key(public_key: ec.EllipticCurvePublicKey) -> keys.PublicKeyInfo:
    """Return a public key with its curve written out, as Doc 9303-12, 4.4 demands.

    Raises:
        KeyError: The curve is not one of `EXPLICIT_CURVES`.
    """
    curve = EXPLICIT_CURVES[public_key.curve.name]
    parameters = keys.SpecifiedECDomain(
        {
            "version": 1,
            "field_id": {"field_type": "prime_field", "parameters": core.Integer(curve.p)},
            "curve": {
                "a": curve.a.to_bytes(curve.field_bytes, "big"),
                "b": curve.b.to_bytes(curve.field_bytes, "big"),
            },
            "base": curve.generator,
            "order": curve.n,
            "cofactor": 1,
        }
    )
    point = public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return keys.PublicKeyInfo(
        {
            "algorithm": {
                "algorithm": "ec",
                "parameters": keys.ECDomainParameters(name="specified", value=parameters),
            },
            "public_key": keys.ECPointBitString(point),
        }
    )


def rsa_public_key(public_key: rsa.RSAPublicKey) -> bytes:
    """Return a SubjectPublicKeyInfo with rsaEncryption, as DG15 holds it."""
    return public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def key_identifier(public_key: keys.PublicKeyInfo) -> bytes:
    """Return the 20-byte identifier of a key: SHA-1 of its bits (RFC 5280, 4.2.1.2, method 1)."""
    bits = public_key["public_key"].contents[1:]  # after the count of unused bits
    return hashlib.sha1(bits, usedforsecurity=False).digest()
