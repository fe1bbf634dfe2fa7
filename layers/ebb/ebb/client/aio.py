"""The client for programs with an event loop (asyncio)."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import httpx

from ebb.client import calls, releases, routing
from ebb.client.answers import Erasure, Prediction, SubjectExport, Written
from ebb.client.call import API_KEY, Request
from ebb.client.endpoint import Endpoint
from ebb.client.engine import Engine, T
from ebb.client.errors import CallFailed
from ebb.client.policy import Policy
from ebb.client.releases import Registry
from ebb.client.routing import Routing
from ebb.client.tokens import Token, source_of
from ebb.errors import Misuse


class AsyncClient:
    """Predictions, features and subjects of one stage; what the methods mean stands at `ebb.client.Client`.

    Args:
        endpoints: addresses without `/v1`, the preferred one first: it alone takes writes and answers for subjects.
        token: a token, a function that returns one, or `ClientCredentials`.
        policy: how patient and insistent it is.
        api_key: counts the calls, where a REST API with usage plans stands before the stage; empty for none.

    Attributes:
        counts: what happened so far; see `ebb.client.engine.Engine`.

    Raises:
        Misuse: an endpoint or the token is none.
    """

    def __init__(
        self, endpoints: str | Sequence[str], token: Token, *, policy: Policy | None = None, api_key: str = ""
    ) -> None:
        policy = policy or Policy()
        addresses = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        if not addresses:
            raise Misuse("a client needs at least one endpoint, such as https://api.example.com")
        limits = httpx.Limits(max_connections=policy.connections, max_keepalive_connections=policy.connections)
        verify = httpx.create_ssl_context()
        keyed = {API_KEY: api_key} if api_key else {}
        self._https = [httpx.AsyncClient(verify=verify, limits=limits, headers=keyed) for _ in addresses]
        self._https.append(httpx.AsyncClient(verify=verify, limits=limits))  # whoever gives tokens needs no key
        self._tokens = source_of(token, self._https[-1])
        reached = [Endpoint(address, http, policy) for address, http in zip(addresses, self._https, strict=False)]
        self._engine = Engine(reached, self._tokens, policy)
        self.counts = self._engine.counts

    async def predict(
        self,
        entity_id: str,
        features: calls.Features | None = None,
        *,
        explain: bool = False,
        purpose: str | None = None,
        deadline: float | None = None,
    ) -> Prediction:
        """Score one entity."""
        return await self.call(calls.predict(entity_id, features, purpose, explain=explain), deadline)

    async def predict_batch(
        self,
        entities: Sequence[calls.Scored],
        *,
        explain: bool = False,
        purpose: str | None = None,
        deadline: float | None = None,
    ) -> list[Prediction | CallFailed]:
        """Score up to 1,000 entities."""
        return await self.call(calls.predict_batch(entities, purpose, explain=explain), deadline)

    async def put_features(
        self,
        entity_id: str,
        features: calls.Features,
        *,
        event_time: float | None = None,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Written:
        """Write features of one entity."""
        return await self.call(calls.put_features(entity_id, features, event_time, idempotency_key), deadline)

    async def put_features_batch(
        self,
        entities: Sequence[calls.Update],
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Written:
        """Write features of up to 1,000 entities, all or none."""
        return await self.call(calls.put_features_batch(entities, idempotency_key), deadline)

    async def export_subject(
        self,
        entity_id: str,
        *,
        history_from: int = 0,
        event_time: float | None = None,
        ingested_at: float | None = None,
        deadline: float | None = None,
    ) -> SubjectExport:
        """Return everything that is held of one entity."""
        return await self.call(calls.export_subject(entity_id, history_from, event_time, ingested_at), deadline)

    async def erase_subject(
        self, entity_id: str, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> Erasure:
        """Erase one entity everywhere."""
        return await self.call(calls.erase_subject(entity_id, idempotency_key), deadline)

    async def show_routing(self, *, deadline: float | None = None) -> Routing:
        """Return the routing table; needs the scope `admin`, as every change of it."""
        return await self.call(routing.show(), deadline)

    async def set_routing(
        self,
        *,
        challengers: Sequence[routing.ChallengerRole] = (),
        cheap: routing.CheapRole | None = None,
        shadow: routing.ShadowRole | None = None,
        based_on: int | None = None,
        deadline: float | None = None,
    ) -> Routing:
        """State who stands beside the champion; what is left out is taken away."""
        return await self.call(routing.set_roles(challengers, cheap, shadow, based_on), deadline)

    async def promote(self, release: str, *, based_on: int | None = None, deadline: float | None = None) -> Routing:
        """Make a release the champion."""
        return await self.call(routing.promote(release, based_on), deadline)

    async def rollback(self, *, based_on: int | None = None, deadline: float | None = None) -> Routing:
        """Let the champion before answer again."""
        return await self.call(routing.roll_back(based_on), deadline)

    async def list_releases(
        self, after: str = "", *, limit: int | None = None, deadline: float | None = None
    ) -> Registry:
        """Return one page of the releases of the store."""
        return await self.call(releases.listing(after, limit), deadline)

    async def call(self, request: Request[T], deadline: float | None = None) -> T:
        """Carry out a request of `ebb.client.calls`."""
        return await self._engine.call(request, deadline)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._engine.aclose()
        await self._tokens.aclose()
        for http in self._https:
            await http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
