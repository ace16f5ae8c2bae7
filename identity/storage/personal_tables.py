"""Where something about a person stands, and what becomes of it when the person is erased.

Owns the list, made for the tables themselves: a table with a key of a person or a number, or with a
sealed column, stands in it or is explained, and a test finds what does not. Knows the names that
people read in an export, and no rows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Table

from identity.storage.abuse_tables import probe_conflict, probe_mark, verification_attempt
from identity.storage.arrangement_tables import arrangement
from identity.storage.bulk_tables import link_change
from identity.storage.choice_tables import choice_event, citizen_choice, fallback_number
from identity.storage.contact_change_tables import contact_interest
from identity.storage.enforcement_tables import complaint, dispute
from identity.storage.message_tables import message
from identity.storage.privacy_tables import data_request, restriction
from identity.storage.tables import (
    citizen,
    directive,
    enforcement_case,
    face_reference,
    primary_number,
    subscription,
    verification,
)
from identity.storage.update_tables import subscriber_update

BY_CITIZEN = ("citizen_key",)


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalTable:
    """A table with rows about people.

    Attributes:
        table: The table.
        section: Its name in an export.
        owners: Columns that say whose a row is; empty where that is said by its subscription.
        since: Where it is: the column of its time. What came before the present holder of a
            subscription is somebody else's.
        is_erased: Whether its rows go with the person; otherwise they stay under keys that say
            nothing of anybody: for the other side of a dispute, for counting what operators did,
            and to show that an erasure was done.
        order: Columns by which an export lists its rows.
    """

    table: Table
    section: str
    owners: Sequence[str] = BY_CITIZEN
    since: str | None = None
    is_erased: bool = True
    order: Sequence[str] = ()


PERSONAL_TABLES: Sequence[PersonalTable] = (
    PersonalTable(table=citizen, section="population_record"),
    PersonalTable(table=primary_number, section="primary_number"),
    PersonalTable(table=fallback_number, section="fallback_numbers", order=("rank",)),
    PersonalTable(table=choice_event, section="choice_history", order=("sequence",)),
    PersonalTable(table=citizen_choice, section="choices"),
    PersonalTable(table=contact_interest, section="agencies_that_watch", order=("agency",)),
    PersonalTable(table=message, section="messages", order=("created_at", "position")),
    PersonalTable(
        table=arrangement,
        section="arrangements",
        owners=("citizen_key", "proposer_key"),
        order=("proposed_at",),
    ),
    PersonalTable(table=verification, section="verifications", order=("created_at",)),
    PersonalTable(
        table=verification_attempt, section="failed_verifications", owners=("subject_key",)
    ),
    PersonalTable(table=probe_mark, section="photographs_used", order=("used_at",)),
    PersonalTable(table=probe_conflict, section="photographs_of_two", order=("found_at",)),
    PersonalTable(table=face_reference, section="face"),
    PersonalTable(table=subscriber_update, section="population_updates", order=("sequence",)),
    PersonalTable(
        table=link_change,
        section="link_changes",
        owners=(),
        since="changed_at",
        order=("changed_at", "position"),
    ),
    PersonalTable(
        table=complaint,
        section="complaints",
        owners=(),
        since="filed_at",
        order=("filed_at",),
    ),
    PersonalTable(
        table=enforcement_case,
        section="enforcement_cases",
        owners=(),
        since="opened_at",
        is_erased=False,
        order=("opened_at",),
    ),
    PersonalTable(
        table=directive,
        section="directives",
        owners=(),
        since="created_at",
        is_erased=False,
        order=("created_at", "position"),
    ),
    PersonalTable(
        table=dispute,
        section="disputes",
        owners=("holder_key", "claimant_key"),
        is_erased=False,
        order=("opened_at",),
    ),
    # After everything that is found by it.
    PersonalTable(table=subscription, section="subscriptions", owners=(), order=("created_at",)),
    PersonalTable(table=restriction, section="objections_and_restriction", is_erased=False),
    PersonalTable(
        table=data_request, section="data_requests", is_erased=False, order=("opened_at",)
    ),
)
"""Every table with rows about people but the audit log, in an order that deletes them."""

EXPLAINED: Mapping[str, str] = {
    "audit_entry": "who read what: an export has them from the audit log, as `accesses`",
    "holding": "the citizen's side of subscriptions in service, which are exported themselves",
    "subscriber_sequence": "a counter: it outlives the person, so that no number is given twice",
    "citizen_secret": "what the person's values are sealed with; an erasure destroys it",
    "request": "answers that were given, to be given again: an erasure deletes those of its time",
    "relay": "a token for some days; its making is among the accesses, and it leads to nobody then",
    "contact_change": "whose contact has changed, until it is passed on: some seconds",
    "contact_hint": "that agencies were told to ask again, without what; pruned by age",
    "kyc_guess": "how often a number was asked about in a day, whoever has it",
    "signing_key": "the service's own",
    "import_row": "what a snapshot under way has named; emptied at its end",
    "face_cohort": "faces without identities: nobody can say whose; the next draw replaces it",
    "registry": "a constant, sealed",
}
"""Tables with keys or sealed columns that no export shows, and why not."""
