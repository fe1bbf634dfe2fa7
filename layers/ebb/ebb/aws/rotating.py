"""A login that lies in a secret, and that a rotation changes while the function runs."""

import time
from collections.abc import Callable
from threading import Lock, Thread

import orjson

from ebb.errors import EbbError, Misuse, Unavailable
from ebb.login import Login

LEAST_PAUSE = 2.0
"""Seconds between two looks at a secret that the server goes on refusing: a thousand environments may do the same."""


def parse_login(text: bytes) -> Login:
    """Return the login in a secret: `{"username": ..., "password": ...}`, or a bare password.

    Raises:
        Misuse: it is JSON of another shape, or no text; the sentence repeats nothing of it.
    """
    try:
        if not text.lstrip().startswith(b"{"):
            password = text.decode().strip()
            if password:
                return Login(None, password)
            raise Misuse("a secret for a server is empty: give it a value")
        document = orjson.loads(text)
    except ValueError:
        raise Misuse("a secret for a server must be JSON with username and password, or a bare password") from None
    username, password = document.get("username"), document.get("password")
    if not isinstance(password, str) or not password or not isinstance(username, str | None):
        raise Misuse("a secret for a server must hold a text `password`, and a text `username` or none")
    return Login(username or None, password)


class RotatingLogins:
    """The login of a secret: kept, and read anew by a thread of its own once a server has refused it.

    So a rotation needs no restart, and no request ever waits for Secrets Manager: those between the refusal and the
    answer are answered without the server, as when it is lost.

    Args:
        read: returns the secret's text; raises EbbError.
        report: takes why it could not be read, for the log.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        read: Callable[[], bytes],
        report: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read, self._report, self._clock = read, report, clock
        self._login: Login | None = None
        self._lock = Lock()
        self._thread: Thread | None = None
        self._not_before = float("-inf")

    def look(self) -> None:
        """Read the secret and wait for it; for a start, before anybody asks. A failure is reported, no more."""
        try:
            self._login = parse_login(self._read())
        except EbbError as error:
            self._report(f"the login of a server cannot be read: {error}")

    def login(self) -> Login:
        """Return the newest login that was read.

        Raises:
            Unavailable: none was read yet; it is being looked for.
        """
        login = self._login
        if login is None:
            self._look_aside()
            raise Unavailable("the login of a server has not been read yet; ask again in a moment")
        return login

    def refused(self, login: Login) -> None:
        """Report that a server refused a login; nothing is read where a newer one has come meanwhile."""
        if login == self._login:
            self._look_aside()

    def _look_aside(self) -> None:
        with self._lock:
            running = self._thread is not None and self._thread.is_alive()
            if running or self._clock() < self._not_before:
                return
            self._not_before = self._clock() + LEAST_PAUSE
            self._thread = Thread(target=self.look, name="login-reader", daemon=True)
            self._thread.start()
