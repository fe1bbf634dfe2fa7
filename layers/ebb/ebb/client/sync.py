"""The client for programs without an event loop."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from ebb.client import calls, releases, routing
from ebb.client.aio import AsyncClient
from ebb.client.answers import Erasure, Prediction, SubjectExport, Written
from ebb.client.call import Request
from ebb.client.engine import T
from ebb.client.errors import CallFailed
from ebb.client.loop_thread import LoopThread
from ebb.client.policy import Policy
from ebb.client.releases import Registry
from ebb.client.routing import Routing
from ebb.client.tokens import Token


class Client:
    """Predictions, features and subjects of one stage; for any number of threads.

    It is `AsyncClient` on an event loop in one thread of its own: cutting off a slow try at the moment another has
    answered, or the deadline has passed, is what event loops do well and blocking sockets do not. Close it after the
    last call, or use it in a `with` statement.

    Every method takes `deadline`, the seconds that the whole call may take (the policy's where it is left out), and
    raises a subclass of `CallFailed` where no answer can be had; see `ebb.client.errors`.

    Args:
        endpoints: addresses without `/v1`, the preferred one first: it alone takes writes and answers for subjects.
        token: a token, a function that returns one, or `ClientCredentials`.
        policy: how patient and insistent it is.
        api_key: counts the calls, where a REST API with usage plans stands before the stage; empty for none.

    Raises:
        Misuse: an endpoint or the token is none.
    """

    def __init__(
        self, endpoints: str | Sequence[str], token: Token, *, policy: Policy | None = None, api_key: str = ""
    ) -> None:
        self._client = AsyncClient(endpoints, token, policy=policy, api_key=api_key)
        self._thread = LoopThread()
        self.counts = self._client.counts

    def predict(
        self,
        entity_id: str,
        features: calls.Features | None = None,
        *,
        explain: bool = False,
        purpose: str | None = None,
        deadline: float | None = None,
    ) -> Prediction:
        """Score one entity.

        Args:
            entity_id: whom.
            features: values that take the stored ones' place.
            explain: whether reason codes are wanted; needs the scope `explain`.
            purpose: what for, recorded with the prediction.
            deadline: seconds.
        """
        return self.call(calls.predict(entity_id, features, purpose, explain=explain), deadline)

    def predict_batch(
        self,
        entities: Sequence[calls.Scored],
        *,
        explain: bool = False,
        purpose: str | None = None,
        deadline: float | None = None,
    ) -> list[Prediction | CallFailed]:
        """Score up to 1,000 entities; in the order asked, a prediction or the exception that stands for its error."""
        return self.call(calls.predict_batch(entities, purpose, explain=explain), deadline)

    def put_features(
        self,
        entity_id: str,
        features: calls.Features,
        *,
        event_time: float | None = None,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Written:
        """Write features of one entity.

        Args:
            entity_id: whose.
            features: some or all of its features.
            event_time: since when they are true, epoch seconds; now where it is left out.
            idempotency_key: makes the write count once, also over processes; a fresh one where it is left out.
            deadline: seconds.
        """
        return self.call(calls.put_features(entity_id, features, event_time, idempotency_key), deadline)

    def put_features_batch(
        self,
        entities: Sequence[calls.Update],
        *,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Written:
        """Write features of up to 1,000 entities, all or none."""
        return self.call(calls.put_features_batch(entities, idempotency_key), deadline)

    def export_subject(
        self,
        entity_id: str,
        *,
        history_from: int = 0,
        event_time: float | None = None,
        ingested_at: float | None = None,
        deadline: float | None = None,
    ) -> SubjectExport:
        """Return everything that is held of one entity; the access is recorded.

        Args:
            entity_id: whose.
            history_from: `history_next` of the part before, where the history is long.
            event_time: epoch seconds; the answer holds also what was true then.
            ingested_at: epoch seconds; as far as it was known then.
            deadline: seconds.
        """
        return self.call(calls.export_subject(entity_id, history_from, event_time, ingested_at), deadline)

    def erase_subject(
        self, entity_id: str, *, idempotency_key: str | None = None, deadline: float | None = None
    ) -> Erasure:
        """Erase one entity everywhere, for good; again changes nothing but the moment."""
        return self.call(calls.erase_subject(entity_id, idempotency_key), deadline)

    def show_routing(self, *, deadline: float | None = None) -> Routing:
        """Return the routing table; needs the scope `admin`, as every change of it."""
        return self.call(routing.show(), deadline)

    def set_routing(
        self,
        *,
        challengers: Sequence[routing.ChallengerRole] = (),
        cheap: routing.CheapRole | None = None,
        shadow: routing.ShadowRole | None = None,
        based_on: int | None = None,
        deadline: float | None = None,
    ) -> Routing:
        """State who stands beside the champion; what is left out is taken away.

        Args:
            challengers: tried on their share of all entities.
            cheap: answers its share for less.
            shadow: scores along.
            based_on: the version that was looked at; where it is not in force any more, `Conflict` is raised.
            deadline: seconds.
        """
        return self.call(routing.set_roles(challengers, cheap, shadow, based_on), deadline)

    def promote(self, release: str, *, based_on: int | None = None, deadline: float | None = None) -> Routing:
        """Make a release the champion."""
        return self.call(routing.promote(release, based_on), deadline)

    def rollback(self, *, based_on: int | None = None, deadline: float | None = None) -> Routing:
        """Let the champion before answer again."""
        return self.call(routing.roll_back(based_on), deadline)

    def list_releases(self, after: str = "", *, limit: int | None = None, deadline: float | None = None) -> Registry:
        """Return one page of the releases of the store, each verified; needs the scope `admin`.

        Args:
            after: `next` of the page before.
            limit: releases of the page; the server's usual number where it is left out.
            deadline: seconds.
        """
        return self.call(releases.listing(after, limit), deadline)

    def call(self, request: Request[T], deadline: float | None = None) -> T:
        """Carry out a request of `ebb.client.calls`."""
        return self._thread.run(lambda: self._client.call(request, deadline))

    def close(self) -> None:
        """Close every connection and end the thread; a call under way in another thread ends with `Misuse`."""
        self._thread.close(self._client.aclose)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
