"""Distinguished names compared as people mean them, and the country inside one.

Owns RFC 5280, clause 7.1: two names are equal when they agree after folding case, spaces and
string types. Issuers need it: a document signer's certificate and the certificate authority's
often spell one name in two encodings.
"""

import unicodedata
from dataclasses import dataclass

from asn1crypto import x509

NAME_OCTETS_MAX = 2048
"""A bound on work and on what is remembered: putting accents in order takes time by the square of
their number, 71 ms for a name of 15 KB. The longest in 411 authorities' certificates has 213."""

_COUNTRY = "country_name"
_MAPPED_TO_NOTHING = frozenset("\u00ad\u034f\u1806\u180b\u180c\u180d\u200b\u200c\u200d\u2060\ufeff")
"""RFC 4518, clause 2.2, the characters that are seen: hyphens and joiners without width."""


@dataclass(frozen=True, kw_only=True)
class DistinguishedName:
    """One name.

    Attributes:
        raw: DER as received.
        folded: What two equal names share.
        countries: ISO 3166-1 alpha-2 codes in it, upper case; one in any name that is in order.
    """

    raw: bytes
    folded: str
    countries: tuple[str, ...]

    def is_same(self, other: "DistinguishedName") -> bool:
        """Tell whether both name the same entity (RFC 5280, clause 7.1)."""
        return self.folded == other.folded


def read_name(raw: bytes) -> DistinguishedName:
    """Read one DER Name.

    Raises:
        ValueError: when it is not one, or longer than NAME_OCTETS_MAX.
    """
    if len(raw) > NAME_OCTETS_MAX:
        raise ValueError("a name beyond all bounds")
    try:
        name = x509.Name.load(raw, strict=True)
        folded = "|".join(
            "+".join(sorted(_fold(attribute) for attribute in rdn)) for rdn in name.chosen
        )
        countries = tuple(
            str(attribute["value"].native).strip().upper()
            for rdn in name.chosen
            for attribute in rdn
            if attribute["type"].native == _COUNTRY
        )
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        # asn1crypto meets malformed values with whatever its own code trips over.
        raise ValueError("not a distinguished name") from error
    return DistinguishedName(raw=raw, folded=folded, countries=countries)


def _fold(attribute: x509.NameTypeAndValue) -> str:
    """Fold one attribute: compatibility forms, case and spaces (RFC 4518, clauses 2.2 to 2.6.1).

    Values that are no text, such as unique identifiers, compare by their octets.
    """
    value = attribute["value"].native
    if not isinstance(value, str):
        return f"{attribute['type'].dotted}={attribute['value'].dump().hex()}"
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", value).casefold())
    words = "".join(letter for letter in text if letter not in _MAPPED_TO_NOTHING).split()
    # Quoted, so that no value can be written to look like two.
    return f"{attribute['type'].dotted}={' '.join(words)!r}"
