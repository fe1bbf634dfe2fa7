"""Every metric of the functions and its unit as CloudWatch knows it; `docs/signals.md` says what each means.

CloudWatch knows no currency: what is in dollars has no unit, and its name says so.
"""

from collections.abc import Mapping

COUNT, MILLISECONDS, SECONDS, NONE = "Count", "Milliseconds", "Seconds", "None"

UNITS: Mapping[str, str] = {
    "requests": COUNT,
    "failed": COUNT,
    "cold_start": COUNT,
    "latency_ms": MILLISECONDS,
    "predictions": COUNT,
    "score_sum": NONE,
    "degraded": COUNT,
    "stale": COUNT,
    "escalated": COUNT,
    "model_failed": COUNT,
    "variant_*": COUNT,
    "cost_usd_*": NONE,
    "shadow_scored": COUNT,
    "shadow_skipped": COUNT,
    "shadow_failed": COUNT,
    "routing_version": NONE,
    "routing_taken": COUNT,
    "routing_unread": COUNT,
    "release_refused": COUNT,
    "model_age_seconds": SECONDS,
    "read_*": COUNT,
    "durable_denied": COUNT,
    "hedge_sent": COUNT,
    "hedge_won": COUNT,
    "hedge_denied": COUNT,
    "rate_limited": COUNT,
    "quota_unknown": COUNT,
    "breaker_*": NONE,
    "breaker_*_open": COUNT,
    "breaker_*_half_open": COUNT,
    "breaker_*_closed": COUNT,
    "repair_left": COUNT,
    "repaired": COUNT,
    "refilled": COUNT,
    "tiers_disagree": NONE,
    "followed": COUNT,
    "followed_lag_seconds": SECONDS,
}
"""By name; a star stands for a role, a tier or a server."""


def unit_of(name: str) -> str:
    """Return a metric's unit; `None` for one that is not known.

    Where several names with a star fit, the longest one's holds.
    """
    found = UNITS.get(name)
    if found is not None:
        return found
    fitting = [known for known in UNITS if _fits(known, name)]
    return UNITS[max(fitting, key=len)] if fitting else NONE


def _fits(known: str, name: str) -> bool:
    start, star, end = known.partition("*")
    return bool(star) and len(name) > len(start) + len(end) and name.startswith(start) and name.endswith(end)
