"""Prediction events as lines of a log: sealed, numbered and chained."""
