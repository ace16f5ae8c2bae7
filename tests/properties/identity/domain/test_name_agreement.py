"""Agreement of names holds for every Vietnamese name, however it is miswritten."""

import unicodedata
from collections.abc import Sequence

from hypothesis import assume, given
from hypothesis import strategies as st

from identity.domain.name_agreement import NameAgreement, name_agreement
from identity.domain.person_name import PersonName

ORDER = list(NameAgreement)

words = st.sampled_from(
    "Nguyễn Trần Lê Đỗ Văn Thị Đức An Ân Hoà Hoá Hoa Lan Anh Ánh Thuỷ Ý Như Quỳnh".split()  # noqa: SIM905 - a list of names
)
people = st.lists(words, min_size=2, max_size=5)


def named(words: Sequence[str]) -> PersonName:
    return PersonName.parse(" ".join(words))


def unaccented(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.replace("Đ", "D").replace("đ", "d"))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def is_at_least(agreement: NameAgreement, weakest: NameAgreement) -> bool:
    return ORDER.index(agreement) <= ORDER.index(weakest)


@given(people, people)
def test_agreement_is_the_same_both_ways(one: list[str], other: list[str]) -> None:
    assert name_agreement(named(one), named(other)) is name_agreement(named(other), named(one))


@given(people, people)
def test_names_agree_exactly_when_their_keys_are_equal(one: list[str], other: list[str]) -> None:
    left, right = named(one), named(other)
    assert (name_agreement(left, right) is NameAgreement.EXACT) is (left.key == right.key)


@given(people, st.data())
def test_accents_that_are_lost_make_a_name_unaccented(
    person: list[str], data: st.DataObject
) -> None:
    lost = data.draw(st.sets(st.sampled_from(range(len(person))), min_size=1))
    book = [unaccented(word) if at in lost else word for at, word in enumerate(person)]
    expected = NameAgreement.EXACT if book == person else NameAgreement.UNACCENTED
    assert name_agreement(named(person), named(book)) is expected


@given(person=people, at=st.integers(1, 4), has_accents=st.booleans())
def test_the_given_name_first_is_never_worse_than_reordered(
    person: list[str], at: int, *, has_accents: bool
) -> None:
    turned = person[at:] + person[:at]
    book = turned if has_accents else [unaccented(word) for word in turned]
    assert is_at_least(name_agreement(named(person), named(book)), NameAgreement.REORDERED)


@given(people, st.data())
def test_words_that_are_cut_are_never_worse_than_initials(
    person: list[str], data: st.DataObject
) -> None:
    anchors = [at for at, word in enumerate(person) if len(word) > 1]
    assume(anchors)
    anchor = data.draw(st.sampled_from(anchors))
    book = [word if at == anchor else f"{unaccented(word)[0]}." for at, word in enumerate(person)]
    assert is_at_least(name_agreement(named(person), named(book)), NameAgreement.INITIALS)


@given(people, st.data())
def test_a_name_with_a_word_less_is_different(person: list[str], data: st.DataObject) -> None:
    left_out = data.draw(st.sampled_from(range(len(person))))
    book = [word for at, word in enumerate(person) if at != left_out]
    assert name_agreement(named(person), named(book)) is NameAgreement.DIFFERENT


@given(
    person=people,
    at=st.integers(0, 4),
    word=st.sampled_from(["Bảo", "Khoa", "Tuấn"]),
    has_accents=st.booleans(),
)
def test_a_name_with_another_word_is_different(
    person: list[str], at: int, word: str, *, has_accents: bool
) -> None:
    other = list(person)
    other[at % len(person)] = word if has_accents else unaccented(word)
    assert name_agreement(named(person), named(other)) is NameAgreement.DIFFERENT


@given(st.permutations(["Thị", "Lan", "Anh"]))
def test_with_the_family_name_in_its_place_another_order_is_another_name(
    rest: list[str],
) -> None:
    agreement = name_agreement(named(["Nguyễn", "Thị", "Lan", "Anh"]), named(["Nguyễn", *rest]))
    is_same = rest == ["Thị", "Lan", "Anh"]
    assert agreement is (NameAgreement.EXACT if is_same else NameAgreement.DIFFERENT)
