"""What a job leaves behind, whole or not at all."""

from pathlib import Path
from typing import Any

import orjson

from ebb.synced import replaced

_OPTIONS = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE
RESULT = "result.json"
"""What every job says of itself when it is done."""


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document; a number that is none becomes null.

    Raises:
        OSError: it cannot be written; what was there before still stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as partial:
        partial.write_bytes(orjson.dumps(value, default=str, option=_OPTIONS))
