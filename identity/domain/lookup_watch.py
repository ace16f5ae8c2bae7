"""When somebody seems to be trying out personal IDs or numbers.

Owns what of a caller's look-ups is counted and when it is too much. Knows no caller and no storage.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from identity.domain.personal_id import PersonalID


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """Look-ups of a caller, in one call or in a day.

    Attributes:
        asked_count: People and numbers that were asked about.
        unknown_count: Those that nobody has, or that are none of the caller's.
        sequential_count: Those that follow the one asked about before them, or come before it.
    """

    asked_count: int = 0
    unknown_count: int = 0
    sequential_count: int = 0

    def __add__(self, more: "Looked") -> "Looked":
        return Looked(
            asked_count=self.asked_count + more.asked_count,
            unknown_count=self.unknown_count + more.unknown_count,
            sequential_count=self.sequential_count + more.sequential_count,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupPolicy:
    """What a pack says of callers that ask about many who are nobody.

    Attributes:
        unknown_share_max: When more of a day's look-ups than this are about nobody, the caller's
            look-ups stop, 0 to 1. Of the personal IDs that could be given a few in a hundred are:
            who guesses misses nearly always, and no real file is wrong in half of its lines.
        sequential_share_max: The same of those that follow one another, 0 to 1. Neighbouring
            personal IDs are as rare in a real file.
        judged_from: From how many look-ups of a day on the shares are looked at.
    """

    unknown_share_max: float = 0.5
    sequential_share_max: float = 0.5
    judged_from: int = 200

    def is_guessing(self, looked: Looked) -> bool:
        """Whether a day's look-ups look like somebody trying out personal IDs or numbers."""
        return looked.asked_count >= self.judged_from and (
            looked.unknown_count > self.unknown_share_max * looked.asked_count
            or looked.sequential_count > self.sequential_share_max * looked.asked_count
        )


def sequential_count(people: Iterable[PersonalID]) -> int:
    """How many of some personal IDs are next to the one before them, in the order of asking."""
    numbers = (int(each.value) for each in people)
    return sum(abs(after - before) == 1 for before, after in pairwise(numbers))
