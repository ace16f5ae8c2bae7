"""The history of links: lines are added, in their order, and belong to one subscription."""

from datetime import timedelta
from uuid import uuid4

from identity.domain.link import LinkState
from identity.storage.database import UnitOfWork
from identity.storage.link_changes import LinkAction, LinkChange, PastLinkChange
from tests.unit.identity.makers import NOW, make_msisdn


def change(uow: UnitOfWork, before: LinkState, after: LinkState) -> LinkChange:
    return LinkChange(
        msisdn_key=uow.sealer.blind_index("msisdn", make_msisdn().value),
        subscription_id=uuid4(),
        from_state=before,
        to_state=after,
    )


def test_a_history_is_read_oldest_first_and_without_those_of_others(uow: UnitOfWork) -> None:
    first = change(uow, LinkState.LINKED, LinkState.MISMATCHED)
    other = change(uow, LinkState.NOT_FOUND, LinkState.LINKED)
    # The next holder of the same number: another subscription under the same key.
    next_one = LinkChange(
        msisdn_key=first.msisdn_key,
        subscription_id=uuid4(),
        from_state=LinkState.LINKED,
        to_state=LinkState.DECEASED,
    )
    back = LinkChange(
        msisdn_key=first.msisdn_key,
        subscription_id=first.subscription_id,
        from_state=LinkState.MISMATCHED,
        to_state=LinkState.LINKED,
    )
    # Told of later and for an earlier instant: the order of telling counts.
    earlier = NOW - timedelta(days=1)
    uow.link_changes.add_many([first, other, next_one], action=LinkAction.COMPARISON, at=NOW)
    uow.link_changes.add_many([back], action=LinkAction.POPULATION_CHANGE, at=earlier)
    assert uow.link_changes.list_of(first.msisdn_key, first.subscription_id) == (
        PastLinkChange(
            changed_at=NOW,
            action=LinkAction.COMPARISON,
            from_state=LinkState.LINKED,
            to_state=LinkState.MISMATCHED,
        ),
        PastLinkChange(
            changed_at=earlier,
            action=LinkAction.POPULATION_CHANGE,
            from_state=LinkState.MISMATCHED,
            to_state=LinkState.LINKED,
        ),
    )
    assert len(uow.link_changes.list_of(other.msisdn_key, other.subscription_id)) == 1
    assert len(uow.link_changes.list_of(first.msisdn_key, next_one.subscription_id)) == 1


def test_nothing_added_is_nothing_told(uow: UnitOfWork) -> None:
    uow.link_changes.add_many([], action=LinkAction.COMPARISON, at=NOW)
    key = uow.sealer.blind_index("msisdn", make_msisdn().value)
    assert uow.link_changes.list_of(key, uuid4()) == ()
