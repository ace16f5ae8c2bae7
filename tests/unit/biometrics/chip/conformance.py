"""The page that says how each case of BSI TR-03105-5.1 is answered, made from the tests' tables.

Owns `docs/reference/chip-conformance.md`. Run as a module, it writes the page; `test_bsi_cases`
fails while the page says anything else.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.unit.biometrics.chip.forgeries import REFUSED
from tests.unit.biometrics.chip.test_bsi_cases import (
    ALGORITHM_CASES,
    CARDS,
    DG1_CASES,
    DG2_CASES,
    ELSEWHERE,
    REASONS,
    SIGNER_LEFT_OUT,
)

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "chip-conformance.md"

_HEAD = """# Chip conformance

BSI TR-03105-5.1 lists test cases for inspection systems.
Those of EF.SOD (`LDS_H`), DG1 (`LDS_B`) and DG2 (`LDS_C`) concern this library; the others are
about reading a chip over the air, which the reader does.

Each case has a test of ours, or a written reason why it has none.
The titles of the cases are in the guideline.
This page is made from the tests' own tables by
`python -m tests.unit.biometrics.chip.conformance`, and a test fails when it and they differ.

"""
_TESTS = "tests/unit/biometrics/chip"


def answers() -> Iterator[tuple[str, str, str]]:
    """Yield case, what the library answers, and where that is tested; no test, no third."""
    for case, (_, code) in {**DG1_CASES, **DG2_CASES}.items():
        yield case, f"`{code}`" if code else "accepted", "`test_bsi_cases`"
    yield "LDS_B_04", "accepted", "`test_bsi_cases`"
    for case, (algorithm, listed) in ALGORITHM_CASES.items():
        sha1 = ", where a policy declares SHA-1" if algorithm.hash == "sha1" else ""
        left_out = ", signer left out" if case in SIGNER_LEFT_OUT else ""
        said = f"accepted{sha1}: {algorithm.scheme}, {algorithm.hash}, list of {listed}{left_out}"
        yield case, said, "`test_bsi_cases`"
    for case, card in CARDS.items():
        yield case, f"`{REFUSED[card][0]}` for {card}", "`test_verify`"
    for case, where in ELSEWHERE.items():
        test, _, said = where.rpartition(": ")
        yield case, said, f"`{test}`" if test else "`test_verify`"
    for case, reason in REASONS.items():
        yield case, f"no test: {reason}", ""


def write_page() -> str:
    """Return the page."""
    sections = (("EF.SOD", "LDS_H_"), ("DG1", "LDS_B_"), ("DG2", "LDS_C_"))
    rows = sorted(answers())
    parts = (
        _section(title, [row for row in rows if row[0].startswith(start)])
        for title, start in sections
    )
    return _HEAD + "\n".join(parts) + f"\nThe tests are in `{_TESTS}`.\n"


def _section(title: str, rows: Iterable[tuple[str, str, str]]) -> str:
    lines = [f"## {title}", "", "| case | answer | test |", "| --- | --- | --- |"]
    lines += [f"| {case} | {said} | {test} |" for case, said, test in rows]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(write_page(), encoding="utf-8")
