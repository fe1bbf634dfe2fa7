"""Reviewed files beside the tests: compared with a readable difference, and written anew by one command.

`python -m tests.stacks.snapshot` accepts what the stacks say now; the commit shows what was accepted.
"""

import difflib
from collections.abc import Mapping
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"
SHOWN = 60
"""Lines of a difference that a failure shows."""
ACCEPT = "python -m tests.stacks.snapshot"


def differences(suffix: str, expected: Mapping[str, str]) -> str:
    """Return how the golden files of a kind differ from what they should hold; empty where they do not.

    Args:
        suffix: that all files of the kind end with, and no others.
        expected: contents by name.
    """
    kept = {path.name: path.read_text() for path in GOLDEN.glob(f"*{suffix}")}
    found = [
        line
        for name in sorted(kept.keys() | expected)
        for line in difflib.unified_diff(
            kept.get(name, "").splitlines(),
            expected.get(name, "").splitlines(),
            f"reviewed/{name}",
            f"now/{name}",
            lineterm="",
            n=2,
        )
    ]
    if not found:
        return ""
    more = [f"... and {len(found) - SHOWN} lines more"] if len(found) > SHOWN else []
    return "\n".join(
        [*found[:SHOWN], *more, f"If that is what you meant, accept it with `{ACCEPT}` and review the commit."]
    )


def accept(suffix: str, expected: Mapping[str, str]) -> None:
    """Write the golden files of a kind, and remove those that are no longer any."""
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.glob(f"*{suffix}"):
        if path.name not in expected:
            path.unlink()
    for name, text in expected.items():
        (GOLDEN / name).write_text(text)
