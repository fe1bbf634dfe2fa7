"""One module a subcommand of `ebb`: reads its options, calls one function, prints the answer."""

from collections.abc import Callable

COMMANDS: dict[str, Callable[..., object]] = {}
