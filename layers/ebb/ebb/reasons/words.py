"""Numbers that look random and are the same in every process, on every machine and with every version of numpy."""

from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray


def words(seed: bytes, count: int) -> NDArray[np.uint64]:
    """Return that many 64-bit words of SHAKE-256 over the seed."""
    return np.frombuffer(shake_256(seed).digest(8 * count), np.dtype(">u8")).astype(np.uint64)
