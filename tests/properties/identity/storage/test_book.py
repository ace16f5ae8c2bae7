"""What an import writes is what saving the same subscription writes, to the last column."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from identity.domain.holder import HolderClaim
from identity.domain.msisdn import MSISDN
from identity.domain.subscription import Subscription
from identity.security.vault import Vault
from identity.storage.book import content
from identity.storage.database import UnitOfWork
from identity.storage.tables import holding, subscription
from tests.properties.identity.storage.test_conversions import days, links, names, personal_ids
from tests.unit.identity.makers import NOW, make_subscription, new_numbers

claims = st.builds(HolderClaim, personal_id=personal_ids, full_name=names, birth_date=days)
items = st.builds(
    make_subscription,
    claims,
    # Every number of 3… is a mobile number; of 9… some are not.
    msisdn=st.integers(0, 10**8 - 1).map(lambda number: MSISDN(f"+843{number:08d}")),
    link=links,
    activated_on=st.none() | days,
    point_of_sale=st.none() | st.text("abcXYZ019._/-", min_size=1, max_size=64),
    province_code=st.none() | st.from_regex("[0-9]{2}", fullmatch=True),
    verified_at=st.none(),
    created_at=st.just(NOW),
    updated_at=st.just(NOW),
)
books = st.lists(items, min_size=1, max_size=4, unique_by=lambda item: item.msisdn)


@settings(max_examples=40, deadline=None)
@given(book=books)
def test_new_numbers_are_written_as_saving_them_writes_them(
    engine: Engine, vault: Vault, book: list[Subscription]
) -> None:
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        uow.subscriptions.save_many(book)
        saved = _written(connection, book)
        connection.rollback()
        uow.book.add_new(new_numbers(uow, book), operator_id=book[0].operator_id, at=NOW)
        added = _written(connection, book)
        found = uow.subscriptions.find_many_in_service(item.msisdn for item in book)
        connection.rollback()
    assert added == saved
    assert found == {item.msisdn: item for item in book}


@settings(max_examples=40, deadline=None)
@given(book=books)
def test_the_digests_of_a_row_are_those_that_saving_writes(
    engine: Engine, vault: Vault, book: list[Subscription]
) -> None:
    with engine.connect() as connection:
        uow = UnitOfWork(connection, vault)
        uow.subscriptions.save_many(book)
        for number in new_numbers(uow, book):
            indexed = number.indexed
            query = select(subscription).where(subscription.c.subscription_id == number.identity)
            row = connection.execute(query).one()
            assert (row.msisdn_key, row.citizen_key, row.claim_digest, row.holder_digest) == (
                indexed.msisdn_key,
                indexed.citizen_key,
                indexed.claim_digest,
                indexed.holder_digest,
            )
            stands = uow.book.standing([indexed.msisdn_key])[indexed.msisdn_key]
            assert stands.row == content(indexed)
        connection.rollback()


def _written(connection: Connection, book: list[Subscription]) -> list[dict[str, Any]]:
    """The rows of some subscriptions, aside from what is sealed: that differs each time."""
    ids = [item.subscription_id for item in book]
    found = []
    for table in (subscription, holding):
        query = select(table).where(table.c.subscription_id.in_(ids))
        rows = connection.execute(query.order_by(table.c.subscription_id)).mappings()
        found += [{k: v for k, v in row.items() if not k.endswith("_sealed")} for row in rows]
    return found
