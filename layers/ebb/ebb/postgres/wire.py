"""The socket under a connection to Postgres."""

import select
import socket
from contextlib import suppress
from typing import IO, Any


class Wire(socket.socket):
    """A socket that closes the files made of it: pg8000 leaves its own open when a connection breaks."""

    def __init__(self, connected: socket.socket) -> None:
        super().__init__(fileno=connected.detach())
        self._files: list[IO[Any]] = []
        self._poll = select.poll()
        self._poll.register(self.fileno(), select.POLLIN)

    def makefile(self, *args: Any, **kwargs: Any) -> Any:
        """Make a file of the socket, and remember it."""
        file: IO[Any] = super().makefile(*args, **kwargs)
        self._files.append(file)
        return file

    def stirs(self) -> bool:
        """Tell whether there is something to read; where nothing was asked that is mostly the connection's end."""
        return bool(self._poll.poll(0))

    def end(self) -> None:
        """Close everything, whatever state it is in."""
        for file in self._files:
            with suppress(OSError, ValueError):
                file.close()
        self.close()
