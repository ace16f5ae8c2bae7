"""Judge stored evidence again: a verdict that comes out differently is a fault or a forgery."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from identity.audit.log import AuditEntry, append
from identity.domain.policy import PolicyPack, PolicyPackError
from identity.domain.verification import decide
from identity.services.call import COMMAND_LINE, score_names
from identity.storage.database import UnitOfWork


@dataclass(frozen=True, slots=True, kw_only=True)
class Recomputation:
    """How many verdicts were judged again, and how many came out differently."""

    verdict_count: int
    difference_count: int


def recompute(
    uow: UnitOfWork, load_policy: Callable[[str], PolicyPack], *, at: datetime
) -> Recomputation:
    """Recompute every stored verdict under the policy that it was decided under."""
    policy_of = cache(load_policy)
    verdict_count = difference_count = 0
    for evidence, verdict in uow.verifications.completed():
        policy = policy_of(verdict.policy_version).verification
        if policy is None:
            raise PolicyPackError(f"{verdict.policy_version} does not say how holders are verified")
        again = decide(evidence, policy, at=verdict.decided_at, score_names=score_names)
        if verdict.portrait_age_years is None:
            # Verdicts from before the portrait's age was recorded lack it; no state hangs on it.
            again = replace(again, portrait_age_years=None)
        verdict_count += 1
        difference_count += again != verdict
    entry = AuditEntry(
        occurred_at=at,
        caller=COMMAND_LINE,
        action="recompute_verdicts",
        outcome="read",
        details={"verdicts": verdict_count, "differences": difference_count},
    )
    append(uow.connection, [entry])
    return Recomputation(verdict_count=verdict_count, difference_count=difference_count)
