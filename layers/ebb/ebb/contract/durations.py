"""Durations as people write them: `90s`, `15m`, `24h`, `30d`."""

import math
import re

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")


def seconds(text: str) -> float:
    """Return the seconds of a duration such as `24h`.

    Raises:
        ValueError: the text is no positive number followed by s, m, h or d.
    """
    match = _DURATION.fullmatch(text.strip())
    value = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not 0 < value < math.inf:
        raise ValueError('must be a positive duration such as "90s", "15m", "24h" or "30d"')
    return value
