"""Search for the candidate that fits a table best: within a budget, in parallel, stoppable and resumable."""

from training.search.budget import Budget
from training.search.found import Search, Trial
from training.search.run import fit_best, search
from training.search.space import LINE, SHIPPED, SIZES

__all__ = ["LINE", "SHIPPED", "SIZES", "Budget", "Search", "Trial", "fit_best", "search"]
