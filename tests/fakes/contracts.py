"""One small contract with every kind of feature, and a row that it accepts."""

from ebb.contract import Contract, Value, parse_contract

TEXT = """\
name = "tiny"
description = "Who leaves"

[entity]
column = "id"

[label]
column = "left"
positive = "yes"
window_days = 30

[decision]
action_cost = 10
retained_value = 200
success_rate = 0.25
currency = "EUR"

[gates]
min_auc = 0.6
max_calibration_error = 0.1

[rules]
base = 0.2

[[rules.adjust]]
feature = "tenure"
below = 12
add = 0.3

[[rules.adjust]]
feature = "plan"
equals = "basic"
add = 0.1

[[features]]
name = "tenure"
kind = "integer"
unit = "months"
min = 0
max = 120
max_age = "30d"
when_stale = "degrade"

[[features]]
name = "spend"
column = "Monthly  spend"
kind = "number"
missing = true

[[features]]
name = "paperless"
kind = "flag"
default = false

[[features]]
name = "plan"
kind = "category"
categories = ["basic", "plus"]

[[features]]
name = "city"
kind = "category"
missing = true
max_age = "24h"
when_stale = "refuse"
personal = true
"""

ROW: dict[str, Value] = {"tenure": 5, "spend": 20.5, "paperless": True, "plan": "basic", "city": "Ghent"}


def tiny_contract() -> Contract:
    """Return the contract of `TEXT`."""
    return parse_contract(TEXT, "tiny.toml")
