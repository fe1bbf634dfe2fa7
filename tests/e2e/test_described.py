"""The calls as the gateway passes them on: the page and the document, keys of writes, and how calls are refused."""

from collections.abc import Iterator
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import jsonschema_rs
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from lambdas.predict.docs import ASSETS
from tests.fakes.contracts import ROW
from tests.tiny_home import caller, tiny_home


@pytest.fixture(scope="module")
def http(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with tiny_home(tmp_path_factory.mktemp("home")) as home, caller(home) as client:
        yield client


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in {"href", "src"} and value]


def test_the_page_and_all_that_it_asks_for(http: httpx.Client) -> None:
    page = httpx.get(http.base_url.join("/docs"), timeout=30)
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    links = _Links()
    links.feed(page.text)
    assert len(links.found) == len(ASSETS)
    for link in links.found:
        where = httpx.URL(urljoin(str(page.url), link))
        assert (where.host, where.port) == (page.url.host, page.url.port)
        found = httpx.get(where, timeout=30)
        assert (found.status_code, found.headers["content-type"]) == (200, ASSETS[link.removeprefix("docs/")])
        assert found.content
    assert http.get("/docs/nothing").json()["type"] == "urn:ebb:problem:unknown-route"


def test_the_document_is_valid_and_names_the_served_features(http: httpx.Client) -> None:
    document = httpx.get(http.base_url.join("/openapi.json"), timeout=30).json()
    assert list(jsonschema_rs.validator_for(OPENAPI_31).iter_errors(document)) == []
    assert document["components"]["schemas"]["Features"]["properties"].keys() == ROW.keys()


def test_a_write_with_a_key_is_done_once(http: httpx.Client) -> None:
    key = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
    first, again = [http.put("/v1/features/once", json={"features": ROW}, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    versions = [http.get("/v1/subjects/once").json()["current"]["version"] for _ in range(2)]
    assert versions == [1, 1]
    another = http.put("/v1/features/once", json={"features": {"tenure": 1}}, headers=key)
    assert (another.status_code, another.json()["type"]) == (422, "urn:ebb:problem:key-reused")


@pytest.mark.parametrize(
    ("sent", "status", "name"),
    [
        ({"content-type": "text/plain"}, 415, "unsupported-media-type"),
        ({"content-type": "application/json;charset=utf-16"}, 415, "unsupported-media-type"),
        ({"content-type": "application/json", "ebb-purpose": "A B"}, 422, "bad-shape"),
        ({"content-type": "application/json", "ebb-request-id": "*"}, 422, "bad-shape"),
    ],
)
def test_odd_headers_are_problems_with_the_gateways_id(
    http: httpx.Client, sent: dict[str, str], status: int, name: str
) -> None:
    refused = http.post("/v1/predictions", content=b'{"entity_id": "once"}', headers=sent)
    assert (refused.status_code, refused.json()["type"]) == (status, f"urn:ebb:problem:{name}")
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["correlation_id"] == refused.headers["x-correlation-id"] == refused.headers["apigw-requestid"]


def test_a_batch_goes_the_same_way(http: httpx.Client) -> None:
    answered = http.post("/v1/predictions/batch", json={"entities": [{"entity_id": "once"}, {"entity_id": 3}]})
    assert answered.status_code == 200
    assert answered.json()["failed"] == 1
    assert answered.json()["predictions"][1]["error"]["correlation_id"] == answered.headers["x-correlation-id"]
