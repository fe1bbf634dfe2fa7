"""The contract: one TOML file that describes one scoring problem, parsed into frozen values."""

from ebb.contract.model import (
    SNAPSHOT_TIME,
    Adjustment,
    Contract,
    Decision,
    Events,
    Feature,
    Gates,
    Kind,
    Label,
    Rules,
    Unseen,
    Value,
    WhenStale,
)
from ebb.contract.parse import parse_contract

__all__ = [
    "SNAPSHOT_TIME",
    "Adjustment",
    "Contract",
    "Decision",
    "Events",
    "Feature",
    "Gates",
    "Kind",
    "Label",
    "Rules",
    "Unseen",
    "Value",
    "WhenStale",
    "parse_contract",
]
