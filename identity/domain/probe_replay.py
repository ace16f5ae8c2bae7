"""When a live photograph was used before.

Owns what a second use is and what a pack says of how long photographs are remembered. Knows no
photograph: marks are made elsewhere, and kept keyed.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class ProbeReplay(StrEnum):
    """How a photograph was used before. Append-only: stored evidence holds these names."""

    SAME_PERSON = "same_person"
    """For this very person, in another session."""

    OTHER_PERSON = "other_person"
    """For somebody else: one of the two is not who they say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbePolicy:
    """What a pack says of photographs that were used before.

    Attributes:
        kept: For how long marks of them are kept; afterwards nobody knows them again.
    """

    kept: timedelta = timedelta(days=365)
