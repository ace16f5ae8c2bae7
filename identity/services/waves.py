"""Preview, approve, stop and look at waves.

Owns what is done to a wave as a whole, each in one transaction with its audit entry. Executing and
reverting go slice by slice: `execute_wave` and `revert_wave`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from identity.audit.log import AuditEntry, append
from identity.domain.calendar_date import day_of, whole_years
from identity.domain.errors import WaveNotFoundError, WaveNotReadyError
from identity.domain.wave import (
    APPROVALS_NEEDED,
    SLICE_NUMBERS,
    Wave,
    WaveCriteria,
    WavePreview,
    WaveState,
    steps_behind,
)
from identity.services.call import Call
from identity.storage.database import UnitOfWork
from identity.storage.due_cases import WaveReach
from identity.storage.subscriptions import open_claim

SAMPLE_NUMBERS = 20_000
"""Holders whose ages a preview looks at: their birth dates are sealed. A share of one half is then
known to 0.7 points (95 %)."""

WORKERS = 2
"""Slices at a time, executed or put back: each keeps one core of the database busy."""

_AGE_GROUPS = ((0, "0-13"), (14, "14-17"), (18, "18-59"), (60, "60+"))
"""From which age: below 14 a guardian signs (Decree 49/2017), of age at 18, old at 60 (Law on the
Elderly 39/2009, Article 2)."""


def preview_wave(
    uow: UnitOfWork, call: Call, criteria: WaveCriteria, *, slice_numbers: int = SLICE_NUMBERS
) -> Wave:
    """Count what a wave would do at the call's instant, and keep it for approval.

    Args:
        uow: The transaction.
        call: The circumstances.
        criteria: Which cases.
        slice_numbers: About as many numbers are executed together.

    Raises:
        WaveInvalidError: No ladder leaves this step to waves.
    """
    reach = reach_of(call, criteria)
    ladders = {
        version: call.rules.track_of(version, criteria.track)
        for version in steps_behind(criteria, call.rules)
    }
    counts = uow.waves.preview(reach, ladders, at=call.at)
    preview = _preview(uow, call, reach, counts)
    if 0 < criteria.subscription_count_max < preview.subscription_count:
        preview = replace(preview, subscription_count=criteria.subscription_count_max)
    wave = Wave(
        wave_id=call.new_id(),
        criteria=criteria,
        state=WaveState.PREVIEWED,
        creator=str(call.caller),
        created_at=call.at,
        preview=preview,
        slice_count=max(1, -(-preview.subscription_count // slice_numbers)),
    )
    uow.waves.add(wave)
    note(uow, call, wave, "preview_wave", numbers=preview.subscription_count)
    return wave


def approve_wave(uow: UnitOfWork, call: Call, wave_id: UUID) -> Wave:
    """Approve; the second approval makes the wave executable.

    Raises:
        WaveNotFoundError: There is none.
        WaveNotReadyError: It waits for no approval, or the caller has given theirs.
    """
    wave = find_wave(uow, wave_id, lock="update")
    approver = str(call.caller)
    wave.refuse_approval(approver)
    uow.waves.approve(wave, approver, at=call.at)
    if len(wave.approvers) + 1 == APPROVALS_NEEDED:
        uow.waves.move(wave, WaveState.APPROVED)
    note(uow, call, wave, "approve_wave", approvals=len(wave.approvers) + 1)
    return find_wave(uow, wave_id)


def stop_wave(uow: UnitOfWork, call: Call, wave_id: UUID, reason: str) -> Wave:
    """Stop: slices under way end, no other begins before two approve anew.

    Raises:
        WaveNotFoundError: There is none.
        WaveNotReadyError: There is nothing left to stop.
    """
    wave = find_wave(uow, wave_id, lock="update")
    if wave.state in {WaveState.COMPLETED, WaveState.REVERTED, WaveState.STOPPED}:
        raise WaveNotReadyError(f"the wave is {wave.state}: there is nothing to stop")
    stop(uow, call, wave, reason)
    return find_wave(uow, wave_id)


def get_wave(uow: UnitOfWork, call: Call, wave_id: UUID) -> Wave:
    """Where a wave stands.

    Raises:
        WaveNotFoundError: There is none.
    """
    wave = find_wave(uow, wave_id)
    note(uow, call, wave, "get_wave")
    return wave


def stop(uow: UnitOfWork, call: Call, wave: Wave, reason: str) -> None:
    """Stop a wave that is held in this transaction; approvals of before no longer count."""
    uow.waves.move(wave, WaveState.STOPPED, reason=reason, is_new_round=True)
    note(uow, call, wave, "stop_wave", slices=len(wave.done))


def find_wave(uow: UnitOfWork, wave_id: UUID, *, lock: str = "") -> Wave:
    """A wave; `lock` as `Waves.find` takes it.

    Raises:
        WaveNotFoundError: There is none.
    """
    wave = uow.waves.find(wave_id, lock=lock)
    if wave is None:
        raise WaveNotFoundError("there is no such wave")
    return wave


def reach_of(call: Call, criteria: WaveCriteria) -> WaveReach:
    """Which cases the criteria mean under the rules in force.

    Raises:
        WaveInvalidError: No ladder leaves this step to waves.
    """
    return WaveReach(
        track=criteria.track,
        steps=tuple(sorted(set(steps_behind(criteria, call.rules).values()))),
        causes=tuple(cause.value for cause in criteria.causes),
        operators=criteria.operators,
        provinces=criteria.province_codes,
        has_primaries=criteria.has_primaries,
    )


def note(uow: UnitOfWork, call: Call, wave: Wave, action: str, **details: int) -> None:
    """Put on record what was done with a wave."""
    entry = AuditEntry(
        occurred_at=call.at,
        caller=str(call.caller),
        action=action,
        outcome=wave.state.value,
        details={"wave": str(wave.wave_id), **details},
    )
    append(uow.connection, [entry])


def _preview(
    uow: UnitOfWork, call: Call, reach: WaveReach, counts: Sequence[Mapping[str, Any]]
) -> WavePreview:
    total = sum(row["numbers"] for row in counts)
    operators: Counter[str] = Counter()
    provinces: Counter[str] = Counter()
    for row in counts:
        operators[row["operator_id"]] += row["numbers"]
        provinces[row["province_code"]] += row["numbers"]
    return WavePreview(
        subscription_count=total,
        by_operator=dict(sorted(operators.items())),
        by_province=dict(sorted(provinces.items())),
        by_age=_ages(uow, call, reach, total=total),
        primary_count=sum(row["primaries"] for row in counts),
        last_number_count=counts[0]["people"] if counts else 0,
        recently_verified_count=sum(row["recent"] for row in counts),
        held_count=sum(row["held"] for row in counts),
    )


def _ages(uow: UnitOfWork, call: Call, reach: WaveReach, *, total: int) -> dict[str, int]:
    """Groups of ages among a sample, scaled up to all."""
    sample = uow.waves.sample(reach, at=call.at, limit=SAMPLE_NUMBERS)
    today = day_of(call.at)
    groups: Counter[str] = Counter({name: 0 for _, name in _AGE_GROUPS})
    for place, sealed in sample:
        age = whole_years(open_claim(uow.sealer, sealed, place).birth_date, on=today)
        groups[next(name for since, name in reversed(_AGE_GROUPS) if age >= since)] += 1
    scale = total / len(sample) if sample else 0
    return {name: round(count * scale) for name, count in groups.items()}
