"""Counts and checks."""

from concurrent.futures import ThreadPoolExecutor

from telco_sim.journal import Invariant, Journal


def test_an_invariant_that_was_never_checked_does_not_hold() -> None:
    (finding,) = Journal().findings(Invariant.ONE_PRIMARY)
    assert (finding.check_count, finding.holds) == (0, False)


def test_one_break_among_many_checks_is_enough() -> None:
    journal = Journal()
    for number in range(100):
        journal.check(Invariant.SAME_ANSWER, holds=number != 50, detail=f"number {number}")
    (finding,) = journal.findings(Invariant.SAME_ANSWER)
    assert (finding.check_count, finding.broken_count, finding.holds) == (100, 1, False)
    assert finding.details == ("number 50",)


def test_only_the_first_details_are_kept() -> None:
    journal = Journal()
    for number in range(100):
        journal.check(Invariant.SAME_ANSWER, holds=False, detail=str(number))
    (finding,) = journal.findings(Invariant.SAME_ANSWER)
    assert finding.broken_count == 100
    assert finding.details == ("0", "1", "2", "3", "4")


def test_a_difference_is_told_in_words() -> None:
    journal = Journal()
    journal.check_equal(Invariant.IMPORTS_ADD_UP, seen=3, expected=4, subject="created")
    (finding,) = journal.findings(Invariant.IMPORTS_ADD_UP)
    assert finding.details == ("created: expected 4, saw 3",)


def test_counts_add_up_over_threads() -> None:
    journal = Journal()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: journal.count("verified"), range(1_000)))
    journal.count("imported", 7)
    assert journal.counts() == {"verified": 1_000, "imported": 7}
