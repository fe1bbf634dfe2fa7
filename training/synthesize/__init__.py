"""Customers who never lived, made from one seed, whose true probabilities are known: as one table, or as events."""

from training.synthesize.folder import need_disk
from training.synthesize.options import Options, parse_drift, parse_size
from training.synthesize.whole import Synthesized, customers_of, synthesize_events
from training.synthesize.write import synthesize

__all__ = [
    "Options",
    "Synthesized",
    "customers_of",
    "need_disk",
    "parse_drift",
    "parse_size",
    "synthesize",
    "synthesize_events",
]
