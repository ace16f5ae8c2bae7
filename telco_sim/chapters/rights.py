"""People use their rights.

Owns the lock on new numbers, the history of who looked at a person's data, a court's embargo, and
the export of all that is held of somebody.
"""

from datetime import timedelta

from subid.v1.agency_pb2 import PURPOSE_PUBLIC_SAFETY, PURPOSE_SERVICE_DELIVERY
from subid.v1.citizen_service_pb2 import ACCESS_KIND_READ, Access
from telco_sim.agencies import Look, grounds_of
from telco_sim.books import new_number
from telco_sim.chapters.fishing import pass_time
from telco_sim.journal import Invariant
from telco_sim.messages import instant_of
from telco_sim.signed_documents import EXPORT_TYPE, DocumentError, open_document
from telco_sim.wire import Refusal
from telco_sim.world import World

_OPEN_MINUTES = 10
_EMBARGO = timedelta(hours=2)
_SAMPLE = 12

_CHANGES = frozenset({"send_notification"})
"""What agencies do with a person's data that is more than a look."""


def lock_choices(world: World) -> None:
    """A citizen locks new numbers and choices, opens the lock for minutes, and takes it off."""
    holder = world.verified_subscriber(
        suits=lambda each: each.holder.personal_id in world.primaries
    )
    personal_id = holder.holder.personal_id
    world.app.lock(personal_id)
    tried = [_register(world, personal_id), _rank_none(world, personal_id)]
    world.app.lock(personal_id, open_minutes=_OPEN_MINUTES)
    opened = [_rank_none(world, personal_id)]
    pass_time(world, timedelta(minutes=_OPEN_MINUTES + 1))
    tried.append(_register(world, personal_id))
    tried.append(_rank_none(world, personal_id))
    world.app.lock(personal_id, is_locked=False)
    opened.append(_rank_none(world, personal_id))
    world.journal.check_equal(
        Invariant.LOCK_HOLDS,
        seen=(tried, opened),
        expected=(["CHOICES_LOCKED"] * len(tried), [""] * len(opened)),
        subject="what was tried while it was shut, and while it was open",
    )
    world.journal.count("locks set")


def keep_from_person(world: World) -> None:
    """A court keeps an access from somebody for a time: it is counted now, and shown later."""
    personal_id = world.cast.role("somebody a court looks for").holder.personal_id
    shown_at = world.clock.now() + _EMBARGO
    grounds = grounds_of(PURPOSE_PUBLIC_SAFETY, case_id="TAND-2026/7", shown_at=shown_at)
    world.agency.contact(personal_id, grounds_of(PURPOSE_SERVICE_DELIVERY))
    world.agency.contact(personal_id, grounds)
    _check_accesses(world, personal_id, withheld_count=1)
    pass_time(world, _EMBARGO)
    _check_accesses(world, personal_id, withheld_count=0)
    world.journal.count("accesses under embargo")


def read_accesses(world: World) -> None:
    """People about whom was asked most read who it was."""
    counts: dict[str, int] = {}
    for each in world.looks:
        counts[each.personal_id] = counts.get(each.personal_id, 0) + 1
    for personal_id in sorted(counts, key=lambda each: -counts[each])[:_SAMPLE]:
        _check_accesses(world, personal_id, withheld_count=0)


def export_data(world: World) -> None:
    """A citizen takes all that is held of them, and checks the signature at home."""
    personal_id = next(iter(world.primaries))
    request_id = world.app.request_export(personal_id)
    document = world.app.export(personal_id, request_id)
    try:
        held = open_document(document, world.agency.presence_keys(), kind=EXPORT_TYPE)
    except DocumentError as error:
        held = {"error": str(error)}
    told = [
        (each["caller"], each["action"], each["case_id"] or "")
        for each in held.get("accesses", ())
        if each["caller"].startswith("agency:")
    ]
    world.journal.check_equal(
        Invariant.EXPORT_IS_OWN,
        seen=(held.get("personal_id"), told, _is_believed_changed(world, document)),
        expected=(
            personal_id,
            [
                (f"agency:{each.agency}", each.action, each.grounds.case_id)
                for each in world.looks
                if each.personal_id == personal_id
            ],
            False,
        ),
        subject="whose export it is, what it says of agencies, and whether a changed one is good",
    )
    world.journal.count("exports checked")


def _is_believed_changed(world: World, document: str) -> bool:
    """Change one letter of what was signed, and see whether it is still believed."""
    header, _, rest = document.partition(".")
    changed = f"{header}.{'A' if rest[0] != 'A' else 'B'}{rest[1:]}"
    try:
        open_document(changed, world.agency.presence_keys(), kind=EXPORT_TYPE)
    except DocumentError:
        return False
    return True


def _register(world: World, personal_id: str) -> str:
    """Try to register another number in a person's name; return why that is refused."""
    (citizen,) = (each for each in world.people if each.personal_id == personal_id)
    operator = world.operators[0]
    national = new_number(world.numbers, operator_name=operator.name)
    try:
        operator.register(national, holder=citizen)
    except Refusal as refusal:
        return refusal.reason
    return ""


def _rank_none(world: World, personal_id: str) -> str:
    try:
        world.app.rank_fallbacks(personal_id, [])
    except Refusal as refusal:
        return refusal.reason
    return ""


def _check_accesses(world: World, personal_id: str, *, withheld_count: int) -> None:
    """Compare what a person is shown of agencies with what the agencies did, in order."""
    shown, seen_withheld = world.app.accesses(personal_id)
    seen = [_told(each) for each in reversed(shown) if each.caller.startswith("agency:")]
    looks = [each for each in world.looks if each.personal_id == personal_id]
    now = world.clock.now()
    expected = [
        _expected(each)
        for each in looks
        if not each.grounds.HasField("shown_time") or instant_of(each.grounds.shown_time) <= now
    ]
    has_embargo = any(each.grounds.HasField("shown_time") for each in looks)
    world.journal.check_equal(
        Invariant.EMBARGO_ENDS if has_embargo else Invariant.ACCESSES_SHOWN,
        seen=(seen, seen_withheld),
        expected=(expected, withheld_count),
        subject="accesses shown, and how many are withheld",
    )
    world.journal.count("accesses compared with those shown", len(expected))


_Told = tuple[str, str, int, str, str, bool]


def _told(access: Access) -> _Told:
    return (
        access.caller,
        access.action,
        access.purpose,
        access.legal_basis,
        access.case_id,
        access.kind == ACCESS_KIND_READ,
    )


def _expected(look: Look) -> _Told:
    return (
        f"agency:{look.agency}",
        look.action,
        look.grounds.purpose,
        look.grounds.legal_basis,
        look.grounds.case_id,
        look.action not in _CHANGES,
    )
