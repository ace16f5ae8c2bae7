"""What an operator may learn of its own numbers and their holders, with the semantics of CAMARA.

Owns when something can be said at all: the registry knows of a number since it was told of it, and
whatever may have happened before is neither a yes nor a no. Knows no caller and no rate.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time

from identity.domain.calendar_date import DAY_ZONE, day_of
from identity.domain.holder import PopulationRecord
from identity.domain.link import (
    FieldOutcome,
    FieldResult,
    FieldSource,
    NameScorer,
    compare_dates,
    compare_names,
    compare_personal_ids,
)
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID, Sex


@dataclass(frozen=True, slots=True, kw_only=True)
class KycPolicy:
    """What a pack says of operators' questions.

    Attributes:
        false_per_day_max: How many false attributes are told of one number in a day of Viet Nam.
        caller_per_minute_max: Questions of one operator in any minute, at each server.
        number_per_hour_max: Questions about one number in any hour, at each server.
    """

    false_per_day_max: int = 5
    caller_per_minute_max: int = 6_000
    number_per_hour_max: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityClaim:
    """Attributes of a person; None for what was not given.

    Attributes:
        personal_id: The personal identification number.
        full_name: The full name.
        birth_date: The date of birth.
        sex: The sex.
    """

    personal_id: PersonalID | None = None
    full_name: PersonName | None = None
    birth_date: date | None = field(default=None, repr=False)
    sex: Sex | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not self.given:
            raise ValueError("at least one attribute is compared")

    @property
    def given(self) -> Sequence[str]:
        """The names of the attributes that were given."""
        names = ("personal_id", "full_name", "birth_date", "sex")
        return tuple(name for name in names if getattr(self, name) is not None)


def compare_identity(
    claim: IdentityClaim, record: PopulationRecord | None, *, score_names: NameScorer
) -> Mapping[str, FieldOutcome]:
    """How each given attribute compares with the holder's.

    Args:
        claim: The attributes.
        record: The holder's population record; None where the registry cannot say who holds the
            number, and nothing is available.
        score_names: How alike two strings are, 0 to 100.

    Returns:
        One outcome for each attribute that was given, and none besides.
    """
    source = FieldSource.POPULATION_RECORD
    known = record or _NobodyKnown()
    outcomes = {
        "personal_id": compare_personal_ids(claim.personal_id, known.personal_id, source=source),
        "full_name": compare_names(
            claim.full_name, known.full_name, source=source, score_names=score_names
        ),
        "birth_date": compare_dates(claim.birth_date, known.birth_date, source=source),
        "sex": _compare_sexes(claim.sex, known.sex),
    }
    return {name: outcomes[name] for name in claim.given}


@dataclass(frozen=True, slots=True)
class _NobodyKnown:
    personal_id: PersonalID | None = None
    full_name: PersonName | None = None
    birth_date: date | None = None
    sex: Sex | None = None


def _compare_sexes(a: Sex | None, b: Sex | None) -> FieldOutcome:
    source = FieldSource.POPULATION_RECORD
    if a is None or b is None:
        return FieldOutcome(result=FieldResult.NOT_AVAILABLE, source=source)
    result = FieldResult.MATCH if a is b else FieldResult.MISMATCH
    return FieldOutcome(result=result, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stint:
    """A subscription of a number, as its tenure needs it.

    Attributes:
        is_same_holder: Its holder is the present one.
        created_at: When the registry was told of it.
        activated_on: Start of the contract, where that is known.
        ended_at: When it was last served; None while it is, and where it never was.
        is_continued: It is the present one, or was ported out, so that the next goes on with it.
    """

    is_same_holder: bool
    created_at: datetime
    activated_on: date | None
    ended_at: datetime | None
    is_continued: bool

    @property
    def known_from(self) -> datetime:
        """From when on it was this holder's, at the latest."""
        if self.activated_on is None:
            return self.created_at
        return min(self.created_at, beginning_of(self.activated_on))


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberPast:
    """What the registry knows of who has had a number.

    Attributes:
        present: The subscription in service.
        earlier: Those before it.
        new_holder_at: When a subscription of it last went to another holder, without a new one.
    """

    present: Stint
    earlier: Sequence[Stint] = ()
    new_holder_at: datetime | None = None

    @property
    def came_at(self) -> datetime | None:
        """When the number last stopped being another person's; None when nobody else had it."""
        others = [each.ended_at for each in self.earlier if not each.is_same_holder]
        instants = [each for each in (*others, self.new_holder_at) if each is not None]
        return max(instants, default=None)

    @property
    def held_from(self) -> datetime:
        """From when on the present holder is known to have it."""
        own = [each for each in self.earlier if each.is_same_holder and each.is_continued]
        earliest = min(each.known_from for each in (self.present, *own))
        return earliest if self.came_at is None else max(earliest, self.came_at)


def is_recycled(past: NumberPast, since: date) -> bool | None:
    """Whether a number came to another person since a day; None when that cannot be said."""
    at = beginning_of(since)
    if past.came_at is not None and past.came_at >= at:
        return True
    return False if past.held_from <= at else None


def is_held_since(past: NumberPast, since: date) -> bool | None:
    """Whether its holder has had a number since a day; None when that cannot be said."""
    at = beginning_of(since)
    if past.held_from <= at:
        return True
    is_start_known = past.came_at is not None or past.present.activated_on is not None
    return False if is_start_known else None


def latest_change(changed_at: datetime | None, present: Stint) -> datetime | None:
    """When the SIM, or the device, of a number was last changed; None when that cannot be said.

    Without a change it is the beginning of the contract, as CAMARA has it: if the registry has
    known the number since then, and would have been told of a change.
    """
    if changed_at is not None:
        return changed_at
    activated_on = present.activated_on
    if activated_on is None or day_of(present.created_at) > activated_on:
        return None
    return beginning_of(activated_on)


def is_changed_since(
    changed_at: datetime | None, present: Stint, *, since: datetime
) -> bool | None:
    """Whether it was changed at an instant or later; None when that cannot be said."""
    latest = latest_change(changed_at, present)
    if latest is not None:
        return latest >= since
    return False if present.created_at <= since else None


def beginning_of(day: date) -> datetime:
    """The instant at which a day begins in Viet Nam."""
    return datetime.combine(day, time(), DAY_ZONE)
