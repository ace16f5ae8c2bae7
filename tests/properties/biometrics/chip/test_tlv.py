"""The reader of tag, length and value never fails but with a code, and loses no octet."""

from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.chip import tlv
from biometrics.chip.codes import ChipCode, ChipError
from tests.properties.biometrics.chip.mutations import Mutation, damage, mutations
from tests.unit.biometrics.chip import der_writer as asn1

trees = st.recursive(
    st.builds(asn1.der, st.sampled_from([0x02, 0x04, 0x5F1F]), st.binary(max_size=300)),
    lambda children: st.lists(children, max_size=4).map(lambda parts: asn1.der(0x30, *parts)),
    max_leaves=12,
)


@settings(max_examples=400)
@given(st.binary(max_size=64))
def test_any_octets_are_read_or_refused_with_a_code(octets: bytes) -> None:
    codes = set()
    for read in (tlv.read_one, tlv.read_all, tlv.read_first, tlv.check_ber):
        try:
            read(octets)
        except ChipError as error:
            codes.add(error.code)

    assert codes <= {ChipCode.TLV_TRUNCATED, ChipCode.TLV_LENGTH}


@settings(max_examples=300)
@given(trees)
def test_a_well_formed_tree_is_read_and_put_together_again(octets: bytes) -> None:
    element = tlv.read_one(octets)

    assert element.raw == octets
    assert asn1.der(element.tag, element.value) == octets
    tlv.check_ber(octets)
    if element.tag == 0x30:
        assert b"".join(child.raw for child in tlv.read_all(element.value)) == element.value


@settings(max_examples=300)
@given(trees, mutations)
def test_what_the_strict_reader_accepts_is_the_only_way_to_write_it(
    octets: bytes, steps: list[Mutation]
) -> None:
    try:
        element = tlv.read_one(damage(octets, steps))
    except ChipError:
        return

    assert asn1.der(element.tag, element.value) == element.raw
