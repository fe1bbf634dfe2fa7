"""What a function loads together with both layers, against Lambda's limit and Ebb's own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cdk.archives import LAYERS, PREDICT, Entry

MIB = 1024 * 1024
LAMBDA_UNZIPPED = 250 * MIB
"""A function and its layers, unzipped: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"""

PREDICT_UNZIPPED, PREDICT_ZIPPED = 150 * MIB, 45_000_000
"""What predict may be: its cold start grows with both."""


@dataclass(frozen=True)
class Size:
    """One function with both layers.

    Attributes:
        function: its name.
        bytes_zipped, bytes_unzipped: of the three archives together.
        limit_zipped: bytes; None where only the unzipped size is limited.
        limit_unzipped: bytes.
    """

    function: str
    bytes_zipped: int
    bytes_unzipped: int
    limit_zipped: int | None
    limit_unzipped: int

    @property
    def fits(self) -> bool:
        """Whether it is within its limits."""
        zipped = self.limit_zipped is None or self.bytes_zipped <= self.limit_zipped
        return zipped and self.bytes_unzipped <= self.limit_unzipped


def sizes(entries: Mapping[str, Entry]) -> Iterator[Size]:
    """Return each function's size with both layers.

    Args:
        entries: the manifest, by archive.
    """
    for name in entries:
        if name not in LAYERS:
            parts = [entries[part] for part in (*LAYERS, name)]
            yield Size(
                name,
                sum(part.bytes_zipped for part in parts),
                sum(part.bytes_unzipped for part in parts),
                PREDICT_ZIPPED if name == PREDICT else None,
                PREDICT_UNZIPPED if name == PREDICT else LAMBDA_UNZIPPED,
            )
