"""One TOML table read key by key: wrong types, impossible values and unknown keys name their line."""

import difflib
import math
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeVar

from ebb.contract.durations import seconds
from ebb.contract.lines import Path, line_of
from ebb.errors import ContractError

_E = TypeVar("_E", bound=StrEnum)
_REQUIRED: Any = object()


class Table:
    """Reads the keys of one table; `finish` refuses what nobody asked for.

    Args:
        values: the table as the TOML parser gave it.
        path: where it stands.
        lines: line of each path.
        source: the file's name for messages.
    """

    def __init__(self, values: Mapping[str, Any], path: Path, lines: dict[Path, int], source: str) -> None:
        self._values = dict(values)
        self._path, self._lines, self._source = path, lines, source
        self._asked: set[str] = set()

    def fail(self, message: str, key: str | None = None) -> ContractError:
        """Make the error about `key` (or the whole table), with its line."""
        path = (*self._path, key) if key else self._path
        return ContractError(message, line_of(self._lines, path), self._source)

    def has(self, key: str) -> bool:
        """Tell whether the key is given."""
        self._asked.add(key)
        return key in self._values

    def take(self, key: str, default: Any = _REQUIRED) -> Any:
        """Return the raw value of `key`; a missing key without a default is an error."""
        self._asked.add(key)
        if key in self._values:
            return self._values[key]
        if default is _REQUIRED:
            where = f"[{self._path[0]}]" if self._path else "the top of the file"
            raise self.fail(f"`{key}` is missing from {where}: add it")
        return default

    def text(self, key: str, default: Any = _REQUIRED) -> str:
        """Return a non-empty text."""
        value = self.take(key, default)
        if not isinstance(value, str) or (not value.strip() and key in self._values):
            raise self.fail(f"`{key}` must be a text in quotes", key)
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.fail(f"`{key}` must be true or false", key)
        return value

    def number(self, key: str, default: Any = _REQUIRED, low: float = -math.inf, high: float = math.inf) -> Any:
        """Return a finite number within [low, high]; a default may be None."""
        value = self.take(key, default)
        if value is None and key not in self._values:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise self.fail(f"`{key}` must be a finite number", key)
        if not low <= value <= high:
            raise self.fail(f"`{key}` is {value}, but must be {_between(low, high)}", key)
        return float(value)

    def choice(self, key: str, kind: type[_E], default: Any = _REQUIRED) -> _E:
        """Return a member of the enumeration."""
        value = self.take(key, default)
        try:
            return kind(value)
        except ValueError:
            raise self.fail(f"`{key}` is {value!r}, but must be one of {', '.join(kind)}", key) from None

    def duration(self, key: str) -> float | None:
        """Return seconds of a duration such as "24h", or None where the key is absent."""
        if not self.has(key):
            return None
        try:
            return seconds(self.text(key))
        except ValueError as error:
            raise self.fail(f"`{key}` {error}", key) from None

    def sub(self, key: str) -> "Table":
        """Return the table below `key`."""
        value = self.take(key)
        if not isinstance(value, dict):
            raise self.fail(f"`{key}` must be a table: write [{key}]", key)
        return Table(value, (*self._path, key), self._lines, self._source)

    def subs(self, key: str) -> list["Table"]:
        """Return the tables of the array below `key`; none where it is absent."""
        value = self.take(key, [])
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise self.fail(f"`{key}` must be an array of tables: write [[{key}]]", key)
        return [Table(v, (*self._path, key, i), self._lines, self._source) for i, v in enumerate(value)]

    def finish(self) -> None:
        """Refuse keys that nobody asked for."""
        for key in self._values:
            if key not in self._asked:
                near = difflib.get_close_matches(key, self._asked, 1)
                hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(sorted(self._asked))}"
                raise self.fail(f"unknown key `{key}`; {hint}", key)


def _between(low: float, high: float) -> str:
    if math.isinf(high):
        return f"at least {low:g}"
    return f"at most {high:g}" if math.isinf(low) else f"between {low:g} and {high:g}"
