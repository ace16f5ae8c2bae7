"""Names and their keys hold for every text and every Vietnamese syllable."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity.domain.errors import FullNameMalformedError
from identity.domain.person_name import PersonName

TONES = ("", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323")
ONSETS = ("", "b", "ch", "d", "đ", "gi", "h", "kh", "l", "m", "ng", "nh", "ph", "th", "tr", "v")
NUCLEI = ("a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y", "oa", "oe", "uy", "ươ", "iê")
CODAS = ("", "c", "ch", "m", "n", "ng", "nh", "p", "t")

TONE = re.compile("[\u0300\u0301\u0303\u0309\u0323]")

Syllable = tuple[str, str, str, str]

syllables: st.SearchStrategy[Syllable] = st.tuples(
    st.sampled_from(ONSETS), st.sampled_from(NUCLEI), st.sampled_from(CODAS), st.sampled_from(TONES)
)
names = st.lists(syllables, min_size=1, max_size=5)


def spell(syllable: Syllable, *, tone_at: int) -> str:
    """Write a syllable with its tone mark on the vowel of that index."""
    onset, nucleus, coda, tone = syllable
    at = min(tone_at, len(nucleus) - 1)
    return unicodedata.normalize("NFC", onset + nucleus[: at + 1] + tone + nucleus[at + 1 :] + coda)


def write(name: list[Syllable], *, tone_at: int) -> str:
    return " ".join(spell(syllable, tone_at=tone_at) for syllable in name)


@given(names)
def test_the_key_does_not_depend_on_tone_placement_case_or_unicode_form(
    name: list[Syllable],
) -> None:
    first, second = write(name, tone_at=0), write(name, tone_at=1)
    spellings = (first, second, first.upper(), second.title(), unicodedata.normalize("NFD", second))
    assert len({PersonName.parse(spelling).key for spelling in spellings}) == 1


@given(syllables, syllables)
def test_two_syllables_share_a_key_only_when_letters_and_tone_are_the_same(
    one: Syllable, other: Syllable
) -> None:
    is_same = "".join(one[:3]) == "".join(other[:3]) and one[3] == other[3]
    keys = [PersonName.parse(spell(syllable, tone_at=0)).key for syllable in (one, other)]
    assert (keys[0] == keys[1]) == is_same


@given(names)
def test_the_unaccented_key_of_a_vietnamese_name_is_ascii(name: list[Syllable]) -> None:
    key = PersonName.parse(write(name, tone_at=0)).unaccented_key
    assert key.isascii()
    assert len(key.split(" ")) == len(name)


@given(names, st.lists(st.text(alphabet=" \u00a0\u3000", max_size=3), min_size=6, max_size=6))
def test_extra_spaces_are_never_part_of_a_name(name: list[Syllable], gaps: list[str]) -> None:
    words = [spell(syllable, tone_at=0) for syllable in name]
    spaced = "".join(f"{gap} {word}" for gap, word in zip(gaps, words, strict=False)) + gaps[-1]
    assert PersonName.parse(spaced).value == " ".join(words)


@given(st.one_of(st.text(), st.text(alphabet=st.characters(categories=["L", "M", "Zs"]))))
def test_any_text_is_a_clean_name_or_is_refused(text: str) -> None:
    try:
        name = PersonName.parse(text)
    except FullNameMalformedError:
        return
    assert PersonName.parse(name.value) == name == PersonName(name.value)
    assert 1 <= len(name.value) <= 100
    assert unicodedata.is_normalized("NFC", name.value)
    assert name.value == " ".join(name.value.split())
    assert {unicodedata.category(character)[0] for character in name.value} <= set("LMZP")


LATIN = st.text(
    alphabet=st.characters(max_codepoint=0x24F, categories=["L"])
    | st.characters(min_codepoint=0x1E00, max_codepoint=0x1EFF)
    | st.sampled_from(" \u0301\u0323.'-\u00d7\u00aa1"),
    max_size=12,
)


def read(text: str) -> str | None:
    try:
        return PersonName.parse(text).value
    except FullNameMalformedError:
        return None


@given(st.one_of(LATIN, names.map(lambda name: write(name, tone_at=1)), st.text(max_size=12)))
def test_the_short_way_reads_what_the_long_one_reads(text: str) -> None:
    # A space at an end is no part of a name, and of no name that takes the short way.
    assert read(text) == read(f" {text}") == read(f"{text}\u3000")


def test_every_letter_that_takes_the_short_way_is_a_letter_that_stays_as_it_is() -> None:
    ranges = ((0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x24F), (0x1E00, 0x1EFF))
    for letter in (chr(point) for first, last in ranges for point in range(first, last + 1)):
        assert unicodedata.category(letter)[0] == "L"
        assert unicodedata.is_normalized("NFC", f"a{letter}a{letter}{letter}")


def tone_last(name: str) -> list[tuple[str, list[str]]]:
    """The definition of a key: the letters of each syllable, and then its tones."""
    folded = unicodedata.normalize("NFD", name.casefold())
    parts = re.split(r"([ \-'.])", folded)
    return [(TONE.sub("", part), TONE.findall(part)) for part in parts]


@given(st.tuples(names, names).map(lambda pair: [write(name, tone_at=0) for name in pair]))
def test_two_names_share_a_key_exactly_when_syllables_do_letter_for_letter(
    pair: list[str],
) -> None:
    one, other = (PersonName.parse(text) for text in pair)
    assert (one.key == other.key) is (tone_last(one.value) == tone_last(other.value))


@given(st.text(alphabet="aáàâấe\u0301\u0302 -.'bA", min_size=1, max_size=8), st.data())
def test_a_shuffled_name_shares_its_key_only_when_the_definition_says_so(
    text: str, data: st.DataObject
) -> None:
    shuffled = "".join(data.draw(st.permutations(unicodedata.normalize("NFD", text))))
    try:
        one, other = PersonName.parse(text), PersonName.parse(shuffled)
    except FullNameMalformedError:
        return
    assert (one.key == other.key) is (tone_last(one.value) == tone_last(other.value))


@given(st.text(min_size=5, max_size=40))
def test_a_refusal_never_repeats_the_text(text: str) -> None:
    with pytest.raises(FullNameMalformedError) as refusal:
        PersonName.parse(f"{text}\x00")
    assert text not in str(refusal.value)


@given(st.text(alphabet=st.characters(categories=["L", "M"]), min_size=1, max_size=30))
def test_composed_and_decomposed_letters_of_any_script_are_one_name(text: str) -> None:
    try:
        composed = PersonName.parse(unicodedata.normalize("NFC", text))
    except FullNameMalformedError:
        return
    assert PersonName.parse(unicodedata.normalize("NFD", text)) == composed
