"""People and agencies keep proofs of what was done.

Owns the comparison of receipts with what the service lists, checked without it.
"""

import json
import threading

from subid.v1.agency_pb2 import Grounds
from subid.v1.citizen_service_pb2 import Access
from telco_sim.agencies import Look
from telco_sim.journal import Invariant
from telco_sim.receipts import ReceiptDesk, ReceiptError, open_receipt
from telco_sim.wire import Refusal
from telco_sim.world import World

NOT_SEALED = "AUDIT_NOT_SEALED"

_SAMPLE = 4
_ATTEMPTS = 60
"""Of one receipt, a second apart: an entry is sealed within a second or so."""


def keep_receipts(world: World) -> None:
    """People about whom agencies asked keep a receipt of it, and so does the agency."""
    first_key = world.app.receipts.first_key()
    looks = [each for each in world.looks if each.agency == world.agency.name]
    for personal_id in dict.fromkeys(each.personal_id for each in looks[:_SAMPLE]):
        shown, _ = world.app.accesses(personal_id)
        own = [each for each in shown if each.caller == f"agency:{world.agency.name}"]
        for access in own[:1]:
            _compare(world, access, personal_id=personal_id, first_key=first_key)


def _compare(world: World, access: Access, *, personal_id: str, first_key: bytes) -> None:
    citizens = _obtain(world.app.receipts, access.entry_id, personal_id=personal_id)
    agencys = _obtain(world.agency.receipts, access.entry_id)
    # A receipt is no purpose, and the person is told of it all the same.
    world.looks.append(
        Look(
            personal_id=personal_id,
            agency=world.agency.name,
            action="get_receipt",
            grounds=Grounds(),
        )
    )
    said = (access.action, access.caller, access.outcome, str(access.entry_id))
    world.journal.check_equal(
        Invariant.RECEIPT_PROVES,
        seen=(
            _said(citizens, first_key),
            _said(agencys, first_key),
            _said(_changed(citizens), first_key),
            personal_id in citizens + agencys,
        ),
        expected=(said, said, None, False),
        subject="what both receipts prove, what a changed one does, and whether they name anybody",
    )
    world.journal.count("receipts checked", 2)


def _obtain(desk: ReceiptDesk, entry_id: int, *, personal_id: str = "") -> str:
    """Ask until the entry is sealed, as often as the service says."""
    for _ in range(_ATTEMPTS):
        try:
            return desk.receipt(entry_id, personal_id=personal_id)
        except Refusal as refusal:
            if refusal.reason != NOT_SEALED or refusal.retry_after is None:
                return refusal.reason
            threading.Event().wait(refusal.retry_after.total_seconds())
    return NOT_SEALED


def _said(receipt: str, first_key: bytes) -> tuple[str, str, str, str] | None:
    try:
        leaf = open_receipt(receipt, first_key)
    except ReceiptError:
        return None
    return (leaf["action"], leaf["caller"], leaf["outcome"], leaf["entry_id"])


def _changed(receipt: str) -> str:
    """The same receipt of another outcome."""
    try:
        document = json.loads(receipt)
        document["leaf"]["outcome"] += "_not"
    except (ValueError, KeyError, TypeError):
        return receipt
    return json.dumps(document)
