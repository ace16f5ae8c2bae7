"""Whose contact has changed, which agencies care, and the one order in which they are told.

Owns the rows of `contact_interest`, `contact_change`, `contact_hint` and `contact_feed`, and that
no agency that was given an older contact misses a hint:

- Whoever changes a contact writes a change in the same transaction. It has no place in the feed
  yet: transactions do not commit in the order in which they number their rows.
- Changes that are committed are passed on by one transaction at a time. It gives them their
  positions, so positions are committed in their own order, and a reader who has seen one has seen
  all before it.
- Whoever looks contacts up says so before reading, and holds a shared lock until the end. Passing
  on takes it alone: every look-up that may have read the contact of before has stored its interest
  by then, and every later one reads the contact of now.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select, text

from identity.domain.agency import Purpose, Right
from identity.storage.contact_change_tables import contact_hint
from identity.storage.contact_news import CHANNEL

RENEWED_WITHIN = timedelta(days=1)
"""An interest is written again once it would end so much later: a citizen about whom an agency asks
all the time costs one write a day."""

_LOCK = "hashtext('subid.contact_feed')"

_CHANGED = text(
    "WITH written AS (INSERT INTO contact_change (citizen_key, is_wish)"  # noqa: S608 - constants
    "  SELECT DISTINCT key, CAST(:is_wish AS boolean)"
    "  FROM unnest(CAST(:keys AS bytea[])) AS key RETURNING change_id)"
    f" SELECT pg_notify('{CHANNEL}', '') WHERE EXISTS (SELECT FROM written)"
)
# In the order of the keys, as everybody locks. What stands already is not touched: an update that
# changes nothing would still lock the row.
_INTERESTED = text(
    "WITH held AS MATERIALIZED"  # noqa: S608 - constants
    f"  (SELECT pg_advisory_xact_lock_shared({_LOCK})),"
    " asked AS (SELECT * FROM unnest(CAST(:keys AS bytea[]), CAST(:agencies AS text[]),"
    "  CAST(:untils AS timestamptz[])) AS asked (citizen_key, agency, until), held)"
    " INSERT INTO contact_interest (citizen_key, agency, until)"
    " SELECT citizen_key, agency, max(asked.until) FROM asked"
    "  LEFT JOIN contact_interest AS known USING (citizen_key, agency)"
    " WHERE known.until IS NULL OR known.until < asked.until - CAST(:renewed_within AS interval)"
    " GROUP BY citizen_key, agency ORDER BY citizen_key, agency"
    " ON CONFLICT (citizen_key, agency)"
    " DO UPDATE SET until = greatest(contact_interest.until, excluded.until)"
)
_HOLD_ALONE = text(f"SELECT pg_advisory_xact_lock({_LOCK})")
_IS_WAITING = text("SELECT EXISTS (SELECT FROM contact_change)")
# Who must not be contacted looks like nobody, and of nobody comes no hint: an agency is told that
# they must not be, or may be again, and of nothing that happens in between.
_PASS_ON = text(
    "WITH taken AS (DELETE FROM contact_change WHERE change_id IN"
    "  (SELECT change_id FROM contact_change ORDER BY change_id LIMIT :limit)"
    "  RETURNING citizen_key, is_wish),"
    " concerned AS (SELECT interest.agency, interest.citizen_key"
    "  FROM (SELECT citizen_key, bool_or(is_wish) AS is_wish FROM"
    "   (SELECT citizen_key, is_wish FROM taken UNION ALL"
    # A guardian's number may stand in for a child's.
    "    SELECT child.citizen_key, false FROM (SELECT DISTINCT citizen_key FROM taken) AS guardian"
    "    CROSS JOIN LATERAL (SELECT citizen_key FROM arrangement WHERE guardian_place IS NOT NULL"
    "     AND proposer_key = guardian.citizen_key OFFSET 0) AS child) AS one"
    "   GROUP BY citizen_key) AS changed"
    # Each looked up by itself: the planner cannot know how few they are.
    "  CROSS JOIN LATERAL (SELECT * FROM contact_interest AS kept"
    "   WHERE kept.citizen_key = changed.citizen_key OFFSET 0) AS interest"
    "  JOIN agency ON agency.name = interest.agency AND agency.is_active"
    "  WHERE interest.until > :at AND EXISTS (SELECT FROM agency_grant AS held"
    "   WHERE held.name = interest.agency AND :right = ANY (held.rights)"
    "   AND (changed.is_wish OR NOT EXISTS (SELECT FROM restriction AS wish"
    "    WHERE wish.citizen_key = interest.citizen_key"
    "    AND (held.purpose = ANY (wish.objected_purposes)"
    "     OR (wish.is_restricted AND held.purpose <> :for_safety)))))),"
    " told AS (INSERT INTO contact_hint (agency, citizen_key, hinted_at)"
    "  SELECT agency, citizen_key, :at FROM concerned)"
    " SELECT count(*) FROM taken"
)
_FEED = select(contact_hint.c.position, contact_hint.c.agency, contact_hint.c.citizen_key).order_by(
    contact_hint.c.position
)
_BOUNDS = text(
    "SELECT pruned, greatest(pruned, (SELECT max(position) FROM contact_hint)) FROM (SELECT"
    " coalesce((SELECT pruned_position FROM contact_feed), 0)) AS feed (pruned)"
)
_PRUNE_HINTS = text(
    "WITH gone AS (DELETE FROM contact_hint WHERE position IN (SELECT position FROM"
    "  (SELECT position, hinted_at FROM contact_hint ORDER BY position LIMIT :limit) AS oldest"
    "  WHERE hinted_at < :before) RETURNING position)"
    " INSERT INTO contact_feed (pruned_position) SELECT max(position) FROM gone"
    "  HAVING count(*) > 0"
    " ON CONFLICT (only_row) DO UPDATE SET pruned_position = excluded.pruned_position"
    " RETURNING (SELECT count(*) FROM gone)"
)
_PRUNE_INTERESTS = text(
    "DELETE FROM contact_interest AS i USING (SELECT citizen_key, agency FROM contact_interest"
    "  WHERE until < :at ORDER BY until LIMIT :limit FOR UPDATE SKIP LOCKED) AS ended"
    " WHERE i.citizen_key = ended.citizen_key AND i.agency = ended.agency"
)


class Hint(NamedTuple):
    """A hint for one agency to ask again about one citizen, at its place in the feed."""

    position: int
    agency: str
    citizen_key: bytes


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far the feed goes.

    Attributes:
        first: Nothing up to this position is kept.
        last: The newest position.
    """

    first: int
    last: int


Interest = tuple[bytes, str]
"""A citizen about whom an agency asks."""


@dataclass(frozen=True, slots=True)
class ContactChanges:
    """The feed, in one transaction."""

    connection: Connection

    def note_changed(self, keys: Iterable[bytes]) -> None:
        """Note that the contacts of some citizens may be other than before."""
        note_changed(self.connection, keys)

    def note_interest(self, untils: Mapping[Interest, datetime]) -> None:
        """Note who asks about whom, and until when they are told of changes.

        To be called before the contacts are read, in the transaction that reads them.
        """
        if not untils:
            return
        given = {
            "keys": [key for key, _ in untils],
            "agencies": [agency for _, agency in untils],
            "untils": list(untils.values()),
            "renewed_within": RENEWED_WITHIN,
        }
        self.connection.execute(_INTERESTED, given)

    def pass_on(self, *, at: datetime, limit: int) -> int:
        """Put committed changes into the feed, for whoever cares; returns how many were taken."""
        if not self.connection.execute(_IS_WAITING).scalar_one():
            return 0
        self.connection.execute(_HOLD_ALONE)
        given = {
            "at": at,
            "limit": limit,
            "right": Right.CONTACT_CHANGES.value,
            "for_safety": Purpose.PUBLIC_SAFETY.value,
        }
        return int(self.connection.execute(_PASS_ON, given).scalar_one())

    def read(self, *, after: int, limit: int) -> Sequence[Hint]:
        """The feed after a position."""
        query = _FEED.where(contact_hint.c.position > after).limit(limit)
        return [Hint(*row) for row in self.connection.execute(query)]

    def read_of(self, agency: str, *, after: int, until: int, limit: int) -> Sequence[Hint]:
        """One agency's part of the feed, after a position and up to another."""
        query = _FEED.where(
            contact_hint.c.agency == agency,
            contact_hint.c.position > after,
            contact_hint.c.position <= until,
        )
        return [Hint(*row) for row in self.connection.execute(query.limit(limit))]

    def bounds(self) -> Bounds:
        """How far the feed goes."""
        return Bounds(*self.connection.execute(_BOUNDS).one())

    def prune(self, *, before: datetime, at: datetime, limit: int) -> int:
        """Forget the oldest hints and interests that have ended, so many of each at most.

        Args:
            before: Hints of before this instant.
            at: Interests that ended by then.
            limit: How many.

        Returns:
            How many were forgotten of that of which there were more.
        """
        self.connection.execute(_HOLD_ALONE)
        hints = self.connection.execute(_PRUNE_HINTS, {"before": before, "limit": limit}).scalar()
        ended = self.connection.execute(_PRUNE_INTERESTS, {"at": at, "limit": limit})
        return max(int(hints or 0), ended.rowcount)


def note_changed(connection: Connection, keys: Iterable[bytes], *, is_wish: bool = False) -> None:
    """`ContactChanges.note_changed`, for those who have a connection only.

    Args:
        connection: The transaction.
        keys: Whose contacts.
        is_wish: What the citizens want of agencies has changed, not their numbers.
    """
    changed: Collection[bytes] = list(keys)
    if changed:
        connection.execute(_CHANGED, {"keys": changed, "is_wish": is_wish})
