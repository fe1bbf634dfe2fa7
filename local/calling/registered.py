"""The answer of `GET /v1/registry` as the listing that a folder of releases has."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from ebb.errors import Unavailable
from ebb.release.listed import Listed
from training.registry.listing import Listing

_KNOWN = tuple(field.name for field in fields(Listed))


def listing_of(document: Mapping[str, Any]) -> Listing:
    """Return the releases, the newest first; what a newer stage says beyond what is known here is left out.

    Raises:
        Unavailable: the document lacks what every stage says.
    """
    try:
        found = [Listed(**{name: _frozen(item[name]) for name in _KNOWN}) for item in document["releases"]]
        newest_first = sorted(found, key=lambda each: (each.created, each.version), reverse=True)
        return Listing(tuple(newest_first), (), tuple(document["notes"]))
    except (KeyError, TypeError):
        raise Unavailable("the stage lists its releases in another form: deploy the newest code there") from None


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
