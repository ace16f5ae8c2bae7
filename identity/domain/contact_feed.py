"""How long agencies are told whose contact has changed, and how long it is kept for them.

Owns the rule. Knows neither agencies nor rows.
"""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFeedPolicy:
    """What a pack says of the feed of changed contacts.

    Attributes:
        interest: For how long after it asked about somebody an agency is told that it should ask
            again.
        kept: For how long a hint is kept for an agency that was away; then it must ask about
            everybody again.
    """

    interest: timedelta = timedelta(days=90)
    kept: timedelta = timedelta(days=30)
