"""A token of a stage, for programs that make their calls themselves."""

import asyncio
from collections.abc import Sequence

import httpx

from ebb.client.errors import TokenUnavailable
from ebb.client.tokens import source_of
from local.calling.entrance import Purpose
from local.calling.sentences import sentence_of
from local.calling.stage import StageEntrance


def stage_token(stage: str, client: str, scopes: Sequence[str]) -> str:
    """Return a token that a stage takes.

    Args:
        stage: its name.
        client: one of its clients, such as `scoring`.
        scopes: that it is to allow; none for whatever the client may.

    Raises:
        Misuse, NotDeployed, Unavailable: see `StageEntrance`.
    """
    entrance = StageEntrance.named(stage)
    purpose = Purpose(client, client, tuple(scopes))
    try:
        return asyncio.run(_token(entrance, purpose))
    except TokenUnavailable as failure:
        raise sentence_of(failure, entrance, purpose) from None


async def _token(entrance: StageEntrance, purpose: Purpose) -> str:
    async with httpx.AsyncClient() as http:
        return await source_of(entrance.token(purpose), http).token()
