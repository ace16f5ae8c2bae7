"""Who is erased leaves the log as it was: receipts hold, new ones can be had, a check is well."""

from identity.audit.check import check_log
from identity.audit.log import audit_entry
from identity.audit.receipt import parse_receipt, verify_receipt
from identity.domain.caller import Role
from identity.services.audit_receipts import get_receipt
from identity.services.data_requests import request_erasure
from identity.services.erase_person import erase_person
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from tests.unit.identity.audit.logs import OwnLog
from tests.unit.identity.makers import NOW, make_call
from tests.unit.identity.services.lives import FREE_AT, Life, live

APP = make_call("vneid", role=Role.CITIZEN_APP, at=FREE_AT)
REGULATOR = make_call("mic", role=Role.REGULATOR, at=FREE_AT)


def receipts(uow: UnitOfWork, life: Life, entry_ids: list[int]) -> list[str]:
    person = life.person.personal_id
    return [get_receipt(uow, APP, each, citizen=person, is_witnessed=False) for each in entry_ids]


def test_receipts_hold_after_an_erasure_and_the_log_is_as_it_was_sealed(log: OwnLog) -> None:
    with log.database.transaction() as uow:
        life = live(uow)
        life.give_up()
        asked = request_erasure(uow, APP, life.person.personal_id)
        key = citizen_key(uow.sealer, life.person.personal_id)
    log.head(at=NOW)
    about = audit_entry.select().where(audit_entry.c.citizen_key == key)
    with log.database.transaction() as uow:
        entry_ids = [row.entry_id for row in uow.connection.execute(about)]
        before = receipts(uow, life, entry_ids)
    with log.database.transaction() as uow:
        erase_person(uow, REGULATOR, asked.data_request_id)
    log.head(at=NOW)
    with log.database.transaction() as uow:
        after = receipts(uow, life, entry_ids)
    (trusted,) = log.verifiers()
    assert entry_ids
    for old, new in zip(before, after, strict=True):
        proved = [verify_receipt(parse_receipt(each), trusted) for each in (old, new)]
        assert proved[0].leaf == proved[1].leaf
        assert proved[0].head.size < proved[1].head.size
    with log.database.transaction() as uow:
        details_key = uow.sealer.blind_index("audit_details", "")
    with log.database.transaction() as uow:
        assert check_log(uow.connection, details_key=details_key, trusted=None).fault is None
