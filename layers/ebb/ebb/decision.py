"""When acting on an entity pays: the expected-profit threshold.

Acting on an entity whose outcome is positive with probability p earns, on average,
p * success_rate * retained_value - action_cost; not acting earns 0 (Elkan, "The Foundations of Cost-Sensitive
Learning", IJCAI 2001: the threshold of a cost matrix).
"""

from ebb.contract.model import Decision

ACT, HOLD = "act", "hold"


def threshold(decision: Decision) -> float:
    """Return the probability at and above which acting pays; above 1 it never does."""
    return decision.action_cost / (decision.success_rate * decision.retained_value)


def expected_profit(decision: Decision, probability: float) -> float:
    """Return what acting on one entity earns on average, in the decision's currency."""
    return probability * decision.success_rate * decision.retained_value - decision.action_cost


def decide(decision: Decision, probability: float) -> str:
    """Return `act` where acting pays at least what it costs, else `hold`."""
    return ACT if probability >= threshold(decision) else HOLD
