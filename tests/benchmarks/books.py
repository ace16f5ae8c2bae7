"""Books and registers of any size, the same each time, as messages that are ready to be sent.

Owns who is in them. Knows no server.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from identity.domain.msisdn import MOBILE_PREFIXES
from subid.v1 import population_service_pb2 as population_pb
from subid.v1 import subscription_service_pb2 as subscription_pb
from subid.v1.date_pb2 import Date

BATCH_ROWS = 5_000
"""The most that the contract takes in a message."""

MISMATCHED_EVERY = 20
"""One claim in twenty has another name than its record."""

_FAMILY = ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Hoàng", "Phan", "Vũ", "Đặng", "Bùi", "Đỗ")
_MIDDLE = ("Văn", "Thị", "Hữu", "Đức", "Ngọc", "Quang", "Minh", "Thanh", "Xuân")
_GIVEN = ("An", "Bình", "Châu", "Dũng", "Hòa", "Khánh", "Linh", "Mỹ", "Phượng", "Thủy", "Tuấn")


@dataclass(frozen=True)
class Person:
    """Somebody in the register, the same each time for the same number."""

    number: int

    @property
    def personal_id(self) -> str:
        """Twelve digits."""
        return f"001{self.number % 4}{self.number // 4:08d}"

    @property
    def full_name(self) -> str:
        """A name."""
        n = self.number
        family = _FAMILY[n % len(_FAMILY)]
        middle = _MIDDLE[n // 11 % len(_MIDDLE)]
        return f"{family} {middle} {_GIVEN[n // 99 % len(_GIVEN)]}"

    @property
    def birth_date(self) -> Date:
        """A day."""
        n = self.number
        return Date(year=1940 + n % 70, month=1 + n // 70 % 12, day=1 + n // 840 % 28)


def msisdn_of(number: int) -> str:
    """A number of its own for each, in national form."""
    prefixes = [prefix for prefix in MOBILE_PREFIXES if len(prefix) == 2]
    return f"0{prefixes[number // 10_000_000]}{number % 10_000_000:07d}"


def book(first: int, count: int, *, request_id: str, batch_index: int = 0) -> Iterator[bytes]:
    """An operator's book, in messages that are ready to be sent."""
    for begin in range(first, first + count, BATCH_ROWS):
        end = min(begin + BATCH_ROWS, first + count)
        yield subscription_pb.ImportSubscriptionsRequest(
            request_id=request_id,
            batch_index=batch_index,
            rows=[_row(number) for number in range(begin, end)],
        ).SerializeToString()
        batch_index += 1


def register(
    first: int, count: int, *, request_id: str, name: str | None = None
) -> Iterator[bytes]:
    """The register's records of the same people; with a name, they have been corrected to it."""
    for batch_index, begin in enumerate(range(first, first + count, BATCH_ROWS)):
        people = map(Person, range(begin, min(begin + BATCH_ROWS, first + count)))
        yield population_pb.ImportPopulationRequest(
            request_id=request_id,
            batch_index=batch_index,
            records=[
                population_pb.PopulationRecord(
                    personal_id=each.personal_id,
                    full_name=name or each.full_name,
                    birth_date=each.birth_date,
                )
                for each in people
            ],
        ).SerializeToString()


def _row(number: int) -> subscription_pb.SubscriptionRow:
    person = Person(number)
    is_other = number % MISMATCHED_EVERY == 0
    return subscription_pb.SubscriptionRow(
        msisdn=msisdn_of(number),
        holder=subscription_pb.HolderClaim(
            personal_id=person.personal_id,
            full_name="Lâm Bảo Hân" if is_other else person.full_name,
            birth_date=person.birth_date,
        ),
        activated_on=Date(year=2020, month=1 + number % 12, day=1 + number % 28),
        point_of_sale=f"POS-{number % 5_000}",
        province_code=f"{1 + number % 34:02d}",
    )
