"""The file that says what each client may ask, as the functions are told of it."""

import json
import tomllib
from pathlib import Path

from ebb.errors import Misuse
from ebb.plans import Plans


def plans_text(path: Path | None) -> str:
    """Return a file of client plans as the JSON text of the variable EBB_PLANS; empty where there is no file.

    Args:
        path: TOML, or JSON where its name ends so; see `ebb.plans`.

    Raises:
        Misuse: it cannot be read, or holds no plans; says where.
    """
    if path is None:
        return ""
    try:
        text = path.read_text()
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise Misuse(f"the plans in {path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise Misuse(f"{path} is neither TOML nor, named so, JSON: {error}") from None
    try:
        told = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:  # TOML knows dates, which no plan has
        raise Misuse(f"{path} holds what no plan has: {error}") from None
    try:
        Plans.parse(told)
    except Misuse as error:
        raise Misuse(f"{path}: {error}") from None
    return told
