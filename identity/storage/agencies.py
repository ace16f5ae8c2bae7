"""Registered agencies, their grants, and how much of them was used.

Owns the rows of `agency`, `agency_grant` and `agency_use`, and that what is used in a day is
counted in the transaction that answers. What a grant covers is the domain's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from identity.domain.agency import Agency, Grant, Purpose, Right
from identity.storage.agency_tables import agency, agency_grant
from identity.storage.contact_news import CHANNEL

UseKey = tuple[str, Purpose, date]
"""One day of one agency's one purpose."""

# Written out: each look-up begins with it, and to put it together takes longer than to run it.
_FIND = text(
    "SELECT agency.name, is_active, EXISTS (SELECT FROM lookup_watch"
    "  WHERE caller = 'agency:' || agency.name AND stopped_at IS NOT NULL) AS is_stopped,"
    " purpose, legal_bases, rights, people_per_day_max"
    " FROM agency LEFT JOIN agency_grant ON agency_grant.name = agency.name"
    " WHERE agency.name = ANY (CAST(:names AS text[]))"
)
_ARRAYS = (
    "unnest(CAST(:names AS text[]), CAST(:purposes AS text[]), CAST(:days AS date[]),"
    " CAST(:counts AS bigint[]), CAST(:mosts AS bigint[]))"
    " AS asked (name, purpose, day, people_count, most)"
)

# In the order of the keys, as everybody locks. Every row is held until the transaction ends,
# whether there is room in it or not: what is asked beyond the quota adds nothing, and is counted as
# nobody where the row is new. So a count of at least what was asked says that it was counted.
_USE = text(
    "INSERT INTO agency_use (name, purpose, day, people_count)"  # noqa: S608 - names of our own
    " SELECT name, purpose, day, CASE WHEN people_count <= most THEN people_count ELSE 0 END"
    f" FROM {_ARRAYS} ORDER BY name, purpose, day"
    " ON CONFLICT (name, purpose, day)"
    " DO UPDATE SET people_count = agency_use.people_count + excluded.people_count"
    "  WHERE agency_use.people_count + excluded.people_count <= (SELECT most FROM"
    f"  {_ARRAYS} WHERE asked.name = agency_use.name AND asked.purpose = agency_use.purpose"
    "   AND asked.day = agency_use.day)"
    " RETURNING name, purpose, day, people_count"
)

_USED = text(
    "SELECT name, purpose, day, people_count FROM agency_use JOIN unnest(CAST(:names AS text[]),"
    " CAST(:purposes AS text[]), CAST(:days AS date[])) AS asked (name, purpose, day)"
    " USING (name, purpose, day)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How much is asked for at once, and the most that a day allows."""

    people_count: int
    most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """When an agency came to be registered, and as it is now by whom."""

    registered_at: datetime
    changed_at: datetime
    changed_by: str


@dataclass(frozen=True, slots=True)
class Agencies:
    """The agencies of one transaction."""

    connection: Connection

    def find(self, name: str) -> Agency | None:
        """One agency."""
        return self.find_many([name]).get(name)

    def find_many(self, names: Iterable[str]) -> Mapping[str, Agency]:
        """Those agencies that are registered, by name."""
        return _agencies(self.connection.execute(_FIND, {"names": list(names)}))

    def page(self, *, after: str, limit: int) -> list[Agency]:
        """The next agencies by name, after one of them; the first ones after an empty name."""
        names = select(agency.c.name).where(agency.c.name > after).order_by(agency.c.name)
        found = self.find_many(self.connection.execute(names.limit(limit)).scalars())
        return [found[name] for name in sorted(found)]

    def hold(self, name: str) -> Agency | None:
        """One agency; nobody else changes it until the transaction ends."""
        query = select(agency.c.name).where(agency.c.name == name).with_for_update()
        self.connection.execute(query)
        return self.find(name)

    def registration(self, name: str) -> Registration | None:
        """When and by whom one was registered."""
        columns = (agency.c.registered_at, agency.c.changed_at, agency.c.changed_by)
        rows = self.connection.execute(select(*columns).where(agency.c.name == name)).mappings()
        row = rows.one_or_none()
        return None if row is None else Registration(**row)

    def save(self, item: Agency, *, by: str, at: datetime) -> None:
        """Register an agency, or replace what it is granted; its watches are looked at again."""
        row = {"is_active": item.is_active, "changed_at": at, "changed_by": by}
        statement = upsert(agency).values(name=item.name, registered_at=at, **row)
        self.connection.execute(
            statement.on_conflict_do_update(index_elements=[agency.c.name], set_=row)
        )
        self.connection.execute(delete(agency_grant).where(agency_grant.c.name == item.name))
        if item.grants:
            self.connection.execute(
                insert(agency_grant), [_grant_row(item.name, grant) for grant in item.grants]
            )
        self.connection.execute(select(func.pg_notify(CHANNEL, "")))

    def use(self, uses: Mapping[UseKey, Use]) -> frozenset[UseKey]:
        """Count what is asked for; returns those of which all was within the quota.

        Of the others nothing is counted. All of them are held until the transaction ends.

        Args:
            uses: How many people are asked about, at least one for each key.
        """
        if not uses:
            return frozenset()
        given = {
            "names": [name for name, _, _ in uses],
            "purposes": [purpose.value for _, purpose, _ in uses],
            "days": [day for _, _, day in uses],
            "counts": [use.people_count for use in uses.values()],
            "mosts": [use.most for use in uses.values()],
        }
        rows = self.connection.execute(_USE, given)
        found = {(name, Purpose(purpose), day): count for name, purpose, day, count in rows}
        return frozenset(key for key, count in found.items() if count >= uses[key].people_count)

    def used(self, key: UseKey) -> int:
        """About how many people an agency asked for a purpose in a day."""
        return self.used_in([key])[key]

    def used_in(self, keys: Iterable[UseKey]) -> Mapping[UseKey, int]:
        """The same of many."""
        listed = list(keys)
        given = {
            "names": [name for name, _, _ in listed],
            "purposes": [purpose.value for _, purpose, _ in listed],
            "days": [day for _, _, day in listed],
        }
        rows = self.connection.execute(_USED, given)
        counts = {(name, Purpose(purpose), day): count for name, purpose, day, count in rows}
        return {key: counts.get(key, 0) for key in listed}


def _agencies(rows: Iterable[Any]) -> Mapping[str, Agency]:
    found: dict[str, Agency] = {}
    for name, is_active, is_stopped, *grant in rows:
        grants = () if name not in found else tuple(found[name].grants)
        if grant[0] is not None:
            grants += (_grant(*grant),)
        found[name] = Agency(name=name, is_active=is_active, grants=grants, is_stopped=is_stopped)
    return found


def _grant(purpose: str, legal_bases: Iterable[str], rights: Iterable[str], most: int) -> Grant:
    return Grant(
        purpose=Purpose(purpose),
        legal_bases=frozenset(legal_bases),
        rights=frozenset(map(Right, rights)),
        people_per_day_max=most,
    )


def _grant_row(name: str, grant: Grant) -> Mapping[str, object]:
    return {
        "name": name,
        "purpose": grant.purpose.value,
        "legal_bases": sorted(grant.legal_bases),
        "rights": sorted(right.value for right in grant.rights),
        "people_per_day_max": grant.people_per_day_max,
    }
