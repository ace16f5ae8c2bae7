"""Whatever the content, the encoder writes elements that a strict reader takes whole."""

from datetime import date, timedelta
from itertools import islice

from asn1crypto import parser
from hypothesis import given
from hypothesis import strategies as st

from telco_sim.cards import expiry_of
from telco_sim.data_groups import CardDates, encode_dg13, machine_readable_zone, mrz_check_digit
from telco_sim.der import tlv
from telco_sim.population import citizens

TODAY = date(2026, 4, 15)


@given(st.binary(max_size=70_000))
def test_an_element_gives_its_content_back(content: bytes) -> None:
    element = tlv(0x04, content)
    assert parser.parse(element, strict=True)[4] == content


@given(st.integers(min_value=0, max_value=2**32))
def test_every_card_has_a_zone_of_ninety_characters_whose_digits_check(seed: int) -> None:
    [citizen] = islice(citizens(seed=seed, today=TODAY), 1)
    dates = CardDates(TODAY, expiry_of(birth_date=citizen.birth_date, issued_on=TODAY))
    zone = machine_readable_zone(citizen, dates=dates)
    assert len(zone) == 90
    composite = zone[5:30] + zone[30:37] + zone[38:45] + zone[48:59]
    for field, digit in (
        (zone[5:14], zone[14]),
        (zone[15:27], zone[29]),
        (zone[30:36], zone[36]),
        (zone[38:44], zone[44]),
        (composite, zone[59]),
    ):
        assert mrz_check_digit(field) == digit
    dg13 = encode_dg13(citizen, dates=dates, chip_serial="0" * 16)
    assert citizen.full_name.encode() in parser.parse(dg13, strict=True)[4]


@given(
    st.dates(date(1920, 1, 1), date(2026, 1, 1)),
    st.integers(min_value=0, max_value=40_000),
)
def test_a_card_always_holds_for_two_years_or_more(birth_date: date, age_days: int) -> None:
    issued_on = birth_date + timedelta(days=age_days)
    expires_on = expiry_of(birth_date=birth_date, issued_on=issued_on)
    assert expires_on is None or expires_on >= issued_on + timedelta(days=2 * 365)
