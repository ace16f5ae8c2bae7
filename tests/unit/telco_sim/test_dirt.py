"""The mistakes in operators' books: each is the mistake it says and nothing else."""

import unicodedata
from datetime import date
from random import Random

import pytest

from telco_sim import dirt
from telco_sim.numbering import OPERATORS

NAME = "Nguyễn Văn Thử"


def test_accents_are_lost_and_d_with_stroke_with_them() -> None:
    assert dirt.without_accents("Đặng Thị Hoài Thương đẹp") == "Dang Thi Hoai Thuong dep"


def test_a_decomposed_name_composes_back() -> None:
    result = dirt.decomposed(NAME)
    assert result != NAME
    assert unicodedata.normalize("NFC", result) == NAME


def test_separate_tones_are_neither_of_the_normal_forms() -> None:
    result = dirt.with_separate_tones("Nguyễn Thế Đạt")
    assert result == "Nguyê\u0303n Thê\u0301 Đa\u0323t"
    assert not unicodedata.is_normalized("NFC", result)
    assert not unicodedata.is_normalized("NFD", result)
    assert unicodedata.normalize("NFC", result) == "Nguyễn Thế Đạt"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Hòa", "Hoà"),
        ("Thúy", "Thuý"),
        ("Hòe", "Hoè"),
        ("Đỗ Thị Thùy", "Đỗ Thị Thuỳ"),
        ("HÒA", "HOÀ"),
        ("Khỏa Thụy", "Khoả Thuỵ"),
    ],
)
def test_tone_placement_goes_both_ways(old: str, new: str) -> None:
    assert dirt.with_new_tone_placement(old) == new
    assert dirt.with_old_tone_placement(new) == old
    assert dirt.with_old_tone_placement(old) == old


@pytest.mark.parametrize("name", ["Quý", "Toàn", "Hoàng", "Nguyễn", "Hoa", "Huy", "Thuấn", "Ý"])
def test_words_with_one_place_for_the_tone_stay(name: str) -> None:
    assert dirt.with_new_tone_placement(name) == name
    assert dirt.with_old_tone_placement(name) == name


def test_capitals_keep_their_accents() -> None:
    assert dirt.in_capitals(NAME) == "NGUYỄN VĂN THỬ"


def test_a_swapped_name_begins_with_the_given_name() -> None:
    assert dirt.with_swapped_order(NAME) == "Thử Nguyễn Văn"


@pytest.mark.parametrize("born", [date(1990, 1, 1), date(1988, 2, 29), date(2001, 12, 31)])
def test_a_wrong_birth_date_is_never_the_right_one(born: date) -> None:
    generator = Random(4)
    wrong = {dirt.with_wrong_birth_date(born, generator=generator) for _ in range(200)}
    assert born not in wrong
    assert len(wrong) >= 4


def test_day_and_month_are_among_what_gets_swapped() -> None:
    generator = Random(4)
    wrong = {dirt.with_wrong_birth_date(date(1990, 4, 9), generator=generator) for _ in range(200)}
    assert {date(1990, 9, 4), date(1990, 1, 1), date(1990, 4, 10)} <= wrong


def test_an_unknown_personal_id_is_known_to_nobody() -> None:
    generator = Random(4)
    first = dirt.unknown_personal_id(known=frozenset(), generator=Random(4))
    result = dirt.unknown_personal_id(known=frozenset({first}), generator=generator)
    assert result != first
    assert len(result) == 12
    assert result.isdigit()


@pytest.mark.parametrize(
    ("ten_digits", "eleven_digits"),
    [
        ("0332345678", "01632345678"),
        ("0702345678", "01202345678"),
        ("0782345678", "01282345678"),
        ("0832345678", "01232345678"),
        ("0812345678", "01272345678"),
        ("0822345678", "01292345678"),
        ("0912345678", None),
        ("0982345678", None),
    ],
)
def test_retired_forms_are_those_of_the_change_of_2018(
    ten_digits: str, eleven_digits: str | None
) -> None:
    assert dirt.in_retired_form(ten_digits) == eleven_digits


def test_retired_ranges_are_different_for_every_present_range() -> None:
    prefixes = [prefix for each in OPERATORS.values() for prefix in each.msisdn_prefixes]
    retired = [dirt.in_retired_form(prefix + "1234567") for prefix in prefixes]
    former = [each for each in retired if each is not None]
    assert len(set(former)) == len(former) == 18
    assert all(len(each) == 11 and each.startswith(("012", "016")) for each in former)


def test_international_and_shop_sign_forms() -> None:
    assert dirt.in_international_form("0912345678") == "+84912345678"
    assert dirt.in_international_form_without_plus("0912345678") == "84912345678"
    assert dirt.without_leading_zero("0912345678") == "912345678"
    assert dirt.grouped("0912345678") == "0912.345.678"
    assert dirt.grouped("0912345678", separator=" ") == "0912 345 678"
