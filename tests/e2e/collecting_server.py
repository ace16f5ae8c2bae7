"""`identity …` in a process that collects its garbage as a whole when it is asked to.

Owns the asking: SIGUSR1, answered with one octet into the pipe that the environment names. A server
looks through everything of its own after some 18,000 calls only, and no test waits for that.
"""

import gc
import os
import signal
import sys
from pathlib import Path
from select import select

from tests.e2e.server_process import ServerProcess

COLLECTED = "TEST_COLLECTED_PIPE"
COLLECT_TIMEOUT_S = 60.0


class CollectingServer(ServerProcess):
    """A server that collects its garbage when it is asked to; use it as a context."""

    program = (sys.executable, "-m", "tests.e2e.collecting_server")

    def __init__(self, state: Path) -> None:
        """Start it.

        Args:
            state: Its state directory, not made yet.
        """
        state.mkdir(mode=0o700)
        pipe = state / "collected"
        os.mkfifo(pipe)
        # For writing too: a pipe that nobody writes to yet would be waited for.
        self._collected = os.open(pipe, os.O_RDWR)
        super().__init__(state, environment={COLLECTED: str(pipe)})

    def collect(self) -> None:
        """Have everything collected that nobody can reach; returns when it is.

        Raises:
            AssertionError: The server does not answer.
        """
        self.process.send_signal(signal.SIGUSR1)
        answered, _, _ = select([self._collected], [], [], COLLECT_TIMEOUT_S)
        assert answered, "the server does not collect"
        os.read(self._collected, 1)

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        os.close(self._collected)


def main() -> None:
    """Run the command line of `identity`."""
    from identity.cli import app  # noqa: PLC0415 - the test's own process needs none of it

    pipe = os.open(os.environ[COLLECTED], os.O_WRONLY)

    def collect(*_signal: object) -> None:
        gc.collect()
        os.write(pipe, b".")

    signal.signal(signal.SIGUSR1, collect)
    app()


if __name__ == "__main__":
    main()
