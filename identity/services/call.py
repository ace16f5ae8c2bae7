"""One call: who, when, under which rules.

Owns what every use case needs to know of its circumstances, so that none reads a clock, a
certificate or a file itself.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from rapidfuzz.distance import JaroWinkler

from identity.domain.caller import Caller
from identity.domain.personal_id import PersonalID
from identity.domain.policy_book import Rules

COMMAND_LINE = "command-line"
"""Who the audit log names for what an administrator does without a call."""


def score_names(left: str, right: str) -> float:
    """How alike two names are, 0 to 100: Jaro-Winkler, as CAMARA KYC Match suggests."""
    return 100 * JaroWinkler.similarity(left, right)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The circumstances of one call.

    Attributes:
        caller: Who calls, as its certificate says.
        at: The instant at which it is answered: one for the whole call.
        rules: What holds at that instant.
        certificate: DER of the certificate that they called with; None off the wire.
        citizen: The person whom the app's assertion proves to be there; None for other roles.
        new_id: Makes identifiers.
    """

    caller: Caller
    at: datetime
    rules: Rules
    certificate: bytes | None = field(default=None, repr=False)
    citizen: PersonalID | None = None
    new_id: Callable[[], UUID] = field(default=uuid4)
