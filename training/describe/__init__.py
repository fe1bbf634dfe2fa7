"""A first contract from a table: honest guesses, each one said so, to be reviewed by people."""

from training.describe.describe import describe
from training.describe.model import Description, Guess, LeftOut
from training.describe.render import render
from training.describe.write import write_contract

__all__ = ["Description", "Guess", "LeftOut", "describe", "render", "write_contract"]
