"""Reason codes: each feature's share of a score, with words for it from the contract."""

from ebb.reasons.explainer import Explainer, Reason, reason_codes

__all__ = ["Explainer", "Reason", "reason_codes"]
