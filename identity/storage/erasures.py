"""What stands against erasing a person.

Owns the questions; each goes by a key of the person or of one of their subscriptions. What follows
from the answers is the domain's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, text

from identity.domain.erasure import ErasureObstacle, Obstacle

# Of ended subscriptions only: a person with one in service is asked nothing further.
_ENDED = (
    "SELECT s.* FROM subscription AS s"
    " WHERE s.citizen_key = :key AND s.service_state = 'terminated'"
)
_OF_NUMBER = "t.msisdn_key = s.msisdn_key AND t.subscription_id = s.subscription_id"
_STANDING = text(
    f"WITH ended AS MATERIALIZED ({_ENDED}) SELECT"  # noqa: S608 - names of our own, no input
    " EXISTS (SELECT FROM holding WHERE citizen_key = :key) AS subscription_in_service,"
    " EXISTS (SELECT FROM ended AS s JOIN enforcement_case AS t"
    f"  ON {_OF_NUMBER} WHERE t.state = 'open') AS case_open,"
    " EXISTS (SELECT FROM ended AS s JOIN directive AS t"
    f"  ON {_OF_NUMBER} WHERE t.state IN ('pending', 'leased')) AS directive_open,"
    " EXISTS (SELECT FROM dispute WHERE (holder_key = :key OR claimant_key = :key)"
    "  AND state <> 'closed') AS dispute_open,"
    " EXISTS (SELECT FROM arrangement WHERE (citizen_key = :key OR proposer_key = :key)"
    "  AND state IN ('proposed', 'agreed')) AS arrangement_open,"
    " EXISTS (SELECT FROM subscriber_update WHERE citizen_key = :key"
    "  AND acknowledged_sequence < sequence) AS update_open,"
    " (SELECT max(expires_at) FROM verification WHERE citizen_key = :key"
    "  AND state <> 'completed' AND expires_at > :at) AS verification_until,"
    " greatest((SELECT max(coalesce(ended_at, updated_at)) FROM ended),"
    "  (SELECT max(decided_at) FROM verification WHERE citizen_key = :key),"
    "  (SELECT max(closed_at) FROM dispute WHERE holder_key = :key OR claimant_key = :key),"
    # A ward's messages went to the guardian: what operators were answered has their words.
    "  (SELECT max(closed_at) FROM arrangement WHERE (citizen_key = :key OR proposer_key = :key)"
    "   AND agreed_at IS NOT NULL))"
    "  AS last_at"
)


@dataclass(frozen=True, slots=True)
class Erasures:
    """What stands against erasing people, in one transaction."""

    connection: Connection

    def obstacles(self, key: bytes, *, keep: timedelta, at: datetime) -> Sequence[Obstacle]:
        """Everything that stands against erasing a citizen at an instant.

        Args:
            key: The citizen's.
            keep: How long what was verified is kept after a subscription has ended.
            at: The present.
        """
        row = self.connection.execute(_STANDING, {"key": key, "at": at}).one()
        standing = {
            ErasureObstacle.SUBSCRIPTION_IN_SERVICE: row.subscription_in_service,
            ErasureObstacle.CASE_OPEN: row.case_open,
            ErasureObstacle.DIRECTIVE_OPEN: row.directive_open,
            ErasureObstacle.DISPUTE_OPEN: row.dispute_open,
            ErasureObstacle.ARRANGEMENT_OPEN: row.arrangement_open,
            ErasureObstacle.UPDATE_OPEN: row.update_open,
        }
        found = [Obstacle(kind=kind) for kind, is_standing in standing.items() if is_standing]
        if row.verification_until is not None:
            kind = ErasureObstacle.VERIFICATION_OPEN
            found.append(Obstacle(kind=kind, until=row.verification_until))
        if row.last_at is not None and row.last_at + keep > at:
            found.append(Obstacle(kind=ErasureObstacle.RETENTION, until=row.last_at + keep))
        return found
