"""News for operators: who has directives or messages to pull.

Owns the channels and their telling end; `news.py` has the other. Whatever makes something ready
tells of it in its own transaction. A lease that ends tells nobody. Knows nobody who waits.
"""

from collections.abc import Iterable
from enum import StrEnum

from sqlalchemy import Connection, text


class Topic(StrEnum):
    """What there is to pull: the name of its table."""

    DIRECTIVE = "directive"
    MESSAGE = "message"


CHANNELS = {f"subid_{topic}": topic for topic in Topic}
"""Where operators are told of each topic."""

_TELL = text(
    "SELECT pg_notify('subid_' || :topic, name) FROM unnest(CAST(:names AS text[])) AS name"
)


def tell(connection: Connection, topic: Topic, operator_ids: Iterable[str]) -> None:
    """Tell that some operators have something to pull, when the transaction is committed."""
    if names := sorted(set(operator_ids)):
        connection.execute(_TELL, {"topic": topic.value, "names": names})


def telling(topic: Topic, statement: str, *, where: str = "true") -> str:
    """A statement that writes rows of a topic's table, and tells the operators of those rows.

    Args:
        topic: Which.
        statement: It.
        where: Of which rows: a condition on `operator_id` and `state` as they are written.
    """
    return (
        f"WITH written AS ({statement} RETURNING {topic}.operator_id, {topic}.state)"  # noqa: S608 - no input
        f" SELECT pg_notify('subid_{topic}', operator_id)"
        f" FROM (SELECT DISTINCT operator_id FROM written WHERE {where}) AS told"
    )
