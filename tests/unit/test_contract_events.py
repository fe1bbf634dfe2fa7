"""What a contract says of events: which columns, which SQL files, and every contradiction by its line."""

import re

import pytest

from ebb.contract import SNAPSHOT_TIME, Events, parse_contract
from ebb.errors import ContractError
from tests.fakes.contracts import TEXT

_TABLE = '\n[events]\nentity = "who"\ntime = "at"\nlabel = "left.sql"\n'
_BUILT = re.sub(r'(kind = "\w+")', r'\1\nsql = "usage.sql"', TEXT).replace("\n[decision]", f"{_TABLE}\n[decision]")


def _line(text: str, wanted: str, nth: int = 0) -> int:
    return [i for i, line in enumerate(text.splitlines(), 1) if line == wanted][nth]


def test_a_contract_without_events_has_none() -> None:
    contract = parse_contract(TEXT)
    assert contract.events is None
    assert contract.feature_sets == {}
    assert contract.event_time is None


def test_events_are_read_and_the_feature_sets_follow_from_the_features() -> None:
    contract = parse_contract(_BUILT.replace('kind = "flag"\nsql = "usage.sql"', 'kind = "flag"\nsql = "bills.sql"'))
    assert contract.events == Events("who", "at", "left.sql")
    sets = {file: [f.name for f in features] for file, features in contract.feature_sets.items()}
    assert sets == {"usage.sql": ["tenure", "spend", "plan", "city"], "bills.sql": ["paperless"]}
    assert contract.event_time == SNAPSHOT_TIME


def test_the_label_may_come_from_elsewhere() -> None:
    events = parse_contract(_BUILT.replace('label = "left.sql"\n', "")).events
    assert events == Events("who", "at", None)


@pytest.mark.parametrize(
    ("old", "new", "at", "says"),
    [
        ('time = "at"', 'times = "at"', "[events]", "`time` is missing from [events]"),
        ('time = "at"', 'time = "who"', 'time = "who"', "names the entity"),
        ('label = "left.sql"', 'labels = "left.sql"', 'labels = "left.sql"', "unknown key `labels`; did you mean"),
        (
            'label = "left.sql"',
            'label = "../left.sql"',
            'label = "../left.sql"',
            "must name a file beside the contract",
        ),
        ('label = "left.sql"', 'label = "left.txt"', 'label = "left.txt"', "must name a file beside the contract"),
        ('label = "left.sql"', 'label = "usage.sql"', 'label = "usage.sql"', "only the label may see the future"),
        ('label = "left.sql"', "label = 3", "label = 3", "must be a text in quotes"),
        ("window_days = 30", "window_days = 0", "window_days = 0", "at least 1 where SQL builds the label"),
        ('[entity]\ncolumn = "id"\n', "", "[events]", "needs [entity]"),
        ("[label]", '[event_time]\ncolumn = "when"\n\n[label]', "[event_time]", "remove [event_time]"),
        ('name = "plan"', f'name = "plan"\ncolumn = "{SNAPSHOT_TIME}"', f'column = "{SNAPSHOT_TIME}"', "event time"),
        (_TABLE, "", 'sql = "usage.sql"', "`sql` needs [events]"),
        ('kind = "flag"\nsql = "usage.sql"', 'kind = "flag"', "[[features]]", "`paperless` names no `sql`"),
    ],
)
def test_a_contradiction_names_its_line(old: str, new: str, at: str, says: str) -> None:
    text = _BUILT.replace(old, new, 1)
    assert text != _BUILT
    with pytest.raises(ContractError, match=re.escape(says)) as caught:
        parse_contract(text)
    assert caught.value.line == _line(text, at, 2 if at == "[[features]]" else 0)
