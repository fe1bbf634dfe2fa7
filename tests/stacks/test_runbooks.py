"""Runbooks: each alarm has one that names it, each says what to do, and the table says who is told."""

import re

import pytest

from tests.home import ROOT
from tests.stacks.conftest import PLACES, Synthesized
from tests.stacks.watched import alarms, composites, flat

RUNBOOKS = ROOT / "docs" / "runbooks"

stages = pytest.mark.parametrize("stage", tuple(PLACES))


@stages
def test_each_alarm_names_a_runbook_that_stands_there_and_names_it(synthesized: Synthesized, stage: str) -> None:
    table = (RUNBOOKS / "README.md").read_text()
    for name, given in {**alarms(synthesized, stage), **composites(synthesized, stage)}.items():
        match = re.fullmatch(r"Ebb: .{8,}\. Runbook: docs/runbooks/([a-z]+)\.md", given["AlarmDescription"])
        assert match, given["AlarmDescription"]
        page = (RUNBOOKS / f"{match[1]}.md").read_text()
        whole = re.sub(r"-(long|short)$", "", name)
        assert f"`{whole}`" in page, f"{match[1]}.md does not name {whole}"
        assert re.search(rf"`{whole}`.*\({match[1]}\.md\)", table), f"the table lacks {whole}"


def test_each_runbook_says_what_how_first_and_over_and_belongs_to_an_alarm(synthesized: Synthesized) -> None:
    told = " ".join(alarm["AlarmDescription"] for stage in PLACES for alarm in alarms(synthesized, stage).values())
    told += " ".join(alarm["AlarmDescription"] for stage in PLACES for alarm in composites(synthesized, stage).values())
    pages = sorted(page for page in RUNBOOKS.glob("*.md") if page.stem not in {"README", "experiments"})
    assert len(pages) >= 12
    for page in pages:
        text = page.read_text()
        assert f"docs/runbooks/{page.name}" in told, f"{page.name} belongs to no alarm"
        for part in ("**What it means.**", "**How to see it.**", "**What to do first.**", "**It is over**"):
            assert part in text, f"{page.name} lacks {part}"


def test_links_between_runbooks_lead_somewhere() -> None:
    for page in [*RUNBOOKS.glob("*.md"), ROOT / "docs" / "monitoring.md"]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
            if not link.startswith("https://"):
                assert (page.parent / link).exists(), f"{page.name}: {link}"


@stages
def test_the_table_of_runbooks_says_who_is_told(synthesized: Synthesized, stage: str) -> None:
    rows = [
        line.split("|")[1:4] for line in (RUNBOOKS / "README.md").read_text().splitlines() if line.startswith("| `")
    ]
    written = {name: told.strip() for names, _, told in rows for name in re.findall(r"`([^`]+)`", names)}
    found = {**alarms(synthesized, stage), **composites(synthesized, stage)}
    for name, given in found.items():
        targets = {flat(action) for action in given.get("AlarmActions", [])}
        assert given.get("AlarmActions", []) == given.get("OKActions", [])
        if name in written and targets:
            (target,) = targets
            assert target.startswith(f"${{{written[name].capitalize()}"), name
        else:
            assert not targets, name
            assert name == "rollback" or name.endswith(("-long", "-short")), name
