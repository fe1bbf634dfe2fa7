"""From a customer table to a scored customer over HTTP: the whole path on real servers."""

import os
import signal
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import jwt
import numpy as np
import orjson
import pyarrow.parquet
import pytest
import redis

from ebb.folder import FolderReleases
from ebb.onnx import OnnxScorer
from ebb.release.load import load_champion
from local.identity import Identity
from tests.home import Home
from training.dataset import read_dataset


def _token(cloud: Home, scopes: tuple[str, ...] = ("predict", "explain", "features:write"), **changes: Any) -> str:
    """Sign a token with the local cloud's own key, with some claims changed."""
    identity = Identity.load_or_create(cloud.folder / ".ebb")
    claims = {
        "iss": cloud.state.issuer,
        "aud": "ebb",
        "sub": "e2e",
        "client_id": "e2e",
        "scope": " ".join(scopes),
        "iat": int(time.time()),
        "exp": int(time.time()) + 600,
    }
    return jwt.encode(claims | changes, identity.key, "RS256", headers={"kid": identity.kid})


@pytest.fixture(scope="session")
def http(cloud: Home) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {_token(cloud)}"}
    with httpx.Client(base_url=cloud.state.url, headers=headers, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def ids(cloud: Home) -> list[str]:
    table = pyarrow.parquet.read_table(cloud.folder / "data/customers.parquet", columns=["customer_id"])
    found: list[str] = table[0].to_pylist()
    return found


def _score(http: httpx.Client, entity_id: str, **more: Any) -> dict[str, Any]:
    response = http.post("/v1/predictions", json={"entity_id": entity_id, **more})
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_http_equals_the_graph_in_the_training_process_to_the_last_bit(
    cloud: Home, http: httpx.Client, ids: list[str]
) -> None:
    release = load_champion(FolderReleases(cloud.folder / "releases"), "synthetic", OnnxScorer)
    dataset = read_dataset(cloud.folder / "data/customers.parquet", release.contract, labelled=False)
    expected = release.scorer.score(dataset.inputs.rows(slice(0, 1_000)))
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda who: _score(http, who), ids[:1_000]))
    served = np.array([answer["probability"] for answer in answers], np.float64)
    assert np.array_equal(served, expected.astype(np.float64))
    assert {answer["release"] for answer in answers} == {release.name}
    assert not any(answer["degraded"] for answer in answers)


def test_a_scored_table_has_the_same_bits(cloud: Home, http: httpx.Client, ids: list[str]) -> None:
    summary = cloud.json("score", "--data", "data/customers.parquet", "--out", "scored.parquet")
    scored = pyarrow.parquet.read_table(cloud.folder / "scored.parquet").to_pylist()
    assert summary["rows"] == len(scored) == len(ids)
    for row in scored[:20]:
        answer = _score(http, row["customer_id"])
        assert (answer["probability"], answer["decision"]) == (row["probability"], row["decision"])


def test_the_command_scores_one_customer(cloud: Home, http: httpx.Client, ids: list[str]) -> None:
    answer = cloud.json("score", ids[0], "--explain")
    assert answer["probability"] == _score(http, ids[0])["probability"]
    assert answer["reasons"]
    shown = cloud.ok("score", ids[0], "--explain")
    assert f"{answer['probability']:.4f}" in shown
    assert answer["reasons"][0]["feature"] in shown


def test_what_valkey_lost_is_read_from_postgres_and_written_back(
    cloud: Home, http: httpx.Client, ids: list[str]
) -> None:
    before = _score(http, ids[7])
    with redis.Redis(port=cloud.state.ports.valkey) as valkey:
        assert valkey.delete(f"f:{ids[7]}") == 1
        durable = _score(http, ids[7])
        assert valkey.exists(f"f:{ids[7]}") == 1
    fast = _score(http, ids[7])
    assert (durable["features"]["tier"], fast["features"]["tier"]) == ("durable", "fast")
    assert before["probability"] == durable["probability"] == fast["probability"]


def test_written_features_count_with_the_next_prediction(http: httpx.Client, ids: list[str]) -> None:
    before = _score(http, ids[9])
    written = http.put(f"/v1/features/{ids[9]}", json={"features": {"tenure_months": 1, "contract_months_left": 0}})
    assert (written.status_code, written.json()) == (200, {"entity_id": ids[9], "written": 2})
    after = _score(http, ids[9])
    assert after["probability"] != before["probability"]
    override = _score(http, ids[9], features={"tenure_months": 1, "contract_months_left": 0})
    assert override["probability"] == after["probability"]


def test_a_new_customer_is_written_in_a_batch_and_scored(http: httpx.Client, ids: list[str], cloud: Home) -> None:
    assert http.post("/v1/predictions", json={"entity_id": "new é/1"}).status_code == 404
    table = pyarrow.parquet.read_table(cloud.folder / "data/customers.parquet")
    row = {k: v for k, v in table.slice(0, 1).to_pylist()[0].items() if k not in {"customer_id", "churned"}}
    body = orjson.dumps({"entities": [{"entity_id": "new é/1", "features": row}]})
    written = http.post("/v1/features/batch", content=body, headers={"content-type": "application/json"})
    assert written.status_code == 200, written.text
    assert _score(http, "new é/1")["probability"] == _score(http, ids[0])["probability"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"[" * 5_000, 400),
        (b'{"entity_id": 1}', 422),
        (b'{"entity_id": "nobody"}', 404),
        (b'{"entity_id": "' + b"x" * 70_000 + b'"}', 413),
        (b"\xff\xfe", 400),
    ],
)
def test_bad_bodies_get_problems(http: httpx.Client, body: bytes, status: int) -> None:
    response = http.post("/v1/predictions", content=body, headers={"content-type": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["correlation_id"] == response.headers["x-correlation-id"]


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    return ".".join(urlsafe_b64encode(orjson.dumps(part)).rstrip(b"=").decode() for part in parts) + "."


def _bad_token(cloud: Home, kind: str) -> str | None:
    now = int(time.time())
    return {
        "none": None,
        "garbage": "abc.def.ghi",
        "expired": _token(cloud, exp=now - 1),
        "issuer": _token(cloud, iss="https://elsewhere.example"),
        "audience": _token(cloud, aud="other"),
        "alg none": _unsigned({"iss": cloud.state.issuer, "aud": "ebb", "scope": "predict", "exp": now + 60}),
    }[kind]


@pytest.mark.parametrize("kind", ["none", "garbage", "expired", "issuer", "audience", "alg none"])
def test_a_bad_token_is_refused_by_the_gateway_in_awss_words(cloud: Home, kind: str) -> None:
    token = _bad_token(cloud, kind)
    headers = {"authorization": f"Bearer {token}"} if token else {}
    response = httpx.post(f"{cloud.state.url}/v1/predictions", json={"entity_id": "x"}, headers=headers)
    assert (response.status_code, response.json()) == (401, {"message": "Unauthorized"})


def test_a_token_without_the_scope_is_refused_by_the_function(cloud: Home) -> None:
    headers = {"authorization": f"Bearer {_token(cloud, ('features:write',))}"}
    response = httpx.post(f"{cloud.state.url}/v1/predictions", json={"entity_id": "x"}, headers=headers)
    assert (response.status_code, response.json()["type"]) == (403, "urn:ebb:problem:not-allowed")


def test_the_minted_token_works(cloud: Home, ids: list[str]) -> None:
    token = cloud.ok("token", "--client", "me", "--scope", "predict", "--minutes", "5").strip()
    response = httpx.post(
        f"{cloud.state.url}/v1/predictions",
        json={"entity_id": ids[0]},
        headers={"authorization": f"Bearer {token}"},
        timeout=30,
    )
    assert response.status_code == 200


def test_routes_without_a_token(cloud: Home) -> None:
    assert httpx.get(f"{cloud.state.url}/v1/health", timeout=30).json()["status"] == "ok"
    assert "/v1/predictions" in httpx.get(f"{cloud.state.url}/openapi.json", timeout=30).json()["paths"]
    unknown = httpx.get(f"{cloud.state.url}/v2/anything", timeout=30)
    assert (unknown.status_code, unknown.json()) == (404, {"message": "Not Found"})


def test_a_killed_environment_costs_no_later_caller_anything(http: httpx.Client, cloud: Home, ids: list[str]) -> None:
    environments = {p.pid for name, p in cloud.state.children.items() if name.startswith("predict/")}
    assert len(environments) == 2
    for pid in environments:
        os.kill(pid, signal.SIGKILL)
    statuses: list[int] = []
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and statuses[-20:] != [200] * 20:
        statuses.append(http.post("/v1/predictions", json={"entity_id": ids[1]}).status_code)
    assert statuses[-20:] == [200] * 20
    assert set(statuses) <= {200, 502, 503}
    assert sum(status != 200 for status in statuses) <= len(environments)


def test_no_personal_value_stands_in_any_log(cloud: Home, http: httpx.Client, ids: list[str]) -> None:
    written = http.put(f"/v1/features/{ids[3]}", json={"features": {"city": "Personal-4711"}})
    refused = http.post("/v1/predictions", json={"entity_id": ids[3], "features": {"age": "Personal-4711"}})
    unknown = http.post("/v1/predictions", json={"entity_id": "Personal-4711"})
    assert (written.status_code, refused.status_code, unknown.status_code) == (200, 422, 404)
    logs = [path for path in (cloud.folder / ".ebb").rglob("*.log") if path.is_file()]
    assert logs
    assert not any(b"Personal-4711" in path.read_bytes() for path in logs)
