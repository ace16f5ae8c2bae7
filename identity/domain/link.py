"""The link: how the claimed holder of a subscription stands against the population records.

Owns when two fields agree and which state follows. Refuses to know how alike two different names
are: the scorer is handed in. A mismatch is a returned value, never an error.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from identity.domain.holder import HolderClaim, PopulationRecord
from identity.domain.name_agreement import NameAgreement, name_agreement
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID

# CAMARA KYC Match: a score is given only where the attribute does not match, so 100 never is.
SCORE_MAX = 99

# Given two strings, how alike they are: 0 (nothing in common) to 100 (equal), symmetric.
NameScorer = Callable[[str, str], float]


class FieldResult(StrEnum):
    """The result of comparing one field (semantics of CAMARA KYC Match)."""

    MATCH = "match"
    MISMATCH = "mismatch"
    NOT_AVAILABLE = "not_available"
    UNDECIDED = "undecided"
    """Neither: a face that a person must look at. CAMARA has no such result."""


class FieldSource(StrEnum):
    """Where the other side of a comparison came from."""

    CHIP = "chip"
    POPULATION_RECORD = "population_record"
    CLAIM = "claim"


class LinkState(StrEnum):
    """How a claim stands against the population records."""

    LINKED = "linked"
    MISMATCHED = "mismatched"
    NOT_FOUND = "not_found"
    DECEASED = "deceased"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOutcome:
    """One compared field.

    Attributes:
        result: What came out.
        score: For a name that differs, how alike the two are, 0 to 99; None otherwise.
        source: What the field was compared with.
        agreement: For the name of a link that differs, how far the two agree all the same; None
            otherwise, and in links from before it was told. It says what to mend in a book, and
            never makes a mismatch less of one.
    """

    result: FieldResult
    score: int | None = None
    source: FieldSource
    agreement: NameAgreement | None = None

    def __post_init__(self) -> None:
        is_mismatch = self.result is FieldResult.MISMATCH
        if not is_mismatch and (self.score, self.agreement) != (None, None):
            raise ValueError("only a mismatch carries a score or an agreement")
        if self.agreement is NameAgreement.EXACT:
            raise ValueError("names that agree exactly are a match")
        if self.score is not None and not 0 <= self.score <= SCORE_MAX:
            raise ValueError(f"a score is 0 to {SCORE_MAX}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """How the claim of a subscription compares with the population record.

    Attributes:
        state: The state that follows from the fields.
        personal_id: The personal identification number.
        full_name: The full name.
        birth_date: The date of birth.
    """

    state: LinkState
    personal_id: FieldOutcome
    full_name: FieldOutcome
    birth_date: FieldOutcome


def compare_personal_ids(
    a: PersonalID | None, b: PersonalID | None, *, source: FieldSource
) -> FieldOutcome:
    """Compare two personal IDs digit for digit; NOT_AVAILABLE when either is missing."""
    return _compare(a, b, source=source)


def compare_dates(a: date | None, b: date | None, *, source: FieldSource) -> FieldOutcome:
    """Compare two days; NOT_AVAILABLE when either is missing."""
    return _compare(a, b, source=source)


def compare_names(
    a: PersonName | None, b: PersonName | None, *, source: FieldSource, score_names: NameScorer
) -> FieldOutcome:
    """Compare two names; NOT_AVAILABLE when either is missing.

    They match when their keys are equal: case, Unicode form and tone placement do not count,
    everything else does. Two that differ are scored by their unaccented keys, so names that
    differ in accents alone have the highest score and still do not match.

    Args:
        a: One name.
        b: The other.
        source: Where the other side came from.
        score_names: How alike two strings are, 0 to 100.

    Returns:
        The outcome, with a score when the names differ.

    Raises:
        ValueError: The scorer left its range.
    """
    if a is None or b is None:
        return FieldOutcome(result=FieldResult.NOT_AVAILABLE, source=source)
    if a.key == b.key:
        return FieldOutcome(result=FieldResult.MATCH, source=source)
    similarity = score_names(a.unaccented_key, b.unaccented_key)
    if not 0 <= similarity <= 100:  # noqa: PLR2004 - the scale of NameScorer
        raise ValueError("a name scorer gives 0 to 100")
    score = min(int(similarity), SCORE_MAX)
    return FieldOutcome(result=FieldResult.MISMATCH, score=score, source=source)


def compare_holder(
    claim: HolderClaim, record: PopulationRecord | None, *, score_names: NameScorer
) -> Link:
    """Compare a claimed holder with the population record of the claimed personal ID.

    Args:
        claim: What the operator says.
        record: The record found under the claim's personal ID; None when there is none.
        score_names: How alike two strings are, 0 to 100.

    Returns:
        The link. The state is, in order of precedence: NOT_FOUND without a record; MISMATCHED when
        the record was merged into another, whatever the fields say; DECEASED when the record has a
        day of death, whatever the fields say; LINKED when every field matches;
        MISMATCHED, also for a name that differs in accents, order or initials alone: nobody is
        linked on weaker evidence than the full name, and the outcome of the name says how far it
        agrees, so that its operator knows what to correct. Without a record the personal ID is a
        MISMATCH, because the register answered that nobody has it; name and birth date are
        NOT_AVAILABLE. Of a merged record the personal ID is a MISMATCH as well, and nowhere else
        beside MISMATCHED: so an operator knows that its holder has another one now.
    """
    source = FieldSource.POPULATION_RECORD
    if record is None:
        return _not_found(source)
    personal_id = compare_personal_ids(claim.personal_id, record.personal_id, source=source)
    if record.merged_into is not None:
        personal_id = FieldOutcome(result=FieldResult.MISMATCH, source=source)
    full_name = _compare_claimed_name(claim, record, score_names=score_names)
    birth_date = compare_dates(claim.birth_date, record.birth_date, source=source)
    return Link(
        state=_state(record, (personal_id, full_name, birth_date)),
        personal_id=personal_id,
        full_name=full_name,
        birth_date=birth_date,
    )


def agreed_link(*, is_deceased: bool) -> Link:
    """The link of a claim whose every field is known to match: `compare_holder` finds the same."""
    matched = FieldOutcome(result=FieldResult.MATCH, source=FieldSource.POPULATION_RECORD)
    return Link(
        state=LinkState.DECEASED if is_deceased else LinkState.LINKED,
        personal_id=matched,
        full_name=matched,
        birth_date=matched,
    )


def not_found_link() -> Link:
    """The link of a claim whose personal ID nobody has: `compare_holder` finds the same."""
    return _not_found(FieldSource.POPULATION_RECORD)


def _compare_claimed_name(
    claim: HolderClaim, record: PopulationRecord, *, score_names: NameScorer
) -> FieldOutcome:
    """Compare names as `compare_names` does, and say how far those that differ agree.

    Links alone say it: they judge what somebody typed. What a verdict compares comes from a chip,
    which has the name in full letters, and stored verdicts must come out again as they are.
    """
    source = FieldSource.POPULATION_RECORD
    outcome = compare_names(
        claim.full_name, record.full_name, source=source, score_names=score_names
    )
    if outcome.result is FieldResult.MATCH:
        return outcome
    return replace(outcome, agreement=name_agreement(claim.full_name, record.full_name))


def _compare(a: object, b: object, *, source: FieldSource) -> FieldOutcome:
    if a is None or b is None:
        return FieldOutcome(result=FieldResult.NOT_AVAILABLE, source=source)
    result = FieldResult.MATCH if a == b else FieldResult.MISMATCH
    return FieldOutcome(result=result, source=source)


def _not_found(source: FieldSource) -> Link:
    unavailable = FieldOutcome(result=FieldResult.NOT_AVAILABLE, source=source)
    return Link(
        state=LinkState.NOT_FOUND,
        personal_id=FieldOutcome(result=FieldResult.MISMATCH, source=source),
        full_name=unavailable,
        birth_date=unavailable,
    )


def _state(record: PopulationRecord, outcomes: tuple[FieldOutcome, ...]) -> LinkState:
    if record.merged_into is not None:
        return LinkState.MISMATCHED
    if record.deceased_on is not None:
        return LinkState.DECEASED
    if all(outcome.result is FieldResult.MATCH for outcome in outcomes):
        return LinkState.LINKED
    return LinkState.MISMATCHED
