"""Names drawn as Vietnamese people bear them."""

import unicodedata
from collections import Counter
from random import Random

import pytest

from telco_sim.names import Ethnicity, Sex, draw_full_name
from telco_sim.provinces import Region


def draw_many(
    count: int,
    *,
    sex: Sex = Sex.MALE,
    region: Region = Region.NORTH,
    birth_year: int = 1985,
    ethnicity: Ethnicity = Ethnicity.KINH,
) -> list[str]:
    generator = Random(5)
    return [
        draw_full_name(
            generator, sex=sex, region=region, birth_year=birth_year, ethnicity=ethnicity
        )
        for _ in range(count)
    ]


def test_the_same_state_gives_the_same_name() -> None:
    assert draw_many(20) == draw_many(20)


def test_about_four_in_ten_kinh_people_are_called_nguyen() -> None:
    families = Counter(name.split()[0] for name in draw_many(4000))
    assert 0.33 < families["Nguyễn"] / 4000 < 0.43
    assert families.most_common(2)[1][0] == "Trần"


def test_hoang_of_the_north_is_huynh_in_the_south() -> None:
    north = Counter(name.split()[0] for name in draw_many(3000, region=Region.NORTH))
    south = Counter(name.split()[0] for name in draw_many(3000, region=Region.SOUTH))
    assert (north["Huỳnh"], north["Võ"]) == (0, 0)
    assert south["Huỳnh"] > south["Hoàng"]


def test_thi_fades_from_the_names_of_younger_women() -> None:
    old = draw_many(2000, sex=Sex.FEMALE, birth_year=1950)
    young = draw_many(2000, sex=Sex.FEMALE, birth_year=2012)
    count_old = sum(" Thị " in name for name in old)
    count_young = sum(" Thị " in name for name in young)
    assert count_old > 0.7 * len(old)
    assert count_young < 0.3 * len(young)


@pytest.mark.parametrize("sex", list(Sex))
@pytest.mark.parametrize("ethnicity", list(Ethnicity))
def test_every_name_is_composed_unicode_of_two_words_or_more(
    sex: Sex, ethnicity: Ethnicity
) -> None:
    for name in draw_many(300, sex=sex, ethnicity=ethnicity):
        assert unicodedata.is_normalized("NFC", name)
        assert len(name.split(" ")) >= 2
        assert all(letter.isalpha() or letter in " '" for letter in name)


def test_a_family_name_is_carried_on() -> None:
    name = draw_full_name(
        Random(1), sex=Sex.FEMALE, region=Region.NORTH, birth_year=1990, family_name="Âu Dương"
    )
    assert name.startswith("Âu Dương ")


def test_an_ede_woman_has_an_apostrophe_in_her_name_and_her_clan_last() -> None:
    for name in draw_many(50, sex=Sex.FEMALE, ethnicity=Ethnicity.EDE):
        assert name.startswith("H'")


def test_four_words_are_common_and_a_given_name_never_repeats_the_middle_name() -> None:
    names = draw_many(4000, birth_year=2015)
    four_words = sum(len(name.split()) == 4 for name in names)
    assert 0.1 < four_words / len(names) < 0.25
    assert all(name.split()[1] != name.split()[2] for name in names if len(name.split()) == 3)
