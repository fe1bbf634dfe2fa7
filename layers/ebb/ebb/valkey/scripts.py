"""The scripts and the keys they work on.

    f:<entity_id>     16 digits of version, then the record's JSON; every record has a life
    rl:<client>       when the client has paid for all it asked, microseconds of the server's clock, and for how many
                      requests the last question counted
    quota:<client>:N  requests counted on the day that lies N days after 1 January 1970 (UTC)
    hot               a sorted set of at most `MOST` entities: logarithms of their decayed counts of reads
    routing:version   the version of the routing table
    refilled          how far the server was refilled
    followed          how far it followed another region

The version stands in front so that a script can compare it without parsing.
"""

from dataclasses import dataclass
from hashlib import sha1
from importlib.resources import files

DIGITS = 16
HALF_LIFE, MOST, HOT = 60.0, 1_024, 5.0
"""Counts of reads halve after so many seconds; so many entities are counted; from this count on one is hot."""

HOT_KEY, ROUTING_KEY, FOLLOWED_KEY = "hot", "routing:version", "followed"


@dataclass(frozen=True)
class Script:
    """A script and the name that the server gives it."""

    text: str
    sha: str


def _script(name: str, **constants: float) -> Script:
    header = "".join(f"local {key} = {value:g}\n" for key, value in constants.items())
    text = header + files("ebb.valkey").joinpath(name).read_text("utf-8")
    return Script(text, sha1(text.encode()).hexdigest())  # noqa: S324 - Valkey names scripts so


ASK = _script("ask.lua", HALF_LIFE=HALF_LIFE, MOST=MOST, HOT=HOT)
PUT = _script("put.lua", DIGITS=DIGITS)
ANNOUNCE = _script("announce.lua")


def record_key(entity_id: str) -> str:
    """Return the key of an entity's record."""
    return f"f:{entity_id}"


def limit_key(client: str) -> str:
    """Return the key of a client's rate limit."""
    return f"rl:{client}"


def quota_key(client: str) -> str:
    """Return what the keys of a client's quota begin with; the script adds the day."""
    return f"quota:{client}"
