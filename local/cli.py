"""The command `ebb`: every subcommand, and the one place where an error becomes a sentence and an exit code.

Exit codes: 0 done, 1 failed, 2 misused, 130 interrupted.
"""

from importlib import metadata
from typing import Annotated

import typer
from rich.markup import escape

from ebb.errors import EbbError, Misuse
from local.commands import COMMANDS, GROUPS
from local.terminal import INTERRUPTED, errors

# Typer carries its own copy of click: the base of its BadParameter is the public way to that copy's usage errors.
_UsageError: type[Exception] = typer.BadParameter.__base__  # type: ignore[assignment]

app = typer.Typer(
    name="ebb",
    help="Score customers in real time: train, check, release and serve a yes/no outcome of a table.",
    no_args_is_help=True,
    invoke_without_command=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


@app.callback()
def options(
    *,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False,
) -> None:
    """Score customers in real time: train, check, release and serve a yes/no outcome of a table."""
    if version:
        print(f"ebb {metadata.version('ebb')}")  # noqa: T201 - for scripts
        raise typer.Exit


for name, command in COMMANDS.items():
    app.command(name, no_args_is_help=False)(command)

for name, (description, commands) in GROUPS.items():
    group = typer.Typer(help=description, no_args_is_help=True)
    for second, command in commands.items():
        group.command(second, no_args_is_help=False)(command)
    app.add_typer(group, name=name)


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code; errors are printed as one sentence."""
    code = _call(arguments)
    if code == INTERRUPTED:
        errors.print("[bold red]ebb:[/bold red] interrupted; nothing half-written was kept")
    return code


def _call(arguments: list[str] | None) -> int:
    try:
        # Typer answers an exit code of its own for `typer.Exit` and, in some versions, for Ctrl-C.
        result = app(arguments, standalone_mode=False)
    except EbbError as error:
        errors.print(f"[bold red]ebb:[/bold red] {escape(str(error))}")
        return 2 if isinstance(error, Misuse) else 1
    except _UsageError as error:
        error.show()  # type: ignore[attr-defined]
        return 2
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except OSError as error:
        sentence = f"{error.strerror or error}: {error.filename or 'the system'}"
        errors.print(f"[bold red]ebb:[/bold red] {escape(sentence)}")
        return 1
    return result if isinstance(result, int) else 0
