"""What the code says of itself, as a protocol."""

from typing import Protocol


class Signals(Protocol):
    """Counts and states for whoever watches; never a personal value, never an entity."""

    def count(self, name: str, by: float = 1) -> None:
        """Add to a count."""

    def gauge(self, name: str, value: float) -> None:
        """State the present value."""

    def observe(self, name: str, value: float) -> None:
        """Add one measurement to a distribution."""
