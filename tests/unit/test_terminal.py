"""What the commands print: text as typed, bars on standard error, progress of a detached process."""

import json
from pathlib import Path

import pytest

from ebb.errors import ContractError, Misuse
from local import cli
from local.progress_file import FileProgress, ProgressWatcher
from local.terminal import TerminalProgress, age, counted, next_step, print_facts, print_json, print_table


def test_square_brackets_are_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_table("[bold]title", ["[red]column"], [["[label]"]])
    print_facts("[facts]", {"[name]": "[value]"})
    next_step("ebb init '[x].csv'")
    shown = capsys.readouterr().out
    for text in ("[bold]title", "[red]column", "[label]", "[facts]", "[name]", "[value]", "'[x].csv'"):
        assert text in shown


def test_json_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"name": "é[x]", "path": Path("a")})
    assert json.loads(capsys.readouterr().out) == {"name": "é[x]", "path": "a"}


def test_bars_go_to_standard_error_and_end_complete(capsys: pytest.CaptureFixture[str]) -> None:
    with TerminalProgress().step("Work", 10) as done:
        done(3)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Work" in captured.err
    assert "100%" in captured.err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Misuse("say [what]"), 2),
        (ContractError("write [label]", 3, "c.toml"), 1),
        (OSError(28, "No space left on device", "/x"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_is_a_sentence_and_a_code(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    assert cli.run([]) == code
    shown = capsys.readouterr().err
    assert shown.startswith("ebb: ")
    for bracket in ("[what]", "[label]"):
        assert (bracket in str(error)) == (bracket in shown)


def test_an_exit_code_of_a_command_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    for returned, code in ((None, 0), (1, 1), ("text", 0)):
        monkeypatch.setattr(cli, "app", lambda *_, **__: returned)  # noqa: B023 - called at once
        assert cli.run([]) == code


def test_a_detached_process_tells_its_progress(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "progress.json"
    told = FileProgress(file)
    with ProgressWatcher(file, "Bring it up") as watcher:
        watcher.look()
        with told.step("Load features", 4) as done:
            done(2)
            watcher.look()
            assert json.loads(file.read_text())["title"] == "Load features"
            done(2)
            assert json.loads(file.read_text())["finished"] == 4
        assert not file.exists()
        with told.step("Next", 1) as done:
            watcher.look()
        watcher.look()
    shown = capsys.readouterr().err
    assert "Load features" in shown
    assert "Next" in shown
    assert "Bring it up" in shown


def test_a_failed_wait_shows_no_full_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Misuse), ProgressWatcher(tmp_path / "p.json", "Bring it up"):
        raise Misuse("no")
    assert "100%" not in capsys.readouterr().err


def test_a_half_read_file_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    file.write_text('{"title": ')
    with ProgressWatcher(file, "Bring it up") as watcher:
        watcher.look()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (18, "18 s"), (119, "119 s"), (121, "2 minutes"), (7_200, "2 hours"), (471_993_291, "5,463 days")],
)
def test_an_age_is_said_as_people_say_it(seconds: float, said: str) -> None:
    assert age(seconds) == said


def test_one_is_no_plural() -> None:
    assert [counted(number, "row") for number in (0, 1, 2_000)] == ["0 rows", "1 row", "2,000 rows"]
