"""Names are equal when people mean the same."""

import pytest

from biometrics.chip.names import read_name
from tests.unit.biometrics.chip import der_writer as asn1
from tests.unit.biometrics.chip import issuer as state


def test_string_type_case_and_spaces_do_not_matter() -> None:
    printable = read_name(state.name("CSCA  Test", "VN", tag=0x13))
    utf8 = read_name(state.name("csca test", "vn"))

    assert printable.is_same(utf8)
    assert printable.countries == utf8.countries == ("VN",)


def test_another_name_is_another_name() -> None:
    assert not read_name(state.name("CSCA")).is_same(read_name(state.name("CSCA 2")))
    assert not read_name(state.name("CSCA")).is_same(read_name(state.name("CSCA", "KH")))


def test_a_name_may_have_no_country_or_two() -> None:
    country = asn1.set_of(asn1.sequence(asn1.oid("2.5.4.6"), asn1.printable("VN")))

    assert read_name(asn1.sequence()).countries == ()
    assert read_name(asn1.sequence(country, country)).countries == ("VN", "VN")


@pytest.mark.parametrize(
    "octets", [b"", asn1.NULL, asn1.sequence(asn1.NULL), asn1.sequence(b"\xff")]
)
def test_what_is_no_name_is_refused(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_name(octets)
