"""Tidings are written with what they tell of, to a number, and never without words."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from identity.audit.log import read_about_citizen
from identity.domain.tiding import TidingKind, TidingValue
from identity.services.tidings import LIFETIME, Tiding, post_tidings
from identity.storage.citizens import citizen_key
from identity.storage.database import UnitOfWork
from identity.storage.message_tables import message
from tests.unit.identity.makers import NOW, make_call, store_citizen, store_number


def test_a_tiding_waits_at_the_operator_of_its_number(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    values: dict[str, TidingValue] = {"number": item.msisdn, "date": NOW}
    tiding = Tiding(subscription=item, kind=TidingKind.CONFIRM_ASKED, values=values)
    post_tidings(uow, make_call(), [tiding])
    key = citizen_key(uow.sealer, item.claim.personal_id)
    row = (
        uow.connection.execute(select(message).where(message.c.citizen_key == key)).mappings().one()
    )
    shown = (row["operator_id"], row["subscription_id"], row["state"], row["template"])
    assert shown == (item.operator_id, item.subscription_id, "pending", "confirm_asked")
    assert row["expires_at"] == NOW + LIFETIME
    assert row["agency"] is None
    context = b"|".join((b"message.text", key, row["message_id"].bytes))
    words = json.loads(uow.sealer.open(row["text_sealed"], context=context))
    assert words.keys() == {"vi", "en"}
    assert all("01/05/2026" in each for each in words.values())
    (entry,) = read_about_citizen(uow.connection, key)
    assert (entry.action, entry.outcome) == ("post_tiding", "confirm_asked")


def test_what_no_pack_has_words_for_is_said_to_nobody(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    call = make_call()
    silent = replace(call, rules=replace(call.rules, messages={}))
    post_tidings(
        uow, silent, [Tiding(subscription=item, kind=TidingKind.LOCK_CHANGED, values={"time": NOW})]
    )
    key = citizen_key(uow.sealer, item.claim.personal_id)
    assert not uow.connection.execute(select(message).where(message.c.citizen_key == key)).all()
    assert not read_about_citizen(uow.connection, key)


def test_a_tiding_without_its_values_is_a_fault_of_whoever_writes_it(uow: UnitOfWork) -> None:
    item = store_number(uow, store_citizen(uow))
    with pytest.raises(ValueError, match="lock_changed takes time"):
        post_tidings(uow, make_call(), [Tiding(subscription=item, kind=TidingKind.LOCK_CHANGED)])
