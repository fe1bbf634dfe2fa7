"""Which dates a first contract may use: none that reveals the outcome, and none that means less every day."""

from training.describe.model import Guess
from training.describe.names import moves_with_time

DAYS = "days since 1970-01-01"
_TELLING_AUC = 0.9
_HOW = "remove the # before its lines in the contract"


def doubtful_date(guess: Guess) -> str:
    """Say why a date is left out until people decide; "" for other columns, and for dates that may be used."""
    feature = guess.feature
    if not feature.written.is_date:
        return ""
    if guess.leak or guess.gives:
        return f"a date that gives the outcome away; if it is known before, {_HOW}"
    if guess.afterwards:
        return f"a date that sounds like the outcome's own; if it is known before, {_HOW}"
    if guess.auc > _TELLING_AUC:
        return f"a date that predicts the label well (out-of-fold AUC {guess.auc:.3f}); if it is known before, {_HOW}"
    if moves_with_time(feature.column):
        return "a date that moves with every table; bring the days from it to the table's moment as a number"
    return ""
