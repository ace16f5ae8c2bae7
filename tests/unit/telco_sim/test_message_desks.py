"""Desks that take messages and say what became of them."""

from subid.v1.notification_service_pb2 import RECEIPT_RESULT_ACCEPTED, OutgoingMessage
from telco_sim.message_desks import MessageDesk, MessageHabit
from tests.unit.telco_sim.credulous_service import Country, caller, serve


def test_a_desk_delivers_what_waits_once() -> None:
    country = Country()
    country.offices.messages = [OutgoingMessage(message_id=f"{place}") for place in range(4)]
    with serve(country) as channel:
        desk = MessageDesk(caller(channel, name="song-hong"), habit=MessageHabit.PROMPT)
        assert desk.work_off() == [RECEIPT_RESULT_ACCEPTED] * 4
        assert desk.work_off() == []
    assert [each.is_delivered for each in desk.handled.values()] == [True] * 4


def test_of_a_failing_operator_some_telephones_are_off() -> None:
    country = Country()
    country.offices.messages = [OutgoingMessage(message_id=f"{place}") for place in range(6)]
    with serve(country) as channel:
        desk = MessageDesk(caller(channel, name="song-hong"), habit=MessageHabit.FAILING)
        desk.work_off()
    off = [name for name, each in desk.handled.items() if not each.is_delivered]
    assert 0 < len(off) < 6
