"""The key by which a REST API counts calls goes with every call, and to nobody else."""

import asyncio
from typing import Any

import httpx
import pytest

from ebb.client import AsyncClient, ClientCredentials

TOKENS = "https://issuer.example.com/token"


@pytest.mark.parametrize("key", ["", "k-4711"])
def test_a_key_goes_with_every_call_and_not_to_whoever_gives_tokens(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    seen: dict[str, str | None] = {}

    async def answered(self: httpx.AsyncClient, request: httpx.Request, **_more: Any) -> httpx.Response:
        del self
        seen[str(request.url)] = request.headers.get("x-api-key")
        token = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
        written = {"entity_id": "e-1", "written": 1}
        return httpx.Response(200, json=token if str(request.url) == TOKENS else written, request=request)

    monkeypatch.setattr(httpx.AsyncClient, "send", answered)

    async def scenario() -> None:
        credentials = ClientCredentials(TOKENS, "me", "secret", ("features:write",))
        async with AsyncClient("https://scores.example.com/live", credentials, api_key=key) as client:
            await client.put_features("e-1", {"tenure": 1})

    asyncio.run(scenario())
    assert seen == {TOKENS: None, "https://scores.example.com/live/v1/features/e-1": key or None}
