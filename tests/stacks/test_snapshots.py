"""Templates equal the reviewed ones, differences can be read, and what holds data keeps its logical id."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.stacks import golden_files
from tests.stacks.conftest import PLACES, SECOND, Synthesized
from tests.stacks.golden_files import GOLDEN, SHOWN, accept, differences
from tests.stacks.snapshot import TEMPLATES, snapshots, to_text

PINS = sorted(GOLDEN.glob("stateful*.toml"))
"""Those of every stage; those of a place whose name follows, in whose stacks they stand instead."""
STATEFUL = {kind for pins in PINS for ids in tomllib.loads(pins.read_text()).values() for kind in ids.values()}
HASH = "0123456789abcdef" * 4


def test_templates_are_the_reviewed_ones(synthesized: Synthesized) -> None:
    difference = differences(TEMPLATES, snapshots(synthesized))
    assert not difference, difference


def pinned(place: str) -> dict[str, dict[str, str]]:
    """Return the logical ids of what holds data at a place, by stack."""
    own = GOLDEN / f"stateful-{place}.toml"
    found: dict[str, dict[str, str]] = {} if place in SECOND else tomllib.loads((GOLDEN / "stateful.toml").read_text())
    return {**found, **(tomllib.loads(own.read_text()) if own.exists() else {})}


@pytest.mark.parametrize("stage", PLACES)
def test_what_holds_data_keeps_its_logical_id(synthesized: Synthesized, stage: str) -> None:
    found = {
        stack: {name: one["Type"] for name, one in template["Resources"].items() if one["Type"] in STATEFUL}
        for stack, template in synthesized.templates[stage].items()
    }
    assert {stack: ids for stack, ids in found.items() if ids} == pinned(stage)


def test_every_pin_has_its_reason_beside_it() -> None:
    lines = [line for pins in PINS for line in pins.read_text().splitlines()]
    assert all(len(line.partition("#")[2]) > 20 for line in lines if "=" in line)


def stack(properties: dict[str, Any]) -> dict[str, Any]:
    """Return a template of one resource."""
    return {"Resources": {"R": {"Type": "T", "Properties": properties}}, "Rules": {"CheckBootstrapVersion": {}}}


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"A": {"Ref": "B"}}, "A: !Ref 'B'"),
        ({"A": {"Fn::GetAtt": ["B", "Arn"]}}, "A: !GetAtt 'B.Arn'"),
        (
            {"A": {"Fn::Join": ["", ["x:", {"Ref": "B"}, "/", {"Fn::ImportValue": "s:C"}]]}},
            "A: !Sub 'x:${B}/${import s:C}'",
        ),
        ({"A": {"Fn::Join": [",", ["x", "y"]]}}, "Fn::Join:"),
        ({"A": f"{HASH}.zip"}, "A: <hash>.zip"),
        ({"A": {"Ref": f"CallCurrentVersion0123ABCD{HASH[:32]}"}}, "A: !Ref 'CallCurrentVersion0123ABCD<hash>'"),
        ({"Tags": {"ebb:stage": "dev", "ebb:part": "s"}}, "Tags: <stage and part>"),
        ({"Tags": {"ebb:stage": "prod", "ebb:part": "s"}}, "'ebb:stage': prod"),
    ],
)
def test_templates_are_written_short_and_without_hashes(properties: dict[str, Any], text: str) -> None:
    written = to_text(stack(properties), "dev", "s")
    assert text in written
    assert "Bootstrap" not in written


def test_another_parameter_stays_visible() -> None:
    assert "Password" in to_text({"Parameters": {"BootstrapVersion": {}, "Password": {}}}, "dev", "s")


def test_a_difference_can_be_read_and_accepted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_files, "GOLDEN", tmp_path)
    accept(".txt", {"a.txt": "one\ntwo\n", "gone.txt": "x\n"})
    (tmp_path / "kept.toml").touch()
    assert differences(".txt", {"a.txt": "one\ntwo\n", "gone.txt": "x\n"}) == ""
    difference = differences(".txt", {"a.txt": "one\nthree\n"})
    assert "-two\n+three" in difference
    assert "reviewed/gone.txt" in difference
    assert "python -m tests.stacks.snapshot" in difference
    accept(".txt", {"a.txt": "one\nthree\n"})
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "kept.toml"}


def test_a_long_difference_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(golden_files, "GOLDEN", tmp_path)
    lines = differences(".txt", {"a.txt": "\n".join(map(str, range(500)))}).splitlines()
    assert len(lines) == SHOWN + 2
    assert "lines more" in lines[-2]
