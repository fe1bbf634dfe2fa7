"""A login out of a secret: parsed, kept, and looked for again once it was refused."""

import threading
import time
from collections.abc import Callable

import pytest

from ebb.aws.rotating import LEAST_PAUSE, RotatingLogins, parse_login
from ebb.errors import Misuse, Unavailable
from ebb.login import Login


def eventually(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.002)


class Secret:
    """What is read, how often, and a clock that stands."""

    def __init__(self, text: bytes) -> None:
        self.text, self.reads, self.now, self.reported = text, 0, 0.0, list[str]()
        self.away = False
        self.open = threading.Event()
        self.open.set()

    def read(self) -> bytes:
        self.reads += 1
        self.open.wait(60)
        if self.away:
            raise Unavailable("Secrets Manager does not answer")
        return self.text

    def logins(self) -> RotatingLogins:
        return RotatingLogins(self.read, self.reported.append, lambda: self.now)


@pytest.mark.parametrize(
    ("text", "login"),
    [
        (b'{"username": "u", "password": "p"}', Login("u", "p")),
        (b' {"password": "p", "engine": "postgres", "port": 5432}', Login(None, "p")),
        (b"bare-token\n", Login(None, "bare-token")),
    ],
)
def test_a_secret_is_json_or_a_bare_password(text: bytes, login: Login) -> None:
    assert parse_login(text) == login


@pytest.mark.parametrize(
    "text", [b"", b" \n", b"\xff", b"{canary", b"{}", b'{"password": ""}', b'{"username": 5, "password": "canary"}']
)
def test_what_is_no_login_is_refused_and_not_repeated(text: bytes) -> None:
    with pytest.raises(Misuse, match=r"^a secret for a server ") as refused:
        parse_login(text)
    assert "canary" not in str(refused.value)


def test_it_is_read_once_until_it_is_refused() -> None:
    secret = Secret(b"one")
    logins = secret.logins()
    logins.look()
    assert [logins.login().password for _ in range(3)] == ["one"] * 3
    assert secret.reads == 1
    secret.text = b"two"
    assert logins.login().password == "one", "nobody asks without a reason"
    logins.refused(Login(None, "one"))
    eventually(lambda: logins.login().password == "two")
    assert secret.reads == 2


def test_whoever_was_refused_with_an_older_one_starts_nothing() -> None:
    secret = Secret(b"two")
    logins = secret.logins()
    logins.look()
    logins.refused(Login(None, "one"))
    assert secret.reads == 1
    assert threading.active_count() == 1 or all(each.name != "login-reader" for each in threading.enumerate())


def test_many_refusals_ask_once_in_a_while() -> None:
    secret = Secret(b"one")
    logins = secret.logins()
    logins.look()
    for turn in range(1, 4):
        eventually(lambda turn=turn: _refused(logins) and secret.reads == 1 + turn)  # type: ignore[misc]
        for _ in range(50):
            logins.refused(Login(None, "one"))
        eventually(lambda: all(each.name != "login-reader" for each in threading.enumerate()))
        assert secret.reads == 1 + turn
        secret.now += LEAST_PAUSE


def _refused(logins: RotatingLogins) -> bool:
    logins.refused(Login(None, "one"))
    return True


def test_nobody_waits_for_the_secret() -> None:
    secret = Secret(b"one")
    logins = secret.logins()
    secret.open.clear()
    for _ in range(3):
        with pytest.raises(Unavailable, match="has not been read yet"):
            logins.login()
    secret.open.set()
    eventually(lambda: all(each.name != "login-reader" for each in threading.enumerate()))
    assert logins.login() == Login(None, "one")
    assert secret.reads == 1


def test_a_secret_that_cannot_be_read_is_reported_and_the_old_one_stands() -> None:
    secret = Secret(b"one")
    logins = secret.logins()
    logins.look()
    secret.away = True
    logins.look()
    assert logins.login().password == "one"
    assert secret.reported == ["the login of a server cannot be read: Secrets Manager does not answer"]
