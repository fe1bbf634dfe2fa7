"""Whether a table that its contract accepts may be learned from."""

from training.validation.finding import CRITICAL, WARNING, Finding, raise_on_critical
from training.validation.validate import Validation, validate

__all__ = ["CRITICAL", "WARNING", "Finding", "Validation", "raise_on_critical", "validate"]
