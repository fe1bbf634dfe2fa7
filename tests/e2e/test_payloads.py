"""The same requests to two local clouds, one behind an HTTP API's events and one behind a REST API's: same answers."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.fakes.contracts import ROW
from tests.home import Home
from tests.tiny_home import caller, tiny_home

WHO = "/v1/features/C%2F1%20%C3%A9"
OF_A_CALL = {
    "correlation_id",
    "prediction_id",
    "age_seconds",
    "oldest_seconds",
    "at",
    "known_at",
    "time",
    "event_time",
    "created",
}
"""What each call has of its own, wherever it stands in a document."""
HEADERS = ("content-type", "retry-after", "idempotency-replayed", "cache-control", "content-security-policy")

SCRIPT: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("GET", "/v1/health", {}),
    ("PUT", WHO, {"json": {"features": ROW}}),
    ("PUT", WHO, {"json": {"features": {"tenure": 6}}, "headers": {"Idempotency-Key": "k-1"}}),
    ("PUT", WHO, {"json": {"features": {"tenure": 6}}, "headers": {"idempotency-key": "k-1"}}),
    ("PUT", WHO, {"json": {"features": {"tenure": 7}}, "headers": {"idempotency-key": "k-1"}}),
    ("PUT", WHO, {"json": {"features": {"tenure": -1}}}),
    ("PUT", WHO, {"content": b"{}", "headers": {"content-type": "text/plain"}}),
    ("POST", "/v1/features/batch", {"json": {"entities": [{"entity_id": "e-2", "features": ROW}]}}),
    ("POST", "/v1/predictions", {"json": {"entity_id": "C/1 é", "explain": True}}),
    ("POST", "/v1/predictions", {"json": {"entity_id": "e-3", "features": ROW}}),
    ("POST", "/v1/predictions", {"json": {"entity_id": "nobody"}}),
    ("POST", "/v1/predictions", {"content": b"\xff", "headers": {"content-type": "application/json"}}),
    ("POST", "/v1/predictions", {"json": {"entity_id": "e-2"}, "headers": {"EBB-Purpose": "A B"}}),
    ("POST", "/v1/predictions/batch", {"json": {"entities": [{"entity_id": "e-2"}, {"entity_id": ""}]}}),
    ("GET", "/v1/releases", {}),
    ("GET", "/v1/subjects/C%2F1%20%C3%A9", {}),
    ("GET", "/v1/subjects/e-2?at=x", {}),
    ("DELETE", "/v1/subjects/e-2", {}),
    ("GET", "/v1/routing", {}),
    ("GET", "/openapi.json", {}),
    ("GET", "/docs", {}),
    ("GET", "/docs/favicon-32x32.png", {}),
    ("GET", "/docs/nothing", {}),
    ("GET", "/nowhere", {}),
)


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Home, Home]]:
    with ExitStack() as stack:
        http, rest = (
            stack.enter_context(tiny_home(tmp_path_factory.mktemp(name), "--payload", payload))
            for name, payload in (("http", "2.0"), ("rest", "1.0"))
        )
        yield http, rest


def common(document: Any) -> Any:
    """Return a document without what each call has of its own."""
    if isinstance(document, dict):
        return {
            name: common(value)
            for name, value in document.items()
            if name not in OF_A_CALL and not name.endswith("_at")
        }
    return [common(value) for value in document] if isinstance(document, list) else document


def told(response: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """Return status, headers and content of an answer, as far as both clouds must agree."""
    headers = {name: response.headers[name] for name in HEADERS if name in response.headers}
    kind = headers.get("content-type", "")
    return response.status_code, headers, common(response.json()) if "json" in kind else response.content


def test_both_clouds_answer_the_same_requests_alike(clouds: tuple[Home, Home]) -> None:
    with caller(clouds[0]) as http, caller(clouds[1]) as rest:
        seen = []
        for method, path, more in SCRIPT:
            one, other = (told(client.request(method, path, **more)) for client in (http, rest))
            assert other == one, f"{method} {path}"
            seen.append(one[0])
    assert {200, 400, 403, 404, 415, 422} <= set(seen)
    assert max(seen) < 500
