"""What a hot query is, and the reasons that several of them have for going beyond one partition.

Owns the words. Knows no query.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from identity.domain.caller import Caller, Role
from identity.storage.database import UnitOfWork
from tests.benchmarks.plan_registry import World

PAGE = 50

APP = Caller(Role.CITIZEN_APP, "app")

ANY_PARTITION = "by subscription: an index probe in each partition"
IN_ORDER = "in an order of their own: an index scan in each partition, merged"
BY_ID = "by identifier: an index probe in each partition"
WHOLE = "the whole table, or a slice of it: a job"
PRIMARY = {"primary_number": ANY_PARTITION}
SETTLED = {
    **PRIMARY,
    "holding": ANY_PARTITION,
    "subscriber_update": ANY_PARTITION,
}

Step = Callable[[], object]
"""What is explained; what comes before it is not."""


@dataclass(frozen=True, kw_only=True)
class HotQuery:
    """One use case, as far as the database sees it.

    Attributes:
        name: The call, as the protocol names it, and what sets it apart.
        bring: Prepares it in a transaction and returns what is explained.
        key_count: How many people or numbers it is about.
        crosses: Tables in which it looks beyond the partitions of its keys, and why.
        read_max: Rows of any one table that a statement of it may look at, for each key.
        reads: Tables of which it looks at more, and why.
        is_job: It works through whole tables: a sequential scan is what it should do.
    """

    name: str
    bring: Callable[[World, UnitOfWork], Step]
    key_count: int = 1
    crosses: Mapping[str, str] = field(default_factory=dict)
    read_max: int = 10
    reads: Mapping[str, str] = field(default_factory=dict)
    is_job: bool = False
