"""How two names stand to each other when they may be one person's, written in two ways.

Owns the kinds of agreement and what each allows. Refuses to judge: only `EXACT` is a match, all
else is a hint to whoever corrects a book. What a name leaves out cannot be compared, so every kind
but `DIFFERENT` accounts for every word of both names.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from identity.domain.person_name import PersonName, spelling_key, unaccented_key


class NameAgreement(StrEnum):
    """How far two names agree, from the strongest to none. Append-only: links hold these names."""

    EXACT = "exact"
    """Equal keys: case, Unicode form and tone placement apart, the same letters."""

    UNACCENTED = "unaccented"
    """The same words in the same order; some have lost their accents on one side."""

    ACCENTS_DIFFER = "accents_differ"
    """The same letters in the same order, but both sides of some word have accents, and not the
    same ones: Hoà and Hoá are two names."""

    REORDERED = "reordered"
    """The same words, with or without accents, in an order that a Western form asks for."""

    INITIALS = "initials"
    """Some words are cut to their first letters, in any order above; one at least is written out
    on both sides."""

    DIFFERENT = "different"
    """None of these, however alike: that is for the score to say."""


# A word ends at a space or after its dot: "N.V.An" has three.
_WORD = re.compile(r"[^ .]+\.?")

# A dot, or a letter between spaces.
_CUT = re.compile(r"\.|(?<![^ ])[^ ](?![^ ])")
_DIFFERENT = NameAgreement.DIFFERENT

# How many words change places at the two ends where all others stay: Anh Thị Nguyễn for Nguyễn
# Thị Anh; Lan Anh Thị Nguyễn for Nguyễn Thị Lan Anh, and the same read backwards.
_ENDS = ((1, 1), (1, 2), (2, 1))


@dataclass(frozen=True, slots=True, repr=False)
class _Word:
    """One word.

    Attributes:
        key: Its spelling key, without a dot.
        plain: Its letters without accents.
        is_plain: It has no accents.
        is_cut: It ends in a dot, or is a single letter.
    """

    key: str
    plain: str
    is_plain: bool
    is_cut: bool


def name_agreement(one: PersonName, other: PersonName) -> NameAgreement:
    """Say how far two names agree; the same both ways.

    Two words agree when they are spelt the same, or are the same letters and one of them has no
    accent at all: it has lost them. An order is allowed when the words of one name follow each
    other in a circle (Văn An Nguyễn, An Nguyễn Văn) or its ends change places (An Văn Nguyễn).
    Nguyễn Anh Lan and Nguyễn Lan Anh are two names, so no other order is. A word is cut when it
    ends in a dot (V., Ng.) or is a single letter.
    """
    if one.key == other.key:
        return NameAgreement.EXACT
    plain_one, plain_other = one.unaccented_key, other.unaccented_key
    if plain_one == plain_other:
        is_lost = _agree(_words(one), _words(other))
        return NameAgreement.UNACCENTED if is_lost else NameAgreement.ACCENTS_DIFFER
    # Most names that come here differ in everything: these two questions are cheap.
    is_shuffled = sorted(_WORD.findall(plain_one)) == sorted(_WORD.findall(plain_other))
    has_cut = any(_CUT.search(plain) for plain in (plain_one, plain_other))
    return _compare(_words(one), _words(other)) if is_shuffled or has_cut else _DIFFERENT


_Words = Sequence[_Word]


def _words(name: PersonName) -> _Words:
    return [_word(text) for text in _WORD.findall(name.value)]


def _word(text: str) -> _Word:
    letters = text.removesuffix(".")
    key, plain = spelling_key(letters), unaccented_key(letters)
    return _Word(
        key=key,
        plain=plain,
        is_plain=key == spelling_key(plain),
        is_cut=letters != text or len(plain) == 1,
    )


def _reordered(words: _Words) -> Iterator[_Words]:
    for at in range(1, len(words)):
        yield [*words[at:], *words[:at]]
    for front, back in _ENDS:
        if front + back <= len(words):
            middle = words[front : len(words) - back]
            yield [*words[len(words) - back :], *middle, *words[:front]]


def _compare(left: _Words, right: _Words) -> NameAgreement:
    if len(left) != len(right):
        return _DIFFERENT
    if any(map(partial(_agree, right), _reordered(left))):
        return NameAgreement.REORDERED
    if any(map(partial(_agree_cut, right), [left, *_reordered(left)])):
        return NameAgreement.INITIALS
    return _DIFFERENT


def _agree(left: _Words, right: _Words) -> bool:
    return all(map(_is_same, left, right))


def _agree_cut(left: _Words, right: _Words) -> bool:
    is_anchored = any(
        _is_same(one, other) and not (one.is_cut or other.is_cut)
        for one, other in zip(left, right, strict=True)
    )
    return is_anchored and all(
        _is_same(one, other) or _is_initial(one, other) or _is_initial(other, one)
        for one, other in zip(left, right, strict=True)
    )


def _is_same(one: _Word, other: _Word) -> bool:
    if one.key == other.key:
        return True
    return one.plain == other.plain and (one.is_plain or other.is_plain)


def _is_initial(short: _Word, long: _Word) -> bool:
    """Whether one word is the beginning of the other; Đ. of Đức and not of Dũng."""
    if not short.is_cut:
        return False
    letters, _, tone = short.key.partition("|")
    is_beginning = long.key.startswith(letters) and not tone
    lost_accents = (short.is_plain or long.is_plain) and long.plain.startswith(short.plain)
    return is_beginning or lost_accents
