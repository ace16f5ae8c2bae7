"""The register arrives.

Owns the import of all population records with a few broken ones among them, the same import
sent again, and the single changes of a register's daily life.
"""

from collections.abc import Sequence

from subid.v1.date_pb2 import Date
from subid.v1.imports_pb2 import ImportSummary
from subid.v1.population_service_pb2 import (
    Birth,
    Correction,
    PopulationChange,
    PopulationRecord,
)
from telco_sim.flaws import RowRefusal
from telco_sim.journal import Invariant, Journal
from telco_sim.messages import record_message
from telco_sim.population import Citizen
from telco_sim.world import World

_CHILD_AGE_MAX_YEARS = 12


def import_register(world: World) -> None:
    """Import everybody, with broken records strewn in, and then the same once more."""
    records, refusals = with_broken_records([record_message(each) for each in world.people])
    summary = world.population.import_records(records)
    world.journal.count("population records imported", summary.created_count)
    world.journal.count("population records refused", summary.rejected_count)
    check_summary(
        world.journal,
        summary,
        expected=expected_summary(len(records), refusals=refusals, unchanged=0),
        subject="register",
    )
    check_refusals(world.journal, summary, refusals=refusals, subject="register")
    again = world.population.import_records(records)
    world.journal.check_equal(
        Invariant.IMPORT_REPEATABLE,
        seen=(again.created_count, again.changed_count, again.unchanged_count),
        expected=(0, 0, len(world.people)),
        subject="register: created, changed, unchanged",
    )


def change_register(world: World) -> None:
    """Report a birth, and correct a child's name and correct it back."""
    born_after = world.clock.today().year - _CHILD_AGE_MAX_YEARS
    child = world.somebody("a child", suits=lambda each: each.birth_date.year > born_after)
    renamed = record_message(child)
    renamed.full_name = f"{child.full_name} An"
    changes = (
        PopulationChange(birth=Birth(record=_newborn(world, parent=world.people[0]))),
        PopulationChange(correction=Correction(record=renamed)),
        PopulationChange(correction=Correction(record=record_message(child))),
    )
    response = world.population.apply(*changes)
    world.journal.count("register changes", response.applied_count)
    world.journal.check_equal(
        Invariant.EVENTS_APPLY,
        seen=(response.applied_count, response.relinked_count),
        expected=(len(changes), 0),
        subject="register changes: applied, relinked",
    )


def with_broken_records(
    records: Sequence[PopulationRecord],
) -> tuple[list[PopulationRecord], dict[int, RowRefusal]]:
    """Return the records with a broken one at the front, in the middle and at the end.

    Returns:
        The records, and the refusal that each broken one must get, by its place.
    """
    result = list(records)
    places = (0, len(result) // 2, len(result) + 2)
    refusals = {}
    for place, (spoilt, refusal) in zip(places, _broken_like(records[0]), strict=True):
        result.insert(place, spoilt)
        refusals[place] = refusal
    return result, refusals


def check_summary(
    journal: Journal, summary: ImportSummary, *, expected: ImportSummary, subject: str
) -> None:
    """Check that the counts of an import add up and are the expected ones."""
    counts = ("created_count", "changed_count", "unchanged_count", "rejected_count")
    journal.check_equal(
        Invariant.IMPORTS_ADD_UP,
        seen=sum(getattr(summary, name) for name in counts),
        expected=summary.received_count,
        subject=f"{subject}: sum of the counts",
    )
    for name in ("received_count", *counts):
        journal.check_equal(
            Invariant.IMPORTS_ADD_UP,
            seen=getattr(summary, name),
            expected=getattr(expected, name),
            subject=f"{subject}: {name}",
        )


def check_refusals(
    journal: Journal, summary: ImportSummary, *, refusals: dict[int, RowRefusal], subject: str
) -> None:
    """Check that exactly the broken rows were refused, each for what is wrong with it."""
    seen = {
        each.row_index: RowRefusal(field=each.field, reason=each.reason)
        for each in summary.row_errors
    }
    for index in sorted(seen.keys() | refusals.keys()):
        journal.check_equal(
            Invariant.BROKEN_ROWS_REFUSED,
            seen=seen.get(index),
            expected=refusals.get(index),
            subject=f"{subject}: row {index}",
        )


def expected_summary(
    received_count: int, *, refusals: dict[int, RowRefusal], unchanged: int
) -> ImportSummary:
    """Return the summary of an import that changes nothing that is known."""
    return ImportSummary(
        received_count=received_count,
        created_count=received_count - len(refusals) - unchanged,
        unchanged_count=unchanged,
        rejected_count=len(refusals),
    )


def _broken_like(
    record: PopulationRecord,
) -> tuple[tuple[PopulationRecord, RowRefusal], ...]:
    short_id, no_name, no_day = PopulationRecord(), PopulationRecord(), PopulationRecord()
    for each in (short_id, no_name, no_day):
        each.CopyFrom(record)
    short_id.personal_id = record.personal_id[1:]
    no_name.full_name = " "
    no_day.birth_date.CopyFrom(Date(year=record.birth_date.year, month=2, day=30))
    return (
        (short_id, RowRefusal(field="personal_id", reason="PERSONAL_ID_MALFORMED")),
        (no_name, RowRefusal(field="full_name", reason="FULL_NAME_MALFORMED")),
        (no_day, RowRefusal(field="birth_date", reason="DATE_IMPOSSIBLE")),
    )


def _newborn(world: World, *, parent: Citizen) -> PopulationRecord:
    """Return a child born today, with a personal ID that nobody has."""
    known = {each.personal_id for each in world.people}
    today = world.clock.today()
    prefix = f"{parent.province_code}2{today.year % 100:02d}"
    personal_id = next(
        candidate
        for serial in range(len(known) + 1)
        if (candidate := f"{prefix}{serial:06d}") not in known
    )
    return PopulationRecord(
        personal_id=personal_id,
        full_name=parent.full_name,
        birth_date=Date(year=today.year, month=today.month, day=today.day),
    )
