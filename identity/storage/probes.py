"""Live photographs that were used: by which sessions, and for whom.

Owns the rows of `probe_mark` and `probe_conflict`, and that of two uses at one instant one comes
first. A photograph is kept as keyed marks of its bytes and of the parts of its look; from a mark
nobody tells what it is of. What follows from a second use is the domain's.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, insert, text

from identity.storage.abuse_tables import probe_mark
from identity.storage.sealing import Sealer

PART_COUNT = 8
"""Into so many parts of 32 bits a look is cut, each of which has a mark. Every eighth bit is of one
part: neighbouring bits change together."""

OWN_PARTS_MIN = 4
"""Photographs of one person with so many equal parts are one photograph: looks that differ in at
most 4 bits have them. Measured (docs/decisions/0039): of copies compressed or sized anew 98.6 to
100 % (n = 350 of each kind); of other captures none has more than one (n = 21,674 pairs of one
person, 8,381,273 of two)."""

OTHERS_PARTS_MIN = 6
"""The same of photographs of two people: 79 to 100 % of those copies. Stricter, because among the
photographs of a whole country chance has more to choose from, and a mistake is an accusation."""

# Two that share a mark are looked at one after the other, on whatever servers they are. In one
# order, as everybody locks: a sub-select that sorts is not taken apart by the planner.
_HOLD = text(
    "SELECT pg_advisory_xact_lock(place) FROM (SELECT DISTINCT place"
    " FROM unnest(CAST(:places AS bigint[])) AS place ORDER BY place) AS asked"
)
_FIND = text(
    "SELECT asked.number, kept.citizen_key"
    " FROM unnest(CAST(:numbers AS integer[]), CAST(:marks AS bytea[])) AS asked (number, mark)"
    " JOIN probe_mark AS kept USING (mark)"
    " WHERE kept.verification_id <> :verification_id AND kept.used_at >= :since"
    " GROUP BY asked.number, kept.photograph_id, kept.citizen_key"
    " HAVING bool_or(kept.is_exact) OR count(*) >="
    "  CASE WHEN kept.citizen_key = :citizen_key THEN :own_min ELSE :others_min END"
)
_FLAG = text(
    "INSERT INTO probe_conflict (citizen_key, verification_id, found_at)"
    " SELECT key, :verification_id, :at FROM unnest(CAST(:keys AS bytea[])) AS key ORDER BY key"
    " ON CONFLICT DO NOTHING"
)
# More than one use adds, so that they go faster than they come. What another transaction deletes at
# this moment is left to it.
_FORGET = text(
    "DELETE FROM probe_mark USING (SELECT mark, photograph_id FROM probe_mark"
    "  WHERE used_at < :since ORDER BY used_at LIMIT 200 FOR UPDATE SKIP LOCKED) AS old"
    " WHERE probe_mark.mark = old.mark AND probe_mark.photograph_id = old.photograph_id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photograph:
    """What is known of a photograph besides who is on it.

    Attributes:
        digest: SHA-256 of its file.
        look: What it looks like, as bits that a copy shares (`biometrics.face.look`); empty when
            that is not known.
    """

    digest: bytes = field(repr=False)
    look: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeUse:
    """One use of photographs.

    Attributes:
        citizen_key: Blind index of whom they were presented for.
        verification_id: In which session.
        at: When.
    """

    citizen_key: bytes
    verification_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class Probes:
    """The photographs of one transaction."""

    connection: Connection
    sealer: Sealer

    def take(
        self, photographs: Sequence[Photograph], use: ProbeUse, *, since: datetime
    ) -> frozenset[bytes]:
        """Remember photographs; returns for whom any of them was used in other sessions.

        Those that were used before are not remembered again. Whoever brings one of them at this
        instant waits until the transaction ends.

        Args:
            photographs: They.
            use: For whom they are used now.
            since: What was used before is not known any more, and some of it is deleted.
        """
        self.connection.execute(_FORGET, {"since": since})
        marks = [self._marks(each) for each in photographs]
        places = [_place(mark) for found in marks for mark in found]
        self.connection.execute(_HOLD, {"places": places})
        given = {
            "numbers": [number for number, found in enumerate(marks) for _ in found],
            "marks": [mark for found in marks for mark in found],
            "verification_id": use.verification_id,
            "citizen_key": use.citizen_key,
            "own_min": OWN_PARTS_MIN,
            "others_min": OTHERS_PARTS_MIN,
            "since": since,
        }
        used = self.connection.execute(_FIND, given).all()
        seen = {row.number for row in used}
        fresh = [found for number, found in enumerate(marks) if number not in seen]
        self._remember(fresh, use)
        return frozenset(row.citizen_key for row in used)

    def flag(self, citizen_keys: Iterable[bytes], use: ProbeUse) -> None:
        """Note that one photograph was used for several people."""
        given = {
            "keys": sorted(citizen_keys),
            "verification_id": use.verification_id,
            "at": use.at,
        }
        self.connection.execute(_FLAG, given)

    def _remember(self, photographs: Iterable[Sequence[bytes]], use: ProbeUse) -> None:
        rows: list[Mapping[str, object]] = []
        for marks in photographs:
            photograph_id = uuid4()
            rows += [
                {
                    "mark": mark,
                    "photograph_id": photograph_id,
                    "is_exact": place == 0,
                    "citizen_key": use.citizen_key,
                    "verification_id": use.verification_id,
                    "used_at": use.at,
                }
                for place, mark in enumerate(marks)
            ]
        if rows:
            self.connection.execute(insert(probe_mark), rows)

    def _marks(self, photograph: Photograph) -> list[bytes]:
        """The mark of the bytes, then those of the parts of the look, each by its place."""
        bits = "".join(f"{byte:08b}" for byte in photograph.look)
        parts = [f"{place}:{bits[place::PART_COUNT]}" for place in range(PART_COUNT if bits else 0)]
        names = [photograph.digest.hex(), *parts]
        return [self.sealer.blind_index("probe", name) for name in names]


def _place(mark: bytes) -> int:
    """Where a mark is held: PostgreSQL's advisory locks are numbers of 64 bits."""
    return int.from_bytes(mark[:8], "big", signed=True)
