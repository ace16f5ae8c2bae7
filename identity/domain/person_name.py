"""Full names, and the keys by which they are compared.

Owns what may stand in a name and when two spellings are the same name. Refuses to know how alike
two different names are (that score is handed in, `link.py`), and how they may still be one person's
(`name_agreement.py`).
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Self

from identity.domain.errors import FullNameMalformedError

# `full_name` in subid/v1: 1 to 100 characters, counted after cleaning.
CHARACTERS_MAX = 100
# What is read at all: a Vietnamese letter may come in three code points (ệ as e, circumflex, dot).
TEXT_CHARACTERS_MAX = 4 * CHARACTERS_MAX

# Every character of category Zs (Unicode 15.0): a plain space in disguise. Tabs and line breaks
# are control characters and stay, to be refused.
_SPACES = re.compile("[ \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]+")
# Typesetting puts these where a keyboard puts the ASCII sign.
_PUNCTUATION = (("\u2019", "'"), ("\u2010", "-"), ("\u2011", "-"))
_SIGNS = frozenset(" -'.")
# What nearly every row holds, and valid at a glance: words of composed Latin letters with single
# spaces between. Every code point of these ranges is a letter, and in NFC beside any other of them
# (Unicode 15.0: Latin-1 Supplement, Extended-A, -B and Additional). All other names take the long
# way in `_check`, which is the definition.
_LATIN = "[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]"
_PLAIN_WORDS = re.compile(f"{_LATIN}+(?: {_LATIN}+)*")
# What Unicode calls letters or marks and nobody sees: fillers of Hangul, inherent vowels of Khmer,
# variation selectors, the grapheme joiner. A name with one looks like another name, or like none.
# Source: Unicode 15.0, Default_Ignorable_Code_Point of categories L and M.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0"
    "\U000e0100-\U000e01ef]"
)
# A combining mark with no letter to sit on.
_STRAY_MARK = re.compile("(?<![LM])M")

# The five tone marks of Vietnamese: grave, acute, tilde, hook above, dot below.
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_TONES_AND_BOUNDARIES = re.compile(rf"[{_TONES} \-'.]")
# The block Combining Diacritical Marks; the vowel signs of other scripts lie outside it.
_DIACRITICS = re.compile("[\u0300-\u036f]")


@dataclass(frozen=True, slots=True, repr=False)
class PersonName:
    """A full name as given, in its own case and word order.

    Its repr, and so its `str` and every log line, hides the name.

    Attributes:
        value: 1 to 100 characters in Unicode NFC: letters of any script with their marks, single
            spaces between words, hyphen, apostrophe, dot; at least one letter.
    """

    value: str

    def __post_init__(self) -> None:
        if len(self.value) > CHARACTERS_MAX or not _PLAIN_WORDS.fullmatch(self.value):
            _check(self.value)

    def __repr__(self) -> str:
        return "PersonName(***)"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name as a register, a chip or a contract writes it.

        Composes it (NFC), turns every kind of space into single plain ones, trims it, and writes
        typographic apostrophes and hyphens as ' and -. Case and word order stay as given.

        Args:
            text: The name, at most 400 characters before cleaning.

        Returns:
            The name.

        Raises:
            FullNameMalformedError: Nothing left, more than 100 characters, or what no name holds:
                digits, symbols, control characters (NUL, tab, line break), invisible characters.
        """
        if len(text) > TEXT_CHARACTERS_MAX:
            raise FullNameMalformedError(f"a name has at most {CHARACTERS_MAX} characters")
        if _PLAIN_WORDS.fullmatch(text):
            return cls(text)
        composed = unicodedata.normalize("NFC", text)
        for typeset, typed in _PUNCTUATION:
            composed = composed.replace(typeset, typed)
        return cls(_SPACES.sub(" ", composed).strip(" "))

    @property
    def key(self) -> str:
        """What two spellings of one name have in common; not for display. See `spelling_key`."""
        return spelling_key(self.value)

    @property
    def unaccented_key(self) -> str:
        """The name without case and accents, d for đ; ASCII for every Vietnamese name."""
        return unaccented_key(self.value)


def spelling_key(text: str) -> str:
    """What two spellings of one name, or of one word of it, have in common.

    Case goes, and the tone marks stand apart from the letters, syllable by syllable, so that Hòa
    equals Hoà and decomposed letters equal composed ones. Circumflex, breve, horn, đ and the tone
    itself stay: they tell names apart. (ICU collation does not equate Hòa and Hoà.)
    A side effect is taken: a tilde or an acute of another language is a tone as well.

    Args:
        text: A name or a word of one, in NFC.

    Returns:
        The letters in NFD without tones, `|`, the tones with the boundaries of their syllables.
        Digests are made of it: another form would need all of them anew.
    """
    folded = _folded(text)
    letters = folded
    # `str.replace` costs a third of what a pattern or a table does, on words of this length.
    for tone in _TONES:
        letters = letters.replace(tone, "")
    return f"{letters}|{''.join(_TONES_AND_BOUNDARIES.findall(folded))}"


def unaccented_key(text: str) -> str:
    """A name, or a word of one, without case and accents, with d for đ."""
    return _DIACRITICS.sub("", _folded(text)).replace("đ", "d")


def _folded(text: str) -> str:
    # Eth and African D print in capitals just as Đ does; old Vietnamese fonts typed them for it.
    lower = text.casefold().replace("ð", "đ").replace("ɖ", "đ")
    return unicodedata.normalize("NFD", lower)


def _check(value: str) -> None:
    """Refuse what is no name, or not a clean one.

    Raises:
        FullNameMalformedError: See `PersonName.parse`.
    """
    if not 1 <= len(value) <= CHARACTERS_MAX:
        raise FullNameMalformedError(f"a name has 1 to {CHARACTERS_MAX} characters")
    if not _is_tidy(value):
        raise FullNameMalformedError("a name is in NFC, trimmed, with single spaces")
    shape = "".join(map(_kind, value))
    if "?" in shape:
        raise FullNameMalformedError("a name has only letters, spaces, hyphens, ' and dots")
    if "L" not in shape or _STRAY_MARK.search(shape):
        raise FullNameMalformedError("a name has a letter, and no mark without one")


def _is_tidy(value: str) -> bool:
    return (
        unicodedata.is_normalized("NFC", value) and value == value.strip(" ") and "  " not in value
    )


def _kind(character: str) -> str:
    """L for a letter, M for a combining mark, the sign itself, or ? for what no name holds."""
    if character in _SIGNS:
        return character
    kind = unicodedata.category(character)[0]
    return kind if kind in "LM" and not _INVISIBLE.match(character) else "?"
