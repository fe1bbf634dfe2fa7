"""Every call that commands make, whoever answers it: the local cloud or a stage."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from ebb.client import Client, Policy, calls, errors, releases, routing
from ebb.client.call import Request
from local.calling.entrance import ROUTE, SCORE, SUBJECT, Entrance, Purpose
from local.calling.sentences import sentence_of

_ONE_CALL = Policy(deadline=29.0, connect_timeout=5.0, retries=2, backoff=0.2, hedging=False, connections=2)
"""The gateway itself waits no longer for a function."""

Document = dict[str, Any]


class Caller:
    """Calls a running Ebb; each method is one call of its API, and returns the answer's document.

    Every method raises an `EbbError` with one sentence where there is no answer: `Refused` where the call itself was
    refused (its `status` and `problem` say how), `Unavailable` where nobody answers or no token can be had.

    Args:
        entrance: where the calls go in.

    Attributes:
        entrance: the same.
    """

    def __init__(self, entrance: Entrance) -> None:
        self.entrance = entrance

    def score(self, entity_id: str, *, explain: bool) -> Document:
        """Score one entity by its stored features."""
        return self._ask(SCORE, calls.predict(entity_id, None, None, explain=explain))

    def show_subject(self, entity_id: str, moments: Mapping[str, float]) -> Document:
        """Return everything that is held of a subject, however long its history; the look is recorded.

        Args:
            entity_id: whom.
            moments: `event_time` and `ingested_at`, epoch seconds, for what was known at a moment; none for now alone.
        """
        document = self._part(entity_id, moments)
        while (following := document.pop("history_next", None)) is not None:
            part = self._part(entity_id, {"history_from": following})
            document["history"] += part["history"]
            document.update(accesses=part["accesses"], history_next=part["history_next"])
        return document

    def erase_subject(self, entity_id: str) -> Document:
        """Erase a subject in every tier, and return what is erased by when."""
        return self._ask(SUBJECT, calls.erase_subject(entity_id, None))

    def show_routing(self) -> Document:
        """Return the routing table and its last changes; `Refused` with the problem `no-release` before the first."""
        return self._ask(ROUTE, routing.show())

    def set_routing(self, roles: Mapping[str, Any]) -> Document:
        """State who stands beside the champion, and return the new table.

        Args:
            roles: `challengers`, `cheap`, `shadow`, and `based_on` where it is to follow one version only.
        """
        given = (roles.get("challengers", ()), roles.get("cheap"), roles.get("shadow"), roles.get("based_on"))
        return self._ask(ROUTE, routing.set_roles(*given))

    def promote(self, release: str, based_on: int | None = None) -> Document:
        """Make a release the champion, and return the new table; where there is none yet, this writes the first one.

        Args:
            release: its version.
            based_on: the table's version that it is to follow only; 0 for none yet.
        """
        return self._ask(ROUTE, routing.promote(release, based_on))

    def roll_back(self) -> Document:
        """Let champion and previous champion change places, and return the new table."""
        return self._ask(ROUTE, routing.roll_back(None))

    def releases(self) -> Document:
        """Return every release of the store as `GET /v1/registry` tells it, all pages in one."""
        document = self._ask(ROUTE, releases.listing(""))
        while (following := document.pop("next", None)) is not None:
            part = self._ask(ROUTE, releases.listing(following))
            document["releases"] += part["releases"]
            document["notes"] = sorted({*document["notes"], *part["notes"]})
            document["next"] = part["next"]
        return document

    @contextmanager
    def client(self, purpose: Purpose, policy: Policy = _ONE_CALL) -> Iterator[Client]:
        """Lend a client for calls of one purpose, from any number of threads; failures leave as sentences."""
        try:
            token, key = self.entrance.token(purpose), self.entrance.key(purpose)
            with Client(self.entrance.address, token, policy=policy, api_key=key) as client:
                yield client
        except errors.CallFailed as failure:
            raise sentence_of(failure, self.entrance, purpose) from failure

    def _part(self, entity_id: str, query: Mapping[str, float]) -> Document:
        request = calls.export_subject(entity_id, 0, None, None)
        asked = f"?{urlencode(query)}" if query else ""
        return self._ask(SUBJECT, replace(request, path=request.path + asked))

    def _ask(self, purpose: Purpose, request: Request[Any]) -> Document:
        with self.client(purpose) as client:
            return client.call(replace(request, read=_whole))


def _whole(document: Any, _request_id: str) -> Document:
    """Return the answer as it is.

    Raises:
        OddAnswer: it is no object.
    """
    if not isinstance(document, dict):
        raise errors.OddAnswer("the answer is no JSON object")
    return document
