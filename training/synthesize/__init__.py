"""Customers who never lived: a table whose true probabilities are known, made chunk by chunk from one seed."""

from training.synthesize.write import synthesize

__all__ = ["synthesize"]
