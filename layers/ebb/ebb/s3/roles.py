"""Who serves: all roles of a contract in one object, so that each change of them is one conditional write."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ebb.errors import ReleaseError

_VERSION = re.compile(r"[0-9a-f]{12}")
_NAMES = ("champion", "previous", "challenger")
_BESIDE = "cheap"


@dataclass(frozen=True)
class Roles:
    """Versions by role; None where nobody has it.

    Attributes:
        champion: serves.
        previous: was champion before.
        challenger: waits to be promoted.
        beside: the cheap release of each champion, also of those that are not champion now.
    """

    champion: str | None = None
    previous: str | None = None
    challenger: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)

    @property
    def cheap(self) -> str | None:
        """The cheap release that belongs to the champion."""
        return self.beside.get(self.champion or "")

    def crowned(self, version: str) -> "Roles":
        """Return the roles with another champion; the one so far becomes the previous one."""
        before = self.previous if version == self.champion else self.champion
        return replace(self, champion=version, previous=before).settled()

    def settled(self) -> "Roles":
        """Return the roles without a challenger who is or was champion: it must not come back later."""
        return replace(self, challenger=None) if self.challenger in {self.champion, self.previous} else self

    def to_bytes(self) -> bytes:
        """Return the object's text."""
        named: dict[str, Any] = {name: version for name in _NAMES if (version := getattr(self, name))}
        if self.beside:
            named[_BESIDE] = dict(self.beside)
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
        if isinstance(document, dict) and document.keys() <= {*_NAMES, _BESIDE}:
            beside = document.pop(_BESIDE, {})
            pairs = [*beside, *beside.values()] if isinstance(beside, dict) else [beside]
            if all(isinstance(each, str) and _VERSION.fullmatch(each) for each in [*document.values(), *pairs]):
                return Roles(**document, beside=beside)
        raise ReleaseError(f"{told} does not name versions by role: promote a release, which writes it anew")
