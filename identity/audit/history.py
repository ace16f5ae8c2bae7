"""A person's side of the audit log: its entries about them, the newest first, page by page.

Owns the two questions. An entry whose embargo has not ended is not shown and is counted; from the
instant of its end on it stands at its place. Pages go by the entry's number, which never changes:
an embargo that ends between two pages moves nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, cast

from sqlalchemy import Connection, text

_APP = "citizen-app:"

_SHOWN = text(
    "SELECT entry_id, CAST(extract(epoch FROM occurred_at) * 1000000 AS bigint) AS occurred_us,"  # noqa: S608 - a constant
    " caller, action, outcome, fields, purpose, legal_basis, case_id"
    " FROM audit_entry WHERE citizen_key = :key AND entry_id < :before"
    " AND (shown_from IS NULL OR shown_from <= :at)"
    f" AND NOT (starts_with(caller, '{_APP}') AND action = ANY (CAST(:own AS text[])))"
    " ORDER BY entry_id DESC LIMIT :limit"
)
_WITHHELD = text(
    "SELECT count(*) FROM audit_entry"
    " WHERE citizen_key = :key AND shown_from IS NOT NULL AND shown_from > :at"
)
_ENTRY_ID_MAX = 2**63 - 1


class ShownEntry(NamedTuple):
    """One entry as the person sees it.

    Attributes:
        entry_id: Its number.
        occurred_us: When, microseconds since 1970: a page has a thousand, and to make an instant of
            each takes as long as all the rest of reading it.
        caller: Who, as `role:name`.
        action: What.
        outcome: How it ended.
        fields: What was given away, by commas.
        purpose: Of accesses by agencies: what for.
        legal_basis: The article of law.
        case_id: The agency's own file.
    """

    entry_id: int
    occurred_us: int
    caller: str
    action: str
    outcome: str
    fields: str | None
    purpose: str | None
    legal_basis: str | None
    case_id: str | None


def list_shown(
    connection: Connection,
    citizen_key: bytes,
    *,
    at: datetime,
    before: int | None,
    limit: int,
    own_looks: Collection[str],
) -> Sequence[ShownEntry]:
    """Entries about a person that can be shown, the newest first.

    Args:
        connection: The transaction.
        citizen_key: Blind index of the personal ID.
        at: Embargoes that end later hold.
        before: The number of an entry; None begins with the newest.
        limit: How many.
        own_looks: Actions that are left out where the citizen app did them.
    """
    given = {
        "key": citizen_key,
        "before": _ENTRY_ID_MAX if before is None else before,
        "at": at,
        "own": sorted(own_looks),
        "limit": limit,
    }
    # A row is a tuple with these names: a copy of each would say no more.
    return cast("Sequence[ShownEntry]", connection.execute(_SHOWN, given).all())


def count_withheld(connection: Connection, citizen_key: bytes, *, at: datetime) -> int:
    """How many entries about a person an embargo keeps back."""
    counted = connection.execute(_WITHHELD, {"key": citizen_key, "at": at})
    return int(counted.scalar_one())
