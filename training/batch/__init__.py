"""Tables of any length scored with a release's own graph: bounded memory, the bits of single answers."""

from training.batch.prefix import score_prefix

__all__ = ["score_prefix"]
