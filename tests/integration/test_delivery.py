"""`identity deliver` between a real service and a real message centre, killed in the middle."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from subid.v1 import notification_service_pb2 as pb
from telco_sim.photographs import PhotographedPerson
from tests.integration.conftest import World
from tests.integration.correspondence import Correspondence, receive_all
from tests.integration.people import Subscriber
from tests.integration.scene import Scene
from tests.message_centre import PASSWORD, PROJECT_ROOT, SYSTEM_ID, MessageCentre, message_centre

DELIVERED = pb.NOTIFICATION_STATE_DELIVERED


@pytest.fixture(scope="module")
def subscriber(scene: Scene, faces: tuple[PhotographedPerson, ...]) -> Subscriber:
    """Somebody with a primary number, who was told of it, at an operator of its own."""
    somebody = scene.verified(faces[0])
    scene.set_primary(somebody)
    receive_all(scene, somebody.operator)
    return somebody


def command(world: World, operator: str, peer: MessageCentre, journal: Path) -> list[str]:
    identity = Path(sys.executable).with_name("identity")
    return [
        *(str(identity), "deliver", "--operator", operator, "--sender", "CQNN"),
        *("--smpp", f"smpp://{SYSTEM_ID}@127.0.0.1:{peer.port}", "--address", world.address),
        *("--state", str(world.settings.state), "--journal", str(journal)),
    ]


@asynccontextmanager
async def delivering(*arguments: str, errors: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with errors.open("ab") as stream:
        process = await asyncio.create_subprocess_exec(
            *arguments,
            cwd=PROJECT_ROOT,
            stderr=stream,
            stdout=stream,
            env={**os.environ, "SMPP_PASSWORD": PASSWORD},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def became(letters: Correspondence, sent: str, state: int) -> pb.Notification:
    """The notification, once it has come to a state; looked at as an agency looks."""
    async with asyncio.timeout(60):
        while True:
            shown = await asyncio.to_thread(letters.get, sent)
            if shown.state == state:
                return shown


async def test_killed_in_the_middle_it_sends_nothing_twice_and_tells_what_it_was_told(
    world: World, scene: Scene, subscriber: Subscriber, tmp_path: Path
) -> None:
    letters = await asyncio.to_thread(Correspondence.of, scene)
    person = subscriber.citizen.personal_id
    errors = tmp_path / "errors.txt"
    async with message_centre() as peer:
        arguments = command(world, subscriber.operator, peer, tmp_path / "journal")
        sent = [await asyncio.to_thread(letters.send, person) for _ in range(3)]
        async with delivering(*arguments, errors=errors) as process:
            given = await peer.heard("submit", count=3)
            await peer.tell(receipt=given[0]["submit"], stat="DELIVRD")
            await became(letters, sent[0], DELIVERED)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        async with delivering(*arguments, errors=errors) as process:
            await peer.heard("bind", count=2)
            await peer.tell(receipt=given[1]["submit"], stat="DELIVRD")
            await peer.tell(receipt=given[2]["submit"], stat="UNDELIV", form="parameters")
            await became(letters, sent[1], DELIVERED)
            failed = await became(letters, sent[2], pb.NOTIFICATION_STATE_FAILED)
            assert failed.failure == pb.NOTIFICATION_FAILURE_NETWORK_FAULT
            process.terminate()
            assert await process.wait() == 0
        texts = [each["text"] for each in peer.said if "submit" in each]
        assert texts == ["Mời bạn đến nhận passport."] * 3
        numbers = {each["to"] for each in peer.said if "submit" in each}
        assert numbers == {subscriber.msisdn.removeprefix("+")}
    told = errors.read_text()
    assert PASSWORD not in told
    assert subscriber.msisdn[1:] not in told


async def test_what_cannot_be_done_as_it_is_is_said_in_one_line(
    world: World, tmp_path: Path
) -> None:
    async with message_centre() as peer:
        good = command(world, "song-hong", peer, tmp_path / "journal")
        at = good.index("--smpp") + 1
        errors = tmp_path / "errors.txt"
        for url, told in (
            ("http://a@b", "--smpp is smpp://"),
            (f"smpp://a:{PASSWORD}@b", "no password in --smpp"),
        ):
            bad = [*good[:at], url, *good[at + 1 :]]
            async with delivering(*bad, errors=errors) as process:
                assert await process.wait() == 2
            assert told in errors.read_text()
        assert PASSWORD not in errors.read_text()
