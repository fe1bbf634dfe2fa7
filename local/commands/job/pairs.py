"""`NAME=VALUE` options, as many as there are."""

from collections.abc import Sequence

from ebb.errors import Misuse


def pairs(option: str, given: Sequence[str]) -> list[tuple[str, str]]:
    """Split each at its first equals sign.

    Raises:
        Misuse: one has no name or no value.
    """
    found = []
    for text in given:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise Misuse(f"{option} {text}: must read NAME=VALUE")
        found.append((name, value))
    return found


def once(option: str, given: Sequence[str]) -> dict[str, str]:
    """Split each, and refuse a name that is given twice.

    Raises:
        Misuse: as said, or as `pairs`.
    """
    found: dict[str, str] = {}
    for name, value in pairs(option, given):
        if name in found:
            raise Misuse(f"{option} {name}=... is given twice: say it once")
        found[name] = value
    return found
