"""Full names, and the keys by which they are compared.

Owns what may stand in a name and when two spellings are the same name. Refuses to know how alike
two different names are: that score is handed in where it is needed (`link.py`).
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
_PUNCTUATION = str.maketrans({"\u2019": "'", "\u2010": "-", "\u2011": "-"})
_SIGNS = frozenset(" -'.")
# A combining mark with no letter to sit on.
_STRAY_MARK = re.compile("(?<![LM])M")

# The five tone marks of Vietnamese: grave, acute, tilde, hook above, dot below.
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_SYLLABLE = re.compile(r"[^ \-'.]+")
# The block Combining Diacritical Marks; the vowel signs of other scripts lie outside it.
_DIACRITICS = re.compile("[\u0300-\u036f]")
# Eth and African D print in capitals just as Đ does, and old Vietnamese fonts typed them for it.
_LIKE_D_WITH_STROKE = str.maketrans("ðɖ", "đđ")


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
        if not 1 <= len(self.value) <= CHARACTERS_MAX:
            raise FullNameMalformedError(f"a name has 1 to {CHARACTERS_MAX} characters")
        if not _is_tidy(self.value):
            raise FullNameMalformedError("a name is in NFC, trimmed, with single spaces")
        shape = "".join(map(_kind, self.value))
        if "?" in shape:
            raise FullNameMalformedError("a name has only letters, spaces, hyphens, ' and dots")
        if "L" not in shape or _STRAY_MARK.search(shape):
            raise FullNameMalformedError("a name has a letter, and no mark without one")

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
        composed = unicodedata.normalize("NFC", text).translate(_PUNCTUATION)
        return cls(_SPACES.sub(" ", composed).strip(" "))

    @property
    def key(self) -> str:
        """What two spellings of one name have in common; not for display.

        Case goes, and each syllable's tone mark moves to its end, so that Hòa equals Hoà and
        decomposed letters equal composed ones. Circumflex, breve, horn, đ and the tone itself
        stay: they tell names apart. (ICU collation does not equate Hòa and Hoà.)
        A side effect is taken: a tilde or an acute of another language moves as well.
        """
        folded = unicodedata.normalize("NFD", self.value.casefold())
        return _SYLLABLE.sub(_tone_last, folded.translate(_LIKE_D_WITH_STROKE))

    @property
    def unaccented_key(self) -> str:
        """The key without accents and with d for đ; ASCII for every Vietnamese name."""
        return _DIACRITICS.sub("", self.key).replace("đ", "d")


def _is_tidy(value: str) -> bool:
    return (
        unicodedata.is_normalized("NFC", value) and value == value.strip(" ") and "  " not in value
    )


def _kind(character: str) -> str:
    """L for a letter, M for a combining mark, the sign itself, or ? for what no name holds."""
    if character in _SIGNS:
        return character
    kind = unicodedata.category(character)[0]
    return kind if kind in "LM" else "?"


def _tone_last(syllable: re.Match[str]) -> str:
    letters = syllable[0]
    return _TONES.sub("", letters) + "".join(_TONES.findall(letters))
