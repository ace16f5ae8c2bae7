"""Execute an approved wave, slice by slice, and stop it when its numbers say that it is wrong.

Owns the slices: each is a range of keys in a transaction of its own, so a wave that is cut off goes
on where it stood and no slice is done twice. What a step leads to is the domain's to say.
"""

from functools import partial
from uuid import UUID

from identity.domain.wave import Wave, WaveState, reason_to_stop
from identity.services.call import Call
from identity.services.step_cases import WaveStep, step_cases
from identity.services.transactions import Transactions
from identity.services.waves import WORKERS, find_wave, note, reach_of, stop
from identity.storage.database import UnitOfWork
from identity.storage.link_runs import slice_bounds


def execute_wave(
    transactions: Transactions, call: Call, wave_id: UUID, *, slice_count_max: int
) -> Wave:
    """Execute the next slices.

    Args:
        transactions: The registry.
        call: The circumstances. The wave takes what was due when it was previewed.
        wave_id: The wave.
        slice_count_max: The most slices to execute.

    Returns:
        The wave after them: completed, stopped by itself, or still running.

    Raises:
        WaveNotFoundError: There is none.
        WaveNotReadyError: It is not approved by two.
        WaveInvalidError: The rules in force leave its step to no wave any more.
    """
    execute_slices(transactions, call, wave_id, slice_count_max=slice_count_max)
    return transactions.run(partial(end_execution, call=call, wave_id=wave_id))


def execute_slices(
    transactions: Transactions, call: Call, wave_id: UUID, *, slice_count_max: int
) -> None:
    """`execute_wave` but for its end, which `end_execution` makes in a transaction of the caller's.

    Raises:
        WaveNotFoundError: As for `execute_wave`.
        WaveNotReadyError: As there.
        WaveInvalidError: As there.
    """
    wave = transactions.run(partial(_begin, call=call, wave_id=wave_id))
    if wave.state is WaveState.RUNNING:
        missing = [place for place in range(wave.slice_count) if place not in wave.done]
        slices = [
            partial(_execute_slice, call=call, wave_id=wave_id, place=place)
            for place in missing[:slice_count_max]
        ]
        transactions.run_each(slices, workers=WORKERS)


def _begin(uow: UnitOfWork, call: Call, wave_id: UUID) -> Wave:
    """Refuse what is not approved, stop what should not go on, and say that it runs."""
    wave = find_wave(uow, wave_id, lock="update")
    wave.refuse_execution()
    reach_of(call, wave.criteria)
    # Two people who have approved since know of what was done before: their word holds for a call.
    is_judged = wave.state is WaveState.RUNNING
    for done in uow.waves.done_slices(wave_id) if is_judged else ():
        low, high = slice_bounds(done.place, of=wave.slice_count)
        after = uow.waves.aftermath(wave_id, since=done.executed_at, low=low, high=high)
        if (reason := reason_to_stop(after, call.rules.waves)) is not None:
            stop(uow, call, wave, f"stopped itself: {reason}")
            return find_wave(uow, wave_id)
    uow.waves.move(wave, WaveState.RUNNING)
    return find_wave(uow, wave_id)


def _execute_slice(uow: UnitOfWork, call: Call, wave_id: UUID, place: int) -> None:
    # Kept until the slice is done: a stop waits for it, and none begins after a stop.
    wave = find_wave(uow, wave_id, lock="share")
    if wave.state is not WaveState.RUNNING or not uow.waves.take(wave_id, place, at=call.at):
        return
    criteria = wave.criteria
    waiting = uow.due_cases.list_by_wave(
        reach_of(call, criteria),
        # What two people saw and approved, and nothing that has become due since.
        wave.created_at,
        keys=slice_bounds(place, of=wave.slice_count),
        limit=wave.share_of(place),
        days=call.rules.exemption_days,
    )
    numbers = [each for each in waiting if criteria.has_primaries or not each.is_primary]
    step = WaveStep(wave_id=wave_id, track=criteria.track)
    done = step_cases(uow, call, numbers, wave=step)
    uow.waves.count(wave_id, place, directives=done.directive_count)


def end_execution(uow: UnitOfWork, call: Call, wave_id: UUID) -> Wave:
    """The wave after its slices: completed, if there are no more."""
    wave = find_wave(uow, wave_id, lock="update")
    if wave.state is WaveState.RUNNING and len(wave.done) == wave.slice_count:
        uow.waves.move(wave, WaveState.COMPLETED)
    note(uow, call, wave, "execute_wave", slices=len(wave.done), directives=wave.directive_count)
    return find_wave(uow, wave_id)
