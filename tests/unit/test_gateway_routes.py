"""Which route a request finds."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebb.errors import Misuse
from local.gateway.routes import Route, RouteTable
from local.gateway.throttle import Bucket, Throttle

TABLE = RouteTable(
    [
        Route("POST", "/v1/predictions", "predict"),
        Route("POST", "/v1/predictions/batch", "predict"),
        Route("PUT", "/v1/features/{entity_id}", "records"),
        Route("POST", "/v1/features/batch", "records"),
        Route("ANY", "/v1/features/{any_id}", "any"),
        Route("GET", "/v1/{kind}/latest", "latest"),
        Route("GET", "/v1/{kind}/{version}", "version"),
        Route("ANY", "/any", "any"),
        Route("GET", "/", "root"),
    ]
)


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("POST", "/v1/predictions", "POST /v1/predictions", {}),
        ("PUT", "/v1/features/C-1", "PUT /v1/features/{entity_id}", {"entity_id": "C-1"}),
        ("PUT", "/v1/features/a%2Fb+c%20d", "PUT /v1/features/{entity_id}", {"entity_id": "a/b+c d"}),
        ("POST", "/v1/features/batch", "POST /v1/features/batch", {}),
        ("DELETE", "/v1/features/batch", "ANY /v1/features/{any_id}", {"any_id": "batch"}),
        ("GET", "/v1/features/x", "ANY /v1/features/{any_id}", {"any_id": "x"}),
        ("GET", "/v1/releases/latest", "GET /v1/{kind}/latest", {"kind": "releases"}),
        ("GET", "/v1/releases/7", "GET /v1/{kind}/{version}", {"kind": "releases", "version": "7"}),
        ("PATCH", "/any", "ANY /any", {}),
        ("GET", "/", "GET /", {}),
    ],
)
def test_the_most_specific_route_is_found(method: str, path: str, key: str, parameters: dict[str, str]) -> None:
    found = TABLE.find(method, path)
    assert found is not None
    assert (found[0].key, found[1]) == (key, parameters)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/predictions"),
        ("POST", "/v1/predictions/"),
        ("POST", "/V1/predictions"),
        ("PUT", "/v1/features/"),
        ("PUT", "/v1/features/a/b"),
        ("HEAD", "/"),
        ("GET", ""),
        ("GET", "*"),
    ],
)
def test_what_no_route_describes_is_not_found(method: str, path: str) -> None:
    assert TABLE.find(method, path) is None


@given(entity=st.text(min_size=1))
def test_any_entity_id_survives_the_path(entity: str) -> None:
    try:
        path = f"/v1/features/{quote(entity, safe='')}"
    except UnicodeEncodeError:  # a lone surrogate has no encoding
        return
    found = TABLE.find("PUT", path)
    assert found is not None
    assert found[1] == {"entity_id": entity}


@given(method=st.text(max_size=8), path=st.text(max_size=60))
def test_no_path_breaks_the_table(method: str, path: str) -> None:
    found = TABLE.find(method, path)
    assert found is None or found[0].method in {method, "ANY"}


@pytest.mark.parametrize(
    "routes",
    [
        [("GET", "no-slash")],
        [("GET", "/a//b")],
        [("GET", "/a/{proxy+}")],
        [("GET", "/a/x{b}")],
        [("get", "/a")],
        [("GET", "/{a}/{a}")],
        [("GET", "/a"), ("GET", "/a")],
        [("GET", "/{a}"), ("GET", "/{b}")],
    ],
)
def test_routes_that_could_not_work_are_refused(routes: list[tuple[str, str]]) -> None:
    with pytest.raises(Misuse):
        RouteTable(Route(method, path, "f") for method, path in routes)


def test_scopes_without_a_token_are_refused() -> None:
    with pytest.raises(Misuse, match="asks for scopes but not for a token"):
        Route("GET", "/a", "f", authorized=False, scopes=("x",))


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket = Bucket(Throttle(rate=2.0, burst=3), 100.0)
    assert [bucket.take(100.0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(100.5) for _ in range(2)] == [True, False]
    assert [bucket.take(1_000.0) for _ in range(4)] == [True, True, True, False]


@given(times=st.lists(st.floats(0, 100), max_size=200).map(sorted), burst=st.integers(1, 5))
def test_a_bucket_never_gives_more_than_burst_and_rate_allow(times: list[float], burst: int) -> None:
    bucket = Bucket(Throttle(rate=1.0, burst=burst), 0.0)
    given_away = sum(bucket.take(now) for now in times)
    assert given_away <= burst + (times[-1] if times else 0) + 1e-6


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1), (-1.0, 1), (1.0, 0)])
def test_a_throttle_that_lets_nothing_through_is_refused(rate: float, burst: int) -> None:
    with pytest.raises(Misuse):
        Throttle(rate, burst)
