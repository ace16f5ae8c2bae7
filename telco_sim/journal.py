"""What the simulation saw.

Owns the counts of what happened and the verdict on each invariant. It refuses to know how either
came about, and how they are shown.
"""

import threading
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

_DETAILS_KEPT = 5
"""A broken rule tends to break a thousand times; the first few tell the story."""


class Invariant(StrEnum):
    """What must hold of a correct service, whatever happens in the country."""

    IMPORTS_ADD_UP = "import counts add up and equal the simulation's own"
    BROKEN_ROWS_REFUSED = "exactly the broken rows are refused, each with its field and reason"
    LINKS_KNOWN = "every link state is the one the simulation expects"
    IMPORT_REPEATABLE = "an import sent again changes nothing"
    POOR_PHOTOGRAPH_DECIDES_NOTHING = "a poor photograph decides nothing"
    GENUINE_VERIFIED = "a genuine holder is verified, or sent away for the face alone"
    GENUINE_NOT_HOPELESS = "one genuine holder in four at least is verified, in three visits"
    SESSION_KNOWS_ITS_STATE = "a session says whether it is open, judged or expired"
    NEW_NUMBER_WAITS = "a new number stays out of service until its holder is verified"
    ONE_PRIMARY = "a citizen has one primary at most: own, linked, verified, in service"
    CHANGE_NEEDS_CITIZEN = "a primary number is changed by its verified citizen alone"
    CONTACT_IS_PRIMARY = "an agency gets the primary number, and nothing else"
    FORM_AS_GRANTED = "an agency gets the form of a number that it is granted, and no more"
    FISHERS_LEARN_NOTHING = "who tries out personal IDs learns no number and tells nobody apart"
    GUESSERS_ARE_STOPPED = "who tries out birth dates is stopped before the policy's limit"
    QUOTA_HOLDS = "an agency is answered about as many people a day as granted, and no more"
    CHANGES_HINTED = "an agency is told whom to ask again when a number is lost"
    MESSAGES_REACH = "a message reaches the person on the right number, once, or says why not"
    OBJECTION_HOLDS = "who objects gets no message of a service, and legal notices all the same"
    LETTERS_COUNTED = "an agency's count of its messages is what the simulation counts"
    ACCESSES_SHOWN = "a person sees each access by an agency, in order, with purpose and file"
    EMBARGO_ENDS = "an access under embargo is counted at once, and shown after its end"
    LOCK_HOLDS = "while choices are locked nobody takes a number or a choice in the person's name"
    RECEIPT_PROVES = "a receipt proves an access without the service, and a changed one nothing"
    EXPORT_IS_OWN = "an export is complete, signed, and checked without the service"
    PRESENCE_IS_PROVED = "a card at a counter is a token for that agency, checked without asking"
    UNKNOWN_LOOKS_ALIKE = "an unknown person looks like one without a primary number"
    EVENTS_APPLY = "events have the effect the contract says"
    ORDERS_EXPLAIN_THEMSELVES = "every order carries cause, rule and cure"
    ORDERS_IN_SEQUENCE = "orders for one number come in the order they were given"
    LADDER_IN_ORDER = "a notice comes before a block, and a lesser block before a greater"
    WAVES_AS_APPROVED = "a wave blocks what its preview said, approved by two, and no number else"
    DRIFT_FOUND = "what networks do otherwise than was told is found, and nothing else"
    DRIFT_MENDED = "an order stands again where one helps, and after it nothing differs"
    KPIS_KNOWN = "an operator's figures and scores are what the simulation counts by hand"
    HONEST_IS_BEST = "who is late, fails, lies or drifts scores less than who does not"
    NOTHING_ESCALATES_IN_DISPUTE = "while two claim a number its clocks are held"
    NOBODY_LOSES_BY_ONE_ACT = "nobody loses a number by what one caller does or says"
    DISPUTE_RUNS_ITS_COURSE = "a dispute ends by two who agree, on appeal by others, or by time"
    LAPSED_LEASE_RETURNS = "orders of a lapsed lease or a failed attempt come back"
    CURE_RESTORES = "verification puts a blocked number back in service"
    BLOCK_EXPLAINED = "every blocked number is explained: cause, rule, cure, next step"
    INNOCENT_IN_SERVICE = "no verified, linked number without a case is blocked"
    UNCONFIRMED_OUT_OF_SERVICE = "no number that nobody has confirmed stays in service"
    ORDERED_IS_APPLIED = "what was ordered is what the networks do"
    OWN_SUBSCRIPTIONS_ONLY = "an operator sees its own subscriptions, all of them, and no other"
    QUALITY_KNOWN = "the quality report counts what the simulation counts"
    UPDATES_IN_SEQUENCE = "updates for the register come in sequence, and until acknowledged"
    REGISTER_KNOWS = "the register was told what became of its people's numbers, and no more"
    SAME_ANSWER = "a repeated request_id gets the same answer"
    PLAYED_TO_THE_END = "every chapter is played to its end"
    STOPS_CLEANLY = "the service ends by itself when it is told to"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The verdict on one invariant.

    Attributes:
        invariant: Which.
        check_count: How often it was checked.
        broken_count: How often it did not hold.
        details: The first few times it did not hold, in words.
    """

    invariant: Invariant
    check_count: int
    broken_count: int
    details: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether it was checked at all and never found broken."""
        return self.check_count > 0 and self.broken_count == 0


class Journal:
    """Counts and checks, written by any number of threads."""

    def __init__(self) -> None:
        """Start an empty journal."""
        self._counts: Counter[str] = Counter()
        self._check_counts: Counter[Invariant] = Counter()
        self._broken: dict[Invariant, list[str]] = {}
        self._lock = threading.Lock()

    def count(self, event: str, number: int = 1) -> None:
        """Count something that happened."""
        with self._lock:
            self._counts[event] += number

    def check(self, invariant: Invariant, *, holds: bool, detail: str) -> bool:
        """Note whether an invariant held this time, and return that.

        Args:
            invariant: Which.
            holds: Whether it did.
            detail: What was seen; kept only when it did not hold.
        """
        with self._lock:
            self._check_counts[invariant] += 1
            if not holds:
                self._broken.setdefault(invariant, []).append(detail)
        return holds

    def check_equal(
        self, invariant: Invariant, *, seen: object, expected: object, subject: str
    ) -> bool:
        """Note whether what was seen is what was expected, and return that."""
        detail = f"{subject}: expected {expected!r}, saw {seen!r}"
        return self.check(invariant, holds=seen == expected, detail=detail)

    def counts(self) -> dict[str, int]:
        """Return what happened, in the order in which it first did."""
        with self._lock:
            return dict(self._counts)

    def findings(self, *invariants: Invariant) -> tuple[Finding, ...]:
        """Return the verdict on each of some invariants, checked or not."""
        with self._lock:
            return tuple(self._finding(each) for each in invariants)

    def _finding(self, invariant: Invariant) -> Finding:
        broken = self._broken.get(invariant, [])
        return Finding(
            invariant=invariant,
            check_count=self._check_counts[invariant],
            broken_count=len(broken),
            details=tuple(broken[:_DETAILS_KEPT]),
        )
