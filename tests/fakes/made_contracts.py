"""Contracts of a few features each, made by the test that needs them."""

from ebb.contract import Contract, parse_contract

HEAD = """\
name = "small"
{entity}
[label]
column = "y"
positive = "{positive}"
[decision]
action_cost = 1.0
retained_value = 10.0
success_rate = 0.5
[gates]
min_auc = 0.5
max_calibration_error = 0.5
[rules]
base = 0.3
"""


def contract_of(*features: str, entity: str | None = None, positive: str = "1") -> Contract:
    """Return a contract with features such as `name = "x", kind = "number", missing = true`."""
    key = f'[entity]\ncolumn = "{entity}"' if entity else ""
    text = HEAD.format(entity=key, positive=positive)
    for feature in features:
        text += "[[features]]\n" + "\n".join(part.strip() for part in feature.split(";")) + "\n"
    return parse_contract(text)
