"""What each client may ask: a rate, a burst and a quota of a day; and what is left of them."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ebb.errors import Misuse, RateLimited

DAY = 86_400.0

RATE, QUOTA = "rate", "quota"
"""Which limit refused."""

_LEAST_A_SECOND, _MOST_A_SECOND = 1e-6, 1e6
"""The shared limiter counts in microseconds, and Valkey keeps nothing for ever."""

_MOST_AT_ONCE, _MOST_A_DAY = 1e9, 10**12
"""What its numbers, which are floats, still count one by one."""

_SHORTEST_WAIT = 1e-6
"""Seconds; none at all would mean that the request was admitted."""

_ROUNDING = 1e-6
"""Requests; less than the rounding of sums of clock readings may not cost one."""


class Allowance(NamedTuple):
    """What a client may still ask, once a request was counted or refused.

    Attributes:
        wait: seconds until it may ask again; 0 where this request was admitted.
        remaining: requests that it may make at once now.
        reset: seconds until it may make a whole burst again; where the quota refused, until the next day.
        quota_left: requests left of today (UTC); None where there is no quota, or where nobody knows.
        refused: which limit refused, `rate` or `quota`; empty where none did.
    """

    wait: float
    remaining: int
    reset: float
    quota_left: int | None = None
    refused: str = ""


@dataclass(frozen=True)
class Plan:
    """What one client may ask.

    Attributes:
        rate: sustained requests a second.
        burst: requests at once on top.
        daily: requests of one day (UTC); None without a quota.
    """

    rate: float
    burst: float
    daily: int | None = None

    @property
    def step(self) -> float:
        """Seconds that one request costs."""
        return 1.0 / self.rate

    @property
    def tolerance(self) -> float:
        """Seconds that a client may owe, and still ask."""
        return self.burst / self.rate

    def admitted(self, debt: float, quota_left: int | None = None) -> Allowance:
        """Return what is left after a request that was admitted.

        Args:
            debt: seconds that the client owes now.
            quota_left: see `Allowance`.
        """
        return Allowance(0.0, self._remaining(debt), debt, quota_left)

    def refused_by_rate(self, debt: float, quota_left: int | None = None) -> Allowance:
        """Return what is left after a request that came too soon; see `admitted`."""
        return Allowance(max(debt - self.tolerance, _SHORTEST_WAIT), 0, debt, quota_left, RATE)

    def refused_by_quota(self, debt: float, quota_left: int, until_midnight: float) -> Allowance:
        """Return what is left after a request for more than is left of today; see `admitted`."""
        return Allowance(until_midnight, self._remaining(debt), until_midnight, quota_left, QUOTA)

    def refusal(self, allowance: Allowance) -> RateLimited:
        """Return the error that tells a caller of an allowance that says no."""
        return RateLimited(
            allowance.wait,
            limit=allowance.refused or RATE,
            rate=self.rate,
            burst=self.burst,
            daily=self.daily,
            remaining=allowance.remaining,
            reset=allowance.reset,
            quota_left=allowance.quota_left,
        )

    def _remaining(self, debt: float) -> int:
        return max(0, int(self.burst + 1 - debt * self.rate + _ROUNDING))


DEFAULT_PLAN = Plan(5_000.0, 10_000.0)


class Plans:
    """The plan of each client.

    Args:
        default: for whoever has no other.
        by_client: the plans of the others.
    """

    def __init__(self, default: Plan = DEFAULT_PLAN, by_client: Mapping[str, Plan] | None = None) -> None:
        self.default = default
        self._by_client = dict(by_client or {})

    def of(self, client: str) -> Plan:
        """Return a client's plan."""
        return self._by_client.get(client, self.default)

    @staticmethod
    def parse(text: str, default: Plan = DEFAULT_PLAN) -> "Plans":
        """Read the JSON text of the environment variable EBB_PLANS.

        `{"default": {"rate": 5000, "burst": 10000, "daily": null}, "plans": {"small": {...}},
        "clients": {"acme": "small"}}`; each part may be left out, a burst too (twice the rate then).

        Args:
            text: may be empty: then all clients have the default plan.
            default: where the text names none.

        Raises:
            Misuse: the text is not that; says where.
        """
        if not text.strip():
            return Plans(default)
        try:
            document = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Misuse(f"EBB_PLANS is no JSON: {error}") from None
        _only(document, {"default", "plans", "clients"}, "EBB_PLANS")
        named = _table(document, "plans")
        plans = {name: _plan(value, f"plans.{name}") for name, value in named.items()}
        if document.get("default") is not None:
            default = _plan(document["default"], "default")
        by_client = {}
        for client, name in _table(document, "clients").items():
            if not isinstance(name, str) or name not in plans:
                raise Misuse(f"EBB_PLANS: clients.{client} must be the name of one of the `plans`")
            by_client[client] = plans[name]
        return Plans(default, by_client)


def _table(document: Mapping[str, Any], key: str) -> dict[str, Any]:
    table = document.get(key) or {}
    if not isinstance(table, dict):
        raise Misuse(f"EBB_PLANS: `{key}` must be an object")
    return table


def _plan(value: Any, where: str) -> Plan:
    where = f"EBB_PLANS: {where}"
    _only(value, {"rate", "burst", "daily"}, where)
    rate = _number(value.get("rate"), f"{where}.rate")
    if not _LEAST_A_SECOND <= rate <= _MOST_A_SECOND:
        bounds = f"above 0 (from {_LEAST_A_SECOND:f}) and at most {_MOST_A_SECOND:,.0f} requests a second"
        raise Misuse(f"{where}.rate must be {bounds}")
    burst = 2 * rate if value.get("burst") is None else _number(value["burst"], f"{where}.burst")
    if not 0 <= burst <= _MOST_AT_ONCE:
        raise Misuse(f"{where}.burst must not be negative, and at most {_MOST_AT_ONCE:,.0f}")
    daily = value.get("daily")
    if daily is not None and (type(daily) is not int or not 1 <= daily <= _MOST_A_DAY):
        raise Misuse(f"{where}.daily must be a whole number of requests up to {_MOST_A_DAY:,}, or null for no quota")
    return Plan(rate, burst, daily)


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise Misuse(f"{where} must be a number")
    return float(value)


def _only(value: Any, keys: set[str], where: str) -> None:
    if not isinstance(value, dict):
        raise Misuse(f"{where} must be an object")
    if unknown := sorted(value.keys() - keys):
        raise Misuse(f"{where} has the unknown key `{unknown[0]}`; there may be {', '.join(sorted(keys))}")
