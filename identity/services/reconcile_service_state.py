"""Compare an operator's network with what was ordered and acknowledged, batch by batch.

Owns what follows from a difference: the order stands again, and what was reported is what is
applied from now on. What counts as one is the domain's (`identity.domain.drift`), asked of the
numbers that differ only; a network that does as it is told costs a look at each number.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.directive import Directive
from identity.domain.drift import DriftKind, Finding, compare
from identity.domain.enforcement import DirectiveKind
from identity.domain.errors import FieldViolation, RequestInvalidError
from identity.domain.settlement import RESTORE_WITHIN
from identity.domain.subscription import ServiceState
from identity.services.call import Call
from identity.services.imports import BatchHead
from identity.storage.arrays import Reference, References
from identity.storage.database import UnitOfWork
from identity.storage.import_runs import ImportRun
from identity.storage.reconciliations import Counts, Differing, Ground, Unreported

UNREPORTED_MAX = 10_000
"""Numbers that were not reported and are named; the others are counted only."""

_TWICE = FieldViolation(
    field="states",
    reason="REPEATED_UNIQUE",
    description="a number stands in an earlier message of this reconciliation",
)


@dataclass(frozen=True, slots=True)
class Reported:
    """A number by its key, and what the network does with it."""

    msisdn_key: bytes
    state: ServiceState


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """A number that differs.

    Attributes:
        place: Its place among those reported.
        kind: How it differs.
        ordered: What is ordered; None for a number that is not known.
        directive_id: The order that stands again, if one does.
    """

    place: int
    kind: DriftKind
    ordered: ServiceState | None = None
    directive_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What one batch came to.

    Attributes:
        drifts: Numbers that differ, by their places.
        unreported: After the last batch, the first numbers that were not reported.
        counts: Of the reconciliation so far.
        unreported_count: All numbers that were not reported, after the last batch.
    """

    drifts: tuple[Drift, ...]
    unreported: tuple[Unreported, ...]
    counts: Counts
    unreported_count: int

    def to_fields(self) -> dict[str, Any]:
        """For a JSONB column: places and keys, no numbers."""
        return {
            "drifts": [
                [each.place, each.kind, each.ordered, each.directive_id and str(each.directive_id)]
                for each in self.drifts
            ],
            "unreported": [
                [each.reference[0].hex(), str(each.reference[1]), each.ordered]
                for each in self.unreported
            ],
            "compared": self.counts.compared,
            "drift": self.counts.drifts,
            "false": self.counts.false,
            "gone_count": self.unreported_count,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Comparison":
        """Read what `to_fields` made."""
        return cls(
            drifts=tuple(
                Drift(
                    place=place,
                    kind=DriftKind(kind),
                    ordered=None if ordered is None else ServiceState(ordered),
                    directive_id=None if directive_id is None else UUID(directive_id),
                )
                for place, kind, ordered, directive_id in fields["drifts"]
            ),
            unreported=tuple(
                Unreported((bytes.fromhex(key), UUID(identity)), ServiceState(ordered))
                for key, identity, ordered in fields["unreported"]
            ),
            counts=Counts(
                compared=fields["compared"], drifts=fields["drift"], false=fields["false"]
            ),
            unreported_count=fields["gone_count"],
        )


def reconcile_batch(
    uow: UnitOfWork, call: Call, run: ImportRun, head: BatchHead, reported: Sequence[Reported]
) -> Comparison:
    """Compare what an operator reports of some numbers, each named once, and set it right.

    Args:
        uow: The transaction.
        call: The circumstances; the caller is the operator.
        run: The reconciliation.
        head: Which of its batches it is.
        reported: The numbers.

    Raises:
        RequestInvalidError: One of them stood in an earlier batch.
    """
    keys = (each.msisdn_key for each in reported)
    if uow.import_runs.name_rows(run.import_id, keys) < len(reported):
        raise RequestInvalidError((_TWICE,))
    found = _compare(uow, call, reported)
    drifts = tuple(each.drift for each in found if each.drift is not None)
    operator_id = call.caller.name
    false_count = sum(each.finding.is_false for each in found)
    # What is neither the operator's nor served is no number of its: it would water down the others.
    compared = len(reported) - sum(each.is_nothing for each in found)
    counts = uow.reconciliations.count(
        operator_id,
        head.request_id,
        Counts(compared=compared, drifts=len(drifts), false=false_count),
        began_at=run.began_at,
    )
    unreported: Sequence[Unreported] = ()
    unreported_count = 0
    if head.is_last:
        unreported, unreported_count = uow.reconciliations.unreported(
            operator_id, import_id=run.import_id, began_at=run.began_at, limit=UNREPORTED_MAX
        )
        uow.reconciliations.finish(
            operator_id, head.request_id, unreported_count=unreported_count, at=call.at
        )
    details = {"compared": compared, "drift": len(drifts), "false": false_count}
    append(uow.connection, [_entry(call, details | {"unreported": unreported_count})])
    return Comparison(
        drifts=drifts,
        unreported=tuple(unreported),
        counts=counts,
        unreported_count=unreported_count,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    """What a comparison says of a number and as what it is told, or that it is nobody's."""

    finding: Finding
    drift: Drift | None
    is_nothing: bool = False


@dataclass(frozen=True, slots=True)
class _Judged:
    """A number that the operator has, and what a comparison says of it."""

    place: int
    reference: Reference
    ordered: ServiceState
    finding: Finding
    ground: Ground | None


def _compare(uow: UnitOfWork, call: Call, reported: Sequence[Reported]) -> list[_Found]:
    """What differs, in the order of the report."""
    if not reported:
        return []
    keys = [each.msisdn_key for each in reported]
    states = [each.state for each in reported]
    differing = uow.reconciliations.differing(call.caller.name, keys, states)
    judged = _judge(uow, differing, states)
    ordered = _order_again(uow, call, judged)
    found = {each.place: _told(each, ordered) for each in judged}
    for each in differing:
        if each.reference is None:
            found[each.place] = _unknown(each.place, states[each.place])
    return [found[place] for place in sorted(found)]


def _judge(
    uow: UnitOfWork, differing: Sequence[Differing], states: Sequence[ServiceState]
) -> list[_Judged]:
    """Compare numbers that nobody else changes meanwhile; note what was reported as applied."""
    references = {each.place: each.reference for each in differing if each.reference is not None}
    uow.subscriptions.lock(list(references.values()))
    known = uow.reconciliations.known(list(references.values()))
    judged = []
    for place, reference in references.items():
        state, ground = known[reference[1]].state, known[reference[1]].ground
        finding = compare(state, states[place])
        judged.append(_Judged(place, reference, state.ordered, finding, ground))
    return judged


def _note_applied(uow: UnitOfWork, call: Call, judged: Sequence[_Judged]) -> None:
    by_state: dict[ServiceState, list[Reference]] = defaultdict(list)
    for each in judged:
        if each.finding.applied is not None:
            by_state[each.finding.applied].append(each.reference)
    for state, references in by_state.items():
        uow.subscriptions.apply_alike(References.of(references), state, at=call.at)


def _order_again(uow: UnitOfWork, call: Call, judged: Sequence[_Judged]) -> Mapping[UUID, UUID]:
    """Have orders stand again; returns them by subscription."""
    _note_applied(uow, call, judged)
    alike: dict[tuple[DirectiveKind, Ground | None], list[Reference]] = defaultdict(list)
    for each in judged:
        kind = each.finding.order
        is_grounded = each.ground is not None and each.ground.track is not None
        # A block needs its reason: nobody is blocked without a rule and a way out.
        if kind is DirectiveKind.RESTORE:
            alike[kind, None].append(each.reference)
        elif kind is not None and is_grounded:
            alike[kind, each.ground].append(each.reference)
    ordered: dict[UUID, UUID] = {}
    for (kind, ground), references in alike.items():
        order = _order(call, kind, ground, subscription_id=references[0][1])
        ordered |= uow.directives.add_alike_named(order, References.of(references))
    return ordered


def _order(
    call: Call, kind: DirectiveKind, ground: Ground | None, *, subscription_id: UUID
) -> Directive:
    """The order as it was given, with as much time as then."""
    within = RESTORE_WITHIN
    if ground is not None and ground.policy_version is not None and ground.track is not None:
        within = call.rules.track_of(ground.policy_version, ground.track).execute_within
    return Directive(
        directive_id=call.new_id(),
        subscription_id=subscription_id,
        operator_id=call.caller.name,
        kind=kind,
        causes=() if ground is None else ground.causes,
        policy_version=None if ground is None else ground.policy_version,
        track=None if ground is None else ground.track,
        created_at=call.at,
        due_at=call.at + within,
        is_primary=ground is not None and ground.is_primary,
        is_last_number=ground is not None and ground.is_last_number,
        wave_id=None if ground is None else ground.wave_id,
    )


def _told(judged: _Judged, ordered: Mapping[UUID, UUID]) -> _Found:
    finding = judged.finding
    if finding.drift is None:
        return _Found(finding, None)
    drift = Drift(
        place=judged.place,
        kind=finding.drift,
        ordered=judged.ordered,
        directive_id=ordered.get(judged.reference[1]),
    )
    return _Found(finding, drift)


def _unknown(place: int, state: ServiceState) -> _Found:
    finding = compare(None, state)
    kind = finding.drift
    if kind is None:
        return _Found(finding, None, is_nothing=True)
    return _Found(finding, Drift(place=place, kind=kind))


def _entry(call: Call, details: Mapping[str, int]) -> AuditEntry:
    return AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action="reconcile_service_state",
        outcome="compared",
        details=details,
    )
