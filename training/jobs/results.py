"""What a job leaves behind, whole or not at all."""

import json
from pathlib import Path
from typing import Any

from ebb.synced import replaced

RESULT = "result.json"
"""What every job says of itself when it is done."""


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document.

    Raises:
        OSError: it cannot be written; what was there before still stands.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with replaced(path) as partial:
        partial.write_text(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
