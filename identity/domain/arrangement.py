"""What two sides have arranged: a guardian acts for a child, an employee uses a company's number.

Owns who must say yes before anything holds, how long a proposal stands, who may end what, and when
a guardianship is over by itself. Knows neither people nor numbers nor rows: every function takes
the birth date and the instant that it needs. That a death, or the end of a number, ends it is the
storage's to see to, in the transaction that enters them.

proposed --all have said yes--> agreed --> ended; or proposed --> refused, lapsed, or ended when it
is taken back.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from identity.domain.calendar_date import DAY_ZONE, day_of
from identity.domain.errors import ArrangementNotReadyError


class ArrangementKind(StrEnum):
    """What is arranged. Append-only: stored arrangements hold these."""

    GUARDIANSHIP = "guardianship"
    COMPANY_LINE = "company_line"


class ArrangementState(StrEnum):
    """Where an arrangement stands. Append-only: stored arrangements hold these."""

    PROPOSED = "proposed"
    AGREED = "agreed"
    REFUSED = "refused"
    LAPSED = "lapsed"
    ENDED = "ended"


class Side(StrEnum):
    """Who ends an arrangement."""

    PROPOSER = "proposer"
    """The guardian, or the organisation by its operator."""

    CITIZEN = "citizen"
    """The child, or the employee."""

    REGULATOR = "regulator"


class EndCause(StrEnum):
    """Why an arrangement ended. Append-only: stored arrangements hold these."""

    PROPOSER = "proposer"
    CITIZEN = "citizen"
    REGULATOR = "regulator"
    OF_AGE = "of_age"
    PERSON_GONE = "person_gone"
    NUMBER_GONE = "number_gone"


class GuardianAct(StrEnum):
    """What a citizen does that a guardian may do for a child, where the policy pack says so."""

    LIST_SUBSCRIPTIONS = "list_subscriptions"
    SET_PRIMARY_NUMBER = "set_primary_number"
    GET_PRIMARY_NUMBER = "get_primary_number"
    VETO_PRIMARY_CHANGE = "veto_primary_change"
    CONFIRM_PRIMARY_NUMBER = "confirm_primary_number"
    SET_FALLBACK_NUMBERS = "set_fallback_numbers"
    SET_LOCK = "set_lock"
    LIST_CHOICES = "list_choices"
    DISOWN_SUBSCRIPTION = "disown_subscription"


class GuardianshipParty(StrEnum):
    """The two people of a guardianship."""

    GUARDIAN = "guardian"
    CHILD = "child"


_PARTY = {
    Side.PROPOSER: GuardianshipParty.GUARDIAN,
    Side.CITIZEN: GuardianshipParty.CHILD,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArrangementPolicy:
    """What a pack says of arrangements. Without one, guardians may do nothing.

    Attributes:
        answer_within: How long a proposal stands.
        consent_age: From this age on, in years, a child says yes or no too.
        majority_age: The age at which a guardianship is over.
        guardian_count_max: The most guardians that a child can have at a time.
        open_proposal_count_max: The most proposals of one guardian that stand at a time.
        guardian_acts: What a guardian may do.
        ended_by: Who of the two may end a guardianship alone, a child from `consent_age` on.
    """

    answer_within: timedelta = timedelta(days=14)
    consent_age: int = 14
    majority_age: int = 18
    guardian_count_max: int = 2
    open_proposal_count_max: int = 5
    guardian_acts: frozenset[GuardianAct] = frozenset()
    ended_by: frozenset[GuardianshipParty] = frozenset({GuardianshipParty.GUARDIAN})


def birthday(birth_date: date, age: int) -> date:
    """The day on which somebody reaches an age of 1 or more years.

    Who was born on 29 February does so on 1 March of a common year, as in `whole_years`.
    """
    year = birth_date.year + age
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def comes_of_age_at(birth_date: date, policy: ArrangementPolicy) -> datetime:
    """When a guardianship is over: the midnight, in Viet Nam, with which the birthday begins."""
    return datetime.combine(birthday(birth_date, policy.majority_age), time(), DAY_ZONE)


def is_minor(birth_date: date | None, policy: ArrangementPolicy, *, at: datetime) -> bool:
    """Whether somebody is known to be below the age of majority."""
    return birth_date is not None and at < comes_of_age_at(birth_date, policy)


def may_consent(birth_date: date | None, policy: ArrangementPolicy, *, at: datetime) -> bool:
    """Whether somebody is known to be old enough to be asked."""
    return birth_date is not None and day_of(at) >= birthday(birth_date, policy.consent_age)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """One arrangement.

    Methods take `birth_date`: that of the child or employee, None where nobody living is known
    under the personal ID. Each of them sees the arrangement as it is at its instant.

    Attributes:
        arrangement_id: Names it.
        kind: What is arranged.
        proposed_at: When the guardian or the organisation said yes.
        lapses_at: When it lapses unless all have said yes.
        state: Where it stands.
        attested_at: When the papers of a guardianship were attested.
        accepted_at: When the child or the employee said yes.
        agreed_at: Since when it holds.
        closed_at: When it was over.
        end_cause: Why it ended.
    """

    arrangement_id: UUID
    kind: ArrangementKind
    proposed_at: datetime
    lapses_at: datetime
    state: ArrangementState = ArrangementState.PROPOSED
    attested_at: datetime | None = None
    accepted_at: datetime | None = None
    agreed_at: datetime | None = None
    closed_at: datetime | None = None
    end_cause: EndCause | None = None

    @property
    def is_guardianship(self) -> bool:
        """Whether a guardian acts for a child."""
        return self.kind is ArrangementKind.GUARDIANSHIP

    def as_of(
        self, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
    ) -> "Arrangement":
        """What time has made of it, whether or not the clock has run."""
        if self.state is ArrangementState.PROPOSED and at >= self.lapses_at:
            return replace(self, state=ArrangementState.LAPSED, closed_at=self.lapses_at)
        is_held = self.state is ArrangementState.AGREED and self.is_guardianship
        if not is_held or is_minor(birth_date, policy, at=at):
            return self
        if birth_date is None:
            return _over(self, EndCause.PERSON_GONE, at=at)
        return _over(self, EndCause.OF_AGE, at=comes_of_age_at(birth_date, policy))

    def attested(
        self, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
    ) -> "Arrangement":
        """After somebody has seen the papers of a guardianship.

        Raises:
            ArrangementNotReadyError: It is none, waits for nothing, or was attested.
        """
        now = self._proposed(birth_date, policy, at=at)
        if not self.is_guardianship or self.attested_at is not None:
            raise ArrangementNotReadyError("these papers are not asked for")
        return _completed(replace(now, attested_at=at), birth_date, policy, at=at)

    def accepted(
        self, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
    ) -> "Arrangement":
        """After the child or the employee said yes.

        Raises:
            ArrangementNotReadyError: It waits for no answer, or for none of this person: too young
                to be asked, or of age.
        """
        now = self._proposed(birth_date, policy, at=at)
        is_asked = birth_date is not None
        if self.is_guardianship:
            is_asked = may_consent(birth_date, policy, at=at) and is_minor(
                birth_date, policy, at=at
            )
        if not is_asked or self.accepted_at is not None:
            raise ArrangementNotReadyError("this is not asked of you")
        return _completed(replace(now, accepted_at=at), birth_date, policy, at=at)

    def refused(
        self, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
    ) -> "Arrangement":
        """After the child, from the age of consent on, or the employee said no.

        Raises:
            ArrangementNotReadyError: It waits for no answer, or for none of this person.
        """
        now = self._proposed(birth_date, policy, at=at)
        if self.is_guardianship and not may_consent(birth_date, policy, at=at):
            raise ArrangementNotReadyError("this is not asked of you")
        return replace(now, state=ArrangementState.REFUSED, closed_at=at)

    def ended(
        self, by: Side, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
    ) -> "Arrangement":
        """After one side ended it, or took its proposal back.

        Raises:
            ArrangementNotReadyError: It does not stand, or this side cannot end it.
        """
        now = self.as_of(birth_date, policy, at=at)
        if now.state is ArrangementState.PROPOSED:
            may_end = by is not Side.CITIZEN  # who says no instead
        else:
            is_agreed = now.state is ArrangementState.AGREED
            may_end = is_agreed and self._may_end(by, birth_date, policy, at=at)
        if not may_end:
            raise ArrangementNotReadyError("this is not yours to end, or is over")
        return _over(now, EndCause(by.value), at=at)

    def shown_to(self, side: Side, *, at: datetime) -> "Arrangement":
        """As one side sees it: to whoever proposed it, a refusal is a silence.

        Otherwise it would tell that there is such a person.
        """
        if side is not Side.PROPOSER or self.state is not ArrangementState.REFUSED:
            return self
        if at < self.lapses_at:
            return replace(self, state=ArrangementState.PROPOSED, closed_at=None)
        return replace(self, state=ArrangementState.LAPSED, closed_at=self.lapses_at)

    def is_standing(self, *, at: datetime) -> bool:
        """Whether whoever proposed it cannot propose the same again."""
        seen = self.shown_to(Side.PROPOSER, at=at)
        return seen.state in {ArrangementState.PROPOSED, ArrangementState.AGREED}

    def _proposed(
        self, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
    ) -> "Arrangement":
        now = self.as_of(birth_date, policy, at=at)
        if now.state is not ArrangementState.PROPOSED:
            raise ArrangementNotReadyError("it waits for no answer")
        return now

    def _may_end(
        self, by: Side, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
    ) -> bool:
        if by is Side.REGULATOR or not self.is_guardianship:
            return True
        is_able = by is Side.PROPOSER or may_consent(birth_date, policy, at=at)
        return is_able and _PARTY[by] in policy.ended_by


def _completed(
    item: Arrangement, birth_date: date | None, policy: ArrangementPolicy, *, at: datetime
) -> Arrangement:
    """Agreed, where nobody is left to be asked."""
    is_asked = not item.is_guardianship or may_consent(birth_date, policy, at=at)
    has_consent = item.accepted_at is not None or not is_asked
    has_papers = not item.is_guardianship or (
        item.attested_at is not None and is_minor(birth_date, policy, at=at)
    )
    if not (has_consent and has_papers):
        return item
    return replace(item, state=ArrangementState.AGREED, agreed_at=at)


def _over(item: Arrangement, cause: EndCause, *, at: datetime) -> Arrangement:
    return replace(item, state=ArrangementState.ENDED, closed_at=at, end_cause=cause)
