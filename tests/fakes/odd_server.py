"""Servers that misbehave on the wire: silent before the handshake, trickling, or speaking another protocol."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress


@contextmanager
def unreachable() -> Iterator[int]:
    """Yield a port on which a connect is never answered, as from a host that is gone: its queue is full."""
    with ExitStack() as stack:
        server = stack.enter_context(closing(socket.socket()))
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(closing(socket.socket()))
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@contextmanager
def saying(reply: bytes, pause: float) -> Iterator[int]:
    """Yield a port on which every client is sent `reply`, byte by byte, `pause` seconds apart."""
    stop = threading.Event()

    def talk(connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            for number in range(len(reply)):
                if stop.is_set():
                    return
                connection.sendall(reply[number : number + 1])
                time.sleep(pause)
            while not stop.wait(0.01):
                pass

    def serve() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                connection, _ = server.accept()
                talkers.append(threading.Thread(target=talk, args=(connection,)))
                talkers[-1].start()

    talkers: list[threading.Thread] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        server.settimeout(0.05)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            stop.set()
            for running in (thread, *talkers):
                running.join(5)
