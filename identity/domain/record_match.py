"""How an agency's own record of a person compares with the population record.

Owns what an agency may learn: of each field that it gave whether it agrees, never what stands there
instead, and nothing of a field that it did not give. Owns when so much fails that somebody seems to
be guessing. Knows no agency and no quota.
"""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from identity.domain.holder import PopulationRecord
from identity.domain.link import SCORE_MAX, FieldSource, NameScorer, compare_names
from identity.domain.name_agreement import NameAgreement, name_agreement
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID


class PersonMatch(StrEnum):
    """Whether anybody has a personal ID."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    """Nobody has it: never given, or retired."""

    NOT_AVAILABLE = "not_available"


class FieldMatch(StrEnum):
    """How one field compares."""

    EXACT = "exact"
    SIMILAR = "similar"
    DIFFERENT = "different"
    NOT_GIVEN = "not_given"
    NOT_AVAILABLE = "not_available"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchPolicy:
    """What a pack says of agencies that compare their records.

    Attributes:
        failed_share_max: When more of a day's people than this are unknown or differ, the agency's
            matching stops, 0 to 1. Real books are wrong in some tenths at most; guesses nearly all.
        judged_from: From how many people of a day on the share is looked at: of a few it means
            nothing.
    """

    failed_share_max: float = 0.5
    judged_from: int = 200

    def is_guessing(self, *, people_count: int, failed_count: int) -> bool:
        """Whether a day's matching looks like somebody trying out personal IDs or names."""
        return (
            people_count >= self.judged_from and failed_count > self.failed_share_max * people_count
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordClaim:
    """What an agency holds of a person; name or birth date are given, or both.

    Attributes:
        personal_id: The personal identification number.
        full_name: The full name; None when not given.
        birth_date: The date of birth; None when not given.
    """

    personal_id: PersonalID
    full_name: PersonName | None
    birth_date: date | None = field(repr=False)

    @property
    def given(self) -> str:
        """The names of the fields that were given, by commas, as an access is recorded with."""
        names = ["birth_date"] if self.birth_date is not None else []
        names += ["full_name"] if self.full_name is not None else []
        return ",".join((*names, "personal_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordMatch:
    """How it compares.

    Attributes:
        personal_id: The personal ID.
        full_name: The name.
        full_name_score: How alike two names are that are not the same, 0 to 99; None otherwise.
        birth_date: The birth date.
    """

    personal_id: PersonMatch
    full_name: FieldMatch
    full_name_score: int | None = None
    birth_date: FieldMatch

    def __post_init__(self) -> None:
        has_score = self.full_name in {FieldMatch.SIMILAR, FieldMatch.DIFFERENT}
        if (self.full_name_score is not None) != has_score:
            raise ValueError("exactly a name that is not the same carries a score")
        if self.full_name_score is not None and not 0 <= self.full_name_score <= SCORE_MAX:
            raise ValueError(f"a score is 0 to {SCORE_MAX}")

    @property
    def outcome(self) -> str:
        """All of it in a word, for the record of the access."""
        if self.personal_id is not PersonMatch.KNOWN:
            return self.personal_id.value
        fields = {self.full_name, self.birth_date}
        worst = (FieldMatch.DIFFERENT, FieldMatch.SIMILAR)
        return next((each.value for each in worst if each in fields), FieldMatch.EXACT.value)

    @property
    def is_failed(self) -> bool:
        """Whether it is what a guess would mostly come to."""
        fields = {self.full_name, self.birth_date}
        return self.personal_id is PersonMatch.UNKNOWN or FieldMatch.DIFFERENT in fields


EXACT_MATCH = RecordMatch(
    personal_id=PersonMatch.KNOWN, full_name=FieldMatch.EXACT, birth_date=FieldMatch.EXACT
)
"""Of a record of which name and birth date were given."""


def compare_record(
    claim: RecordClaim, record: PopulationRecord | None, *, score_names: NameScorer
) -> RecordMatch:
    """Compare what an agency holds with the population record of the personal ID.

    Args:
        claim: What the agency holds.
        record: The record; None when there is none.
        score_names: How alike two strings are, 0 to 100.

    Returns:
        The comparison. A retired personal ID is UNKNOWN: nobody has it any more. That somebody has
        died is not told: it was not asked, and name and birth date are still theirs.
    """
    if record is None or record.merged_into is not None:
        return _nothing_to_compare(claim, PersonMatch.UNKNOWN)
    full_name, score = _compare_names(claim.full_name, record.full_name, score_names)
    return RecordMatch(
        personal_id=PersonMatch.KNOWN,
        full_name=full_name,
        full_name_score=score,
        birth_date=_compare_days(claim.birth_date, record.birth_date),
    )


def unavailable_match(claim: RecordClaim) -> RecordMatch:
    """The answer for somebody of whom nothing is said."""
    return _nothing_to_compare(claim, PersonMatch.NOT_AVAILABLE)


def _nothing_to_compare(claim: RecordClaim, person: PersonMatch) -> RecordMatch:
    return RecordMatch(
        personal_id=person,
        full_name=_not_available(claim.full_name),
        birth_date=_not_available(claim.birth_date),
    )


def _not_available(given: object) -> FieldMatch:
    return FieldMatch.NOT_GIVEN if given is None else FieldMatch.NOT_AVAILABLE


def _compare_names(
    given: PersonName | None, known: PersonName, score_names: NameScorer
) -> tuple[FieldMatch, int | None]:
    if given is None:
        return FieldMatch.NOT_GIVEN, None
    compared = compare_names(
        given, known, source=FieldSource.POPULATION_RECORD, score_names=score_names
    )
    if compared.score is None:
        return FieldMatch.EXACT, None
    is_different = name_agreement(given, known) is NameAgreement.DIFFERENT
    return (FieldMatch.DIFFERENT if is_different else FieldMatch.SIMILAR), compared.score


def _compare_days(given: date | None, known: date) -> FieldMatch:
    if given is None:
        return FieldMatch.NOT_GIVEN
    if given == known:
        return FieldMatch.EXACT
    is_swapped = (given.year, given.day, given.month) == (known.year, known.month, known.day)
    return FieldMatch.SIMILAR if is_swapped else FieldMatch.DIFFERENT
