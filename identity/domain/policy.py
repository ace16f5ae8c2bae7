"""Policy packs: the dated rules of one regulation, as data.

Owns what a pack says and which pack a case runs under. Knows no file and no clock: every function
takes the instant it needs. How a pack is read is `policy_text`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from identity.domain.anomalies import HolderPolicy
from identity.domain.arrangement import ArrangementPolicy
from identity.domain.contact_feed import ContactFeedPolicy
from identity.domain.data_request import PrivacyPolicy
from identity.domain.kyc import KycPolicy
from identity.domain.lookup_watch import LookupPolicy
from identity.domain.presence import PresencePolicy
from identity.domain.primary_choice import PrimaryPolicy
from identity.domain.probe_replay import ProbePolicy
from identity.domain.quality import QualityPolicy
from identity.domain.quarantine import NumberPolicy
from identity.domain.record_match import MatchPolicy
from identity.domain.throttle import ThrottlePolicy
from identity.domain.verification import VerificationPolicy


class CaseCause(StrEnum):
    """Why a subscription is on the enforcement ladder. Append-only: stored cases hold these."""

    UNVERIFIED = "unverified"
    MISMATCHED = "mismatched"
    NOT_FOUND = "not_found"
    DECEASED = "deceased"
    DEVICE_CHANGE = "device_change"
    DISOWNED = "disowned"
    SIM_SWAP = "sim_swap"
    FACE_UNDER_ANOTHER_ID = "face_under_another_id"
    OPERATOR_REPORT = "operator_report"
    NO_LONGER_USED = "no_longer_used"


OPTIONAL_CAUSES = frozenset(
    {
        CaseCause.SIM_SWAP,
        CaseCause.FACE_UNDER_ANOTHER_ID,
        CaseCause.OPERATOR_REPORT,
        CaseCause.NO_LONGER_USED,
    }
)
"""No pack needs a ladder for these: without one they put no number on any, but for a number that is
not used any more, which stands where a disowned one does."""


class StepKind(StrEnum):
    """What one step of a ladder does."""

    NOTIFY = "notify"
    BLOCK_OUTGOING = "block_outgoing"
    SUSPEND = "suspend"
    TERMINATE = "terminate"


class Assurance(StrEnum):
    """How a holder must be verified for a case to be cured."""

    CHIP_AND_FACE = "chip_and_face"
    """The chip is authentic, and the face matches its portrait: the only kind there is."""


class PolicyPackError(ValueError):
    """A pack that cannot be used; the message names the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bilingual:
    """The same words in the two languages of the service.

    Attributes:
        vi: Vietnamese.
        en: English.
    """

    vi: str
    en: str

    @property
    def by_language(self) -> Mapping[str, str]:
        """The words by the code of their language."""
        return {"vi": self.vi, "en": self.en}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a rule stands.

    Attributes:
        citation: The rule, or that it is ours.
        is_unconfirmed: Known from the press or a secondary page only, to be confirmed against the
            gazette.
    """

    citation: str
    is_unconfirmed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One rung.

    Attributes:
        kind: What it does.
        after: Time since the step before it, or since the case was opened for the first.
        is_by_wave: It is taken by an approved wave only; the clock waits before it.
    """

    kind: StepKind
    after: timedelta
    is_by_wave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Who is not put on a ladder, by when the contract began.

    Attributes:
        activated_from: The first day of those exempt; None for no such bound.
        activated_before: The first day of those that are not; None for no such bound.
        citation: The rule.
    """

    activated_from: date | None
    activated_before: date | None
    citation: str

    def covers(self, activated_on: date | None) -> bool:
        """Whether a contract of this day is exempt; of an unknown day none is."""
        if activated_on is None:
            return False
        begins = self.activated_from is None or activated_on >= self.activated_from
        return begins and (self.activated_before is None or activated_on < self.activated_before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One ladder.

    Attributes:
        name: Such as `T2`.
        policy_version: The pack it stands in.
        causes: What puts a subscription on it; none where it is kept for open cases only.
        steps: The rungs in their order, at least one.
        citation: The rule behind it.
        is_unconfirmed: Known from the press or a secondary page only, to be confirmed against the
            gazette.
        assurance: How a holder must be verified to end it.
        cure: How the user stops it, in a sentence.
        notice: What the user is told, with the places of `notice.PLACES`.
        primary_notice: The same for a citizen's primary number.
        execute_within: How long an operator has to execute a directive of this ladder.
        primary_extra: Added before each blocking step when the number is a citizen's primary.
        waits_for_notices: A blocking step waits until every notice before it was delivered.
        exemptions: Who is not put on it by the number's own state; an event spares nobody.
    """

    name: str
    policy_version: str
    causes: frozenset[CaseCause]
    steps: tuple[Step, ...]
    citation: str
    is_unconfirmed: bool
    assurance: Assurance
    cure: Bilingual
    notice: Bilingual
    primary_notice: Bilingual
    execute_within: timedelta
    primary_extra: timedelta
    waits_for_notices: bool = False
    exemptions: tuple[Exemption, ...] = ()

    def exemption(self, activated_on: date | None) -> Exemption | None:
        """Why a contract of this day is not put on the ladder; None where it is."""
        covering = (each for each in self.exemptions if each.covers(activated_on))
        return next(covering, None)

    def is_exempt(self, activated_on: date | None) -> bool:
        """Whether a contract of this day is not put on the ladder."""
        return self.exemption(activated_on) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputePolicy:
    """What a pack says of two people who claim one number.

    Attributes:
        decide_within: From opening to the deadline of a decision.
        appeal_within: From the decision until it stands.
    """

    decide_within: timedelta = timedelta(days=15)
    appeal_within: timedelta = timedelta(days=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class WavePolicy:
    """What a pack says of waves.

    Attributes:
        cured_share_max: A wave stops itself when more of a slice than this was cured, 0 to 1.
        complaint_share_max: The same of complaints.
    """

    cured_share_max: float = 0.2
    complaint_share_max: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyPack:
    """The rules of one regulation from one day on. What a pack does not speak of is None or empty.

    Attributes:
        version: Its name, which verdicts and cases are stored with.
        digest: SHA-256 of what its text says, comments aside: a pack that decided anything must
            stay as it was.
        series: The regulation. Of one series the latest pack in force applies.
        effective_on: Its first day.
        effective_until: The first day on which it no longer applies; None for no end.
        is_retroactive: Open cases of its series run under it from its first day on; otherwise they
            end under the pack that they began under.
        sources: Where each section but the ladders comes from, by the section's name.
        tracks: Its ladders, by name.
        messages: What citizens are told, by `identity.domain.tiding.TidingKind`.
    """

    version: str
    digest: bytes = field(repr=False)
    series: str
    effective_on: date
    effective_until: date | None = None
    is_retroactive: bool = False
    sources: Mapping[str, Source] = field(default_factory=dict)
    verification: VerificationPolicy | None = None
    tracks: Mapping[str, Track] = field(default_factory=dict)
    holders: HolderPolicy | None = None
    quality: QualityPolicy | None = None
    numbers: NumberPolicy | None = None
    disputes: DisputePolicy | None = None
    waves: WavePolicy | None = None
    primary: PrimaryPolicy | None = None
    arrangements: ArrangementPolicy | None = None
    messages: Mapping[str, Bilingual] | None = None
    privacy: PrivacyPolicy | None = None
    match: MatchPolicy | None = None
    kyc: KycPolicy | None = None
    presence: PresencePolicy | None = None
    contact_feed: ContactFeedPolicy | None = None
    throttle: ThrottlePolicy | None = None
    probes: ProbePolicy | None = None
    lookups: LookupPolicy | None = None
