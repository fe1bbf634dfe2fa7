"""What may be tried: the shipped candidates first, then whatever the sampler proposes within these bounds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from training.fit import Candidate, Linear, TreeSize
from training.fit.boosted import BOOSTED
from training.fit.logistic import LOGISTIC

if TYPE_CHECKING:
    from optuna.trial import Trial as OptunaTrial

SIZES = (
    TreeSize("default", leaves=31, rate=0.1, trees=100),
    TreeSize("small", leaves=8, rate=0.05, trees=120),
    TreeSize("middle", leaves=16, rate=0.06, trees=200),
)
"""No one size fits all tables: on some the default is best, on others it overfits and the small one wins."""
LINE = Linear("line", strength=0.1)
SHIPPED: tuple[Candidate, ...] = (*SIZES, LINE)
_LEAVES, _LEAST_ROWS = (4, 63), (5, 200)
_RATE, _REACHES, _L2, _SHARE, _STRENGTH = (0.02, 0.3), (0.3, 2.5), (1e-3, 30.0), (0.3, 1.0), (1e-4, 1e2)
_REACH = 10.0
"""Learning rate times trees of the default size; a slower rate needs as many more trees to get as far."""


def suggest(trial: "OptunaTrial", families: Sequence[str]) -> Candidate:
    """Let the sampler choose a candidate.

    Args:
        trial: asked for each parameter.
        families: that it may choose from.
    """
    family = trial.suggest_categorical("family", list(families))
    if family == LOGISTIC:
        strength = trial.suggest_float("strength", *_STRENGTH, log=True)
        return Linear(f"line, strength {strength:.2g}", strength)
    leaves = trial.suggest_int("leaves", *_LEAVES, log=True)
    rate = trial.suggest_float("rate", *_RATE, log=True)
    trees = round(_REACH * trial.suggest_float("reach", *_REACHES) / rate)
    return TreeSize(
        f"{trees} trees of {leaves} leaves, rate {rate:.3f}",
        leaves=leaves,
        rate=rate,
        trees=trees,
        least_rows=trial.suggest_int("least_rows", *_LEAST_ROWS, log=True),
        l2=trial.suggest_float("l2", *_L2, log=True),
        share=trial.suggest_float("share", *_SHARE),
        family=str(family),
    )


def parameters(candidate: Candidate, families: Sequence[str]) -> dict[str, float | int | str]:
    """Return what the sampler would have had to choose for this candidate, so that it learns from it too."""
    if isinstance(candidate, Linear):
        if LOGISTIC not in families:
            return {}
        return {"family": LOGISTIC, "strength": _within(_STRENGTH, candidate.strength)}
    if candidate.family not in families:
        return {}
    return {
        "family": candidate.family,
        "leaves": _within(_LEAVES, candidate.leaves),
        "rate": _within(_RATE, candidate.rate),
        "reach": _within(_REACHES, candidate.rate * candidate.trees / _REACH),
        "least_rows": _within(_LEAST_ROWS, candidate.least_rows),
        "l2": _within(_L2, candidate.l2),
        "share": _within(_SHARE, candidate.share),
    }


def shipped(families: Sequence[str]) -> tuple[Candidate, ...]:
    """Return the shipped candidates of these families, the most useful first."""
    if BOOSTED in families or LOGISTIC in families:
        return tuple(candidate for candidate in SHIPPED if candidate.family in families)
    return tuple(TreeSize(s.name, s.leaves, s.rate, s.trees, family=families[0]) for s in SIZES)


def _within(bounds: tuple[float, float], value: float) -> float:
    return min(max(value, bounds[0]), bounds[1])
