"""A caller of the local cloud: finds it, mints its own token, and reads answers and problems."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx

from ebb.errors import EbbError, Unavailable
from local.identity import Identity
from local.supervisor.state import State, running_state, state_folder

AUDIENCE = "ebb"
_SECONDS = 15.0
_ROUTE, _ROUTING = "ebb-route", "/v1/routing"


class Refused(EbbError):
    """The local cloud answered with a problem."""


def local_cloud() -> State:
    """Return the state of the running local cloud.

    Raises:
        Unavailable: none is up.
    """
    state = running_state(state_folder())
    if state is None or state.phase != "up":
        raise Unavailable("no local cloud is up here: start one with `ebb up --detach`")
    return state


def mint(client: str, scopes: Sequence[str], minutes: float) -> str:
    """Return a token that the running local cloud takes.

    Raises:
        Unavailable: none is up, so nobody knows the token's issuer.
    """
    state = local_cloud()
    return Identity.load_or_create(state_folder()).mint(client, scopes, minutes, state.issuer, AUDIENCE)


def score_entity(entity_id: str, *, explain: bool) -> dict[str, Any]:
    """Score one entity over HTTP.

    Raises:
        Refused: the answer was a problem; carries its sentence.
        Unavailable: nothing is up, or it does not answer.
    """
    body = {"entity_id": entity_id, "explain": explain}
    return _ask("ebb-score", ("predict", "explain"), "POST", "/v1/predictions", body)


def show_subject(entity_id: str, moments: Mapping[str, float]) -> dict[str, Any]:
    """Return everything that is held of a subject; the call is recorded as an access.

    Args:
        entity_id: whom.
        moments: `event_time` and `ingested_at`, epoch seconds, for what was known at a moment; none for now alone.

    Raises:
        Refused, Unavailable: see `score_entity`.
    """
    document = _part(entity_id, moments)
    while (following := document.pop("history_next", None)) is not None:
        part = _part(entity_id, {"history_from": following})
        document["history"] += part["history"]
        document.update(accesses=part["accesses"], history_next=part["history_next"])
    return document


def erase_subject(entity_id: str) -> dict[str, Any]:
    """Erase a subject in every tier, and return what is erased by when.

    Raises:
        Refused, Unavailable: see `score_entity`.
    """
    return _ask("ebb-subject", ("subjects",), "DELETE", _subject(entity_id))


def show_routing() -> dict[str, Any]:
    """Return the routing table and its last changes.

    Raises:
        Refused, Unavailable: see `score_entity`.
    """
    return _ask(_ROUTE, ("admin",), "GET", _ROUTING)


def set_routing(roles: Mapping[str, Any]) -> dict[str, Any]:
    """State who stands beside the champion, and return the new table.

    Args:
        roles: `challengers`, `cheap`, `shadow`, and `based_on` where it is to follow one version only.

    Raises:
        Refused, Unavailable: see `score_entity`.
    """
    return _ask(_ROUTE, ("admin",), "PUT", _ROUTING, roles)


def promote_release(release: str) -> dict[str, Any]:
    """Make a release the champion, and return the new table.

    Raises:
        Refused, Unavailable: see `score_entity`.
    """
    return _ask(_ROUTE, ("admin",), "POST", f"{_ROUTING}/promote", {"release": release})


def roll_back() -> dict[str, Any]:
    """Let champion and previous champion change places, and return the new table.

    Raises:
        Refused, Unavailable: see `score_entity`.
    """
    return _ask(_ROUTE, ("admin",), "POST", f"{_ROUTING}/rollback", {})


def _part(entity_id: str, query: Mapping[str, float]) -> dict[str, Any]:
    asked = f"?{urlencode(query)}" if query else ""
    return _ask("ebb-subject", ("subjects",), "GET", _subject(entity_id) + asked)


def _subject(entity_id: str) -> str:
    return f"/v1/subjects/{quote(entity_id, safe='')}"


def _ask(client: str, scopes: Sequence[str], method: str, path: str, body: Any = None) -> dict[str, Any]:
    state = local_cloud()
    token = mint(client, scopes, 5)
    try:
        response = httpx.request(
            method,
            state.url + path,
            json=body,
            headers={"authorization": f"Bearer {token}"},
            timeout=_SECONDS,
        )
    except httpx.HTTPError as error:
        raise Unavailable(f"{state.url} does not answer ({type(error).__name__}): see `ebb status`") from None
    try:
        document: dict[str, Any] = response.json()
    except ValueError:
        raise Unavailable(f"what answers at {state.url} is not Ebb's gateway: see `ebb status`") from None
    if response.status_code != httpx.codes.OK:
        raise Refused(f"{response.status_code} {document.get('detail') or document.get('message')}")
    return document
