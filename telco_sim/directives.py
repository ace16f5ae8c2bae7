"""How an operator works off its directives: promptly, clumsily, late, or not at all.

Owns what executing a directive does to the network, and the habits of operators. It refuses to
know why a directive was ordered.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

from subid.v1.enforcement_service_pb2 import (
    ACKNOWLEDGEMENT_OUTCOME_EXECUTED,
    ACKNOWLEDGEMENT_OUTCOME_FAILED,
    ACKNOWLEDGEMENT_RESULT_ACCEPTED,
    ACKNOWLEDGEMENT_RESULT_LEASE_LOST,
    ACKNOWLEDGEMENT_RESULT_SUPERSEDED,
    DIRECTIVE_KIND_BLOCK_OUTGOING,
    DIRECTIVE_KIND_NOTIFY,
    DIRECTIVE_KIND_RESTORE,
    DIRECTIVE_KIND_SUSPEND,
    DIRECTIVE_KIND_TERMINATE,
    KEPT_ROUTE_EMERGENCY_CALLS,
    KEPT_ROUTE_VERIFICATION,
    Acknowledgement,
    AcknowledgementOutcome,
    AcknowledgementResult,
    Directive,
    DirectiveKind,
    PullDirectivesResponse,
)
from subid.v1.localized_text_pb2 import LocalizedText
from subid.v1.subscription_pb2 import (
    SERVICE_STATE_ACTIVE,
    SERVICE_STATE_OUTGOING_BLOCKED,
    SERVICE_STATE_SUSPENDED,
    SERVICE_STATE_TERMINATED,
    ServiceState,
)
from telco_sim.clock import SimulatedClock
from telco_sim.conduct import Conduct
from telco_sim.journal import Invariant, Journal
from telco_sim.ledger import Attempt, DirectiveLedger, kind_name
from telco_sim.messages import instant_of
from telco_sim.networks import Network
from telco_sim.operators import Operator

STATE_AFTER: Mapping[DirectiveKind, ServiceState] = MappingProxyType(
    {
        DIRECTIVE_KIND_BLOCK_OUTGOING: SERVICE_STATE_OUTGOING_BLOCKED,
        DIRECTIVE_KIND_SUSPEND: SERVICE_STATE_SUSPENDED,
        DIRECTIVE_KIND_TERMINATE: SERVICE_STATE_TERMINATED,
        DIRECTIVE_KIND_RESTORE: SERVICE_STATE_ACTIVE,
    }
)
"""What the network does after each kind; a notice changes nothing."""

_BLOCKS = (DIRECTIVE_KIND_BLOCK_OUTGOING, DIRECTIVE_KIND_SUSPEND)
_OPEN_ROUTES = (KEPT_ROUTE_EMERGENCY_CALLS, KEPT_ROUTE_VERIFICATION)
"""What a blocked number must still be good for."""

_PULL_COUNT_MAX = 400
_LEASE = timedelta(minutes=5)
_SHORT_LEASE = timedelta(minutes=1)
_ROUNDS_MAX = 200
"""More rounds in one day mean that acknowledged directives come back for ever."""

_FAILS_EVERY = 9
_LIES_ABOUT_ONE_IN = 4
_LATE_OPERATOR_WORKS_EVERY_DAYS = 3


class Habit(StrEnum):
    """How an operator treats its directives and its network."""

    PROMPT = "prompt"
    """Executes at once, and nothing else changes in its network."""
    CLUMSY = "clumsy"
    """Fails some at first, says why, and executes them in the end."""
    LATE = "late"
    """Executes when they are past due."""
    LYING = "lying"
    """Says of some numbers that it has executed what it has not, until it is told so."""
    DRIFTING = "drifting"
    """Executes at once; but its network changes numbers by itself."""


class DirectiveDesk:
    """One operator's desk for directives."""

    def __init__(
        self,
        operator: Operator,
        *,
        habit: Habit,
        network: Network,
        clock: SimulatedClock,
        ledger: DirectiveLedger,
        journal: Journal,
    ) -> None:
        """Open the desk.

        Args:
            operator: Whose.
            habit: How it works.
            network: What the operator switches.
            clock: What time it is.
            ledger: Where every directive is noted.
            journal: Where checks are noted.
        """
        self.operator = operator
        self.habit = habit
        self.network = network
        self.conduct = Conduct()
        self._clock = clock
        self._ledger = ledger
        self._journal = journal
        self._failed_once: set[str] = set()
        self._lapsing: PullDirectivesResponse | None = None
        self._days_worked = 0
        self._is_lied_about: dict[str, bool] = {}
        self._lies: set[tuple[str, DirectiveKind]] = set()

    def work_for_a_day(self) -> None:
        """Do what the operator's habit is; time must have moved a day since the last time."""
        self._days_worked += 1
        if self.habit is not Habit.LATE:
            self.work_off()
        elif self._lapsing is not None:
            self._return_late()
        elif self._days_worked % _LATE_OPERATOR_WORKS_EVERY_DAYS == 0:
            self._take_and_forget()

    def work_off(self) -> set[str]:
        """Pull and execute until nothing is left; return the identifiers that were pulled."""
        pulled_ids: set[str] = set()
        for _ in range(_ROUNDS_MAX):
            pulled = self.pull()
            if not pulled.directives:
                return pulled_ids
            pulled_ids.update(each.directive_id for each in pulled.directives)
            self.execute(pulled)
        self._journal.check(
            Invariant.LAPSED_LEASE_RETURNS,
            holds=False,
            detail=f"{self.operator.name} still gets directives after {_ROUNDS_MAX} rounds",
        )
        return pulled_ids

    def pull(self, *, lease: timedelta = _LEASE) -> PullDirectivesResponse:
        """Lease directives, note them, and check what each says of itself."""
        pulled = self.operator.pull(_PULL_COUNT_MAX, lease=lease)
        self._ledger.received(pulled.directives)
        self.conduct.received(pulled.directives)
        for directive in pulled.directives:
            self._check_explains_itself(directive)
        self._check_sequence(pulled.directives)
        return pulled

    def execute(self, pulled: PullDirectivesResponse) -> dict[str, AcknowledgementResult]:
        """Execute leased directives and acknowledge them; return each one's result."""
        outcomes = self._outcomes(pulled.directives)
        results = self.operator.acknowledge(
            pulled.lease_id,
            [_acknowledgement(*each) for each in zip(pulled.directives, outcomes, strict=True)],
        )
        for directive, outcome, result in zip(pulled.directives, outcomes, results, strict=True):
            self._settle(directive, outcome, result)
        pairs = zip(pulled.directives, results, strict=True)
        return {directive.directive_id: result for directive, result in pairs}

    def _outcomes(self, directives: Sequence[Directive]) -> list[AcknowledgementOutcome]:
        """Try each directive; behind one that failed, those for the same number have to wait."""
        outcomes, stuck = [], set()
        for place, directive in enumerate(directives):
            is_new = directive.directive_id not in self._failed_once
            if self.habit is Habit.CLUMSY and is_new and place % _FAILS_EVERY == 0:
                self._failed_once.add(directive.directive_id)
                stuck.add(directive.msisdn)
            has_failed = directive.msisdn in stuck
            outcomes.append(
                ACKNOWLEDGEMENT_OUTCOME_FAILED if has_failed else ACKNOWLEDGEMENT_OUTCOME_EXECUTED
            )
        return outcomes

    def _settle(
        self, directive: Directive, outcome: AcknowledgementOutcome, result: AcknowledgementResult
    ) -> None:
        """Switch the network where the acknowledgement stands, and note the attempt."""
        if result == ACKNOWLEDGEMENT_RESULT_SUPERSEDED:
            self._note_superseded(directive)
        elif not self._journal.check_equal(
            Invariant.LAPSED_LEASE_RETURNS,
            seen=AcknowledgementResult.Name(result),
            expected=AcknowledgementResult.Name(ACKNOWLEDGEMENT_RESULT_ACCEPTED),
            subject=f"acknowledgement of {kind_name(directive.kind)}",
        ):
            return
        elif outcome == ACKNOWLEDGEMENT_OUTCOME_FAILED:
            self._ledger.attempted(directive, Attempt.FAILED)
            self.conduct.failed(directive)
        else:
            self.conduct.executed(directive, at=self._clock.now())
            self._switch(directive)

    def _switch(self, directive: Directive) -> None:
        is_own = self._journal.check(
            Invariant.OWN_SUBSCRIPTIONS_ONLY,
            holds=directive.msisdn in self.operator.lines,
            detail=f"{self.operator.name} was ordered something about a number it does not serve",
        )
        is_lie = is_own and self._lies_about(directive)
        self._ledger.attempted(directive, Attempt.LIED if is_lie else Attempt.EXECUTED)
        if is_own and directive.kind in STATE_AFTER:
            self.network.switch(directive.msisdn, STATE_AFTER[directive.kind], is_lie=is_lie)

    def _lies_about(self, directive: Directive) -> bool:
        """Choose to lie about some numbers, the first one among them, and once of each order."""
        told = (directive.msisdn, directive.kind)
        if self.habit is not Habit.LYING or directive.kind not in STATE_AFTER or told in self._lies:
            return False
        is_chosen = len(self._is_lied_about) % _LIES_ABOUT_ONE_IN == 0
        if not self._is_lied_about.setdefault(directive.msisdn, is_chosen):
            return False
        self._lies.add(told)
        return True

    def _note_superseded(self, directive: Directive) -> None:
        self._ledger.attempted(directive, Attempt.SUPERSEDED)
        self.conduct.superseded(directive)

    def _take_and_forget(self) -> None:
        """Lease directives for a minute and go home."""
        pulled = self.pull(lease=_SHORT_LEASE)
        self._lapsing = pulled if pulled.directives else None

    def _return_late(self) -> None:
        """Come back a day later: the lease has ended, and what it held is to be had again."""
        lapsed, self._lapsing = self._lapsing, None
        assert lapsed is not None
        results = self.operator.acknowledge(
            lapsed.lease_id,
            [
                _acknowledgement(each, ACKNOWLEDGEMENT_OUTCOME_EXECUTED)
                for each in lapsed.directives
            ],
        )
        waiting = set()
        for directive, result in zip(lapsed.directives, results, strict=True):
            if result == ACKNOWLEDGEMENT_RESULT_SUPERSEDED:
                self._note_superseded(directive)
                continue
            self._journal.check_equal(
                Invariant.LAPSED_LEASE_RETURNS,
                seen=AcknowledgementResult.Name(result),
                expected=AcknowledgementResult.Name(ACKNOWLEDGEMENT_RESULT_LEASE_LOST),
                subject="late acknowledgement",
            )
            self._ledger.attempted(directive, Attempt.LAPSED)
            waiting.add(directive.directive_id)
        missing = waiting - self.work_off()
        self._journal.check(
            Invariant.LAPSED_LEASE_RETURNS,
            holds=not missing,
            detail=f"{len(missing)} of {len(waiting)} lapsed directives did not come back",
        )

    def _check_explains_itself(self, directive: Directive) -> None:
        is_restore = directive.kind == DIRECTIVE_KIND_RESTORE
        self._journal.check(
            Invariant.ORDERS_EXPLAIN_THEMSELVES,
            holds=(not directive.causes if is_restore else _says_why(directive))
            and instant_of(directive.due_time) >= instant_of(directive.create_time),
            detail=f"{kind_name(directive.kind)} without cause, rule, cure or a time to act in",
        )

    def _check_sequence(self, directives: Sequence[Directive]) -> None:
        latest: dict[str, int] = {}
        for directive in directives:
            created_ns = directive.create_time.ToNanoseconds()
            self._journal.check(
                Invariant.ORDERS_IN_SEQUENCE,
                holds=latest.get(directive.msisdn, created_ns) <= created_ns,
                detail=f"{kind_name(directive.kind)} came before an order that is older",
            )
            latest[directive.msisdn] = created_ns


def _says_why(directive: Directive) -> bool:
    """Say whether an order has its cause, rule and cure, and its words or what it leaves open."""
    has_reason = bool(directive.causes) and bool(directive.citation) and bool(directive.track)
    has_notice = says_it_twice(directive.notice) == (directive.kind == DIRECTIVE_KIND_NOTIFY)
    is_open = set(directive.kept_routes) == set(_OPEN_ROUTES) or directive.kind not in _BLOCKS
    return has_reason and has_notice and is_open and says_it_twice(directive.way_out)


def says_it_twice(text: LocalizedText) -> bool:
    """Say whether a text is there in both languages."""
    return bool(text.vi) and bool(text.en)


def _acknowledgement(directive: Directive, outcome: AcknowledgementOutcome) -> Acknowledgement:
    has_failed = outcome == ACKNOWLEDGEMENT_OUTCOME_FAILED
    return Acknowledgement(
        directive_id=directive.directive_id,
        outcome=outcome,
        failure="the switch did not answer" if has_failed else "",
    )
