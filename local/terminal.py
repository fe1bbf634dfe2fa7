"""What every command of `ebb` prints with: progress bars, tables, JSON and the next step."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from training.progress import Silent

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended."""

console = Console(stderr=False, highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)


def bars() -> Progress:
    """Return progress bars as every command shows them, on standard error."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    return Progress(*columns, console=errors)


class TerminalProgress:
    """The `training.progress.Progress` of a terminal; bars go to standard error, so that output stays clean."""

    @contextmanager
    def step(self, title: str, total: int) -> Iterator[Callable[[int], None]]:
        """Open a step of `total` units and show its bar; the bar stays when the step is done.

        Raises:
            KeyboardInterrupt: Ctrl-C was pressed, and a library swallowed it.
        """
        with Silent().step(title, total) as hear, bars() as progress:
            task = progress.add_task(title, total=max(total, 1))

            def advance(done: int) -> None:
                progress.advance(task, done)
                hear(done)

            yield advance
            progress.update(task, completed=max(total, 1))


def plain(text: str) -> str:
    """Return a text of unknown origin as it may be printed: neither markup nor control characters take effect."""
    return escape("".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text))


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts, in the plural where it is not one."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def age(seconds: float) -> str:
    """Return an age as people say it: in the largest unit of which there are at least two."""
    for unit, size in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{seconds:.0f} s"


def print_json(value: Any) -> None:
    """Print one JSON document on standard output, for scripts."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows under column heads."""
    table = Table(title=plain(title), title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(plain(column))
    for row in rows:
        table.add_row(*(plain(str(cell)) for cell in row))
    console.print(table)


def print_facts(title: str, facts: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    console.print(f"[bold]{plain(title)}[/bold]")
    width = max((len(name) for name in facts), default=0)
    for name, value in facts.items():
        console.print(f"  {plain(name):<{width}}  {plain(str(value))}")


def next_step(*commands: str) -> None:
    """Say what to run next."""
    console.print("[bold]Next:[/bold]")
    for command in commands:
        console.print(f"  {plain(command)}")
