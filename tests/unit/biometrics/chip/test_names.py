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


def test_one_value_cannot_be_written_to_look_like_two() -> None:
    two = asn1.sequence(
        asn1.set_of(asn1.sequence(asn1.oid("2.5.4.10"), asn1.utf8("A"))),
        asn1.set_of(asn1.sequence(asn1.oid("2.5.4.3"), asn1.utf8("B"))),
    )
    one = asn1.sequence(
        asn1.set_of(asn1.sequence(asn1.oid("2.5.4.10"), asn1.utf8("A'|2.5.4.3='B")))
    )

    assert not read_name(two).is_same(read_name(one))


def test_forms_and_joiners_that_nobody_sees_do_not_matter() -> None:
    composed = read_name(state.name("Cơ quan cấp"))
    decomposed = read_name(state.name("Co\u031b quan ca\u0302\u0301p\u200b"))

    assert composed.is_same(decomposed)


def test_the_parts_of_a_name_that_come_together_have_no_order() -> None:
    country = asn1.sequence(asn1.oid("2.5.4.6"), asn1.printable("VN"))
    common = asn1.sequence(asn1.oid("2.5.4.3"), asn1.utf8("CSCA"))

    assert read_name(asn1.sequence(asn1.set_of(country, common))).is_same(
        read_name(asn1.sequence(asn1.set_of(common, country)))
    )


@pytest.mark.parametrize("text", ["a" * 2048, "a" + "\u0301" * 3700 + "\u0327" * 3700])
def test_a_name_that_takes_long_to_compare_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="bounds"):
        read_name(state.name(text))
