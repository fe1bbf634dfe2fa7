"""Contracts of a few features each, made by the test that needs them."""

from ebb.contract import Contract, parse_contract

_REST = """\
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


def contract_text(
    *features: str,
    name: str = "small",
    entity: str | None = None,
    event_time: str | None = None,
    label: str = "y",
    positive: str = "1",
) -> str:
    """Return the TOML of a contract.

    Args:
        features: such as `name = "x"; kind = "number"; missing = true`.
        name: the contract's.
        entity, event_time: their columns, where it names any.
        label, positive: the label's column and its positive value.
    """
    keys = {"entity": entity, "event_time": event_time, "label": label}
    parts = [f'name = "{name}"\n']
    parts += [f'[{key}]\ncolumn = "{column}"\n' for key, column in keys.items() if column is not None]
    parts += [f'positive = "{positive}"\n', _REST]
    parts += ["[[features]]\n" + "".join(f"{part.strip()}\n" for part in feature.split(";")) for feature in features]
    return "".join(parts)


def contract_of(
    *features: str,
    name: str = "small",
    entity: str | None = None,
    event_time: str | None = None,
    positive: str = "1",
) -> Contract:
    """Return the contract of `contract_text`."""
    return parse_contract(contract_text(*features, name=name, entity=entity, event_time=event_time, positive=positive))
