"""What a request's headers may say, and how it is read; nothing that is not understood is repeated to anyone."""

import re
from collections.abc import Mapping

from ebb.errors import BadShape, UnsupportedMedia

PURPOSE, REQUEST_ID = "ebb-purpose", "ebb-request-id"
USUAL_PURPOSE = "prediction"

_PLAIN = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"})
"""As nearly everybody writes it."""

_JSON = re.compile(r'application/json(?:[ \t]*;[ \t]*(?:charset=(?:utf-8|"utf-8"))?)*[ \t]*', re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,63}")
_PURPOSE = re.compile(r"[a-z0-9_-]{1,64}")
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


def require_json(headers: Mapping[str, str]) -> None:
    """Check that a body is declared as JSON in UTF-8 (RFC 8259; other parameters and charsets are none of its).

    Raises:
        UnsupportedMedia: it is not; names what was sent where that is a media type at all.
    """
    sent = headers.get("content-type", "")
    if sent in _PLAIN or _JSON.fullmatch(sent):
        return
    named = _MEDIA_TYPE.match(sent)
    if not sent:
        what = "the body was sent without a content type"
    elif named is None:
        what = "the content type that was sent is none"
    elif named.group().lower() == "application/json":
        what = "the body was sent as application/json, but with parameters other than charset=utf-8"
    else:
        what = f"the body was sent as {named.group()}"
    raise UnsupportedMedia(f"{what}: send JSON with the header `content-type: application/json`")


def purpose_of(headers: Mapping[str, str]) -> str:
    """Return what a prediction is made for: the header `ebb-purpose`, or `prediction`.

    Raises:
        BadShape: it is none.
    """
    value = headers.get(PURPOSE)
    if value is None:
        return USUAL_PURPOSE
    if not _PURPOSE.fullmatch(value):
        raise BadShape(f"the header `{PURPOSE}` must be 1 to 64 of a-z, 0-9, _ and -, such as spring-letter")
    return value


def request_id_of(headers: Mapping[str, str], default: str) -> str:
    """Return what names a request over all its tries and hedges: the header `ebb-request-id`, or the default.

    Raises:
        BadShape: it is none.
    """
    value = headers.get(REQUEST_ID)
    if value is None:
        return default
    if not _REQUEST_ID.fullmatch(value):
        raise BadShape(f"the header `{REQUEST_ID}` must be 1 to 64 of A-Z, a-z, 0-9, _ and -")
    return value
