"""Judge stored evidence again: a verdict that comes out differently is a fault or a forgery.

Owns the run over all verdicts, in slices, and what is told of each that is not as it should be.
It reads and changes nothing: cut off, it is started again.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, Protocol, TypeVar
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.policy import PolicyPack
from identity.domain.verification import Evidence, Verdict, VerificationPolicy, decide
from identity.services.call import COMMAND_LINE, score_names
from identity.storage.conversions import Judged
from identity.storage.database import UnitOfWork
from identity.storage.stored_verdicts import StoredVerdict, VerdictKey

SLICE_VERDICTS = 1_000
"""Verdicts of one transaction: some megabytes of memory, however many there are in all."""

_Result = TypeVar("_Result")


class Run(Protocol):
    """Runs an action in a transaction, as `Transactions.run` does."""

    def __call__(self, action: Callable[[UnitOfWork], _Result]) -> _Result:
        """Run it."""
        ...


class FindingKind(StrEnum):
    """What is wrong with a stored verdict."""

    DIFFERENT = "different"
    """It comes out differently, or something of it is not what was sealed with the evidence."""
    UNREADABLE = "unreadable"
    """The evidence does not open, or what stands there as the verdict is none."""
    UNJUDGED = "unjudged"
    """The policy pack that it was reached under is not here, or not what it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One verdict that is not as it should be.

    Attributes:
        verification_id: Which.
        kind: What is wrong.
        differences: By field: what is stored, and what it should be. No field holds personal data.
        detail: What kept it from being judged; empty where it was.
    """

    verification_id: UUID
    kind: FindingKind
    differences: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """What came of all verdicts; each is counted once.

    Attributes:
        verdict_count: Judged again, those that differ counted.
        difference_count: Of these, came out differently.
        unreadable_count: Whose evidence or verdict cannot be read.
        unjudged_count: Whose policy pack is missing or changed.
        erased_count: Whose evidence was erased when its time was over.
    """

    verdict_count: int = 0
    difference_count: int = 0
    unreadable_count: int = 0
    unjudged_count: int = 0
    erased_count: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether every verdict with evidence came out the same."""
        return not self.difference_count + self.unreadable_count + self.unjudged_count

    @property
    def total_count(self) -> int:
        """How many there are."""
        others = self.unreadable_count + self.unjudged_count + self.erased_count
        return self.verdict_count + others


def recompute(
    run: Run,
    load_policy: Callable[[str], PolicyPack],
    *,
    at: datetime,
    tell: Callable[[Finding], None] = lambda _: None,
    progress: Callable[[int], None] = lambda _: None,
    slice_verdicts: int = SLICE_VERDICTS,
) -> Recomputation:
    """Recompute every stored verdict under the policy that it was decided under.

    Args:
        run: Runs each slice in a transaction.
        load_policy: Gives a pack by its version; raises what `policy_files.load_policy` does.
        at: The present, for the audit log.
        tell: Told of each finding when it is made.
        progress: Told how many verdicts are done.
        slice_verdicts: Verdicts of one transaction.
    """
    judges = _Judges(load_policy, run(lambda uow: uow.policy_packs.digests()))
    counts: Counter[str] = Counter()
    after: VerdictKey | None = None
    while rows := run(_slice_after(after, slice_verdicts)):
        for row in rows:
            count, finding = _judge(row, judges)
            counts[count] += 1
            if finding is not None:
                tell(finding)
        after = rows[-1].key
        progress(_recomputation(counts).total_count)
    total = _recomputation(counts)
    run(lambda uow: append(uow.connection, [_entry(total, at=at)]))
    return total


_SAME, _ERASED = "same", "erased"
"""What a verdict is counted as of which nothing is told; any other by the kind of its finding."""


def _recomputation(counts: Mapping[str, int]) -> Recomputation:
    different = counts[FindingKind.DIFFERENT]
    return Recomputation(
        verdict_count=counts[_SAME] + different,
        difference_count=different,
        unreadable_count=counts[FindingKind.UNREADABLE],
        unjudged_count=counts[FindingKind.UNJUDGED],
        erased_count=counts[_ERASED],
    )


def _slice_after(
    after: VerdictKey | None, limit: int
) -> Callable[[UnitOfWork], "list[StoredVerdict]"]:
    return lambda uow: list(uow.stored_verdicts.list_after(after, limit=limit))


class _Judges:
    """What to judge verdicts by, pack by pack."""

    def __init__(self, load_policy: Callable[[str], PolicyPack], used: Mapping[str, bytes]) -> None:
        self._load, self._used = load_policy, used
        self.of = cache(self._policy)

    def _policy(self, version: str) -> VerificationPolicy | str:
        """The policy of a pack, or why there is none."""
        try:
            pack = self._load(version)
        except FileNotFoundError:
            return f"the policy pack {version} is not here"
        except ValueError as error:  # PolicyPackError too
            return f"the policy pack {version} cannot be used: {error}"
        if self._used.get(version, pack.digest) != pack.digest:
            return f"the policy pack {version} is not what it was when it was in use"
        return pack.verification or f"the policy pack {version} says nothing of verifications"


def _judge(row: StoredVerdict, judges: _Judges) -> tuple[str, Finding | None]:
    """What a verdict is counted as, and what is told of it."""
    if row.verdict is None:
        return _found(row, FindingKind.UNREADABLE, "what stands there is no verdict")
    if row.erased_at is not None:
        return _ERASED, None
    if row.evidence is None:
        return _found(row, FindingKind.UNREADABLE, "the evidence does not open")
    judged = row.judged or Judged(
        at=row.verdict.decided_at, policy_version=row.verdict.policy_version
    )
    policy = judges.of(judged.policy_version)
    if isinstance(policy, str):
        return _found(row, FindingKind.UNJUDGED, policy)
    again = _judged_again(row.verdict, row.evidence, policy, judged)
    if again == row.verdict:
        return _SAME, None
    kind = FindingKind.DIFFERENT
    differences = dict(_differences(row.verdict, again))
    return kind, Finding(verification_id=row.verification_id, kind=kind, differences=differences)


def _found(row: StoredVerdict, kind: FindingKind, detail: str) -> tuple[str, Finding]:
    return kind, Finding(verification_id=row.verification_id, kind=kind, detail=detail)


def _judged_again(
    verdict: Verdict, evidence: Evidence, policy: VerificationPolicy, judged: Judged
) -> Verdict:
    again = decide(evidence, policy, at=judged.at, score_names=score_names)
    # Verdicts from before the portrait's age was recorded lack it; no state hangs on it.
    is_of_before = verdict.portrait_age_years is None
    return replace(again, portrait_age_years=None) if is_of_before else again


def _differences(stored: Verdict, again: Verdict) -> Iterator[tuple[str, tuple[str, str]]]:
    for each in fields(Verdict):
        one, other = getattr(stored, each.name), getattr(again, each.name)
        if one != other:
            yield each.name, (_shown(one), _shown(other))


def _shown(value: Any) -> str:  # noqa: ANN401 - any field of a verdict
    match value:
        case tuple():
            return ", ".join(str(each) for each in value) or "none"
        case datetime():
            return value.isoformat()
        case None | str() | int():
            return str(value)
        case _:
            return f"{value.result} ({value.source}, {value.score})"


def _entry(total: Recomputation, *, at: datetime) -> AuditEntry:
    return AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="recompute_verdicts",
        outcome="read",
        details={
            "verdicts": total.verdict_count,
            "differences": total.difference_count,
            "unreadable": total.unreadable_count,
            "unjudged": total.unjudged_count,
            "erased": total.erased_count,
        },
    )
