"""Calls under way end when their callers are let in no more, wherever they wait."""

import asyncio

import pytest

from identity.domain.errors import CertificateRefusedError
from identity.rpc.standing import Standing

LOST, KEPT = b"lost", b"kept"


class Door:
    """Lets in who is not revoked, and counts how often it was asked."""

    def __init__(self) -> None:
        self.revoked: set[bytes] = set()
        self.asked: list[bytes] = []
        self.looks = asyncio.Semaphore(0)

    def admit(self, certificate: bytes) -> None:
        """Let the owner of a certificate in."""
        self.asked.append(certificate)
        self.looks.release()
        if certificate in self.revoked:
            raise CertificateRefusedError("the certificate is revoked")


async def idle(standing: Standing, certificate: bytes) -> None:
    async with standing.kept(certificate):
        await asyncio.Event().wait()


async def test_an_idle_call_ends_with_the_refusal_and_others_go_on() -> None:
    door = Door()
    standing = Standing(door.admit, again_s=0.001)
    lost = [asyncio.create_task(idle(standing, LOST)) for _ in range(3)]
    kept = asyncio.create_task(idle(standing, KEPT))
    await door.looks.acquire()
    door.revoked.add(LOST)
    for each in lost:
        with pytest.raises(CertificateRefusedError):
            await each
    for _ in range(5):
        await door.looks.acquire()
    assert not kept.done()
    kept.cancel()
    with pytest.raises(asyncio.CancelledError):
        await kept


async def test_a_caller_is_looked_at_once_however_many_calls_it_has() -> None:
    door = Door()
    standing = Standing(door.admit, again_s=0.001)
    calls = [asyncio.create_task(idle(standing, KEPT)) for _ in range(100)]
    await door.looks.acquire()
    assert door.asked == [KEPT]
    for each in calls:
        each.cancel()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_whose_calls_have_ended_is_looked_at_no_more() -> None:
    door = Door()
    standing = Standing(door.admit, again_s=0.001)
    async with standing.kept(LOST):
        pass
    async with standing.kept(KEPT):
        await door.looks.acquire()
    assert door.asked == [KEPT]


async def test_an_end_of_its_own_is_left_as_it_is() -> None:
    standing = Standing(Door().admit)
    with pytest.raises(TimeoutError, match="slow"):
        async with standing.kept(KEPT):
            raise TimeoutError("slow")
