"""From the environment's text to a decision: the shared limiter while Valkey is there, else this process's own."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from ebb.connect import QUICK, connect_fast, connect_postgres, connect_store, make_plans
from ebb.errors import Misuse
from ebb.plans import Plan
from ebb.settings import Settings
from ebb.store.store import FeatureStore
from ebb.valkey.features import ValkeyFeatures
from local.servers.valkey import Valkey
from tests.fakes.stores import Counted
from tests.valkey_case import running

PLANS = {
    "default": {"rate": 0.001, "burst": 3},
    "plans": {"large": {"rate": 0.001, "burst": 500, "daily": 800}},
    "clients": {"acme": "large"},
}


def _environment(port: int, folder: Path, plans: str) -> dict[str, str]:
    return {
        "EBB_RELEASES": str(folder),
        "EBB_VALKEY_HOST": "127.0.0.1",
        "EBB_VALKEY_PORT": str(port),
        "EBB_POSTGRES_HOST": "127.0.0.1",
        "EBB_POSTGRES_PORT": "1",
        "EBB_POSTGRES_USER": "nobody",
        "EBB_POSTGRES_PASSWORD": "",
        "EBB_POSTGRES_DATABASE": "none",
        "EBB_PLANS": plans,
    }


def _store(settings: Settings, noted: Counted, stack: ExitStack) -> FeatureStore:
    """Return a store with patience: what a busy machine costs must not look like a lost server."""
    fast = ValkeyFeatures("127.0.0.1", settings.valkey_port, timeout=5.0, plans=make_plans(settings), signals=noted)
    stack.callback(fast.close)
    return connect_store(settings, noted, fast, connect_postgres(settings, QUICK))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    with running(tmp_path / "valkey") as made:
        yield made


def test_a_plan_holds_over_all_environments_and_in_each_alone_once_valkey_is_lost(
    server: Valkey, tmp_path: Path
) -> None:
    settings = Settings.from_environment(_environment(server.port, tmp_path, json.dumps(PLANS)))
    noted = Counted()
    with ExitStack() as stack:
        one, other = (_store(settings, noted, stack) for _ in "ab")
        assert [store.admit("acme", 100).remaining for store in (one, other, one)] == [401, 301, 201]
        assert one.read("x", "acme", {}).allowance.quota_left == 499
        assert [store.admit("modest", 2).remaining for store in (one, other)] == [2, 0]
        refused = one.read_many(["x", "y"], "modest", {})
        assert [reading.allowance.refused for reading in refused] == ["rate", "rate"]
        error = one.refusal("modest", refused[0].allowance)
        assert (error.rate, error.burst, error.daily, error.remaining) == (0.001, 3.0, None, 0)
        server.stop()
        alone = [one.admit("acme", 400) for _ in range(3)]
        assert [(allowance.remaining, allowance.quota_left, allowance.refused) for allowance in alone] == [
            (101, None, ""),
            (0, None, ""),
            (0, None, "rate"),
        ]
        assert noted.counts["quota_unknown"] == 800
        assert other.admit("modest", 1).remaining == 3  # what the lost server knew, this process never did


def test_without_plans_the_two_older_variables_are_the_default(tmp_path: Path) -> None:
    environment = _environment(1, tmp_path, "") | {"EBB_CLIENT_RATE": "7", "EBB_CLIENT_BURST": "9"}
    plans = make_plans(Settings.from_environment(environment))
    assert plans.of("anybody") == Plan(7.0, 9.0, None)


def test_plans_that_are_none_are_named_before_anything_is_connected(tmp_path: Path) -> None:
    settings = Settings.from_environment(_environment(1, tmp_path, '{"clients": {"acme": "huge"}}'))
    with pytest.raises(Misuse, match=r"clients\.acme must be the name of one of the `plans`"):
        connect_fast(settings, Counted())
