"""`ebb cost` misused is told in a sentence, before anything is synthesized; a stage that cannot be made, too."""

import re

import pytest

from local.cli import run
from local.synthesized import NotSynthesized, synthesized


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return re.sub(r"\s+", " ", capsys.readouterr().err)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--rps", "0"], "there must be requests"),
        (["--rps", "-5"], "requests a second must be from 0"),
        (["--utilisation", "0"], "the utilisation is a share"),
        (["--utilisation", "nan"], "the utilisation is a share"),
        (["--share", "champion"], "a share reads NAME=REQUESTS"),
        (["--share", "champion=many"], "and 'champion=many' does not"),
    ],
)
def test_misuse_is_told(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", *arguments]) == 2
    assert sentence in said(capsys)


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--help"]) == 0
    assert "Example: ebb cost --stage prod --rps 15000" in re.sub(r"\s+", " ", capsys.readouterr().out)


def test_a_stage_that_is_not_known_is_told_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["cost", "--stage", "moon"]) == 1
    assert "the templates of 'moon' cannot be made: there is no stage 'moon': choose one of dev" in said(capsys)


def test_no_folder_is_lent_where_nothing_was_made() -> None:
    with pytest.raises(NotSynthesized, match="cannot be made"), synthesized("moon"):
        pytest.fail("nothing was made")
