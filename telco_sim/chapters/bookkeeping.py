"""Operators bring their books.

Owns the import of all books, dirt included, the same imports sent again, the correction of what
was wrong, and the comparison of every subscription with what the simulation knows.
"""

from subid.v1.imports_pb2 import ImportSummary
from subid.v1.subscription_pb2 import (
    LINK_STATE_DECEASED,
    LINK_STATE_LINKED,
    LINK_STATE_MISMATCHED,
    LINK_STATE_NOT_FOUND,
    LinkState,
)
from subid.v1.subscription_service_pb2 import LinkCounts, SubscriptionRow
from telco_sim.books import BookRow, expected_link_counts, expected_refusals
from telco_sim.chapters.register import check_refusals, check_summary, expected_summary
from telco_sim.flaws import Flaw
from telco_sim.journal import Invariant
from telco_sim.messages import claim_message
from telco_sim.operators import Operator
from telco_sim.world import World

_CORRECTED_SHARE = 4
"""One in so many of the rows with a wrong holder is corrected at once."""


def import_books(world: World) -> None:
    """Import each operator's book, and the same again."""
    for operator in world.operators:
        _import_book(world, operator)
        _import_book_again(world, operator)


def correct_books(world: World) -> None:
    """Send some of the mismatched rows again, as they should have been."""
    for operator in world.operators:
        mismatched = [each for each in operator.book if each.expected == LINK_STATE_MISMATCHED]
        corrected = [_corrected(each) for each in mismatched[::_CORRECTED_SHARE]]
        if not corrected:
            continue
        response = operator.import_rows(corrected)
        check_summary(
            world.journal,
            response.summary,
            expected=ImportSummary(received_count=len(corrected), changed_count=len(corrected)),
            subject=f"corrections of {operator.name}",
        )
        for row in mismatched[::_CORRECTED_SHARE]:
            operator.lines[row.msisdn].link = LINK_STATE_LINKED
        world.journal.count("holders corrected by operators", len(corrected))


def compare_books(world: World) -> None:
    """Read every subscription back and compare its link with the simulation's own."""
    for operator in world.operators:
        seen = {each.msisdn: each for each in operator.subscriptions()}
        world.journal.check_equal(
            Invariant.OWN_SUBSCRIPTIONS_ONLY,
            seen=sorted(seen),
            expected=sorted(operator.lines),
            subject=f"numbers of {operator.name}",
        )
        for msisdn, line in operator.lines.items():
            link = seen[msisdn].link.state if msisdn in seen else 0
            world.journal.check_equal(
                Invariant.LINKS_KNOWN,
                seen=LinkState.Name(link),
                expected=LinkState.Name(line.link),
                subject=f"link of a {operator.name} line",
            )
    _compare_filtered_list(world, world.operators[0])


def _import_book(world: World, operator: Operator) -> None:
    response = operator.import_rows([each.row for each in operator.book])
    refusals = expected_refusals(operator.book)
    subject = f"book of {operator.name}"
    again = sum(1 for each in operator.book if each.flaw is Flaw.ENTERED_AGAIN)
    expected = expected_summary(len(operator.book), refusals=refusals, unchanged=again)
    check_summary(world.journal, response.summary, expected=expected, subject=subject)
    check_refusals(world.journal, response.summary, refusals=refusals, subject=subject)
    world.journal.check_equal(
        Invariant.LINKS_KNOWN,
        seen=response.links,
        expected=_link_counts_message(operator.book),
        subject=subject,
    )
    _count_book(world, operator, response.links)


def _import_book_again(world: World, operator: Operator) -> None:
    accepted_count = sum(1 for each in operator.book if each.is_accepted)
    summary = operator.import_rows([each.row for each in operator.book]).summary
    world.journal.check_equal(
        Invariant.IMPORT_REPEATABLE,
        seen=(summary.created_count, summary.changed_count, summary.unchanged_count),
        expected=(0, 0, accepted_count),
        subject=f"book of {operator.name}: created, changed, unchanged",
    )


def _count_book(world: World, operator: Operator, links: LinkCounts) -> None:
    world.journal.count("subscriptions imported: linked", links.linked_count)
    world.journal.count("subscriptions imported: mismatched", links.mismatched_count)
    world.journal.count("subscriptions imported: personal ID of nobody", links.not_found_count)
    world.journal.count("subscriptions imported: holder has died", links.deceased_count)
    for row in operator.book:
        if not row.is_accepted:
            world.journal.count(f"subscription rows refused: {row.flaw}")


def _link_counts_message(book: tuple[BookRow, ...]) -> LinkCounts:
    counts = expected_link_counts(book)
    return LinkCounts(
        linked_count=counts[LINK_STATE_LINKED],
        mismatched_count=counts[LINK_STATE_MISMATCHED],
        not_found_count=counts[LINK_STATE_NOT_FOUND],
        deceased_count=counts[LINK_STATE_DECEASED],
    )


def _corrected(row: BookRow) -> SubscriptionRow:
    corrected = SubscriptionRow()
    corrected.CopyFrom(row.row)
    corrected.holder.CopyFrom(claim_message(row.holder))
    return corrected


def _compare_filtered_list(world: World, operator: Operator) -> None:
    wanted = (LINK_STATE_NOT_FOUND, LINK_STATE_DECEASED)
    world.journal.check_equal(
        Invariant.OWN_SUBSCRIPTIONS_ONLY,
        seen=sorted(each.msisdn for each in operator.subscriptions(*wanted)),
        expected=sorted(line.msisdn for line in operator.lines.values() if line.link in wanted),
        subject=f"numbers of {operator.name} with nobody alive behind them",
    )
