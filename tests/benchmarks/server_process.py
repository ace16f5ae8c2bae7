"""The server of the benchmarks, in a process of its own: the real one, plus an empty method.

Run as `python -m tests.benchmarks.server_process STATE`; prints its address when it listens.
"""

import asyncio
import signal
import sys
from pathlib import Path

import grpc

from identity.bootstrap import running_server, tune_interpreter
from identity.config import Settings
from identity.log_setup import log_to_stderr

EMPTY_METHOD = "/benchmark.v1.EmptyService/Call"
"""Answers nothing to nothing: what gRPC itself costs."""


async def _empty(_request: bytes, _context: object) -> bytes:
    return b""


def _empty_handler() -> grpc.GenericRpcHandler:
    method = EMPTY_METHOD.rpartition("/")[2]
    service = EMPTY_METHOD.split("/")[1]
    return grpc.method_handlers_generic_handler(
        service, {method: grpc.unary_unary_rpc_method_handler(_empty)}
    )


async def _serve(state: Path) -> None:
    settings = Settings(state=state, listen="127.0.0.1:0", face_workers=1)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    async with running_server(settings, extra_handlers=[_empty_handler()]) as listening:
        tune_interpreter()
        print(listening.address, flush=True)
        await stopping.wait()


if __name__ == "__main__":
    log_to_stderr()
    asyncio.run(_serve(Path(sys.argv[1])))
