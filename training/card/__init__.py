"""The model card: one self-contained page for the people who decide whether a release may act."""

from training.card.page import card
from training.card.story import Story, Table, table_of
from training.card.wording import figure

__all__ = ["Story", "Table", "card", "figure", "table_of"]
