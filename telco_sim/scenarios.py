"""The story of a small country.

Owns the order of the chapters, and what happens when one cannot be played. It refuses to know
what is in a chapter.
"""

from collections.abc import Callable
from dataclasses import dataclass

from telco_sim.abuse_cheats import ABUSE_CHEATS
from telco_sim.agency_cheats import AGENCY_CHEATS
from telco_sim.assertion_cheats import ASSERTION_CHEATS
from telco_sim.attackers import Outcome, try_all
from telco_sim.card_cheats import CARD_CHEATS
from telco_sim.chapters import (
    accounting,
    agencies,
    audit,
    bookkeeping,
    disputes,
    events,
    fishing,
    giving_back,
    letters,
    passing_days,
    primaries,
    proofs,
    quality,
    register,
    rights,
    verifying,
)
from telco_sim.enforcement_cheats import ENFORCEMENT_CHEATS
from telco_sim.forgeries import FORGERIES
from telco_sim.intrusions import INTRUSIONS
from telco_sim.journal import Invariant
from telco_sim.wire import Refusal
from telco_sim.world import CountryTooSmallError, World

CHEATS = (
    *FORGERIES,
    *CARD_CHEATS,
    *INTRUSIONS,
    *ASSERTION_CHEATS,
    *ENFORCEMENT_CHEATS,
    *AGENCY_CHEATS,
    *ABUSE_CHEATS,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One chapter of the story.

    Attributes:
        title: What happens, in a few words.
        steps: Its steps in their order.
    """

    title: str
    steps: tuple[Callable[[World], None], ...]


BEFORE_CHEATS = (
    Chapter(
        title="The register arrives",
        steps=(register.import_register, register.change_register),
    ),
    Chapter(
        title="Operators bring their books",
        steps=(bookkeeping.import_books, bookkeeping.correct_books, bookkeeping.compare_books),
    ),
    Chapter(title="Holders verify", steps=(verifying.verify_existing,)),
    Chapter(
        title="New numbers are taken",
        steps=(verifying.register_new, verifying.count_verified, verifying.follow_sessions),
    ),
    Chapter(
        title="Primary numbers are chosen",
        steps=(
            agencies.register_agencies,
            primaries.choose_primaries,
            primaries.change_primaries,
            primaries.look_up_contacts,
        ),
    ),
    Chapter(
        title="Agencies ask",
        steps=(
            agencies.lose_primary,
            agencies.ask_in_other_forms,
            agencies.stand_at_counter,
            letters.write_letters,
        ),
    ),
    Chapter(
        title="Agencies ask too much",
        steps=(fishing.fish, fishing.guess, fishing.use_quota_up),
    ),
    Chapter(
        title="People use their rights",
        steps=(
            rights.lock_choices,
            rights.keep_from_person,
            rights.read_accesses,
            proofs.keep_receipts,
            rights.export_data,
        ),
    ),
    Chapter(title="The register learns of it", steps=(giving_back.compare_register,)),
    Chapter(title="Writes are repeated", steps=(audit.repeat_writes,)),
    Chapter(
        title="Numbers move",
        steps=(
            events.change_devices,
            events.swap_sims,
            events.port_numbers,
            events.release_numbers,
            events.transfer_numbers,
            events.disown_numbers,
            events.bury,
            events.merge_records,
            events.work_off_directives,
            giving_back.compare_register,
        ),
    ),
)
AFTER_CHEATS = (
    Chapter(
        title="Days pass",
        # What was ordered among the cheats is due before the first of these days is over.
        steps=(events.work_off_directives, passing_days.let_days_pass, passing_days.settle),
    ),
    Chapter(
        title="Two people claim one number",
        steps=(disputes.dispute_numbers, passing_days.settle),
    ),
    Chapter(title="Operators are judged", steps=(accounting.judge_operators,)),
    Chapter(
        title="The books are compared",
        steps=(
            audit.check_blocks_explained,
            audit.check_networks,
            audit.check_ladder,
            audit.check_primaries,
            giving_back.compare_register,
            primaries.look_up_contacts,
            rights.read_accesses,
            fishing.judge_agencies,
            quality.compare_quality,
            audit.repeat_writes,
        ),
    ),
)
CHEATS_TITLE = "People cheat"
TITLES = (
    *(chapter.title for chapter in BEFORE_CHEATS),
    CHEATS_TITLE,
    *(chapter.title for chapter in AFTER_CHEATS),
)


def play(world: World, *, begin: Callable[[str], None] = lambda _: None) -> tuple[Outcome, ...]:
    """Play the whole story and return what became of the cheats.

    Args:
        world: The country.
        begin: Told the title of each chapter that begins.
    """
    for chapter in BEFORE_CHEATS:
        begin(chapter.title)
        play_chapter(world, chapter)
    begin(CHEATS_TITLE)
    outcomes = try_all(world, CHEATS)
    for chapter in AFTER_CHEATS:
        begin(chapter.title)
        play_chapter(world, chapter)
    return outcomes


def play_chapter(world: World, chapter: Chapter) -> None:
    """Play each step; whatever ends a step before its time does not end the story."""
    for step in chapter.steps:
        try:
            step(world)
        except (Refusal, CountryTooSmallError) as error:
            detail = f"{chapter.title}: {step.__name__}: {error}"
            world.journal.check(Invariant.PLAYED_TO_THE_END, holds=False, detail=detail)
        else:
            world.journal.check(Invariant.PLAYED_TO_THE_END, holds=True, detail="")
