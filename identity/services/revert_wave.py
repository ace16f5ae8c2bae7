"""Put back exactly what a wave did, wherever each case now stands.

Owns the slices of a revert. A case that the wave stepped and that is still open waits for a wave as
it did before, with the due time it had; what that makes of the number is settled anew. What
happened since stays: a cure, another case and its blocks, a dispute, a number that has ended.
"""

from functools import partial
from uuid import UUID

from identity.domain.settlement import Change
from identity.domain.wave import Wave, WaveState, rungs_before
from identity.services.call import Call
from identity.services.settle_alike import settle_alike
from identity.services.settle_subscriptions import settle_subscriptions
from identity.services.transactions import Transactions
from identity.services.waves import WORKERS, find_wave, note
from identity.storage.database import UnitOfWork
from identity.storage.link_runs import slice_bounds


def revert_wave(transactions: Transactions, call: Call, wave_id: UUID, *, reason: str) -> Wave:
    """Stop a wave for good and put back what it did; again, it goes on where it was cut off.

    Args:
        transactions: The registry.
        call: The circumstances.
        wave_id: The wave.
        reason: Why, for the record.

    Raises:
        WaveNotFoundError: There is none.
    """
    places = transactions.run(partial(_begin, call=call, wave_id=wave_id, reason=reason))
    slices = [partial(_revert_slice, call=call, wave_id=wave_id, place=place) for place in places]
    transactions.run_each(slices, workers=WORKERS)
    return transactions.run(partial(_end, call=call, wave_id=wave_id))


def _begin(uow: UnitOfWork, call: Call, wave_id: UUID, reason: str) -> list[int]:
    """Let nothing more of it be executed, and say which slices are to be put back."""
    wave = find_wave(uow, wave_id, lock="update")
    if wave.state is not WaveState.REVERTED:
        uow.waves.move(wave, WaveState.REVERTED, reason=reason)
        note(uow, call, wave, "revert_wave", slices=len(wave.done))
    return [done.place for done in uow.waves.done_slices(wave_id) if not done.is_reverted]


def _revert_slice(uow: UnitOfWork, call: Call, wave_id: UUID, place: int) -> None:
    if not uow.waves.is_to_revert(wave_id, place):
        return
    wave = find_wave(uow, wave_id)
    numbers = uow.due_cases.list_of_wave(
        wave_id,
        call.at,
        keys=slice_bounds(place, of=wave.slice_count),
        days=call.rules.exemption_days,
    )
    rungs = rungs_before(wave.criteria, call.rules)
    for alike in numbers:
        references = alike.references
        uow.waves.put_back(wave_id, references, rungs)
        example = uow.subscriptions.find_by_reference([references.first])[0]
        if not settle_alike(uow, call, example, references, wave_id=wave_id):
            items = uow.subscriptions.find_by_reference(list(references))
            settle_subscriptions(
                uow,
                call,
                items,
                {
                    item.subscription_id: Change(before=item.service_state, wave_id=wave_id)
                    for item in items
                },
            )
    uow.waves.mark_reverted(
        wave_id, place, numbers=sum(len(each.references) for each in numbers), at=call.at
    )


def _end(uow: UnitOfWork, call: Call, wave_id: UUID) -> Wave:
    wave = find_wave(uow, wave_id)
    note(uow, call, wave, "revert_wave", reverted=wave.reverted_count)
    return wave
