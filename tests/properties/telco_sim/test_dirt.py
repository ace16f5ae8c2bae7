"""Whatever the name, dirt changes its spelling and not which name it is."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from telco_sim import dirt
from telco_sim.data_groups import mrz_name

SYLLABLES = st.sampled_from(
    [
        *("Nguyễn", "Hòa", "Hoà", "hoè", "Thúy", "Thuý", "Quý", "Quỳnh", "Toàn", "HÒA", "Đặng"),
        *("Ê", "H'Hen", "Ayŭn", "Khuê", "oà", "ỦY", "Thuở"),
    ]
)
NAMES = st.lists(SYLLABLES, min_size=2, max_size=6).map(" ".join)


@given(NAMES)
def test_tone_placement_only_moves_the_tone(name: str) -> None:
    old, new = dirt.with_old_tone_placement(name), dirt.with_new_tone_placement(name)
    assert dirt.with_old_tone_placement(new) == old
    assert dirt.with_new_tone_placement(old) == new
    assert dirt.without_accents(old) == dirt.without_accents(new) == dirt.without_accents(name)


@given(NAMES)
def test_every_unicode_form_composes_to_the_same_name(name: str) -> None:
    composed = unicodedata.normalize("NFC", name)
    assert unicodedata.normalize("NFC", dirt.decomposed(name)) == composed
    assert unicodedata.normalize("NFC", dirt.with_separate_tones(name)) == composed


@given(NAMES)
def test_a_machine_readable_name_is_thirty_plain_characters_in_any_form(name: str) -> None:
    zone = mrz_name(name)
    assert len(zone) == 30
    assert set(zone) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ<")
    assert zone == mrz_name(dirt.decomposed(name)) == mrz_name(dirt.with_new_tone_placement(name))
