"""Nobody who steals the tables learns a name, a personal ID, a number or a birth date.

Everything of every table is read as text and searched for every form that a value could have been
written in. A planted leak proves that the search would find one.
"""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from identity.audit.log import metadata as audit_metadata
from identity.audit.tree_tables import TREE_TABLES
from identity.domain.agency import Access, Agency, Grant, Purpose, Right
from identity.domain.arrangement import birthday
from identity.domain.caller import Caller, Role
from identity.domain.enforcement import DirectiveKind, open_case
from identity.domain.holder import PopulationRecord
from identity.domain.kyc import IdentityClaim
from identity.domain.msisdn import MSISDN
from identity.domain.person_name import PersonName
from identity.domain.personal_id import PersonalID
from identity.domain.policy import CaseCause, StepKind
from identity.domain.record_match import RecordClaim
from identity.domain.subscription import ServiceState, Subscription
from identity.domain.throttle import Attempts
from identity.domain.tiding import TidingKind, TidingValue
from identity.domain.wave import WaveCriteria
from identity.services.answer_kyc import Question, match_identity
from identity.services.apply_population_changes import Death, apply_population_changes
from identity.services.citizen_locks import set_fallback_numbers
from identity.services.complete_verification import claim_session, record_verdict
from identity.services.data_requests import object_to, request_export
from identity.services.disown_subscription import disown_subscription
from identity.services.disputes import open_dispute
from identity.services.execute_wave import execute_wave
from identity.services.file_complaint import file_complaint
from identity.services.get_contacts import get_contacts
from identity.services.import_population import import_population
from identity.services.import_subscriptions import import_subscriptions
from identity.services.imports import BatchHead, RefusedRow, RowError
from identity.services.match_records import match_records, to_fields
from identity.services.presence import claim_presence, record_presence, start_presence
from identity.services.primary_number import set_primary_number
from identity.services.quality import record_quality
from identity.services.read_subscriptions import get_subscription
from identity.services.reconcile_service_state import Reported, reconcile_batch
from identity.services.tidings import Tiding, post_tidings
from identity.services.verification_sessions import start_verification
from identity.services.waves import approve_wave, preview_wave
from identity.storage.acknowledgements import KeptAcknowledgement
from identity.storage.book import BookRow, index_row
from identity.storage.database import UnitOfWork
from identity.storage.face_cohorts import FaceCohort
from identity.storage.face_references import FaceReference
from identity.storage.probes import Photograph, ProbeUse
from identity.storage.record_matching import index_record
from identity.storage.subscriptions import msisdn_key
from identity.storage.tables import metadata, subscription
from identity.storage.verifications import Claimant
from tests.databases import within
from tests.unit.identity.agency_makers import (
    call_of,
    make_access,
    make_grant,
    make_question,
    store_agency,
)
from tests.unit.identity.makers import (
    NOW,
    find,
    make_call,
    make_chip,
    make_claim,
    make_face,
    make_key,
    make_msisdn,
    make_operator,
    make_personal_id,
    policies,
    rules,
    store_citizen,
    store_number,
    store_orders,
    track_for,
)
from tests.unit.identity.notification_makers import store_sender
from tests.unit.identity.services.households import ORGANISATION, TODDLER, Household

REFERENCE = FaceReference(
    template=b"the face of somebody as numbers",
    model_digest="c0ffee",
    portrait=b"the face of somebody as a picture",
    card_issued_on=date(2019, 12, 24),
)
TABLES = [table.name for owner in (metadata, audit_metadata) for table in owner.sorted_tables]


def written(value: str) -> Iterator[str]:
    """Every form in which a text could stand in a dump."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        yield value.encode(encoding).hex()
    yield value
    yield json.dumps(value)[1:-1]
    yield value.encode().decode("latin-1")
    yield base64.b64encode(value.encode()).decode().rstrip("=")


def secrets_of(record: PopulationRecord, msisdn: MSISDN) -> Iterator[tuple[str, str]]:
    """What must not be found, with what it is."""
    name = record.full_name.value
    day = record.birth_date
    values = {
        "personal ID": [record.personal_id.value],
        "name": [name, name.upper(), record.full_name.key, record.full_name.unaccented_key],
        "MSISDN": [msisdn.value, msisdn.value[1:], msisdn.value[3:], f"0{msisdn.value[3:]}"],
        "birth date": [
            form
            for each in (day, TODDLER, birthday(TODDLER, 18))
            for form in (each.isoformat(), f"{each:%Y%m%d}", f"{each:%d/%m/%Y}", f"{each:%d%m%Y}")
        ],
        "organisation": [ORGANISATION],
    }
    for kind, texts in values.items():
        for value in texts:
            yield from ((kind, form) for form in written(value))


def dump(uow: UnitOfWork) -> str:
    """Every row of every table; binary columns stand in hexadecimal."""
    rows = [
        row
        for name in TABLES
        for row in uow.connection.execute(text(f"SELECT t::text FROM {name} AS t")).scalars()  # noqa: S608 - our own table names
    ]
    return "\n".join(rows).lower()


def leaks(uow: UnitOfWork, record: PopulationRecord, msisdn: MSISDN) -> set[str]:
    everything = dump(uow)
    return {kind for kind, form in secrets_of(record, msisdn) if form.lower() in everything}


@pytest.fixture
def person() -> PopulationRecord:
    return PopulationRecord(
        personal_id=make_personal_id(),
        full_name=PersonName("Đặng Huỳnh Quỳnh Xuyến"),
        birth_date=date(1961, 8, 27),
    )


def hint_at_changes(uow: UnitOfWork, person: PopulationRecord) -> None:
    """Have a watching agency told of a person, forget that, tell it again, and change once more."""
    grant = make_grant(Right.NUMBER, Right.CONTACT_CHANGES, purpose=Purpose.LEGAL_NOTICE)
    agency = store_agency(uow, grant)
    key = uow.primaries.key_of(person.personal_id)
    uow.contact_changes.note_interest({(key, agency.name): NOW + timedelta(days=1)})
    for is_forgotten in (True, False):
        uow.contact_changes.note_changed([key])
        while uow.contact_changes.pass_on(at=NOW, limit=100):
            pass
        if is_forgotten:
            uow.contact_changes.prune(before=NOW + timedelta(days=1), at=NOW, limit=1_000)
    uow.contact_changes.note_changed([key])


def live_through_everything(uow: UnitOfWork, person: PopulationRecord) -> Subscription:
    """Put a person through every use case that writes."""
    operator = make_call("viettel")
    app = make_call("vneid", role=Role.CITIZEN_APP)
    claim, msisdn = make_claim(person), make_msisdn()
    broken = RowError(row_index=1, field="personal_id", reason="PERSONAL_ID_MALFORMED")
    import_population(
        uow, make_call("npd", role=Role.POPULATION), [person, RefusedRow(error=broken, key=None)]
    )
    book = [index_row(uow.sealer, BookRow(msisdn=msisdn, claim=claim))]
    import_subscriptions(uow, operator, book)
    session = start_verification(uow, operator, msisdn, None)
    claimant = Claimant(request_id=operator.new_id(), body_digest=b"\x01" * 32)
    claim_session(uow, operator, session.verification_id, claimant)
    item = record_verdict(
        uow, operator, session, make_chip(claim), make_face(), reference=REFERENCE
    ).subscription
    cohort = FaceCohort(
        digest="d" * 64, model_digest="c0ffee", member_count=1, content=REFERENCE.template
    )
    uow.face_cohorts.add(cohort, at=NOW)
    set_fallback_numbers(uow, app, person.personal_id, [store_number(uow, person).msisdn])
    set_primary_number(uow, app, person.personal_id, msisdn)
    get_subscription(uow, operator, msisdn)
    asked: dict[str, TidingValue] = {"number": msisdn, "date": NOW}
    tiding = Tiding(subscription=item, kind=TidingKind.CONFIRM_ASKED, values=asked)
    post_tidings(uow, operator, [tiding])
    store_sender(uow).send(person.personal_id, values=[("item", claim.full_name.value)])
    ask_as_agency(uow, person)
    stand_at_a_counter(uow, person)
    unwanted = store_number(uow, person)
    disown_subscription(uow, app, person.personal_id, unwanted.msisdn)
    store_orders(uow, item, DirectiveKind.SUSPEND)
    answer_as_operator(uow, item)
    object_to(uow, app, person.personal_id, [Purpose.SERVICE_DELIVERY])
    request_export(uow, app, person.personal_id)
    open_dispute(uow, operator, msisdn, store_citizen(uow).personal_id)
    arrange(uow, person)
    block_by_wave(uow, person)
    hint_at_changes(uow, person)
    key = make_key()
    uow.requests.begin(key, at=NOW)
    uow.requests.finish(key, f"{claim.full_name.value} {msisdn.value}".encode())
    uow.requests.begin_batch(key, 0, at=NOW)
    uow.registry.claim()
    take_whole_books(uow)
    use_a_photograph_for_two(uow, uow.primaries.key_of(person.personal_id))
    compare(uow, person, msisdn)
    uow.sealing_keys.register()
    record_quality(uow, rules(), caller=operator.caller.name, at=NOW)
    return item


def ask_as_agency(uow: UnitOfWork, person: PopulationRecord) -> None:
    """Have an agency told the number, and another one that may have a token only."""
    for right in (Right.NUMBER, Right.RELAY_TOKEN):
        agency = store_agency(uow, make_grant(right))
        get_contacts(uow, [make_question(agency, person.personal_id)])


def arrange(uow: UnitOfWork, person: PopulationRecord) -> None:
    """Be a child once, so that its day of majority is stored, and use a company's number."""
    child = replace(person, birth_date=TODDLER)
    uow.citizens.save_many([child], at=NOW)
    home = Household(uow=uow, guardian=store_citizen(uow), child=child)
    home.agreed()
    uow.citizens.save_many([person], at=NOW)
    home.line(person)


def compare(uow: UnitOfWork, person: PopulationRecord, msisdn: MSISDN) -> None:
    """Have an agency match the person's record, and an operator a wrong birth date."""
    agency = Caller(Role.AGENCY, "social-security")
    law = "Law 26/2023/QH15, art. 10"
    grant = Grant(
        purpose=Purpose.RECORD_UPKEEP,
        legal_bases=frozenset({law}),
        rights=frozenset({Right.RECORD_MATCH}),
        people_per_day_max=10,
    )
    uow.agencies.save(
        Agency(name=agency.name, is_active=True, grants=(grant,)), by="regulator:mps", at=NOW
    )
    access = Access(caller=agency, at=NOW, purpose=Purpose.RECORD_UPKEEP, legal_basis=law)
    claim = RecordClaim(personal_id=person.personal_id, full_name=person.full_name, birth_date=None)
    call = make_call(agency.name, role=Role.AGENCY)
    answers = match_records(uow, call, access, [index_record(uow.sealer, claim)])
    batch = make_key()
    uow.requests.begin_batch(batch, 0, at=NOW)
    uow.requests.finish_batch(batch, 0, to_fields(answers))
    question = Question(uow, make_call("viettel"), msisdn)
    match_identity(question, IdentityClaim(birth_date=date(1990, 1, 1)))


def block_by_wave(uow: UnitOfWork, person: PopulationRecord) -> None:
    """Block another number of a person by a wave, as two of the regulator want it."""
    item = store_number(uow, person, verified_at=None, operator_id=make_operator())
    track = track_for(CaseCause.UNVERIFIED)
    case = open_case(item, CaseCause.UNVERIFIED, track, identity=uuid4(), at=NOW)
    waiting = replace(case, steps_taken=5, waits_for_wave=True)
    uow.cases.save_many([(waiting, item)])
    criteria = WaveCriteria(
        track=track.name,
        step=StepKind.BLOCK_OUTGOING,
        operators=(item.operator_id,),
        subscription_count_max=1,
    )
    callers = [make_call(name, role=Role.REGULATOR) for name in ("first", "second")]
    wave = preview_wave(uow, callers[0], criteria)
    for call in callers:
        approve_wave(uow, call, wave.wave_id)
    for pack in policies().packs:
        uow.policy_packs.keep(pack.version, pack.digest, at=NOW)
    execute_wave(within(uow), callers[0], wave.wave_id, slice_count_max=1)
    assert find(uow, item).service_state is ServiceState.OUTGOING_BLOCKED


def answer_as_operator(uow: UnitOfWork, item: Subscription) -> None:
    """Sign, report what a network does, and pass a complaint on."""
    call = make_call(item.operator_id)
    uow.acknowledgements.keep(
        KeptAcknowledgement(
            caller=str(call.caller),
            request_id=uuid4(),
            signed_text="subid.v1.AcknowledgeDirectives\n",
            signature=b"signature",
            certificate=b"certificate",
            fingerprint=b"fingerprint",
            received_at=NOW,
        )
    )
    request_id = uuid4()
    run = uow.import_runs.begin(
        str(call.caller), request_id, method="reconcile", is_snapshot=True, at=NOW
    )
    reported = [Reported(msisdn_key(uow.sealer, item.msisdn), ServiceState.TERMINATED)]
    found = reconcile_batch(
        uow, call, run, BatchHead(request_id=request_id, batch_index=0, is_last=True), reported
    )
    batch = make_key(request_id=request_id)
    uow.requests.begin_batch(batch, 0, at=NOW)
    uow.requests.finish_batch(batch, 0, found.to_fields())
    file_complaint(uow, call, item.msisdn, None)


def stand_at_a_counter(uow: UnitOfWork, person: PopulationRecord) -> None:
    """Be present before an agency that may know who it was."""
    rights = (Right.FACE_PRESENCE, Right.PERSONAL_ID)
    agency = store_agency(uow, make_grant(*rights, purpose=Purpose.IDENTITY_CHECK))
    call = call_of(agency)
    session = start_presence(uow, call, make_access(agency, case_id="file/7"), with_face=True)
    claimant = Claimant(request_id=uuid4(), body_digest=b"\x01" * 32)
    claim_presence(uow, call, session.verification_id, claimant, has_probes=True)
    chip = make_chip(make_claim(person))
    told = record_presence(uow, call, session, chip, make_face())
    assert told.token is not None
    key = make_key(caller=str(call.caller))
    uow.requests.begin(key, at=NOW)
    uow.requests.finish(key, told.token.encode())


def use_a_photograph_for_two(uow: UnitOfWork, key: bytes) -> None:
    """What is kept of it, and a failure in a row."""
    use = ProbeUse(citizen_key=key, verification_id=uuid4(), at=NOW)
    uow.probes.take([Photograph(digest=b"\x05" * 32, look=b"\x06" * 32)], use, since=NOW)
    uow.probes.flag([key], use)
    uow.attempts.hold([key], "citizen-app")
    uow.attempts.save({key: Attempts(failed_count=1, last_at=NOW)}, "citizen-app")


def take_whole_books(uow: UnitOfWork) -> None:
    """Take a snapshot that is not at its end, change a link, and begin to compare all claims."""
    call = make_call("viettel")
    other = store_citizen(uow)
    row = index_row(uow.sealer, BookRow(msisdn=make_msisdn(), claim=make_claim(other)))
    run = uow.import_runs.begin(
        "operator:viettel", uuid4(), method="import", is_snapshot=True, at=NOW
    )
    import_subscriptions(uow, call, [row], run=run)
    died = Death(other.personal_id, date(2026, 4, 1))
    apply_population_changes(uow, make_call("npd", role=Role.POPULATION), [died])
    record_quality(uow, rules(), caller="regulator:mic", at=NOW)
    links = uow.link_runs.begin(uuid4(), slice_count=1, at=NOW)
    uow.link_runs.take(links.run_id, 0)


def test_a_dump_of_every_table_shows_nothing_personal(
    uow: UnitOfWork, person: PopulationRecord
) -> None:
    item = live_through_everything(uow, person)
    # Only what was committed is sealed; `tests/integration/test_dump.py` looks into its tables.
    unwritten = {"enforcement_clock", *(table.name for table in TREE_TABLES)}
    for name in set(TABLES) - unwritten:
        count = uow.connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one()  # noqa: S608 - our own table names
        assert count, f"nothing was stored in {name}"
    assert leaks(uow, person, item.msisdn) == set()


def test_a_dump_shows_no_face_and_no_card(uow: UnitOfWork, person: PopulationRecord) -> None:
    live_through_everything(uow, person)
    assert uow.face_references.find(person.personal_id) == REFERENCE
    everything = dump(uow)
    for secret in (REFERENCE.template, REFERENCE.portrait, b"2019-12-24"):
        assert secret.hex() not in everything
        assert secret.decode() not in everything


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("name", "đặng huỳnh quỳnh xuyến"),
        ("name", "dang huynh quynh xuyen"),
        ("birth date", "born 27/08/1961"),
        ("birth date", "19610827"),
    ],
)
def test_a_planted_text_is_found(
    uow: UnitOfWork, person: PopulationRecord, kind: str, form: str
) -> None:
    item = live_through_everything(uow, person)
    uow.connection.execute(
        update(subscription)
        .where(subscription.c.subscription_id == item.subscription_id)
        .values(link_fields={"note": form})
    )
    assert leaks(uow, person, item.msisdn) == {kind}


def test_planted_bytes_are_found(uow: UnitOfWork, person: PopulationRecord) -> None:
    item = live_through_everything(uow, person)
    clear = [
        (person.full_name.value.encode(), "name"),
        (person.full_name.value.encode("utf-16-le"), "name"),
        (person.personal_id.value.encode(), "personal ID"),
        (item.msisdn.value.encode(), "MSISDN"),
    ]
    for planted, kind in clear:
        uow.connection.execute(
            update(subscription)
            .where(subscription.c.subscription_id == item.subscription_id)
            .values(claim_sealed=b"\x01\x00" + planted + b"\xff")
        )
        assert leaks(uow, person, item.msisdn) == {kind}


def test_equal_people_do_not_look_equal(uow: UnitOfWork) -> None:
    """Two people of one name and birth date leave no equal sealed bytes behind."""
    people = [
        PopulationRecord(
            personal_id=PersonalID(make_personal_id().value),
            full_name=PersonName("Lê Văn Tám"),
            birth_date=date(1990, 1, 1),
        )
        for _ in range(2)
    ]
    uow.citizens.save_many(people, at=NOW)
    keys = [uow.primaries.key_of(person.personal_id) for person in people]
    rows = uow.connection.execute(
        text("SELECT record_sealed, record_digest FROM citizen WHERE citizen_key = ANY(:keys)"),
        {"keys": keys},
    ).all()
    assert len({row.record_sealed[-16:] for row in rows}) == 2
    assert len({row.record_digest for row in rows}) == 2
