"""The message centre of `message_centre.mjs`, from Python.

Owns the process: what it says is waited for, what it is told is done when `tell` returns.
"""

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

PROJECT_ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "s3cret"  # noqa: S105 - of a peer on loopback that lives as long as its test
SYSTEM_ID = "subid"


class MessageCentre:
    """A running centre; `message_centre` starts one."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self.said: list[dict[str, Any]] = []
        self._process = process
        self._has_said = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    async def tell(self, **order: Any) -> None:  # noqa: ANN401 - whatever the centre takes
        """Give it an order."""
        line = json.dumps(order)
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        await self._process.stdin.drain()
        await self.heard("done", count=1, among=line)

    async def heard(
        self, key: str, *, count: int, among: str | None = None
    ) -> list[dict[str, Any]]:
        """What it said of one kind, once that is as much as asked for."""

        def of_kind() -> list[dict[str, Any]]:
            return [each for each in self.said if key in each and among in {None, each[key]}]

        async with asyncio.timeout(30), self._has_said:
            await self._has_said.wait_for(lambda: len(of_kind()) >= count)
        return of_kind()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            async with self._has_said:
                self.said.append(json.loads(line))
                self._has_said.notify_all()

    async def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()
        await self._reader


@asynccontextmanager
async def message_centre() -> AsyncIterator[MessageCentre]:
    """A centre on a free port of loopback."""
    beside = Path(sys.executable).with_name("node")
    node = str(beside) if beside.exists() else shutil.which("node")
    assert node is not None, "there is no node: install the development dependencies"
    if not (PROJECT_ROOT / "node_modules" / "smpp").is_dir():
        pytest.fail("node_modules has no smpp: run `make node_modules/.package-lock.json`")
    process = await asyncio.create_subprocess_exec(
        node,
        "tests/message_centre.mjs",
        PASSWORD,
        cwd=PROJECT_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    port = json.loads(await process.stdout.readline())["port"]
    centre = MessageCentre(process, port)
    try:
        yield centre
    finally:
        await centre.stop()
