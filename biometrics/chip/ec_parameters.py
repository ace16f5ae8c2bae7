"""Elliptic curves written out in full, recognised as curves that have a name.

Doc 9303-12, clause 4.1.6.3, demands explicit domain parameters, and `cryptography` reads named
curves only. Owns the comparison of the two and refuses every curve that is not, number for
number, one it knows: accepting a stranger's base point is CVE-2020-0601 ("CurveBall").
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat import asn1
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ObjectIdentifier

from biometrics.chip.codes import CheckResult, ChipCode, ChipError

PRIME_FIELD = ObjectIdentifier("1.2.840.10045.1.1")
"""id-prime-field, ANSI X9.62 / RFC 3279, clause 2.3.5."""
CURVE_BITS_MIN = 256
"""BSI TR-02102-1, clause 2.3.3, rounded to the curves there are; below it a curve is weak, and no
matter that it is not supported either."""
WEAK_CURVES = frozenset(
    {
        "1.2.840.10045.3.1.1",  # secp192r1, RFC 5480
        "1.3.132.0.33",  # secp224r1
        # brainpoolP160r1 to P224t1, RFC 5639
        *(f"1.3.36.3.3.2.8.1.1.{number}" for number in range(1, 7)),
    }
)
VERSIONS = (1, 2, 3)
"""SEC 1, clause C.2: without a seed, with one, and with one that is explained."""
_UNCOMPRESSED = 4


@dataclass(frozen=True, kw_only=True)
class CurveNumbers:
    """The six numbers of y^2 = x^3 + ax + b over GF(p): subgroup base point G, order n, cofactor h.

    `seed` of ANSI X9.62 is left out on purpose: it explains how b was found, it changes nothing.
    """

    p: int
    a: int
    b: int
    gx: int
    gy: int
    n: int
    h: int = 1


@asn1.sequence
class _FieldID:
    field_type: ObjectIdentifier
    prime: int


@asn1.sequence
class _Curve:
    a: bytes
    b: bytes
    seed: asn1.BitString | None


@asn1.sequence
class _SpecifiedECDomain:
    version: int
    field_id: _FieldID
    curve: _Curve
    base: bytes
    order: int
    # RFC 3279 makes it optional; all six numbers are compared, so here it is not.
    cofactor: int


def find_named_curve(oid: str) -> ec.EllipticCurve:
    """Return the curve with this object identifier.

    Raises:
        ChipError: UNSUPPORTED_CURVE for anything but the six curves of this module.
    """
    curve = _BY_OID.get(oid)
    if curve is None:
        is_weak = oid in WEAK_CURVES
        raise ChipError(
            ChipCode.UNSUPPORTED_CURVE,
            f"named curve {oid}{', below 256 bits' if is_weak else ''}",
            result=CheckResult.FAILED if is_weak else CheckResult.NOT_SUPPORTED,
        )
    return curve


def recognise_curve(parameters: bytes) -> ec.EllipticCurve:
    """Return the known curve that these explicit parameters spell out.

    Numbers are compared, never octets: leading zeros and the seed differ between issuers.

    Args:
        parameters: DER of SpecifiedECDomain (SEC 1, clause C.2).

    Raises:
        ChipError: UNSUPPORTED_CURVE when the prime is not that of a known curve,
            EC_PARAM_MISMATCH when it is but another number differs or the structure is broken.
    """
    numbers = _read_numbers(parameters)
    known = _BY_PRIME.get(numbers.p)
    if known is None:
        is_weak = numbers.p.bit_length() < CURVE_BITS_MIN
        raise ChipError(
            ChipCode.UNSUPPORTED_CURVE,
            f"explicit curve over a prime of {numbers.p.bit_length()} bits",
            result=CheckResult.FAILED if is_weak else CheckResult.NOT_SUPPORTED,
        )
    curve, expected = known
    if numbers != expected:
        raise ChipError(ChipCode.EC_PARAM_MISMATCH, f"prime of {curve.name}, other parameters")
    return curve


def _read_numbers(parameters: bytes) -> CurveNumbers:
    try:
        domain = asn1.decode_der(_SpecifiedECDomain, parameters)
    except ValueError as error:
        raise ChipError(ChipCode.EC_PARAM_MISMATCH, "explicit parameters malformed") from error
    if domain.version not in VERSIONS:
        raise ChipError(ChipCode.EC_PARAM_MISMATCH, "explicit parameters of no known version")
    if domain.field_id.field_type != PRIME_FIELD:
        raise ChipError(
            ChipCode.UNSUPPORTED_CURVE, "not a prime field", result=CheckResult.NOT_SUPPORTED
        )
    gx, gy = _read_base_point(domain.base)
    return CurveNumbers(
        p=domain.field_id.prime,
        a=int.from_bytes(domain.curve.a),
        b=int.from_bytes(domain.curve.b),
        gx=gx,
        gy=gy,
        n=domain.order,
        h=domain.cofactor,
    )


def _read_base_point(base: bytes) -> tuple[int, int]:
    middle = (len(base) + 1) // 2
    if not base or base[0] != _UNCOMPRESSED or len(base) % 2 == 0:
        raise ChipError(ChipCode.EC_PARAM_MISMATCH, "base point is not uncompressed")
    return int.from_bytes(base[1:middle]), int.from_bytes(base[middle:])


# FIPS 186-4, appendix D.1.2 (a = p - 3).
_P256 = 2**256 - 2**224 + 2**192 + 2**96 - 1
_P384 = 2**384 - 2**128 - 2**96 + 2**32 - 1
_P521 = 2**521 - 1

_KNOWN: Mapping[str, tuple[ec.EllipticCurve, CurveNumbers]] = {
    "1.2.840.10045.3.1.7": (
        ec.SECP256R1(),
        CurveNumbers(
            p=_P256,
            a=_P256 - 3,
            b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
            gx=0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
            gy=0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
            n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        ),
    ),
    "1.3.132.0.34": (
        ec.SECP384R1(),
        CurveNumbers(
            p=_P384,
            a=_P384 - 3,
            b=int(
                "B3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE814112"
                "0314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF",
                16,
            ),
            gx=int(
                "AA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B98"
                "59F741E082542A385502F25DBF55296C3A545E3872760AB7",
                16,
            ),
            gy=int(
                "3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147C"
                "E9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F",
                16,
            ),
            n=int(
                "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
                "C7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973",
                16,
            ),
        ),
    ),
    "1.3.132.0.35": (
        ec.SECP521R1(),
        CurveNumbers(
            p=_P521,
            a=_P521 - 3,
            b=int(
                "0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF1"
                "09E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B50"
                "3F00",
                16,
            ),
            gx=int(
                "00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D"
                "3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5"
                "BD66",
                16,
            ),
            gy=int(
                "011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E"
                "662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD1"
                "6650",
                16,
            ),
            n=int(
                "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
                "FFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E9138"
                "6409",
                16,
            ),
        ),
    ),
    # RFC 5639, clauses 3.4, 3.6 and 3.7.
    "1.3.36.3.3.2.8.1.1.7": (
        ec.BrainpoolP256R1(),
        CurveNumbers(
            p=0xA9FB57DBA1EEA9BC3E660A909D838D726E3BF623D52620282013481D1F6E5377,
            a=0x7D5A0975FC2C3057EEF67530417AFFE7FB8055C126DC5C6CE94A4B44F330B5D9,
            b=0x26DC5C6CE94A4B44F330B5D9BBD77CBF958416295CF7E1CE6BCCDC18FF8C07B6,
            gx=0x8BD2AEB9CB7E57CB2C4B482FFC81B7AFB9DE27E1E3BD23C23A4453BD9ACE3262,
            gy=0x547EF835C3DAC4FD97F8461A14611DC9C27745132DED8E545C1D54C72F046997,
            n=0xA9FB57DBA1EEA9BC3E660A909D838D718C397AA3B561A6F7901E0E82974856A7,
        ),
    ),
    "1.3.36.3.3.2.8.1.1.11": (
        ec.BrainpoolP384R1(),
        CurveNumbers(
            p=int(
                "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B4"
                "12B1DA197FB71123ACD3A729901D1A71874700133107EC53",
                16,
            ),
            a=int(
                "7BC382C63D8C150C3C72080ACE05AFA0C2BEA28E4FB22787"
                "139165EFBA91F90F8AA5814A503AD4EB04A8C7DD22CE2826",
                16,
            ),
            b=int(
                "04A8C7DD22CE28268B39B55416F0447C2FB77DE107DCD2A6"
                "2E880EA53EEB62D57CB4390295DBC9943AB78696FA504C11",
                16,
            ),
            gx=int(
                "1D1C64F068CF45FFA2A63A81B7C13F6B8847A3E77EF14FE3"
                "DB7FCAFE0CBD10E8E826E03436D646AAEF87B2E247D4AF1E",
                16,
            ),
            gy=int(
                "8ABE1D7520F9C2A45CB1EB8E95CFD55262B70B29FEEC5864"
                "E19C054FF99129280E4646217791811142820341263C5315",
                16,
            ),
            n=int(
                "8CB91E82A3386D280F5D6F7E50E641DF152F7109ED5456B3"
                "1F166E6CAC0425A7CF3AB6AF6B7FC3103B883202E9046565",
                16,
            ),
        ),
    ),
    "1.3.36.3.3.2.8.1.1.13": (
        ec.BrainpoolP512R1(),
        CurveNumbers(
            p=int(
                "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330871"
                "7D4D9B009BC66842AECDA12AE6A380E62881FF2F2D82C68528AA6056583A48F3",
                16,
            ),
            a=int(
                "7830A3318B603B89E2327145AC234CC594CBDD8D3DF91610A83441CAEA9863BC"
                "2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A72BF2C7B9E7C1AC4D77FC94CA",
                16,
            ),
            b=int(
                "3DF91610A83441CAEA9863BC2DED5D5AA8253AA10A2EF1C98B9AC8B57F1117A7"
                "2BF2C7B9E7C1AC4D77FC94CADC083E67984050B75EBAE5DD2809BD638016F723",
                16,
            ),
            gx=int(
                "81AEE4BDD82ED9645A21322E9C4C6A9385ED9F70B5D916C1B43B62EEF4D0098E"
                "FF3B1F78E2D0D48D50D1687B93B97D5F7C6D5047406A5E688B352209BCB9F822",
                16,
            ),
            gy=int(
                "7DDE385D566332ECC0EABFA9CF7822FDF209F70024A57B1AA000C55B881F8111"
                "B2DCDE494A5F485E5BCA4BD88A2763AED1CA2B2FA8F0540678CD1E0F3AD80892",
                16,
            ),
            n=int(
                "AADD9DB8DBE9C48B3FD4E6AE33C9FC07CB308DB3B3C9D20ED6639CCA70330870"
                "553E5C414CA92619418661197FAC10471DB1D381085DDADDB58796829CA90069",
                16,
            ),
        ),
    ),
}
_BY_OID = {oid: curve for oid, (curve, _) in _KNOWN.items()}
_BY_PRIME = {numbers.p: (curve, numbers) for curve, numbers in _KNOWN.values()}
