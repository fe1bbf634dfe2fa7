"""Claims of a token as API Gateway hands them to a function: every value a string."""

from collections.abc import Mapping
from typing import Any

import orjson


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return f"[{' '.join(_text(each) for each in value)}]"
    return orjson.dumps(value).decode()


def as_strings(claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the claims with numbers and booleans written as JSON and lists as "[a b]", as AWS writes them."""
    return {name: _text(value) for name, value in claims.items()}


def scopes_of(claims: Mapping[str, Any]) -> frozenset[str]:
    """Return the scopes a token carries, from `scope` (space separated) or `scp` (a list or the same)."""
    value = claims.get("scope", claims.get("scp", ""))
    if isinstance(value, str):
        return frozenset(value.split())
    return frozenset(each for each in value if isinstance(each, str)) if isinstance(value, list) else frozenset()
