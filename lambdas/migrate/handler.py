"""Entry of the migrate function, which a deployment invokes before the functions that need the new schema."""

import os
from typing import Any

from ebb.addresses import postgres_address
from ebb.settings import Settings
from lambdas.migrate.logic import migrate

ADDRESS = postgres_address(Settings.from_environment(os.environ))


def handle(event: dict[str, Any], _context: Any) -> dict[str, str]:
    """Take `{"to": "head" | "base" | a version}` and answer `{"from": ..., "to": ...}`."""
    done = migrate(ADDRESS, to=str(event.get("to", "head")))
    return {"from": done.before, "to": done.after}
