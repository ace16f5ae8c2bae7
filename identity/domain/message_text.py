"""Texts with places that are sent to a telephone: what a place is, and how long a text is there.

Owns the form of a place, and what a message costs in the alphabets of short messages. Knows nobody
who writes such texts, nor what their places mean.
"""

import string
from collections.abc import Collection, Iterator
from contextlib import contextmanager

UNITS_PER_PART = 67
"""UTF-16 units of one message of several. Vietnamese is sent as UCS-2 (3GPP TS 23.038 and TS
23.040: 140 octets less a header of 6)."""

LENGTH_MAX = 4 * UNITS_PER_PART
"""UTF-16 units of a text with its places filled: four messages at most."""


class TextError(ValueError):
    """A text with a place that nobody fills, without one that it needs, or one that is too long."""


def places_of(text: str) -> frozenset[str]:
    """The names of the places of a text.

    Raises:
        TextError: A stray brace, or a place that is more than a name in braces.
    """
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError as error:
        raise TextError(str(error)) from error
    if any(form or conversion for _, _, form, conversion in parts):
        raise TextError("a place is its name in braces and nothing else")
    return frozenset(name for _, name, _, _ in parts if name is not None)


def check_places(text: str, *, known: Collection[str], needed: Collection[str]) -> None:
    """Refuse a text that could not be filled, or that leaves out what must be told.

    Raises:
        TextError: An unknown place, a stray brace, or a place missing.
    """
    named = places_of(text)
    if unknown := sorted(named.difference(known)):
        raise TextError(f"{{{unknown[0]}}} is none of {', '.join(sorted(known))}")
    if missing := sorted(frozenset(needed) - named):
        raise TextError(f"{{{missing[0]}}} is missing")


def units(text: str) -> int:
    """How long a text is in UTF-16 units, as UCS-2 counts."""
    return len(text.encode("utf-16-le")) // 2


def refuse_long(text: str, *, length_max: int = LENGTH_MAX) -> None:
    """Refuse a filled text that takes too many messages.

    Raises:
        TextError: It is longer than `length_max` UTF-16 units.
    """
    if (length := units(text)) > length_max:
        raise TextError(f"{length} characters when filled, and {length_max} are allowed")


@contextmanager
def told_of(language: str) -> Iterator[None]:
    """Have refusals within the block begin with the language of the text."""
    try:
        yield
    except TextError as error:
        raise TextError(f"{language}: {error}") from error
