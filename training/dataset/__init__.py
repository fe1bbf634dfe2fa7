"""From an ugly table to accepted data: read a file, hold it against the contract, keep what fits exactly."""

from training.dataset.accept import Dataset, accept_table, read_dataset
from training.dataset.read import read_table

__all__ = ["Dataset", "accept_table", "read_dataset", "read_table"]
