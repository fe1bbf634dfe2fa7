"""Who serves: all roles of a contract in one object, so that each change of them is one conditional write."""

import re
from dataclasses import dataclass, replace

import orjson

from ebb.errors import ReleaseError

_VERSION = re.compile(r"[0-9a-f]{12}")
_NAMES = ("champion", "previous", "challenger", "cheap")


@dataclass(frozen=True)
class Roles:
    """Versions by role; None where nobody has it.

    Attributes:
        champion: serves.
        previous: was champion before.
        challenger: waits to be promoted.
        cheap: stands beside the champion.
    """

    champion: str | None = None
    previous: str | None = None
    challenger: str | None = None
    cheap: str | None = None

    def crowned(self, version: str) -> "Roles":
        """Return the roles with another champion; the one so far becomes the previous one."""
        before = self.previous if version == self.champion else self.champion
        return replace(self, champion=version, previous=before).settled()

    def settled(self) -> "Roles":
        """Return the roles without a challenger who is or was champion: it must not come back later."""
        return replace(self, challenger=None) if self.challenger in {self.champion, self.previous} else self

    def to_bytes(self) -> bytes:
        """Return the object's text."""
        named = {name: version for name in _NAMES if (version := getattr(self, name))}
        return orjson.dumps(named, option=orjson.OPT_APPEND_NEWLINE)

    @staticmethod
    def from_bytes(content: bytes, told: str) -> "Roles":
        """Read the object's text.

        Args:
            content: of the object.
            told: what it is called in sentences.

        Raises:
            ReleaseError: it names no versions.
        """
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError:
            document = None
        if isinstance(document, dict) and document.keys() <= set(_NAMES):
            versions = document.values()
            if all(isinstance(each, str) and _VERSION.fullmatch(each) for each in versions):
                return Roles(**document)
        raise ReleaseError(f"{told} does not name versions by role: promote a release, which writes it anew")
