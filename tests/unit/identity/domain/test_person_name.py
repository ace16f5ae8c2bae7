"""What may stand in a name, and which spellings are one name."""

import unicodedata

import pytest

from identity.domain.errors import FullNameMalformedError
from identity.domain.person_name import PersonName


def parse(text: str) -> PersonName:
    return PersonName.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "Nguyễn Văn An",
        "NGUYỄN VĂN AN",
        "Đỗ Ý",
        "H'Hen Niê",
        "Y-Bhiông Mlô",
        "Lê Nguyễn T. Anh",
        "O",
        "'t Hooft",
        "สมชาย ใจดี",
        "Нгуен Ван Ан",
        "阮文安",
    ],
)
def test_a_name_of_letters_is_kept_as_given(text: str) -> None:
    assert parse(text).value == text


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("  Nguyễn   Văn  An ", "Nguyễn Văn An"),
        ("Nguyễn\u00a0Văn\u3000An", "Nguyễn Văn An"),
        (unicodedata.normalize("NFD", "Nguyễn Văn An"), "Nguyễn Văn An"),
        ("H\u2019Hen Niê", "H'Hen Niê"),
        ("Y\u2011Bhiông", "Y-Bhiông"),
    ],
)
def test_spaces_unicode_form_and_typesetting_are_cleaned(text: str, cleaned: str) -> None:
    assert parse(text).value == cleaned


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("nothing", ""),
        ("only spaces", " \u00a0 "),
        ("no letter", "-.'"),
        ("a digit", "Nguyễn Văn 2"),
        ("a superscript digit", "Nguyễn Văn ²"),
        ("a symbol", "Nguyễn + An"),
        ("an emoji", "An 😀"),
        ("a comma", "Nguyễn, An"),
        ("a slash", "An/Bình"),
        ("markup", "<b>An</b>"),
        ("a quotation mark", 'An "Bi"'),
        ("NUL", "An\x00"),
        ("a tab", "Nguyễn\tAn"),
        ("a line break", "Nguyễn\nAn"),
        ("a line break at the end", "Nguyễn An\n"),
        ("a line separator", "Nguyễn\u2028An"),
        ("a zero-width space", "Nguyễn\u200bAn"),
        ("a direction override", "An\u202eBình"),
        ("a byte order mark", "\ufeffAn"),
        ("a lone surrogate", "An\ud800"),
        ("a private character", "An\ue000"),
        ("a mark alone", "\u0301"),
        ("a mark at the start", "\u0301An"),
        ("a mark after a space", "Nguyễn \u0323An"),
        ("a letter that nobody sees", "\u3164"),
        ("halves of a syllable that nobody sees", "An \u115f\u1160"),
        ("a letter of half the width of nothing", "An\uffa0"),
        ("a variation selector", "An\ufe0f"),
        ("a supplementary variation selector", "An\U000e0100"),
        ("a Mongolian variation selector", "An\u180b"),
        ("a grapheme joiner", "A\u034fn"),
        ("a vowel that nobody sees", "An\u17b4"),
    ],
)
def test_what_no_name_holds_is_refused(what: str, text: str) -> None:
    with pytest.raises(FullNameMalformedError):
        pytest.fail(f"{what} was read as {parse(text).value!r}")


def test_a_hundred_characters_are_a_name_and_one_more_is_not() -> None:
    assert len(parse("ệ" * 100).value) == 100
    with pytest.raises(FullNameMalformedError):
        parse("ệ" * 101)


def test_the_length_counts_after_cleaning() -> None:
    decomposed = unicodedata.normalize("NFD", "ệ" * 100)
    assert len(decomposed) == 300
    assert len(parse(f"  {decomposed}  ").value) == 100


def test_a_text_without_end_is_refused_before_it_is_cleaned() -> None:
    with pytest.raises(FullNameMalformedError):
        parse("An" + " " * 399)


@pytest.mark.parametrize("value", [" An", "An ", "Văn  An", "Nguye\u0302\u0303n", "", "An\u00a0B"])
def test_only_a_clean_name_can_be_constructed(value: str) -> None:
    with pytest.raises(FullNameMalformedError):
        PersonName(value)


def test_the_refusal_does_not_repeat_the_name() -> None:
    with pytest.raises(FullNameMalformedError) as refusal:
        parse("Nguyễn Văn 2")
    assert "Nguy" not in str(refusal.value)


def test_no_way_of_printing_a_name_shows_it() -> None:
    name = parse("Trần Quang")
    printed = f"{name} {name!r} {[name]}"
    assert "Trần" not in printed
    assert "Quang" not in printed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Hòa", "Hoà"),
        ("Thúy", "Thuý"),
        ("Khỏe", "Khoẻ"),
        ("Thủy", "Thuỷ"),
        ("Lũy", "Luỹ"),
        ("Tọa", "Toạ"),
        ("Nguyễn Thị Hóa", "NGUYỄN THỊ HOÁ"),
        ("Lê Thụy", "Lê Thuỵ"),
        ("Hồ Xòe", "Hồ Xoè"),
        ("Đào Quý Hòa", "ĐÀO QUÝ HOÀ"),
    ],
)
def test_old_and_new_tone_placement_are_one_name(old: str, new: str) -> None:
    assert parse(old).key == parse(new).key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hoà", "Hoá"),
        ("Hoa", "Hoà"),
        ("An", "Ân"),
        ("An", "Ăn"),
        ("To", "Tơ"),
        ("Tô", "Tơ"),
        ("Du", "Dư"),
        ("Du", "Đu"),
        ("Lý", "Lí"),
        ("Văn An", "An Văn"),
        ("Hoàng Anh", "Hoang Ành"),
        ("Minh Anh", "Minhanh"),
    ],
)
def test_what_tells_two_names_apart_stays_in_the_key(one: str, other: str) -> None:
    assert parse(one).key != parse(other).key


def test_a_tone_stays_in_its_syllable() -> None:
    assert parse("Hà-An").key != parse("Ha-Àn").key
    assert parse("H'Hèn").key == parse("h'hèn").key


@pytest.mark.parametrize("letter", ["\u00d0", "\u0189"])
def test_a_letter_that_prints_like_d_with_stroke_is_compared_as_one(letter: str) -> None:
    assert parse(f"{letter}inh").key == parse("Đinh").key
    assert parse(f"{letter}inh").unaccented_key == "dinh"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Nguyễn Thị Hoà", "nguyen thi hoa"),
        ("ĐẶNG ĐỨC ƯỞNG", "dang duc uong"),
        ("Lưu Quỳnh Như-Ý", "luu quynh nhu-y"),
        ("H'Hen Niê", "h'hen nie"),
    ],
)
def test_the_unaccented_key_is_what_a_plain_keyboard_types(text: str, expected: str) -> None:
    assert parse(text).unaccented_key == expected


def test_vowel_signs_of_other_scripts_are_not_accents() -> None:
    assert parse("สิริ").unaccented_key == "สิริ"
