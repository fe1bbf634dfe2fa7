"""What an event time may be."""

AHEAD_SECONDS = 300.0
"""How far in the future it may lie: clocks differ."""
