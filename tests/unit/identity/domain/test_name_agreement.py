"""How far two names agree: the table of the documentation, line by line, and its edges."""

import re
import unicodedata
from pathlib import Path

import pytest

from identity.domain.name_agreement import NameAgreement, name_agreement
from identity.domain.person_name import PersonName

PAGE = Path(__file__).resolve().parents[4] / "docs" / "concepts" / "names.md"
ROW = re.compile(r"\| (.+?) \| (.+?) \| `([a-z_]+)` \|")
DECOMPOSED = re.compile(r"NFD\((.+)\)")


def written(cell: str) -> PersonName:
    decomposed = DECOMPOSED.fullmatch(cell)
    text = unicodedata.normalize("NFD", decomposed[1]) if decomposed else cell
    return PersonName.parse(text)


def examples() -> list[tuple[str, str, str]]:
    section = PAGE.read_text(encoding="utf-8").partition("## Examples")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    rows = [ROW.fullmatch(line) for line in lines if "`" in line]
    assert len(rows) == len(lines) - 2, "a header, a rule, and examples"
    return [(row[1], row[2], row[3]) for row in rows if row is not None]


@pytest.mark.parametrize(("one", "other", "outcome"), examples())
def test_the_documentation_tells_the_truth(one: str, other: str, outcome: str) -> None:
    expected = NameAgreement.EXACT if outcome == "match" else NameAgreement(outcome)
    assert name_agreement(written(one), written(other)) is expected
    assert name_agreement(written(other), written(one)) is expected


def test_the_documentation_has_an_example_of_every_outcome() -> None:
    shown = {outcome for _, _, outcome in examples()}
    assert shown == {"match", *(set(NameAgreement) - {NameAgreement.EXACT})}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        # A hyphen or an apostrophe in a word is no accent.
        ("Lưu Như-Ý An", "Luu Nhu-Y An", NameAgreement.UNACCENTED),
        ("Lưu Như-Ý An", "An Luu Nhu-Y", NameAgreement.REORDERED),
        ("H'Hen Niê", "Nie H'Hen", NameAgreement.REORDERED),
        # Names of one letter: Ý is a name, and no initial of Yến.
        ("Nguyễn Ý", "Nguyễn Yến", NameAgreement.DIFFERENT),
        ("Nguyễn Văn A", "Nguyễn Văn An", NameAgreement.INITIALS),
        ("Y Moan", "Y Moan", NameAgreement.EXACT),
        ("Y Moan", "Moan Y", NameAgreement.REORDERED),
        # Both sides cut, each where the other is written out.
        ("Nguyễn V. Anh Tú", "Nguyễn Văn A. Tú", NameAgreement.INITIALS),
        # A dot alone is a cut word that lost nothing.
        ("Nguyễn Văn An.", "Nguyễn Văn An", NameAgreement.INITIALS),
        # An initial has its own accents, or none.
        ("Lê Ô. An", "Lê Ông An", NameAgreement.INITIALS),
        ("Lê O. An", "Lê Ông An", NameAgreement.INITIALS),
        ("Lê Ơ. An", "Lê Ông An", NameAgreement.DIFFERENT),
        # A word written out is never the beginning of a longer one.
        ("Lê Th An", "Lê Thị An", NameAgreement.DIFFERENT),
        ("An", "An An", NameAgreement.DIFFERENT),
        # Other scripts have words and no accents of ours.
        ("阮 文 安", "安 阮 文", NameAgreement.REORDERED),
        ("阮文安", "安阮文", NameAgreement.DIFFERENT),
    ],
)
def test_edges_are_decided_both_ways_alike(one: str, other: str, expected: NameAgreement) -> None:
    assert name_agreement(PersonName.parse(one), PersonName.parse(other)) is expected
    assert name_agreement(PersonName.parse(other), PersonName.parse(one)) is expected


def test_the_longest_names_are_compared_word_by_word() -> None:
    one = PersonName.parse(" ".join("abcdefghij" * 5))
    other = PersonName.parse(" ".join(("abcdefghij" * 5)[1:] + "k"))
    assert name_agreement(one, other) is NameAgreement.DIFFERENT
