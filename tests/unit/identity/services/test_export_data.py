"""An export tells a person everything that is held about them, and nothing about anybody else."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import insert

from identity.audit.log import AuditEntry, append
from identity.domain.agency import Purpose, Right
from identity.domain.caller import Role
from identity.domain.enforcement import open_case
from identity.domain.errors import DataRequestNotFoundError
from identity.domain.policy import CaseCause
from identity.domain.verification import ChipHolder
from identity.services.data_requests import object_to, request_erasure, request_export
from identity.services.erase_person import erase_person
from identity.services.export_data import export_data
from identity.services.presence import record_presence, start_presence
from identity.storage.arrangement_tables import arrangement
from identity.storage.bulk_tables import link_change
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.personal_tables import PERSONAL_TABLES
from tests.unit.identity.agency_makers import (
    LEGAL_BASIS,
    call_of,
    make_access,
    make_grant,
    store_agency,
)
from tests.unit.identity.makers import (
    NOW,
    judge,
    make_call,
    make_evidence,
    make_session,
    reference_of,
    store_citizen,
    store_dispute,
    track_for,
)
from tests.unit.identity.services.lives import APP, FREE_AT, REFERENCE, Life, live

Section = Sequence[Mapping[str, Any]]


@pytest.fixture
def life(uow: UnitOfWork) -> Life:
    return live(uow)


def exported(life: Life, *, after: timedelta = timedelta()) -> dict[str, Any]:
    call = replace(APP, at=NOW + after)
    asked = request_export(life.uow, call, life.person.personal_id)
    found: dict[str, Any] = json.loads(
        export_data(life.uow, call, life.person.personal_id, asked.data_request_id)
    )
    return found


def put_on_ladder(life: Life) -> None:
    track = track_for(CaseCause.DISOWNED)
    case = open_case(life.item, CaseCause.DISOWNED, track, identity=uuid4(), at=NOW)
    life.uow.cases.save_many([(case, life.item)])


def test_an_export_has_every_section_and_a_life_fills_them(life: Life) -> None:
    put_on_ladder(life)
    store_dispute(life.uow, life.item)
    told = exported(life)
    assert told["format"] == "subid.export"
    assert told["personal_id"] == life.person.personal_id.value
    sections = {each.section for each in PERSONAL_TABLES} | {"accesses"}
    assert told.keys() - sections == {
        *("format", "version", "personal_id", "data_request_id", "made_at"),
    }
    filled = {name for name in sections if told[name]}
    assert sections - filled == {
        *("fallback_numbers", "link_changes", "directives"),
        *("arrangements", "agencies_that_watch", "failed_verifications"),
        *("photographs_of_two", "photographs_used"),
    }


def test_what_was_sealed_is_told_in_the_clear(life: Life) -> None:
    told = exported(life)
    (record,) = told["population_record"]
    assert record["record"]["full_name"] == life.person.full_name.value
    (number,) = told["subscriptions"]
    assert number["msisdn"] == life.item.msisdn.value
    assert number["claim"]["birth_date"] == life.person.birth_date.isoformat()
    assert told["primary_number"][0]["msisdn"] == life.item.msisdn.value
    (verification,) = told["verifications"]
    assert verification["verdict"]["state"] == "verified"
    assert verification["evidence"]["face"]["dissimilarity"] == 0.2
    assert told["face"][0]["card_issued_on"] == "2019-12-24"
    assert told["objections_and_restriction"][0]["objected_purposes"] == ["service_delivery"]


def test_no_image_and_no_template_is_told_only_that_they_are_there(life: Life) -> None:
    told = exported(life)
    assert (told["face"][0]["has_template"], told["face"][0]["has_portrait"]) == (True, True)
    text = json.dumps(told)
    for secret in (REFERENCE.template, REFERENCE.portrait):
        assert secret.hex() not in text
        assert secret.decode() not in text


def test_nothing_of_the_registry_s_own_keys_is_told(life: Life) -> None:
    text = json.dumps(exported(life))
    assert life.key.hex() not in text
    assert life.uow.sealer.blind_index("msisdn", life.item.msisdn.value).hex() not in text


def test_who_looked_is_told_with_purpose_and_law(life: Life) -> None:
    accesses: Section = exported(life)["accesses"]
    (contact,) = [each for each in accesses if each["action"] == "get_contact"]
    assert contact["caller"].startswith("agency:")
    assert contact["purpose"] == "legal_notice"
    assert contact["legal_basis"] == LEGAL_BASIS
    assert accesses[-1]["action"] == "get_export"


def test_what_a_court_keeps_from_the_person_is_told_after_its_time(life: Life) -> None:
    hidden = AuditEntry(
        occurred_at=NOW,
        caller="agency:police",
        action="get_contact",
        outcome="available",
        citizen_key=life.key,
        shown_from=NOW + timedelta(days=90),
    )
    append(life.uow.connection, [hidden])

    def callers(after: timedelta) -> set[str]:
        return {each["caller"] for each in exported(life, after=after)["accesses"]}

    assert "agency:police" not in callers(timedelta(days=89))
    assert "agency:police" in callers(timedelta(days=90))


def test_a_presence_that_a_court_keeps_from_the_person_is_told_after_its_time(life: Life) -> None:
    grant = make_grant(*(Right.CHIP_PRESENCE, Right.EMBARGO), purpose=Purpose.IDENTITY_CHECK)
    agency = store_agency(life.uow, grant)
    call = call_of(agency)
    access = make_access(
        agency,
        purpose=Purpose.IDENTITY_CHECK,
        case_id="a file of the police",
        shown_from=NOW + timedelta(days=90),
    )
    session = start_presence(life.uow, call, access, with_face=False)
    chip = replace(make_evidence(life.person).chip, is_active=True)
    record_presence(life.uow, call, session, chip, None)

    def told(after: timedelta) -> bool:
        return "a file of the police" in json.dumps(exported(life, after=after))

    assert [told(timedelta(days=days)) for days in (89, 90)] == [False, True]


def test_a_card_of_somebody_else_s_is_not_told(life: Life) -> None:
    other = store_citizen(life.uow)
    session = make_session(life.uow, life.item, nonce_digest=b"other")
    own = make_evidence(life.person)
    holder = ChipHolder(
        personal_id=other.personal_id, full_name=other.full_name, birth_date=other.birth_date
    )
    evidence = replace(own, chip=replace(own.chip, holder=holder))
    life.uow.verifications.complete(session, evidence, judge(evidence))
    told = exported(life)
    assert other.personal_id.value not in json.dumps(told)
    assert [each["evidence"]["chip"]["holder"] for each in told["verifications"]].count(
        "of another person"
    ) == 1


def test_what_a_number_did_before_it_was_the_person_s_is_not_told(life: Life) -> None:
    put_on_ladder(life)
    key, identity = reference_of(life.uow, life.item)
    taken_over = {
        "msisdn_key": key,
        "subscription_id": identity,
        "changed_at": NOW + timedelta(days=1),
        "action": "new_holder",
        "from_state": "mismatched",
        "to_state": "linked",
    }
    life.uow.connection.execute(insert(link_change).values(taken_over))
    told = exported(life)
    assert told["enforcement_cases"] == []
    assert told["complaints"] == []
    assert [each["action"] for each in told["link_changes"]] == ["new_holder"]


def test_the_side_of_a_dispute_is_told_and_not_the_other_person(life: Life) -> None:
    store_dispute(life.uow, life.item)
    (dispute,) = exported(life)["disputes"]
    assert dispute["side"] == "holder"
    assert not any(name.endswith("_key") for name in dispute)


def test_a_guardian_is_told_of_and_not_named(life: Life) -> None:
    guardian, identity = store_citizen(life.uow).personal_id, uuid4()
    parties = {"personal_id": life.person.personal_id.value, "guardian": guardian.value}
    place = b"|".join((b"arrangement.parties", life.key, identity.bytes))
    proposed = {
        "citizen_key": life.key,
        "arrangement_id": identity,
        "kind": "guardianship",
        "state": "proposed",
        "proposer_key": citizen_key(life.uow.sealer, guardian),
        "parties_sealed": life.uow.sealer.seal(json.dumps(parties).encode(), context=place),
        "proposed_at": NOW,
        "lapses_at": NOW + timedelta(days=1),
    }
    life.uow.connection.execute(insert(arrangement).values(proposed))
    (told,) = exported(life)["arrangements"]
    assert (told["kind"], told["side"]) == ("guardianship", "citizen")
    assert told["parties"] == {
        "personal_id": life.person.personal_id.value,
        "guardian": "of another person",
    }


def test_an_ended_number_is_told(life: Life) -> None:
    life.give_up()
    (number,) = exported(life)["subscriptions"]
    assert (number["service_state"], number["ended_by"]) == ("terminated", "released")


def test_nobody_reads_the_export_of_another_or_without_asking(life: Life) -> None:
    other = store_citizen(life.uow).personal_id
    asked = request_export(life.uow, APP, life.person.personal_id)
    objected = object_to(life.uow, APP, life.person.personal_id, [])
    for personal_id, data_request_id in (
        (other, asked.data_request_id),
        (life.person.personal_id, objected.data_request_id),
        (life.person.personal_id, uuid4()),
    ):
        with pytest.raises(DataRequestNotFoundError):
            export_data(life.uow, APP, personal_id, data_request_id)


def test_after_an_erasure_an_export_has_what_the_docs_say_stays(life: Life) -> None:
    life.give_up()
    call = make_call("vneid", role=Role.CITIZEN_APP, at=FREE_AT)
    asked = request_erasure(life.uow, call, life.person.personal_id)
    erase_person(life.uow, make_call("mic", role=Role.REGULATOR, at=FREE_AT), asked.data_request_id)
    told = exported(life, after=FREE_AT - NOW)
    filled = {name for name, rows in told.items() if isinstance(rows, list) and rows}
    assert filled == {"objections_and_restriction", "data_requests", "accesses"}
