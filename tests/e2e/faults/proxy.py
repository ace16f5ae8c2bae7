"""A wire between two processes that can be cut, held, and mended.

Owns copying octets between connections, to a TCP port or a Unix socket. Knows no protocol.
"""

import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

_CHUNK = 1 << 16
_BACKLOG = 128


class Proxy:
    """Listens on a TCP port and passes on to somewhere else; use as a context.

    Args:
        upstream: `(host, port)`, or the path of a Unix socket.
    """

    def __init__(self, upstream: tuple[str, int] | Path) -> None:
        self._upstream = upstream
        self._may_flow = threading.Event()
        self._may_flow.set()
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._acceptor.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._listener.close()
        self.cut()
        self._may_flow.set()

    def cut(self) -> None:
        """End every connection, and each that comes, at once."""
        with self._lock:
            self._is_cut = True
            ended, self._sockets = self._sockets, []
        for each in ended:
            _end(each)

    def hold(self) -> None:
        """Stay connected and pass nothing on: a cable that was pulled, as both ends see it."""
        self._may_flow.clear()

    def mend(self) -> None:
        """Pass on what was held, and connect again."""
        with self._lock:
            self._is_cut = False
        self._may_flow.set()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return  # the proxy was closed
            with self._lock:
                is_cut = self._is_cut
            if is_cut:
                near.close()
                continue
            far = self._connect()
            with self._lock:
                self._sockets += [near, far]
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=self._copy, args=(one, other), daemon=True).start()

    def _connect(self) -> socket.socket:
        if isinstance(self._upstream, Path):
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self._upstream))
            return far
        return socket.create_connection(self._upstream)

    def _copy(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while octets := one.recv(_CHUNK):
                self._may_flow.wait()
                other.sendall(octets)
        except OSError:
            pass  # an end was cut
        finally:
            _end(one)
            _end(other)


def _end(ended: socket.socket) -> None:
    with suppress(OSError):  # it has ended by itself
        ended.shutdown(socket.SHUT_RDWR)
    ended.close()
