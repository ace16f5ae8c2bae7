"""The straight way of reading a book's rows and the slow one agree, on clean rows and on others."""

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from identity.domain.msisdn import MSISDN
from identity.rpc import decode
from identity.security.keys import generate_key_ring
from identity.security.vault import Vault
from identity.services.imports import RefusedRow
from identity.storage.book import IndexedRow, index_row
from identity.storage.subscriptions import msisdn_key
from subid.v1 import subscription_service_pb2 as pb
from subid.v1.date_pb2 import Date

VAULT = Vault(generate_key_ring())

anything = st.text(max_size=20)
days = st.builds(
    Date,
    year=st.sampled_from([1985, 1985, 2024, 1899, 2200, 0]),
    month=st.sampled_from([2, 2, 12, 0, 13]),
    day=st.sampled_from([1, 28, 29, 30, 0, -1]),
)
good_days = st.builds(Date, year=st.just(1985), month=st.integers(1, 12), day=st.integers(1, 28))
claims = st.builds(
    pb.HolderClaim,
    personal_id=st.sampled_from(["001090123456", "001090123456", "00109012345x", ""]) | anything,
    full_name=st.sampled_from(["Nguyễn Thị Thử", " lê  HOÀ ", "Le\u0302 Hoa", "A1", ""]) | anything,
    birth_date=st.none() | good_days | good_days | days,
)
rows = st.builds(
    pb.SubscriptionRow,
    msisdn=st.sampled_from(["0912345678", "+84 912 345 678", "84912345678", "911"]) | anything,
    holder=st.none() | claims | claims,
    activated_on=st.none() | good_days | days,
    point_of_sale=st.sampled_from(["", "HN-01", "a b"]) | anything,
    province_code=st.sampled_from(["", "01", "1"]) | anything,
)
clean = st.builds(
    pb.SubscriptionRow,
    msisdn=st.just("0912345678"),
    holder=st.builds(
        pb.HolderClaim,
        personal_id=st.just("001090123456"),
        full_name=st.sampled_from(["Nguyễn Thị Thử", "LE\u0302 HOA"]),
        birth_date=good_days,
    ),
    activated_on=st.none() | good_days,
    point_of_sale=st.sampled_from(["", "HN-01"]),
    province_code=st.sampled_from(["", "01"]),
)


def read_key(message: pb.SubscriptionRow) -> bytes:
    return msisdn_key(VAULT, MSISDN.parse(message.msisdn))


def slowly(messages: Sequence[pb.SubscriptionRow]) -> list[IndexedRow | RefusedRow[bytes]]:
    """The way that names what is at fault, for every row."""
    parsed = decode.rows(messages, decode._book_row, read_key)  # noqa: SLF001 - the slow way itself
    return [row if isinstance(row, RefusedRow) else index_row(VAULT, row) for row in parsed]


@settings(max_examples=150, deadline=None)
@given(st.lists(clean | rows | rows, max_size=4))
def test_rows_come_out_as_the_slow_way_reads_them(messages: list[pb.SubscriptionRow]) -> None:
    assert decode.book_rows(messages, VAULT) == slowly(messages)


@settings(max_examples=30, deadline=None)
@given(clean, rows)
def test_a_row_is_read_for_itself_whatever_stands_beside_it(
    one: pb.SubscriptionRow, other: pb.SubscriptionRow
) -> None:
    read = decode.book_rows([other, one, other], VAULT)
    assert isinstance(read[1], IndexedRow)
    assert [read[1]] == decode.book_rows([one], VAULT)
    assert isinstance(read[0], RefusedRow) is isinstance(read[2], RefusedRow)
