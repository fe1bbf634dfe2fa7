"""Tokens: fetched once for all who wait, renewed ahead of their end and after a refusal, on a clock the test moves."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from ebb.client.errors import TokenUnavailable
from ebb.client.oauth import ClientCredentials, Fetched, granted
from ebb.client.tokens import COOL_SECONDS, RenewedToken, source_of
from ebb.errors import Misuse


class Issuer:
    """Numbers the tokens that it gives; each lives 100 s."""

    def __init__(self) -> None:
        self.now, self.given, self.failing = 1_000.0, 0, False

    async def fetch(self) -> Fetched:
        await asyncio.sleep(0)
        self.given += 1
        if self.failing:
            raise TokenUnavailable("the token endpoint answered 500")
        return Fetched(f"t{self.given}", 100.0)

    def source(self) -> RenewedToken:
        return RenewedToken(self.fetch, 20.0, lambda: self.now)


async def _settled() -> None:
    """Let a renewal in the background come to its end."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_everybody_who_waits_gets_the_one_token_that_is_fetched() -> None:
    async def scenario() -> None:
        issuer = Issuer()
        source = issuer.source()
        tokens = await asyncio.gather(*(source.token() for _ in range(50)))
        assert set(tokens) == {"t1"}
        assert issuer.given == 1

    asyncio.run(scenario())


def test_a_token_is_renewed_ahead_of_its_end_while_the_old_one_serves() -> None:
    async def scenario() -> None:
        issuer = Issuer()
        source = issuer.source()
        await source.token()
        issuer.now += 79
        assert await source.token() == "t1"
        await _settled()
        assert issuer.given == 1
        issuer.now += 2
        assert await source.token() == "t1"
        await _settled()
        assert (await source.token(), issuer.given) == ("t2", 2)

    asyncio.run(scenario())


def test_a_failed_renewal_leaves_the_old_token_until_its_end() -> None:
    async def scenario() -> None:
        issuer = Issuer()
        source = issuer.source()
        await source.token()
        issuer.failing = True
        issuer.now += 90
        for _ in range(20):
            assert await source.token() == "t1"
            await _settled()
        assert issuer.given == 2  # it is left alone for a while
        issuer.now += 10
        with pytest.raises(TokenUnavailable, match="answered 500"):
            await source.token()
        issuer.failing = False
        issuer.now += COOL_SECONDS
        assert await source.token() == "t4"

    asyncio.run(scenario())


def test_after_a_failure_nobody_asks_again_for_a_while() -> None:
    async def scenario() -> None:
        issuer = Issuer()
        issuer.failing = True
        source = issuer.source()
        for _ in range(20):
            with pytest.raises(TokenUnavailable):
                await source.token()
        assert issuer.given == 1

    asyncio.run(scenario())


def test_a_refused_token_is_replaced_once_by_whoever_notes_it_first() -> None:
    async def scenario() -> None:
        issuer = Issuer()
        source = issuer.source()
        old = await source.token()
        assert source.refused(old)
        assert source.refused(old)
        assert set(await asyncio.gather(source.token(), source.token())) == {"t2"}
        assert source.refused(old)
        assert await source.token() == "t2"

    asyncio.run(scenario())


def test_a_server_that_refuses_everything_does_not_make_the_token_endpoint_asked_each_time() -> None:
    async def scenario() -> None:
        issuer = Issuer()
        source = issuer.source()
        renewed = [source.refused(await source.token()) for _ in range(20)]
        assert sum(renewed) == 2
        assert issuer.given == 3
        issuer.now += 1
        assert source.refused(await source.token())

    asyncio.run(scenario())


def test_closing_ends_a_fetch() -> None:
    async def scenario() -> None:
        async def never() -> Fetched:
            await asyncio.Event().wait()
            raise AssertionError

        source = RenewedToken(never, 1.0)
        waiting = asyncio.ensure_future(source.token())
        await _settled()
        await source.aclose()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(scenario())


def _with(token: object) -> str:
    async def scenario() -> str:
        async with httpx.AsyncClient() as http:
            return await source_of(token, http).token()  # type: ignore[arg-type]

    return asyncio.run(scenario())


def test_a_function_may_give_the_token() -> None:
    assert _with(lambda: "from a function") == "from a function"


def test_a_function_that_fails_is_told_without_what_it_said() -> None:
    def failing() -> str:
        raise OSError("the secret file /secret")

    with pytest.raises(TokenUnavailable, match="OSError") as caught:
        _with(failing)
    assert "/secret" not in str(caught.value)


@pytest.mark.parametrize("token", ["", "a\nb", "ü", 7, ClientCredentials("http://far.example/token", "id", "secret")])
def test_what_is_no_token_is_refused_at_once(token: object) -> None:
    with pytest.raises(Misuse):
        _with(token)


def _grant(answer: Callable[[httpx.Request], httpx.Response]) -> Fetched:
    async def scenario() -> Fetched:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            return await granted(ClientCredentials("https://issuer.example/token", "id", "secret", ("a", "b")), http)

    return asyncio.run(scenario())


def test_client_credentials_are_sent_as_the_standard_says() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Basic aWQ6c2VjcmV0"
        assert request.content == b"grant_type=client_credentials&scope=a+b"
        return httpx.Response(200, json={"access_token": "t", "token_type": "Bearer", "expires_in": 60})

    assert _grant(answer) == Fetched("t", 60.0)


@pytest.mark.parametrize(
    ("response", "told"),
    [
        (httpx.Response(400, json={"error": "invalid_client"}), "400 \\(invalid_client\\)"),
        (httpx.Response(500, content=b"secret"), "answered 500"),
        (httpx.Response(200, json={"token": "t"}), "with no token"),
        (httpx.Response(200, content=b"<html>"), "with no token"),
        (httpx.Response(200, json={"access_token": "t", "expires_in": "soon"}), "with no token"),
    ],
)
def test_an_endpoint_that_gives_no_token_is_told(response: httpx.Response, told: str) -> None:
    with pytest.raises(TokenUnavailable, match=told) as caught:
        _grant(lambda _: response)
    assert "secret" not in str(caught.value).replace("its secret", "")


def test_secrets_are_not_shown() -> None:
    assert "s3cr3t" not in repr(ClientCredentials("https://issuer.example", "id", "s3cr3t"))
    assert "t0k3n" not in repr(Fetched("t0k3n", 1.0))
