"""Tokens of IAM database authentication, against botocore's own generator."""

import datetime as dt
from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.aws.credentials import Credentials
from ebb.aws.database_token import IamLogins
from ebb.errors import Misuse
from tests.fakes.aws_door import KEYS

NOW = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)
HOST = "stage.proxy-abc.eu-west-1.rds.amazonaws.com"


def oracle(user: str, token: str | None) -> str:
    """Return botocore's token."""
    import botocore.session  # noqa: PLC0415 - takes a second

    session = botocore.session.Session()
    client = session.create_client(
        "rds", "eu-west-1", aws_access_key_id="AKID", aws_secret_access_key="secret", aws_session_token=token
    )
    made: str = client.generate_db_auth_token(HOST, 5432, user)
    client.close()
    return made


@pytest.fixture(autouse=True, scope="module")
def _at_one_moment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for place in ("botocore.auth", "botocore.signers"):
            patched.setattr(f"{place}.get_current_datetime", lambda *_, **__: NOW, raising=False)
        yield


@pytest.mark.parametrize("token", [None, "session/token+with=signs"])
@pytest.mark.parametrize("user", ["ebb_predict", "o'neil+x@y z", "ü"])
def test_the_token_is_the_one_that_botocore_makes(user: str, token: str | None) -> None:
    logins = IamLogins(HOST, 5432, user, "eu-west-1", lambda: Credentials("AKID", "secret", token))
    made = logins.login()
    assert made.username == user
    assert made.password == oracle(user, token)
    assert parse_qs(made.password.partition("?")[2])["X-Amz-Expires"] == ["900"]


@given(st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()))
def test_any_user_is_named_whole(user: str) -> None:
    made = IamLogins(HOST, 5432, user, "eu-west-1", lambda: Credentials("AKID", "secret")).login()
    assert parse_qs(made.password.partition("?")[2])["DBUser"] == [user]
    assert made.password.startswith(f"{HOST}:5432/?Action=connect&DBUser=")


def test_each_login_is_signed_with_the_credentials_of_its_moment() -> None:
    environment = dict(KEYS)
    logins = IamLogins("h", 1, "u", "eu-west-1", lambda: Credentials.in_environment(environment))
    first = logins.login()
    logins.refused(first)
    environment["AWS_ACCESS_KEY_ID"] = "AKIDOTHER"
    assert "AKIDEXAMPLE" in first.password
    assert "AKIDOTHER" in logins.login().password
    assert "canary" not in repr(first)
    del environment["AWS_ACCESS_KEY_ID"]
    with pytest.raises(Misuse, match="AWS_ACCESS_KEY_ID is not set"):
        logins.login()
