"""Every route of both functions, as the gateway calls it: its scope, its content type, its longest body.

The real handlers, their tables of routes and all, in an environment in which no server answers: what passes the gates
comes to 503 or to an answer, and never to 403.
"""

import asyncio
import importlib
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import orjson
import pytest

from ebb.folder import FolderReleases
from ebb.http.scopes import ADMIN, FEATURES, OUTCOMES, PREDICT, SCOPES, SUBJECTS
from local.serving.routes import ROUTES
from tests.fakes.contracts import ROW
from tests.fakes.events import event
from tests.fakes.releases import tiny_release, version_in
from tests.unit.test_handlers import ENVIRONMENT

ONE = {"entity_id": "e-1", "features": ROW}
NEEDED: dict[str, tuple[str, object]] = {
    "POST /v1/predictions": (PREDICT, ONE),
    "POST /v1/predictions/batch": (PREDICT, {"entities": [ONE]}),
    "GET /v1/releases": (PREDICT, None),
    "PUT /v1/features/{entity_id}": (FEATURES, {"features": ROW}),
    "POST /v1/features/batch": (FEATURES, {"entities": [ONE]}),
    "GET /v1/subjects/{entity_id}": (SUBJECTS, None),
    "DELETE /v1/subjects/{entity_id}": (SUBJECTS, None),
    "GET /v1/registry": (ADMIN, None),
    "GET /v1/routing": (ADMIN, None),
    "PUT /v1/routing": (ADMIN, {}),
    "POST /v1/routing/promote": (ADMIN, {"release": "0" * 12}),
    "POST /v1/routing/rollback": (ADMIN, {}),
}
"""By route, the scope that it needs and a body that it can read."""

WITH_BODIES = [key for key, (_, body) in NEEDED.items() if body is not None]
KEYED = [key for key in WITH_BODIES if "predictions" not in key]
FUNCTIONS = {route.key: route.function for route in ROUTES}


@pytest.fixture(scope="module")
def handlers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ModuleType]]:
    """Both functions' handlers, by their names."""
    folder = tmp_path_factory.mktemp("gates")
    files = tiny_release()
    store = FolderReleases(folder)
    store.write("tiny", version_in(files), files)
    store.set_champion("tiny", version_in(files))
    secret = folder / "secret"
    secret.touch(0o600)
    secret.write_bytes(bytes(range(32)))
    with pytest.MonkeyPatch.context() as patch:
        places = {"EBB_RELEASES": folder, "EBB_ROUTING": folder / "routing"}
        for name, value in {**ENVIRONMENT, **places, "EBB_STAGE_SECRET_FILE": secret}.items():
            patch.setenv(name, str(value))
        made = {}
        for name in ("predict", "records"):
            patch.delitem(sys.modules, f"lambdas.{name}.handler", raising=False)
            made[name] = importlib.import_module(f"lambdas.{name}.handler")
        yield made
        made["predict"]._door()
        asyncio.get_event_loop().close()


def _ask(
    handlers: dict[str, ModuleType], key: str, body: object, scope: str, headers: dict[str, str] | None = None
) -> dict[str, Any]:
    content = b"" if body is None else body if isinstance(body, bytes) else orjson.dumps(body)
    path = {"entity_id": "e-1"} if "{" in key else None
    made = event(key, content, scope=scope, path=path, headers=headers)
    answered: dict[str, Any] = handlers[FUNCTIONS[key]].handle(made, None)
    return answered


def _problem(answered: dict[str, Any]) -> str:
    assert answered["headers"]["content-type"] == "application/problem+json", answered
    document = orjson.loads(answered["body"])
    assert document["status"] == answered["statusCode"]
    assert document["correlation_id"] == answered["headers"]["x-correlation-id"] == "request-1"
    return str(document["type"]).removeprefix("urn:ebb:problem:")


def test_every_route_that_asks_for_a_token_is_looked_at_here() -> None:
    assert {route.key for route in ROUTES if route.authorized} == NEEDED.keys()
    assert {scope for scope, _ in NEEDED.values()} | {"explain", OUTCOMES} == set(SCOPES)


@pytest.mark.parametrize("key", NEEDED)
def test_all_other_scopes_together_are_not_the_one_that_is_needed(handlers: dict[str, ModuleType], key: str) -> None:
    needed, body = NEEDED[key]
    for scope in ("", " ".join(other for other in SCOPES if other != needed), needed.upper(), f"{needed}s"):
        answered = _ask(handlers, key, body, scope)
        assert (answered["statusCode"], _problem(answered)) == (403, "not-allowed"), scope
        assert needed in orjson.loads(answered["body"])["detail"]


@pytest.mark.parametrize("key", NEEDED)
def test_the_one_that_is_needed_is_enough(handlers: dict[str, ModuleType], key: str) -> None:
    needed, body = NEEDED[key]
    answered = _ask(handlers, key, body, needed)
    # The records function finds no server, or no table; the releases need neither, and the first table only a release.
    expected = {"GET /v1/registry": 200, "POST /v1/routing/promote": 422}.get(key, 503)
    assert answered["statusCode"] == (200 if FUNCTIONS[key] == "predict" else expected), answered


@pytest.mark.parametrize("key", ["POST /v1/predictions", "POST /v1/predictions/batch"])
def test_reasons_need_both_scopes(handlers: dict[str, ModuleType], key: str) -> None:
    _, body = NEEDED[key]
    assert isinstance(body, dict)
    asked = {**body, "explain": True}
    assert [_ask(handlers, key, asked, scope)["statusCode"] for scope in ("predict", "explain")] == [403, 403]
    assert _ask(handlers, key, asked, "predict explain")["statusCode"] == 200


@pytest.mark.parametrize("key", KEYED)
def test_a_key_opens_nothing_without_the_scope(handlers: dict[str, ModuleType], key: str) -> None:
    _, body = NEEDED[key]
    answered = _ask(handlers, key, body, PREDICT, {"idempotency-key": "k-1"})
    assert (answered["statusCode"], _problem(answered)) == (403, "not-allowed")


@pytest.mark.parametrize(
    "sent", ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1"]
)
@pytest.mark.parametrize("key", WITH_BODIES)
def test_a_body_that_is_not_declared_as_json_is_read_nowhere(
    handlers: dict[str, ModuleType], key: str, sent: str
) -> None:
    needed, body = NEEDED[key]
    answered = _ask(handlers, key, body, needed, {"content-type": sent})
    assert (answered["statusCode"], _problem(answered)) == (415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("key", "limit"),
    [
        ("POST /v1/predictions", 65_536),
        ("POST /v1/predictions/batch", 5_000_000),
        ("PUT /v1/features/{entity_id}", 65_536),
        ("POST /v1/features/batch", 5_000_000),
        ("PUT /v1/routing", 16_384),
        ("POST /v1/routing/promote", 16_384),
        ("POST /v1/routing/rollback", 16_384),
    ],
)
def test_a_body_is_read_up_to_its_limit_and_no_further(handlers: dict[str, ModuleType], key: str, limit: int) -> None:
    needed, _ = NEEDED[key]
    fits = b'{"x":"' + b"y" * (limit - 8) + b'"}'
    answered = _ask(handlers, key, fits, needed)
    assert (answered["statusCode"], _problem(answered)) == (422, "bad-shape")
    answered = _ask(handlers, key, b" " + fits, needed)
    assert (answered["statusCode"], _problem(answered)) == (413, "too-large")


@pytest.mark.parametrize("key", KEYED)
def test_every_write_is_claimed_by_its_key_before_it_is_looked_at(handlers: dict[str, ModuleType], key: str) -> None:
    needed, _ = NEEDED[key]
    without = _ask(handlers, key, {"x": 1}, needed)
    assert (without["statusCode"], _problem(without)) == (422, "bad-shape")
    claimed = _ask(handlers, key, {"x": 1}, needed, {"idempotency-key": "k-1"})
    assert (claimed["statusCode"], _problem(claimed)) == (503, "unavailable")  # no Postgres remembers keys here


@pytest.fixture(scope="module")
def strict(handlers: dict[str, ModuleType]) -> Iterator[dict[str, ModuleType]]:
    """Both functions' handlers once more, with a plan of one request in a quarter of an hour."""
    handlers["predict"]._door()
    loop, made = asyncio.get_event_loop(), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EBB_PLANS", '{"default": {"rate": 0.001, "burst": 0, "daily": 10}}')
        for name in handlers:
            patch.delitem(sys.modules, f"lambdas.{name}.handler", raising=False)
            made[name] = importlib.import_module(f"lambdas.{name}.handler")
    made["predict"]._door()
    yield made
    asyncio.get_event_loop().close()
    asyncio.set_event_loop(loop)


@pytest.mark.parametrize("key", NEEDED)
def test_every_route_counts_and_says_when_to_come_back(strict: dict[str, ModuleType], key: str) -> None:
    needed, body = NEEDED[key]
    path = {"entity_id": "e-1"} if "{" in key else None
    content = b"" if body is None else orjson.dumps(body)
    made = event(key, content, scope=needed, path=path, client=f"client of {key}")
    first, second = (strict[FUNCTIONS[key]].handle(made, None) for _ in range(2))
    assert first["statusCode"] != 429
    assert (second["statusCode"], _problem(second)) == (429, "rate-limited")
    headers = second["headers"]
    assert 900 < int(headers["retry-after"]) <= 1_000
    assert headers["ratelimit-policy"].startswith('"rate";q=')
    assert '"quota";q=10;w=86400' in headers["ratelimit-policy"]
    assert headers["ratelimit"].startswith('"rate";r=0;t=')
    other = event(key, content, scope=needed, path=path, client=f"another client of {key}")
    assert strict[FUNCTIONS[key]].handle(other, None)["statusCode"] != 429


def test_a_batch_of_nothing_that_can_be_read_is_not_free(strict: dict[str, ModuleType]) -> None:
    made = event(
        "POST /v1/predictions/batch", orjson.dumps({"entities": [3, {}, {"entity_id": ""}]}), client="a careless client"
    )
    first, second = (strict["predict"].handle(made, None) for _ in range(2))
    assert (first["statusCode"], orjson.loads(first["body"])["failed"]) == (200, 3)
    assert (second["statusCode"], _problem(second)) == (429, "rate-limited")
    assert int(second["headers"]["retry-after"]) > 2_000  # three were counted
